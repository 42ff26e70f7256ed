package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// parseRate reads 0.83/200, a share with its point, or 166/200, a count of passes: 1/200
// is one pass, and 1.0/200 two hundred. It is none of "".
func parseRate(text string) (report.PassRate, error) {
	if text == "" {
		return report.PassRate{}, nil
	}
	wrong := fault.New(fault.Usage, "--rate %s is no rate", text).
		WithHint("write the share of passes with a point and the number of answers, 0.83/200, or both counts, 166/200")
	share, of, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(of)
	if err != nil || n < 1 || strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789./", r) }) {
		return report.PassRate{}, wrong
	}
	rate, err := strconv.ParseFloat(share, 64)
	if !strings.Contains(share, ".") {
		rate /= float64(n)
	}
	if err != nil || rate > 1 {
		return report.PassRate{}, wrong
	}
	return report.PassRate{Share: rate, Answers: n, Effective: float64(n)}, nil
}

// rateOf is the share of a run's answers that a check passed: the mean over the cases.
func (p *project) rateOf(ctx context.Context, run, suite string, j *calibrated) (report.PassRate, error) {
	s, err := p.openStore(ctx, reads)
	if err != nil {
		return report.PassRate{}, err
	}
	defer s.Close()
	if run == "last" {
		if run, err = latestTest(ctx, s, ""); err != nil {
			return report.PassRate{}, err
		}
	}
	found, err := s.Run(ctx, run)
	if err != nil {
		return report.PassRate{}, err
	}
	var t rateTally
	for result, err := range s.Results(ctx, found.ID, store.ResultFilter{Suite: suite}) {
		if err == nil {
			err = t.add(&result, j)
		}
		if err != nil {
			return report.PassRate{}, err
		}
	}
	rate := t.rate()
	switch {
	case rate.Answers > 0:
		return rate, nil
	case rate.NotShown > 0:
		return rate, fault.New(fault.Usage, "in the run %s the check %s was shown none of the answers of the suite %s", found.ID, j.name, suite).WithHint("llmx runs show %s says why", found.ID)
	}
	return rate, fault.New(fault.Usage, "the run %s has no score of %s in the suite %s", found.ID, j.name, suite).WithHint("llmx runs lists the runs")
}

// rateTally counts what a check passed of a run. Results come ordered by case, whose
// repeats, models and turns are one cluster: they are answers to one question.
type rateTally struct {
	of              string // the case
	passes, answers int    // of it
	sum, squares    float64
	total           report.PassRate
}

// add counts a result, and refuses one whose case had other criteria.
func (t *rateTally) add(r *eval.Result, j *calibrated) error {
	if !r.Status.Judged() {
		return nil
	}
	if r.Case != t.of {
		t.close()
		t.of = r.Case
	}
	turns := map[int]bool{} // of a turn the first counts, as labels are held against it
	for i := range r.Scores {
		score := &r.Scores[i]
		if score.Metric != j.name && score.Check != j.name || turns[score.Turn] {
			continue
		}
		turns[score.Turn] = true
		if err := sameCriteria(r, j); err != nil {
			return err
		}
		if notShown(r, score, j.own[r.Case]) {
			t.total.NotShown++
			continue
		}
		t.answers++
		if score.Pass {
			t.passes++
		}
	}
	return nil
}

// close takes the case that was counted.
func (t *rateTally) close() {
	if t.answers > 0 {
		share := float64(t.passes) / float64(t.answers)
		t.sum, t.squares = t.sum+share, t.squares+share*share
		t.total.Cases++
		t.total.Answers += t.answers
	}
	t.passes, t.answers = 0, 0
}

func (t *rateTally) rate() report.PassRate {
	t.close()
	rate := t.total
	if rate.Cases == 0 {
		return rate
	}
	rate.Share = t.sum / float64(rate.Cases)
	rate.Effective = stats.EffectiveN(rate.Share, stats.ClusteredSE(t.sum, t.squares, rate.Cases), rate.Cases, rate.Answers)
	return rate
}

// sameCriteria refuses a result that was judged by other criteria than its case has now:
// its rate would be corrected by the errors of another check.
func sameCriteria(r *eval.Result, j *calibrated) error {
	changed := fmt.Sprintf("the golden answer or the checks (or what a judge is asked by) of case %s have changed", r.Case)
	switch c := j.cases[r.Case]; {
	case c == nil:
		changed = fmt.Sprintf("the case %s is not in the suite any more", r.Case)
	case j.own[r.Case] == nil:
		changed = fmt.Sprintf("the case %s does not have the check any more", r.Case)
	case c.CriteriaHash == r.CriteriaHash:
		return nil
	}
	return fault.New(fault.Invalid, "the run %s did not judge by the check %s of today: %s", r.Run, j.name, changed).
		WithHint("run the suite again: llmx test %s; then --run last", r.Suite)
}

// notShown tells a fail of a run that is no word of the check: the conversation ended
// before its turn, or there was nothing to show to a judge. Where content is not stored the
// reason is not there, and an answer that breaks its contract is known by its standing.
func notShown(r *eval.Result, score *eval.Score, check eval.Check) bool {
	if score.Pass || score.Asked != nil {
		return false
	}
	if len(r.Steps) > 0 && score.Turn > r.Steps[len(r.Steps)-1].Turn {
		return true
	}
	_, unasked := unasked(score, check)
	return unasked || asksJudge(check) && r.Valid == eval.Violated
}

// unasked says why a judge was not asked.
func unasked(score *eval.Score, check eval.Check) (why string, is bool) {
	if score.Asked != nil || !asksJudge(check) {
		return "", false
	}
	_, why, is = strings.Cut(score.Reason, "not asked: ")
	return why, is
}

// asksJudge tells a check that asks a model from a program that may say otherwise another
// time.
func asksJudge(check eval.Check) bool { return !check.Deterministic() && check.Name() != "program" }
