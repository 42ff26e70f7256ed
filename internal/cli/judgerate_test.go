package cli

import (
	"math"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

// A count has no point, and a share has one.
func TestParseRate(t *testing.T) {
	for text, want := range map[string]struct {
		share float64
		n     int
	}{
		"0/200": {0, 200}, "1/200": {0.005, 200}, "200/200": {1, 200}, "1.0/200": {1, 200}, "0.0/9": {0, 9}, "1/1": {1, 1},
		"0.83/200": {0.83, 200}, "166/200": {0.83, 200}, ".5/4": {0.5, 4}, "1./4": {1, 4}, "": {0, 0},
	} {
		got, err := parseRate(text)
		if err != nil || math.Abs(got.Share-want.share) > 1e-12 || got.Answers != want.n || got.Effective != float64(want.n) {
			t.Errorf("%s: %+v, %v; want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"201/200", "1.5/200", "2.0/200", "-1/200", "-0.1/200", "+1/5", "1/0", "0/0", "1/-5", "0.5", "/5", "5/", "0.5/2.5", "NaN/5", "Inf/5", "1e-1/5", "0x1p-2/5", "1/2/3", "./5", "83%", " 1/5"} {
		if got, err := parseRate(bad); err == nil {
			t.Errorf("%s is %+v", bad, got)
		}
	}
}

type rated struct {
	eval.Check
	asks bool
	name string
}

func (r rated) Name() string        { return r.name }
func (r rated) Deterministic() bool { return !r.asks }

func ratedCases(asks bool, ids ...string) *calibrated {
	j := &calibrated{name: "tone", cases: map[string]*eval.Case{}, own: map[string]eval.Check{}}
	for _, id := range ids {
		j.cases[id], j.own[id] = &eval.Case{ID: id, CriteriaHash: "c"}, rated{asks: asks, name: "rubric"}
	}
	return j
}

func scored(id string, scores ...eval.Score) eval.Result {
	for i := range scores {
		scores[i].Metric = "tone"
	}
	return eval.Result{Run: "r", Suite: "s", Case: id, CriteriaHash: "c", Status: eval.Fail, Scores: scores}
}

func tallied(t *testing.T, j *calibrated, results []eval.Result) (rate struct {
	share, effective         float64
	answers, cases, notShown int
}) {
	t.Helper()
	var tally rateTally
	for i := range results {
		if err := tally.add(&results[i], j); err != nil {
			t.Fatal(err)
		}
	}
	got := tally.rate()
	rate.share, rate.effective, rate.answers, rate.cases, rate.notShown = got.Share, got.Effective, got.Answers, got.Cases, got.NotShown
	return rate
}

// All turns and repeats of a case count, and as one cluster: the mean over the cases is
// (3/4 + 1 + 0)/3, and answers that always agree within a case are worth the cases.
func TestRateCountsTurnsAndClustersCases(t *testing.T) {
	pass, fail := eval.Score{Pass: true}, eval.Score{}
	at := func(turn int, s eval.Score) eval.Score { s.Turn = turn; return s }
	j := ratedCases(false, "a", "b", "c")
	got := tallied(t, j, []eval.Result{
		scored("a", at(1, pass), at(3, fail)), scored("a", at(1, pass), at(3, pass)),
		scored("b", pass, fail), scored("b", pass), // the first of a turn is the one that labels are held against
		scored("c", fail), scored("c", fail),
	})
	if math.Abs(got.share-1.75/3) > 1e-12 || got.answers != 8 || got.cases != 3 || got.effective != 3 {
		t.Errorf("%+v", got)
	}
	same := tallied(t, j, []eval.Result{scored("a", pass), scored("a", fail), scored("b", pass), scored("b", fail), scored("c", pass), scored("c", fail)})
	if same.share != 0.5 || same.effective != 3 { // no variance over the cases says nothing of more answers
		t.Errorf("%+v", same)
	}
	// between: the means 1/2, 1, 1/2 have the error √(1/12/3) = 1/6, and 2/3·1/3·36 = 8
	// answers would have it, of which there are 6
	between := tallied(t, j, []eval.Result{scored("a", pass), scored("a", fail), scored("b", pass), scored("b", pass), scored("c", pass), scored("c", fail)})
	if math.Abs(between.share-2.0/3) > 1e-12 || between.effective != 6 {
		t.Errorf("%+v", between)
	}
}

// What was not judged is no answer, nor what the check was not shown.
func TestRateLeavesOutWhatWasNotJudged(t *testing.T) {
	asked := eval.Score{Asked: &eval.Asked{}}
	failed := scored("b", eval.Score{Pass: true})
	failed.Status = eval.Error
	unjudged := scored("c", eval.Score{Pass: true})
	unjudged.Status = eval.Unjudged
	ended := scored("d", eval.Score{Pass: true, Turn: 1, Asked: asked.Asked}, eval.Score{Turn: 2})
	ended.Steps = []eval.Step{{Turn: 1}}
	broken := scored("e", eval.Score{Reason: "withheld"})
	broken.Valid = eval.Violated
	results := []eval.Result{scored("a", asked), failed, unjudged, ended, broken, scored("f", eval.Score{Reason: "not asked: the answer is empty"})}
	got := tallied(t, ratedCases(true, "a", "b", "c", "d", "e", "f"), results)
	if got.answers != 2 || got.share != 0.5 || got.cases != 2 || got.notShown != 3 {
		t.Errorf("%+v", got)
	}
	// of a check that asks nobody these are fails
	plain := tallied(t, ratedCases(false, "a", "b", "c", "d", "e", "f"), results[4:])
	if plain.answers != 2 || plain.share != 0 || plain.notShown != 0 {
		t.Errorf("%+v", plain)
	}
}

// A program that may say otherwise another time is no judge that could not be shown an
// answer.
func TestProgramsSawTheAnswer(t *testing.T) {
	j := ratedCases(true, "a")
	j.own["a"] = rated{asks: true, name: "program"}
	broken := scored("a", eval.Score{Reason: "not asked: says the program"})
	broken.Valid = eval.Violated
	if got := tallied(t, j, []eval.Result{broken}); got.answers != 1 || got.notShown != 0 {
		t.Errorf("%+v", got)
	}
}

// A result is refused that another check has judged, with what changed.
func TestRateRefusesAnotherCheck(t *testing.T) {
	j := ratedCases(false, "a", "b")
	j.own["b"] = nil
	changed := scored("a", eval.Score{Pass: true})
	changed.CriteriaHash = "old"
	for want, r := range map[string]eval.Result{
		"the golden answer or the checks (or what a judge is asked by) of case a have changed": changed,
		"the case b does not have the check any more":                                          scored("b", eval.Score{Pass: true}),
		"the case gone is not in the suite any more":                                           scored("gone", eval.Score{Pass: true}),
	} {
		var tally rateTally
		if err := tally.add(&r, j); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}
