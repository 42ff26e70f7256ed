package suite

import (
	"errors"
	"hash/maphash"
	"iter"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// errReported stands for problems of a case that were reported with its file.
var errReported = errors.New("reported already")

// maxProblems bounds how many problems of a suite are reported at once, and
// maxWords how many tags are kept for listing.
const (
	maxProblems = 100
	maxWords    = 1000
)

// Cases streams the cases in the order of the files, each with its checks and
// hashes. After an error, which means that a file has changed since Load, nothing
// follows. It may be used many times, also at once.
func (s *Suite) Cases() iter.Seq2[eval.Case, error] {
	return func(yield func(eval.Case, error) bool) {
		count, stopped := 0, false
		s.plan.walk(func(c eval.Case, err error) bool {
			if err == nil {
				count++
			}
			stopped = !yield(c, err) || err != nil
			return !stopped
		})
		if !stopped && count != s.Count {
			yield(eval.Case{}, fault.At(fault.Place{File: s.File}, "the suite had %d cases and now has %d: a file was changed while it was read", s.Count, count).
				WithHint("run the command again"))
		}
	}
}

// walk visits every case, until visit says no. What is wrong with one case, or one
// line, is given to visit, and the walk goes on.
func (p *plan) walk(visit func(eval.Case, error) bool) {
	for i := range p.entries {
		e := &p.entries[i]
		if e.inline == nil {
			if !p.walkFile(e, visit) {
				return
			}
			continue
		}
		if e.bad {
			if !visit(eval.Case{ID: e.inline.id, Place: e.inline.place}, errReported) {
				return
			}
			continue
		}
		if !visit(p.build(e.inline, e.expect)) {
			return
		}
	}
}

// firstPass validates every case, and learns what the header needs of them.
func (s *Suite) firstPass(gates []gate, problems *fault.List) {
	seed := maphash.MakeSeed()
	var hashes []uint64
	tags, metrics, labels := map[string]bool{}, meanings{}, labelFamilies{}
	clean, cut := !s.plan.partial, false
	s.plan.walk(func(c eval.Case, err error) bool {
		if c.ID != "" {
			hashes = append(hashes, maphash.String(seed, c.ID))
		}
		if err != nil {
			clean = false
			if err != errReported {
				problems.Add(err)
			}
			cut = len(*problems) >= maxProblems
			return !cut
		}
		s.Count++
		for _, tag := range c.Tags {
			if !tags[tag] && len(tags) < maxWords {
				tags[tag] = true
			}
		}
		for check := range c.AllChecks() {
			problems.Add(metrics.add(check, &c))
			labels.add(check, &c, s.plan.prompt.Output)
		}
		cut = len(*problems) >= maxProblems
		return !cut
	})
	s.Tags, s.Metrics = sorted(tags), sorted(metrics)
	problems.Add(labels.clash(metrics))
	s.refuseTwins(seed, hashes, problems)
	if clean {
		s.settleGates(gates, labels.metrics(), problems)
	}
	if cut {
		*problems = (*problems)[:maxProblems]
		problems.Add(fault.At(fault.Place{File: s.File}, "only the first %d problems are shown", maxProblems))
	}
}

func sorted[V any](words map[string]V) []string {
	list := make([]string, 0, len(words))
	for word := range words {
		list = append(list, word)
	}
	slices.Sort(list)
	return list
}

// refuseTwins finds ids that are given twice. The hashes take 8 bytes a case; only
// where two are the same are the files read again, and the ids themselves compared.
func (s *Suite) refuseTwins(seed maphash.Seed, hashes []uint64, problems *fault.List) {
	slices.Sort(hashes)
	twins := map[uint64]bool{}
	for i := 1; i < len(hashes) && len(twins) < maxProblems; i++ {
		if hashes[i-1] == hashes[i] {
			twins[hashes[i]] = true
		}
	}
	if len(twins) == 0 {
		return
	}
	first := map[string]fault.Place{}
	found := 0
	s.plan.walk(func(c eval.Case, _ error) bool {
		if c.ID == "" || !twins[maphash.String(seed, c.ID)] {
			return true
		}
		if place, twice := first[c.ID]; twice {
			problems.Add(fault.At(c.Place, "the case id %q is given twice", c.ID).WithHint("it stands at %s already", place))
			found++
		} else {
			first[c.ID] = c.Place
		}
		return found < maxProblems
	})
}
