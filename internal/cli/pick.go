package cli

import (
	"iter"
	"regexp"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// pick selects cases by id and tags.
type pick struct {
	filter *regexp.Regexp // nil: every id
	tags   []string       // one of them; empty: all
}

func newPick(filter string, tags []string) (pick, error) {
	if filter == "" {
		return pick{tags: tags}, nil
	}
	compiled, err := regexp.Compile(filter)
	if err != nil {
		return pick{}, fault.New(fault.Usage, "--filter is not a regular expression: %v", err).
			WithHint("it is matched against case ids: --filter '^refund-'")
	}
	return pick{filter: compiled, tags: tags}, nil
}

func (p pick) active() bool { return p.filter != nil || len(p.tags) > 0 }

func (p pick) matches(c *eval.Case) bool {
	if p.filter != nil && !p.filter.MatchString(c.ID) {
		return false
	}
	return len(p.tags) == 0 || slices.ContainsFunc(p.tags, func(tag string) bool { return slices.Contains(c.Tags, tag) })
}

// from streams the selected cases. repeats over 0 replaces the suite's.
func (p pick) from(cases iter.Seq2[eval.Case, error], repeats int) iter.Seq2[eval.Case, error] {
	return func(yield func(eval.Case, error) bool) {
		for c, err := range cases {
			if err == nil && !p.matches(&c) {
				continue
			}
			if repeats > 0 {
				c.Repeats = repeats
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// size is what a pass over the cases finds.
type size struct {
	cases, results int
	operational    bool // a check bounds cost, time or attempts
}

// measure goes through the cases once.
func measure(cases iter.Seq2[eval.Case, error]) (size, error) {
	var s size
	for c, err := range cases {
		if err != nil {
			return size{}, err
		}
		s.cases++
		s.results += max(1, c.Repeats)
		s.operational = s.operational || slices.ContainsFunc(c.Checks, eval.Check.Operational)
	}
	return s, nil
}
