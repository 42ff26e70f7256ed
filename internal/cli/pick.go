package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/turns"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// pick selects cases by id and tags.
type pick struct {
	filter *regexp.Regexp  // nil: every id
	tags   []string        // one of them; empty: all
	sample int             // of each suite; 0: all
	only   *earlier        // cases by how they came out before; nil: all
	ids    map[string]bool // of these, the suite's; nil: all
	shard  shard
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

// active reports whether cases are left out that are neither in another part.
func (p pick) active() bool {
	return p.filter != nil || len(p.tags) > 0 || p.sample > 0 || p.only != nil
}

// in is the pick in a suite.
func (p pick) in(suite string) pick {
	if p.only == nil {
		return p
	}
	if p.ids = p.only.cases[suite]; p.ids == nil {
		p.ids = map[string]bool{}
	}
	return p
}

func (p pick) matches(c *eval.Case) bool {
	if p.ids != nil && !p.ids[c.ID] {
		return false
	}
	if p.filter != nil && !p.filter.MatchString(c.ID) {
		return false
	}
	return len(p.tags) == 0 || slices.ContainsFunc(p.tags, func(tag string) bool { return slices.Contains(c.Tags, tag) })
}

// from streams the selected cases. repeats over 0 replaces the suite's.
func (p pick) from(cases iter.Seq2[eval.Case, error], repeats int) iter.Seq2[eval.Case, error] {
	draw := sync.OnceValues(func() (map[uint64]bool, error) {
		if p.sample == 0 {
			return nil, nil
		}
		whole := pick{filter: p.filter, tags: p.tags, ids: p.ids}
		return sampled(whole.from(cases, 0), p.sample)
	})
	return func(yield func(eval.Case, error) bool) {
		chosen, err := draw()
		if err != nil {
			yield(eval.Case{}, err)
			return
		}
		index := -1
		for c, err := range cases {
			if err == nil && (!p.matches(&c) || chosen != nil && !chosen[drawOf(c.ID)]) {
				continue
			}
			if index++; err == nil && !p.shard.has(index) {
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
	gated          scope           // without cases in quarantine
	operational    bool            // a check bounds cost, time or attempts
	bounded        fault.Place     // of the first case whose cost is bounded
	hash           string          // of all inputs and criteria, in order
	clusters       map[uint64]bool // keys that more than one case has
}

// scope counts what gates speak of.
type scope struct{ cases, results int }

func boundsCost(check eval.Check) bool { return strings.TrimPrefix(check.Name(), "not ") == "max_cost" }

// renderer is a prompt, or one of before that is asked the cases of now.
type renderer interface {
	Render(vars map[string]any) ([]llm.Message, error)
}

// maxRenderProblems bounds how many cases that cannot be rendered are listed.
const maxRenderProblems = 5

// measure goes through the cases once, and renders each: a template that fails on
// some input is found before the first call. most is about how many there are: what is
// kept of each has its place at once.
func measure(ctx context.Context, cases iter.Seq2[eval.Case, error], asked renderer, most int) (size, error) {
	var s size
	var problems fault.List
	all := sha256.New()
	var line []byte
	keys := make([]uint64, 0, most)
	for c, err := range cases {
		if err == nil && ctx.Err() != nil {
			err = fault.New(fault.Canceled, "interrupted")
		}
		if err != nil {
			return size{}, err
		}
		s.cases++
		line = strconv.AppendQuote(line[:0], c.ID)
		line = append(append(append(append(line, ' '), c.InputHash...), ' '), c.CriteriaHash...)
		line = append(strconv.AppendInt(append(line, ' '), int64(c.Repeats), 10), '\n')
		all.Write(line)
		s.results += max(1, c.Repeats)
		s.operational = s.operational || !c.Quarantined() && c.HasCheck(eval.Check.Operational)
		if !c.Quarantined() {
			s.gated.cases++
			s.gated.results += max(1, c.Repeats)
			keys = append(keys, c.ClusterKey())
		}
		if s.bounded.File == "" && c.HasCheck(boundsCost) {
			s.bounded = c.Place
		}
		if _, err := asked.Render(firstVars(&c)); err != nil {
			cannot := *fault.As(err)
			cannot.Message += fmt.Sprintf(" (case %s of suite %s)", c.ID, c.Suite)
			problems.Add(&cannot)
		}
		if len(problems) == maxRenderProblems {
			break
		}
	}
	s.hash, s.clusters = hex.EncodeToString(all.Sum(nil)[:16]), repeated(keys)
	return s, problems.Err()
}

// repeated are the keys that stand in the list more than once; nil for none.
func repeated(keys []uint64) map[uint64]bool {
	slices.Sort(keys)
	var found map[uint64]bool
	for i := 1; i < len(keys); i++ {
		if keys[i] != keys[i-1] {
			continue
		}
		if found == nil {
			found = map[uint64]bool{}
		}
		found[keys[i]] = true
	}
	return found
}

// firstVars are the inputs with which a model is asked for a case first.
func firstVars(c *eval.Case) map[string]any {
	if len(c.Turns) == 0 {
		return c.Vars
	}
	first, _, _ := turns.Begin(c).Next() // that a first turn can be said was seen with its file
	return first.Vars
}
