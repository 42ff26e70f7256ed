package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// stand compares candidates by a letter a case: p pass, f fail, e error. Each costs as
// many nano-USD a case as it says; −1 is an unknown price.
type stand struct {
	model    string
	outcomes string
	cost     llm.Money
}

func groupsFor(stands []stand) []eval.Group {
	var groups []eval.Group
	for _, s := range stands {
		groups = append(groups, eval.Group{Suite: "triage", Model: s.model, Prompt: llm.PromptRef{Name: "triage", Version: "draft"}})
	}
	return groups
}

func resultOf(letter byte, cost llm.Money) *eval.Result {
	r := &eval.Result{Attempts: 1, Status: eval.Fail, Service: time.Second, Cost: llm.KnownCost(cost)}
	if cost < 0 {
		r.Cost = llm.Cost{}
	}
	switch letter {
	case 'p':
		r.Status = eval.Pass
	case 'e':
		r.Status, r.Failure, r.Service = eval.Error, &llm.Failure{Class: "network", Message: "down"}, 0
	}
	return r
}

func compared(reference int, settings Settings, stands ...stand) eval.SideBySide {
	s := NewSideBySide(groupsFor(stands), reference, settings)
	for i := range len(stands[0].outcomes) {
		c := &eval.Case{ID: caseID(i), Repeats: 1, InputHash: caseID(i)}
		for j, one := range stands {
			s.Add(j, c, resultOf(one.outcomes[i], one.cost))
		}
	}
	return CompareSideBySide([]*SideBySide{s})[0]
}

func contrastOf(t *testing.T, s eval.SideBySide, name, metric string) eval.Contrast {
	t.Helper()
	for _, c := range s.Candidates {
		for _, one := range c.Contrasts {
			if c.Name == name && one.Metric == metric {
				return one
			}
		}
	}
	t.Fatalf("%s has no comparison of %s: %+v", name, metric, s)
	return eval.Contrast{}
}

func letters(pairs ...any) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(strings.Repeat(pairs[i].(string), pairs[i+1].(int)))
	}
	return b.String()
}

func same(got *float64, want float64) bool { return got != nil && math.Abs(*got-want) < 1e-12 }

// Six cases up and none down have p = 2 · ½⁶ = 0.03125 alone, and three times as much
// among three comparisons: what would be shown alone is not shown here.
func TestHolmOverAllComparisons(t *testing.T) {
	reference := stand{"small", letters("p", 10, "f", 10), 100}
	six := stand{"six", letters("p", 16, "f", 4), 100}
	eight := stand{"eight", letters("p", 18, "f", 2), 100}
	even := stand{"even", letters("p", 5, "f", 5, "p", 5, "f", 5), 100}

	alone := contrastOf(t, compared(0, Settings{}, reference, six), "six", metricAccuracy)
	if alone.Word != eval.Improved || !same(alone.P, 0.03125) || !same(alone.Holm, 0.03125) || alone.Better != 6 || alone.Worse != 0 || alone.N != 20 {
		t.Errorf("alone: %+v (p %v, Holm %v)", alone, *alone.P, *alone.Holm)
	}
	s := compared(0, Settings{}, reference, six, eight, even)
	if s.Tests != 3 {
		t.Errorf("%d tests, want 3: costs are the same, and take no part", s.Tests)
	}
	for name, want := range map[string]struct {
		word    eval.Word
		p, holm float64
	}{
		// Holm: 0.0078125 · 3, 0.03125 · 2, 1 · 1.
		"eight": {eval.Improved, 0.0078125, 0.0234375},
		"six":   {eval.Held, 0.03125, 0.0625}, // not shown to be better, and no worse
		"even":  {eval.Inconclusive, 1, 1},
	} {
		got := contrastOf(t, s, name, metricAccuracy)
		if got.Word != want.word || !same(got.P, want.p) || !same(got.Holm, want.holm) {
			t.Errorf("%s: %s, p %v, Holm %v; want %+v", name, got.Word, *got.P, *got.Holm, want)
		}
	}
	if six := contrastOf(t, s, "six", metricAccuracy); math.Abs(*six.Change-0.3) > 1e-12 || *six.Low > 0.3 || *six.High < 0.3 {
		t.Errorf("six: %+v", six)
	}
	if even := contrastOf(t, s, "even", metricAccuracy); even.Sees == nil || *even.Sees <= 0.3 || *even.Sees > 1 {
		t.Errorf("even: what it would have shown: %+v", even)
	}
	if even := contrastOf(t, s, "even", metricCost); even.Word != eval.Unchanged || even.P != nil {
		t.Errorf("the same cost: %+v", even)
	}
}

// The reference may be any of them, and everything is then seen from there.
func TestTheReferenceIsNamed(t *testing.T) {
	s := compared(1, Settings{}, stand{"small", letters("p", 10, "f", 10), 100}, stand{"large", letters("p", 20), 300})
	if s.Reference != "large" || s.Candidates[0].Reference || !s.Candidates[1].Reference || len(s.Candidates[1].Contrasts) != 0 {
		t.Errorf("%+v", s)
	}
	small := contrastOf(t, s, "small", metricAccuracy)
	if small.Word != eval.Regressed || *small.Change != -0.5 || small.Worse != 10 {
		t.Errorf("accuracy: %+v", small)
	}
	cost := contrastOf(t, s, "small", metricCost)
	if cost.Word != eval.Improved || math.Abs(*cost.Change+2.0/3) > 1e-9 || cost.Better != 20 || *cost.High >= 0 {
		t.Errorf("cost: %+v (change %v)", cost, *cost.Change)
	}
}

// What the suite lets accuracy lose decides what held and regressed mean.
func TestHeldByTheSuitesMargin(t *testing.T) {
	reference, other := stand{"small", letters("p", 200), 100}, stand{"other", letters("f", 1, "p", 199), 100}
	if c := contrastOf(t, compared(0, Settings{}, reference, other), "other", metricAccuracy); c.Word != eval.Inconclusive {
		t.Errorf("without a margin: %s", c.Word)
	}
	gates := []eval.Gate{maxDrop(metricAccuracy, 0.05)}
	if c := contrastOf(t, compared(0, Settings{Gates: gates}, reference, other), "other", metricAccuracy); c.Word != eval.Held || c.Margin != 0.05 {
		t.Errorf("with 5 points: %s", c.Word)
	}
}

func TestFrontier(t *testing.T) {
	s := compared(0, Settings{},
		stand{"small", letters("p", 7, "f", 3), 100}, // the cheapest
		stand{"large", letters("p", 9, "f", 1), 900}, // the best
		stand{"think", letters("p", 9, "f", 1), 950}, // as good for more
		stand{"dear", letters("p", 6, "f", 4), 120},  // worse for more
		stand{"twin", letters("f", 3, "p", 7), 100},  // the same figures
		stand{"secret", letters("p", 10), -1},        // nobody knows its price
		stand{"down", letters("e", 10), 100})         // nobody answers
	want := []eval.Contender{
		{Name: "small", Frontier: true}, {Name: "large", Frontier: true}, {Name: "think", By: "large"}, {Name: "dear", By: "small"},
		{Name: "twin", Frontier: true}, {Name: "secret", Outside: "its price is unknown"}, {Name: "down", Outside: "nothing of it was judged"},
	}
	for i, c := range s.Candidates {
		if got := (eval.Contender{Name: c.Name, Frontier: c.Frontier, By: c.By, Outside: c.Outside}); !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%+v, want %+v", got, want[i])
		}
	}
	if s.Cases != 10 || len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], "A p95 of less than 59 calls says little of the tail: small (10), ") || *s.Candidates[0].Accuracy != 0.7 || math.Abs(*s.Candidates[0].Cost-1e-7) > 1e-15 {
		t.Errorf("%d cases, %q, %+v", s.Cases, s.Notes, s.Candidates[0])
	}
	if c := contrastOf(t, s, "secret", metricCost); c.Word != eval.NotGated || !strings.Contains(c.Note, "unknown") {
		t.Errorf("an unknown price: %+v", c)
	}
	if c := contrastOf(t, s, "down", metricAccuracy); c.Word != eval.NotGated || c.P != nil {
		t.Errorf("nothing judged: %+v", c)
	}
}

// A candidate that lacks the hard cases must not look better for it.
func TestFiguresAreOfTheCasesThatAllHave(t *testing.T) {
	s := compared(0, Settings{}, stand{"small", letters("p", 6, "f", 4), 100}, stand{"large", letters("p", 6, "f", 1, "e", 3), 100})
	if s.Cases != 7 || s.Planned != 10 || s.Candidates[1].Missing != 3 {
		t.Errorf("%+v", s)
	}
	for _, c := range s.Candidates {
		if math.Abs(*c.Accuracy-6.0/7) > 1e-12 || !c.Frontier {
			t.Errorf("%s: %v over the 7 that both have", c.Name, *c.Accuracy)
		}
	}
	if want := "Accuracy and cost are of the 7 of 10 cases that all have a judged result of: large lacks 3 results."; len(s.Notes) != 2 || s.Notes[0] != want {
		t.Errorf("%q", s.Notes)
	}
	if c := contrastOf(t, s, "large", metricAccuracy); c.N != 7 || c.Word != eval.Unchanged {
		t.Errorf("%+v", c)
	}
}

// A named score is compared as its gate compares it: less is better where the suite
// bounds how far it may rise.
func TestScoresSideBySide(t *testing.T) {
	for _, gate := range []eval.Gate{maxDrop("tone", 0.1), maxRise("tone", 0.1)} {
		s := NewSideBySide(groupsFor([]stand{{model: "small"}, {model: "large"}}), 0, Settings{Gates: []eval.Gate{gate}})
		for i := range 40 {
			c := &eval.Case{ID: caseID(i), Repeats: 1, InputHash: caseID(i)}
			for j, value := range []float64{0.5, 0.5 + 0.2*float64(i%4)/3} { // 0.1 more on average
				r := resultOf('p', 1)
				r.Scores = []eval.Score{{Check: "judge", Metric: "tone", Value: value, Pass: true}}
				s.Add(j, c, r)
			}
		}
		c := contrastOf(t, CompareSideBySide([]*SideBySide{s})[0], "large", "tone")
		word, better, worse := eval.Improved, 30, 0
		if gate.Kind == eval.GateMaxRise {
			word, better, worse = eval.Regressed, 0, 30
		}
		if c.Word != word || c.Better != better || c.Worse != worse || !same(c.Value, 0.6) || !same(c.Reference, 0.5) || !same(c.Change, 0.1) || *c.Low <= 0 || *c.High <= *c.Low {
			t.Errorf("%s: %+v (%v: %v … %v)", gate.Kind, c, *c.Change, *c.Low, *c.High)
		}
	}
}

// In whatever order results come, the figures are the same to the last digit.
func TestSideBySideDoesNotDependOnTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	stands := []stand{{model: "a"}, {model: "b"}, {model: "c"}}
	type arrival struct {
		candidate int
		c         *eval.Case
		r         *eval.Result
	}
	var all []arrival
	clusters := map[uint64]bool{}
	for i := range 90 {
		c := &eval.Case{ID: caseID(i), Repeats: 3, InputHash: caseID(i), Cluster: fmt.Sprint(i % 40)}
		clusters[c.ClusterKey()] = true
		for j := range stands {
			for range 3 {
				r := resultOf("ppfe"[random.IntN(4)], llm.Money(1+random.IntN(1000)))
				r.Service = time.Duration(random.IntN(1e9))
				all = append(all, arrival{j, c, r})
			}
		}
	}
	var first []eval.SideBySide
	for range 10 {
		s := NewSideBySide(groupsFor(stands), 0, Settings{Clusters: clusters})
		for _, a := range all {
			s.Add(a.candidate, a.c, a.r)
		}
		got := CompareSideBySide([]*SideBySide{s})
		if first == nil {
			first = got
		} else if !reflect.DeepEqual(got, first) {
			t.Fatalf("%+v\n%+v", got, first)
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
}

// TestSideBySideAgainstTheTruth draws four candidates that are as good, and as dear, as
// the reference: in at most one run of twenty is any of them called better or worse.
func TestSideBySideAgainstTheTruth(t *testing.T) {
	for _, repeats := range []int{1, 3} {
		random := rand.New(rand.NewPCG(uint64(repeats), 7))
		alarms, alone := 0, 0
		for range *suites {
			s := NewSideBySide(groupsFor([]stand{{model: "reference"}, {model: "a"}, {model: "b"}, {model: "c"}, {model: "d"}}), 0, Settings{})
			for i := range 50 {
				c := &eval.Case{ID: caseID(i), Repeats: repeats, InputHash: caseID(i)}
				for j := range 5 {
					for range repeats {
						letter := byte('f')
						if random.Float64() < 0.8 {
							letter = 'p'
						}
						s.Add(j, c, resultOf(letter, llm.Money(1000*math.Exp(0.3*random.NormFloat64()))))
					}
				}
			}
			shown, small := false, false
			for _, one := range CompareSideBySide([]*SideBySide{s})[0].Candidates {
				for _, c := range one.Contrasts {
					shown = shown || c.Word == eval.Regressed || c.Word == eval.Improved
					small = small || c.P != nil && *c.P <= alpha
				}
			}
			if shown {
				alarms++
			}
			if small {
				alone++
			}
		}
		rate, uncorrected := float64(alarms)/float64(*suites), float64(alone)/float64(*suites)
		t.Logf("repeats %d, %d runs of four equal candidates: %.1f %% with a false alarm, %.1f %% without Holm", repeats, *suites, 100*rate, 100*uncorrected)
		if most := alpha + 3*math.Sqrt(alpha*(1-alpha)/float64(*suites)); rate > most {
			t.Errorf("repeats %d: a false alarm in %.3f of all runs, at most %.3f may be", repeats, rate, most)
		} else if uncorrected < most {
			t.Errorf("repeats %d: without the correction %.3f: the test shows nothing", repeats, uncorrected)
		}
	}
}
