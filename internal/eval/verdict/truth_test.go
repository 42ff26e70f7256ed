package verdict

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// suites is how many suites a setting simulates. 10,000 put the Monte Carlo error of
// a rate of 5 % at 0.2 points.
var suites = flag.Int("truth.suites", 400, "suites a setting of TestVerdictsAgainstTheTruth")

// world is a suite whose true pass rates are known: before and now, case by case.
type world struct {
	name        string
	before, now func(i int, random *rand.Rand) float64
	cases       int
	repeats     int
	flips       int     // cases that change for good in a random direction, drawn anew for every suite
	drop        float64 // the true drop of accuracy; 0: nothing got worse
	confirm     int     // how often flips are asked anew, in both arms; 0 for not
}

func constant(p float64) func(int, *rand.Rand) float64 {
	return func(int, *rand.Rand) float64 { return p }
}

// flaky is a suite of which the first n cases pass with 0.7, and all others always.
func flaky(n int) func(int, *rand.Rand) float64 {
	return func(i int, _ *rand.Rand) float64 {
		if i < n {
			return 0.7
		}
		return 1
	}
}

// rates are what is said of one world by those who count flips, who compare means,
// and by a verdict.
type rates struct{ anyFlip, meanFell, regressed, gateWrong, drifted float64 }

// simulate judges a world many times. Both arms are drawn anew each time, from one
// random stream for all.
func (w world) simulate(n int, seed uint64) rates {
	random := rand.New(rand.NewPCG(seed, 1))
	var sum rates
	for range n {
		flip, fell, v, drift := w.once(random)
		if drift != nil && drift.Shown {
			sum.drifted++
		}
		sum.anyFlip += flip
		sum.meanFell += fell
		if v.Word == eval.Regressed {
			sum.regressed++
		}
		for _, gate := range v.Groups[0].Gates {
			if gate.Word == eval.Regressed {
				sum.gateWrong++
				break
			}
		}
	}
	size := float64(n)
	return rates{sum.anyFlip / size, sum.meanFell / size, sum.regressed / size, sum.gateWrong / size, sum.drifted / size}
}

// once draws one suite in both arms and judges it: accuracy and a named score, which
// falls and rises with it.
func (w world) once(random *rand.Rand) (anyFlip, meanFell float64, v eval.Verdict, drift *eval.Drift) {
	gates := []eval.Gate{maxDrop(metricAccuracy, 0), maxDrop("helpful", 0)}
	if w.confirm > 0 {
		gates = gates[:1]
	}
	return w.onceWith(random, gates)
}

func (w world) onceWith(random *rand.Rand, gates []eval.Gate) (anyFlip, meanFell float64, v eval.Verdict, drift *eval.Drift) {
	baseline := &eval.Baseline{Headers: []eval.BaselineHeader{{Suite: "s", Model: "m", Treatment: "old"}}}
	group := eval.Group{Suite: "s", Model: "m", Treatment: "new", Planned: w.cases * w.repeats, Cases: w.cases}
	before, now := make([]float64, w.cases), make([]float64, w.cases)
	for i := range w.cases {
		before[i], now[i] = w.before(i, random), w.now(i, random)
	}
	for _, i := range random.Perm(w.cases)[:w.flips] {
		if random.IntN(2) == 0 {
			before[i], now[i] = 1, 0
		} else {
			before[i], now[i] = 0, 1
		}
	}
	passed := make([]int, w.cases)
	for i := range w.cases {
		line := eval.BaselineLine{Case: caseID(i), Model: "m", Input: "i", Criteria: "c", Repeats: w.repeats, Valid: -1}
		line.Passes = draw(random, before[i], w.repeats)
		line.Scores = map[string]float64{"helpful": float64(line.Passes) / float64(w.repeats)}
		baseline.Lines = append(baseline.Lines, line)
		passed[i] = draw(random, now[i], w.repeats)
	}
	tally := NewTally(group, Settings{Baseline: baseline, Gates: gates, Confirms: w.confirm > 0})
	change := 0
	for i := range w.cases {
		c := &eval.Case{ID: caseID(i), Repeats: w.repeats, InputHash: "i", CriteriaHash: "c"}
		for repeat := range w.repeats {
			tally.Add(c, drawn(repeat, repeat < passed[i]))
		}
		change += passed[i] - baseline.Lines[i].Passes
		if passed[i] < baseline.Lines[i].Passes {
			anyFlip = 1
		}
	}
	if change < 0 {
		meanFell = 1
	}
	if w.confirm > 0 && len(tally.Flipped()) > 0 {
		tally.ConfirmBy(w.anew(random, tally.Flipped(), before, now), w.confirm)
	}
	return anyFlip, meanFell, Judge([]*Tally{tally}, Options{}), tally.Drift()
}

// anew draws what flipped once more, in both arms.
func (w world) anew(random *rand.Rand, flipped map[string]bool, before, now []float64) *Tally {
	beside := &eval.Baseline{Headers: []eval.BaselineHeader{{Suite: "s", Model: "m", Treatment: "old"}}}
	group := eval.Group{Suite: "s", Model: "m", Treatment: "new", Planned: len(flipped) * w.confirm, Cases: len(flipped)}
	for i := range w.cases {
		if flipped[caseID(i)] {
			beside.Lines = append(beside.Lines, eval.BaselineLine{Case: caseID(i), Model: "m", Input: "i", Criteria: "c", Repeats: w.confirm, Valid: -1, Passes: draw(random, before[i], w.confirm)})
		}
	}
	again := NewTally(group, Settings{Baseline: beside, Gates: []eval.Gate{maxDrop(metricAccuracy, 0)}, Against: &eval.Comparison{}, Pairs: true})
	for i := range w.cases {
		if !flipped[caseID(i)] {
			continue
		}
		passes := draw(random, now[i], w.confirm)
		for repeat := range w.confirm {
			again.Add(&eval.Case{ID: caseID(i), Repeats: w.confirm, InputHash: "i", CriteriaHash: "c"}, drawn(repeat, repeat < passes))
		}
	}
	return again
}

func caseID(i int) string { return fmt.Sprintf("c%04d", i) }

func draw(random *rand.Rand, p float64, n int) (passes int) {
	for range n {
		if random.Float64() < p {
			passes++
		}
	}
	return passes
}

func drawn(repeat int, pass bool) *eval.Result {
	r := &eval.Result{Repeat: repeat, Attempts: 1, Status: eval.Fail, Cost: llm.KnownCost(1), Paid: llm.KnownCost(1), Digest: "0000000000000000"}
	value := 0.0
	if pass {
		r.Status, r.Digest, value = eval.Pass, "0000000000000001", 1
	}
	r.Scores = []eval.Score{{Check: "helpful", Metric: "helpful", Value: value, Pass: pass}}
	return r
}

// TestVerdictsAgainstTheTruth holds the words to worlds whose truth is known: where
// nothing changed, or as much for the better as for the worse, "regressed" comes at
// most in one run of twenty, for each gate and for the whole verdict; where something
// did, it is seen. (How often is TestCalibratePromisesWhatItSees.)
func TestVerdictsAgainstTheTruth(t *testing.T) {
	all := worlds()
	found := make([]rates, len(all))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, w := range all {
		group.Go(func() error {
			found[i] = w.simulate(*suites, uint64(i))
			return nil
		})
	}
	_ = group.Wait() // none fails
	var table strings.Builder
	fmt.Fprintf(&table, "\n| %-62s | any flip | mean fell | llmx: regressed | llmx: drift |\n|---|---|---|---|---|\n", fmt.Sprintf("truth, %d suites a row", *suites))
	for i, w := range all {
		got := found[i]
		fmt.Fprintf(&table, "| %-62s | %6.1f %% | %7.1f %% | %13.1f %% | %9.1f %% |\n", w.name, 100*got.anyFlip, 100*got.meanFell, 100*got.regressed, 100*got.drifted)
		if w.drop > 0 {
			if least := map[bool]float64{false: 0.7, true: 0.99}[w.drop*float64(w.repeats) > 0.15]; got.regressed < least {
				t.Errorf("%s: seen in %.3f of all runs, of at least %.2f", w.name, got.regressed, least)
			}
			continue
		}
		// Three standard errors of the Monte Carlo stand above α.
		if most := alpha + 3*math.Sqrt(alpha*(1-alpha)/float64(*suites)); got.regressed > most || got.gateWrong > most || got.drifted > most {
			t.Errorf("%s: regressed in %.3f of all runs, a gate in %.3f, a drift in %.3f; at most %.3f may be", w.name, got.regressed, got.gateWrong, got.drifted, most)
		}
	}
	t.Log(table.String())
}

func worlds() []world {
	var all []world
	for _, repeats := range []int{1, 3, 10} {
		all = append(all,
			world{fmt.Sprintf("nothing changed, all pass in 9 of 10, repeats %d", repeats), constant(0.9), constant(0.9), 50, repeats, 0, 0, 0},
			world{fmt.Sprintf("nothing changed, 15 of 50 flaky, repeats %d", repeats), flaky(15), flaky(15), 50, repeats, 0, 0, 0},
			world{fmt.Sprintf("15 of 50 flaky, 10 flip for good either way, repeats %d", repeats), flaky(15), flaky(15), 50, repeats, 10, 0, 0},
			world{fmt.Sprintf("nothing changed, 15 of 50 flaky, repeats %d, confirm 5", repeats), flaky(15), flaky(15), 50, repeats, 0, 0, 5},
			world{fmt.Sprintf("15 of 50 flaky, 10 flip for good either way, repeats %d, confirm 5", repeats), flaky(15), flaky(15), 50, repeats, 10, 0, 5},
		)
	}
	for _, repeats := range []int{1, 3} {
		for _, drop := range []float64{0.1, 0.2} {
			all = append(all, world{
				fmt.Sprintf("%.0f points worse, 200 cases, repeats %d", 100*drop, repeats),
				constant(0.9), constant(0.9 - drop), 200, repeats, 0, drop, 0,
			}, world{
				fmt.Sprintf("%.0f points worse, 200 cases, repeats %d, confirm 5", 100*drop, repeats),
				constant(0.9), constant(0.9 - drop), 200, repeats, 0, drop, 5,
			})
		}
	}
	return all
}
