package scorer

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type sequenceArgs struct {
	Exact    []proposal `yaml:"exact" json:"exact,omitempty"`
	InOrder  []proposal `yaml:"in_order" json:"in_order,omitempty"`
	AnyOrder []proposal `yaml:"any_order" json:"any_order,omitempty"`
	options  `yaml:",inline" json:"-"`
}

// parseToolSequence: {tool_sequence: [search, refund]} or {tool_sequence: {exact:
// […]}}: these calls, in this order, and no others; in_order: these in this order,
// others between them; any_order: a call for each of these, in any order, others
// besides. An item is a name, or {name: …, arguments: {…}, match: …, schema: {…}}.
func parseToolSequence(n strictyaml.Node) (rule, error) {
	var args sequenceArgs
	err := decodeOr(n, &args, func(n strictyaml.Node) error {
		if n.Kind() != strictyaml.List {
			return n.Mismatch("a list of calls, or a mapping").WithHint("write {tool_sequence: [search, refund]}, or in_order: or any_order: before the list")
		}
		return n.Decode(&args.Exact)
	})
	if err != nil {
		return rule{}, err
	}
	given := 0
	for _, list := range [][]proposal{args.Exact, args.InOrder, args.AnyOrder} {
		if len(list) > 0 {
			given++
		}
	}
	if given != 1 {
		return rule{}, n.Errorf("want one of exact, in_order and any_order, with at least one call in it").
			WithHint("that no tool is called is {not: tool_called}")
	}
	var names []string
	for _, list := range [][]proposal{args.Exact, args.InOrder, args.AnyOrder} {
		for i := range list {
			names = append(names, list[i].names()...)
		}
	}
	return rule{args: args, options: args.options, needs: eval.NeedToolCalls, tools: names, about: args.about(), judge: args.judge}, nil
}

func (a *sequenceArgs) about() string {
	switch {
	case len(a.InOrder) > 0:
		return "calls in this order " + proposals(a.InOrder)
	case len(a.AnyOrder) > 0:
		return "calls in any order " + proposals(a.AnyOrder)
	}
	return "calls exactly " + proposals(a.Exact)
}

func proposals(list []proposal) string {
	parts := make([]string, len(list))
	for i := range list {
		parts[i] = list[i].about()
	}
	return strings.Join(parts, ", ")
}

func (a *sequenceArgs) judge(s *eval.Subject) (bool, string, error) {
	reason := ""
	switch {
	case len(a.InOrder) > 0:
		reason = inOrder(a.InOrder, s.ToolCalls)
	case len(a.AnyOrder) > 0:
		reason = inAnyOrder(a.AnyOrder, s.ToolCalls)
	default:
		reason = exactly(a.Exact, s.ToolCalls)
	}
	return reason == "", cutReason(reason), nil
}

func exactly(want []proposal, got []llm.ToolCall) string {
	if len(want) != len(got) {
		return fmt.Sprintf("want %d calls (%s), got %d: %s", len(want), proposals(want), len(got), namesOf(got))
	}
	for i := range want {
		if why := want[i].differs(got[i]); why != "" {
			return fmt.Sprintf("call %d: %s", i+1, why)
		}
	}
	return ""
}

// inOrder takes the first call that fits, which leaves most for those that follow.
func inOrder(want []proposal, got []llm.ToolCall) string {
	next := 0
	for i := range want {
		for next < len(got) && want[i].differs(got[next]) != "" {
			next++
		}
		if next == len(got) {
			return want[i].about() + " does not follow in " + namesOf(got)
		}
		next++
	}
	return ""
}

// inAnyOrder gives each wanted call one of its own: where the only one that fits is
// taken, whoever took it looks for another (augmenting paths).
func inAnyOrder(want []proposal, got []llm.ToolCall) string {
	takenBy := make([]int, len(got))
	for i := range takenBy {
		takenBy[i] = -1
	}
	var find func(w int, seen []bool) bool
	find = func(w int, seen []bool) bool {
		for g := range got {
			if seen[g] || want[w].differs(got[g]) != "" {
				continue
			}
			seen[g] = true
			if takenBy[g] < 0 || find(takenBy[g], seen) {
				takenBy[g] = w
				return true
			}
		}
		return false
	}
	for w := range want {
		if !find(w, make([]bool, len(got))) {
			return "no call for " + want[w].about() + " in " + namesOf(got)
		}
	}
	return ""
}
