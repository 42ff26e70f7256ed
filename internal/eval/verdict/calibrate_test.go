package verdict

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// drawsOf draws n answers to each of so many cases, of which each passes with its chance.
func drawsOf(random *rand.Rand, cases, repeats, n int, chance func(i int) float64) []Draws {
	list := make([]Draws, cases)
	for i := range list {
		list[i].Case = &eval.Case{Suite: "s", ID: caseID(i), Repeats: repeats, InputHash: fmt.Sprint(i), CriteriaHash: "c"}
		for repeat := range n {
			r := drawn(repeat, random.Float64() < chance(i))
			r.Cost = llm.KnownCost(llm.Money(10_000 + random.IntN(500)))
			list[i].Results = append(list[i].Results, r)
		}
	}
	return list
}

func metricIn(t *testing.T, c eval.Calibration, name string) eval.CalibratedMetric {
	t.Helper()
	for _, m := range c.Metrics {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no metric %s in %+v", name, c.Metrics)
	return eval.CalibratedMetric{}
}

// The mean is that of the answers, to the last digit: not of the splits that were drawn.
func TestCalibrateGivesTheMeanOfAllAnswers(t *testing.T) {
	draws := drawsOf(rand.New(rand.NewPCG(5, 5)), 1, 1, 10, func(int) float64 { return 0.8 })
	passes := 0
	var cost llm.Money
	for _, r := range draws[0].Results {
		if r.Status == eval.Pass {
			passes++
		}
		cost += r.Cost.Amount
	}
	c, err := Calibrate(context.Background(), eval.Group{Suite: "s", Model: "m"}, Settings{}, draws, CalibrateOptions{Comparisons: 300, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if m := metricIn(t, c, "accuracy"); *m.Value != float64(passes)/10 {
		t.Errorf("accuracy %v of %d in 10", *m.Value, passes)
	}
	if m := metricIn(t, c, metricCost); math.Abs(*m.Value-float64(cost)/10/1e9) > 1e-15 {
		t.Errorf("cost %v of %d in 10 answers", *m.Value, cost)
	}
}

func TestCalibrateMeasuresNoiseAndFalseAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	const cases, repeats = 60, 2
	draws := drawsOf(random, cases, repeats, 12, func(i int) float64 { return 0.4 + 0.6*float64(i%3)/2 })
	settings := Settings{Gates: []eval.Gate{minimum("accuracy", 0.99), maxDrop("accuracy", 0.02), maxDrop("helpful", 0), maxRise("cost_per_case", 0.1)}}
	group := eval.Group{Suite: "s", Model: "m"}
	c, err := Calibrate(context.Background(), group, settings, draws, CalibrateOptions{Comparisons: 500, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if c.Comparisons != 500 || c.Cases != cases || c.Results != cases*repeats {
		t.Errorf("%+v", c)
	}
	// Two arms of r repeats of a case differ by 2s²/r, with the draws' own variance s².
	variance := 0.0
	for _, d := range draws {
		passes := 0
		for _, r := range d.Results {
			if r.Status == eval.Pass {
				passes++
			}
		}
		n := float64(len(d.Results))
		p := float64(passes) / n
		variance += 2 * p * (1 - p) * n / (n - 1) / repeats
	}
	want := math.Sqrt(variance) / cases
	if got := metricIn(t, c, "accuracy").Noise; math.Abs(got-want) > 0.06*want {
		t.Errorf("noise %.4f, want %.4f", got, want)
	}
	for _, gate := range c.Gates {
		switch {
		case gate.Kind == eval.GateMin:
			if gate.Fails != 1 {
				t.Errorf("min: %+v", gate)
			}
		case gate.Regressed > alpha:
			t.Errorf("%s: regressed in %.3f of all", gate.Metric, gate.Regressed)
		case gate.Kind == eval.GateMaxDrop && gate.Fails <= gate.Regressed: // fail_if_worse: chance alone is worse now and then
			t.Errorf("%s: %+v", gate.Metric, gate)
		}
	}
	if c.FalseAlarms != 1 {
		t.Errorf("false alarms %v", c.FalseAlarms)
	}
	// The gates that it suggests cry wolf no more than once in ten.
	settings.Gates = c.Suggested
	better, err := Calibrate(context.Background(), group, settings, draws, CalibrateOptions{Comparisons: 200, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if better.FalseAlarms > 0.1 {
		t.Errorf("with the suggested gates %+v: %v false alarms, %+v", c.Suggested, better.FalseAlarms, better.Gates)
	}
	for _, gate := range better.Gates {
		if gate.Inconclusive > 0.25 {
			t.Errorf("suggested, and inconclusive in %.2f: %+v", gate.Inconclusive, gate)
		}
	}
}

func TestCalibrateDoesNotDependOnWorkers(t *testing.T) {
	draws := drawsOf(rand.New(rand.NewPCG(1, 1)), 20, 1, 10, func(int) float64 { return 0.8 })
	settings := Settings{Gates: []eval.Gate{maxDrop("accuracy", 0)}}
	var first eval.Calibration
	for workers := 1; workers <= 3; workers++ {
		c, err := Calibrate(context.Background(), eval.Group{Suite: "s", Model: "m"}, settings, draws, CalibrateOptions{Comparisons: 50, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if workers == 1 {
			first = c
		}
		if diff := cmp.Diff(first, c); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Calibrate(ctx, eval.Group{}, settings, draws, CalibrateOptions{Comparisons: 50}); fault.ClassOf(err) != fault.Canceled {
		t.Errorf("canceled: %v", err)
	}
}

// TestCalibratePromisesWhatItSees holds the least drop that a calibration names to fresh
// runs of the same world: so many broken cases are called regressed in four of five. With
// -truth.suites 10000 little more than the three points is left for chance.
func TestCalibratePromisesWhatItSees(t *testing.T) {
	const cases = 80
	runs := *suites
	chance := func(i int) float64 {
		if i < 20 {
			return 0.7
		}
		return 0.98
	}
	for _, repeats := range []int{1, 3} {
		random := rand.New(rand.NewPCG(uint64(repeats), 9))
		draws := drawsOf(random, cases, repeats, 40, chance)
		settings := Settings{Gates: []eval.Gate{maxDrop("accuracy", 0)}}
		c, err := Calibrate(context.Background(), eval.Group{Suite: "s", Model: "m"}, settings, draws, CalibrateOptions{Comparisons: max(500, runs), Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		m := metricIn(t, c, "accuracy")
		broken := int(math.Round(*m.Sees / *m.Value * cases))
		power := func(broken int) float64 {
			w := world{cases: cases, repeats: repeats, before: func(i int, _ *rand.Rand) float64 { return chance(i) }}
			hits := 0
			for range runs {
				gone := map[int]bool{}
				for _, i := range random.Perm(cases)[:broken] {
					gone[i] = true
				}
				w.now = func(i int, _ *rand.Rand) float64 {
					if gone[i] {
						return 0
					}
					return chance(i)
				}
				_, _, v, _ := w.onceWith(random, settings.Gates)
				if v.Word == eval.Regressed {
					hits++
				}
			}
			return float64(hits) / float64(runs)
		}
		at, below := power(broken), power(max(0, broken-3))
		t.Logf("%d repeats: sees %.3f, %d of %d cases broken: %.3f, promised %.3f; three fewer: %.3f", repeats, *m.Sees, broken, cases, at, m.Power, below)
		// Within three points of the promise, and three standard errors of both simulations.
		slack := 0.03 + 3*math.Sqrt(m.Power*(1-m.Power)*(1/float64(runs)+1/float64(c.Comparisons)))
		if math.Abs(at-m.Power) > slack || m.Power < 0.8 || below > 0.8 {
			t.Errorf("%d repeats: %d broken cases are seen in %.3f of all runs, three fewer in %.3f; %.3f was promised", repeats, broken, at, below, m.Power)
		}
	}
}
