package verdict

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// tryAll puts every gate of the run to the figures, and gives the relative ones
// their words. Holm's correction runs over the relative gates of the whole run
// that have a p: one whose cases are all as before cannot reject, whatever the
// level, and takes no part. Better and worse are corrected apart.
func tryAll(tallies []*Tally, best bool) [][]trial {
	trials := make([][]trial, len(tallies))
	var tested []*trial
	for i, t := range tallies {
		gates := t.gates()
		trials[i] = make([]trial, len(gates))
		for j, gate := range gates {
			trials[i][j] = t.try(gate, best)
			if trials[i][j].tested {
				tested = append(tested, &trials[i][j])
			}
		}
	}
	p := pValues{make([]float64, len(tested)), make([]float64, len(tested))}
	for i, r := range tested {
		p.worse[i], p.better[i] = r.worse, r.better
	}
	worse, better := stats.Holm(p.worse), stats.Holm(p.better)
	for i, r := range tested {
		r.adjWorse, r.adjBetter = worse[i], better[i]
	}
	at := 0
	for i, t := range tallies {
		for j := range trials[i] {
			r := &trials[i][j]
			if !r.tested {
				continue
			}
			extremes := r.extremes
			r.decide(t.rule(r))
			if extremes != nil {
				r.hangs(t.instead(extremes[0], at, p), t.instead(extremes[1], at, p))
			}
			at++
		}
	}
	return trials
}

// pValues are those of all trials that are tested, one-sided.
type pValues struct{ worse, better []float64 }

// instead decides a trial in the place of the one with that number.
func (t *Tally) instead(r trial, at int, p pValues) trial {
	worse, better := slices.Clone(p.worse), slices.Clone(p.better)
	worse[at], better[at] = r.worse, r.better
	r.adjWorse, r.adjBetter = stats.Holm(worse)[at], stats.Holm(better)[at]
	r.decide(t.rule(&r))
	return r
}

// decide gives a tested gate its word (DESIGN §7). P is that of the word's
// direction: for worse, but for improved.
func (r *trial) decide(rule eval.OnInconclusive) {
	p, adjusted := r.worse, r.adjWorse
	switch {
	case r.adjWorse <= alpha && r.loss > 0 && r.loss >= r.margin-slack:
		r.Word = eval.Regressed
	case r.adjBetter <= alpha && r.loss < 0 && r.observed <= r.margin+slack:
		r.Word, r.Pass = eval.Improved, true
		p, adjusted = r.better, r.adjBetter
	case r.bound <= r.margin+slack:
		r.Word, r.Pass = eval.Held, true
	default:
		r.Word = eval.Inconclusive
		var why string
		r.Pass, why = r.onInconclusive(rule)
		if r.anew {
			why = "it passes, as what was worse has been asked anew (on_inconclusive is pass after a confirm, unless the suite says otherwise)"
		}
		r.Note = join(join(r.Note, why), r.settle(r))
	}
	r.P, r.Adjusted, r.Bound = &p, &adjusted, finite(r.bound)
}

// rule is what an inconclusive gate does: as the suite says, else after a confirm it
// passes, as what was worse has been asked once more.
func (t *Tally) rule(r *trial) eval.OnInconclusive {
	if r.anew {
		return eval.InconclusivePass
	}
	return t.settings.OnInconclusive
}

// onInconclusive says whether a gate passes whose test could not tell, and by
// which rule.
func (r *trial) onInconclusive(rule eval.OnInconclusive) (pass bool, why string) {
	switch {
	case rule == eval.InconclusivePass:
		return true, "it passes by on_inconclusive: pass"
	case rule == eval.InconclusiveFail:
		return false, "it fails by on_inconclusive: fail"
	case r.observed <= r.margin+slack:
		return true, "it passes, as what was seen is within the margin"
	}
	return false, "it fails, as what was seen is worse than the margin (on_inconclusive: fail_if_worse)"
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// groupWord is what a group's gates amount to: the worst that fails; else what is
// open; else the first relative gate's (accuracy stands first), which says more
// than that a specification is met.
func groupWord(trials []trial) eval.Word {
	word := eval.NotGated
	for _, r := range trials {
		if !r.Pass && !r.blocks && (word == eval.NotGated || severity(r.Word) > severity(word)) {
			word = r.Word
		}
	}
	if word != eval.NotGated {
		return word
	}
	for _, r := range trials {
		if r.Word == eval.Inconclusive {
			return r.Word
		}
	}
	for _, r := range trials {
		if r.Kind.Relative() && r.Word != eval.NotGated {
			return r.Word
		}
	}
	for _, r := range trials {
		if r.Word == eval.Met {
			return r.Word
		}
	}
	return word
}

// severity orders the words of groups for the run's: the largest speaks.
func severity(word eval.Word) int {
	switch word {
	case eval.Regressed:
		return 8
	case eval.Missed:
		return 7
	case eval.NotGated:
		return 6
	case eval.Inconclusive:
		return 5
	case eval.Improved:
		return 4
	case eval.Held:
		return 3
	case eval.Met:
		return 2
	}
	return 1
}
