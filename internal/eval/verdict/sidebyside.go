package verdict

import (
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/llm"
)

// SideBySide counts what several candidates, models or prompts, made of the same cases
// of a suite. Its figures do not depend on the order in which results come,
// but for the last digit of scores that several repeats have. Memory: the
// cases in flight, a counter for every kind of outcome, and for every case and candidate
// 24 bytes of cost, as many of each named score, and 8 of latency. It belongs to one goroutine.
type SideBySide struct {
	groups    []eval.Group
	names     []string
	reference int
	settings  Settings
	told      []string

	pending map[string]*outcomes       // by case
	planned int                        // cases, quarantine left out
	marks   map[string]*shared         // by which candidates have a judged result of the case
	missing []int                      // results, by candidate
	costs   [][]pairedCost             // with the reference, by candidate
	unknown []int                      // … and the cases where a cost is unknown
	nothing []int                      // … or nothing on one side alone, of which there is no ratio
	pairs   []map[pairKind]int         // with the reference, by candidate
	scores  []map[string][]pairedScore // likewise, by metric
	now     [][]time.Duration          // calls made now, by candidate
	kept    [][]time.Duration          // … and of kept answers, what they took once
}

// outcomes are a case's of all candidates, until the last has come.
type outcomes struct {
	cluster uint64
	left    int
	of      []*caseFold
}

// shared sums up the cases that the same candidates have a judged result of.
type shared struct {
	cases int
	of    []sums
}

// sums are one candidate's over some cases.
type sums struct {
	kinds   map[outcomeKind]int
	cost    llm.Cost
	results int
}

type outcomeKind struct {
	passes, judged int
	cluster        uint64
}

// pairKind is a case as a candidate and the reference have it.
type pairKind struct {
	passed, valid stats.Stratum // valid.N is 0 where one side has no contract
	cluster       uint64
}

// pairedCost is a case's mean cost on both sides, in nano-USD.
type pairedCost struct {
	reference, cost float64
	cluster         uint64
}

// pairedScore is a case's mean score on both sides.
type pairedScore struct {
	reference, score float64
	cluster          uint64
}

// NewSideBySide begins counting. Candidates are groups of one suite, each with another
// model or prompt; reference is the place of the one that the others are compared with.
// Of the settings the gates are read for their margins, and the clusters.
func NewSideBySide(groups []eval.Group, reference int, s Settings) *SideBySide {
	n := len(groups)
	made := &SideBySide{
		groups: groups, names: CandidateNames(groups), reference: reference, settings: s,
		pending: map[string]*outcomes{}, marks: map[string]*shared{},
		missing: make([]int, n), costs: make([][]pairedCost, n), unknown: make([]int, n), nothing: make([]int, n), pairs: make([]map[pairKind]int, n), scores: make([]map[string][]pairedScore, n),
		now: make([][]time.Duration, n), kept: make([][]time.Duration, n),
	}
	for i := range made.pairs {
		made.pairs[i], made.scores[i] = map[pairKind]int{}, map[string][]pairedScore{}
	}
	return made
}

// CandidateNames are the groups' names beside each other: what tells them apart.
func CandidateNames(groups []eval.Group) []string {
	models, prompts, others := false, false, false
	for _, g := range groups {
		others = others || g.Prompt.Name != groups[0].Prompt.Name
		models = models || g.Model != groups[0].Model
		prompts = prompts || g.Prompt.String() != groups[0].Prompt.String()
	}
	names := make([]string, len(groups))
	for i, g := range groups {
		switch {
		case models && prompts && !others:
			names[i] = g.Prompt.Version + " · " + g.Model
		case models && prompts:
			names[i] = g.Prompt.String() + " · " + g.Model
		case prompts:
			names[i] = g.Prompt.String()
		default:
			names[i] = g.Model
		}
	}
	return names
}

// Note adds what readers of the figures must know.
func (s *SideBySide) Note(note string) { s.told = append(s.told, note) }

// Add takes one result of a candidate, in any order.
func (s *SideBySide) Add(candidate int, c *eval.Case, r *eval.Result) {
	if c.Quarantined() {
		return
	}
	s.time(candidate, r)
	open := s.pending[c.ID]
	if open == nil {
		open = &outcomes{left: len(s.groups) * max(1, c.Repeats), of: make([]*caseFold, len(s.groups))}
		if key := c.ClusterKey(); s.settings.Clusters[key] {
			open.cluster = key
		}
		for i := range open.of {
			open.of[i] = newCaseFold(c)
		}
		s.pending[c.ID] = open
	}
	open.of[candidate].count(r)
	if open.left--; open.left == 0 {
		delete(s.pending, c.ID)
		s.finish(open)
	}
}

// time keeps how long an answer took.
func (s *SideBySide) time(candidate int, r *eval.Result) {
	switch {
	case !r.Status.Judged():
	case r.StoredPart():
		s.kept[candidate] = append(s.kept[candidate], r.Service)
	default:
		s.now[candidate] = append(s.now[candidate], r.Service)
	}
}

// finish takes a case of which no more results come.
func (s *SideBySide) finish(c *outcomes) {
	s.planned++
	mark := make([]byte, len(c.of))
	for i := range c.of {
		s.missing[i] += c.of[i].missing()
		if c.of[i].judged > 0 {
			mark[i] = 1
		}
	}
	sum := s.marks[string(mark)]
	if sum == nil {
		sum = &shared{of: make([]sums, len(c.of))}
		for i := range sum.of {
			sum.of[i] = sums{kinds: map[outcomeKind]int{}, cost: llm.KnownCost(0)}
		}
		s.marks[string(mark)] = sum
	}
	sum.cases++
	for i := range c.of {
		one := c.of[i]
		if one.judged == 0 {
			continue
		}
		sum.of[i].kinds[outcomeKind{one.passes, one.judged, c.cluster}]++
		sum.of[i].cost = sum.of[i].cost.Plus(one.cost)
		sum.of[i].results += one.judged
		if i != s.reference && c.of[s.reference].judged > 0 {
			s.pair(i, one, c.of[s.reference], c.cluster)
		}
	}
}

// pair takes a case that a candidate and the reference have both.
func (s *SideBySide) pair(candidate int, one, reference *caseFold, cluster uint64) {
	kind := pairKind{passed: stats.Stratum{A: one.passes, N: one.judged, B: reference.passes, M: reference.judged}, cluster: cluster}
	if one.contract && reference.contract {
		kind.valid = stats.Stratum{A: one.valid, N: one.judged, B: reference.valid, M: reference.judged}
	}
	s.pairs[candidate][kind]++
	for metric, m := range one.scores {
		if base := reference.scores[metric]; base != nil && metric != eval.MetricRepair {
			s.scores[candidate][metric] = append(s.scores[candidate][metric], pairedScore{base.value(), m.value(), cluster})
		}
	}
	before, now := meanCost(reference), meanCost(one)
	switch _, ok := stats.LogRatio(before, now); {
	case !one.cost.Known || !reference.cost.Known:
		s.unknown[candidate]++
		return
	case !ok:
		s.nothing[candidate]++
		return
	}
	s.costs[candidate] = append(s.costs[candidate], pairedCost{before, now, cluster})
}

func meanCost(f *caseFold) float64 { return float64(f.cost.Amount) / float64(f.judged) }

// settle finishes the cases that will get no more results.
func (s *SideBySide) settle() {
	for id, c := range s.pending {
		s.finish(c)
		delete(s.pending, id)
	}
}
