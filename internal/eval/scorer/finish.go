package scorer

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// finishReasons are the reasons why a model stopped, one or more.
type finishReasons []string

// UnmarshalNode reads one reason or a list.
func (f *finishReasons) UnmarshalNode(n strictyaml.Node) error {
	items := n.Items()
	if n.Kind() != strictyaml.List {
		items = []strictyaml.Node{n}
	}
	allowed := []string{string(llm.FinishStop), string(llm.FinishLength), string(llm.FinishContentFilter), string(llm.FinishToolCalls)}
	var problems fault.List
	for _, item := range items {
		if item.Kind() != strictyaml.String || !slices.Contains(allowed, item.Text()) {
			problems.Add(item.Errorf("unknown finish reason %q", item.Text()).WithHint("%s", fault.Allowed(item.Text(), allowed)))
		}
		*f = append(*f, item.Text())
	}
	if len(items) == 0 {
		problems.Add(n.Errorf("no finish reason is named").WithHint("%s", fault.Allowed("", allowed)))
	}
	return problems.Err()
}

// parseFinish: {finish_reason: stop}, {finish_reason: [stop, tool_calls]}, or
// {finish_reason: {value: stop, metric: …}}.
func parseFinish(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   finishReasons `yaml:"value,required" json:"value"`
		options `yaml:",inline" json:"-"`
	}
	if n.Kind() != strictyaml.Mapping {
		if err := args.Value.UnmarshalNode(n); err != nil {
			return rule{}, err
		}
	} else if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	want := strings.Join(args.Value, " or ")
	return rule{args: args, options: args.options, about: "finish reason " + want, needs: eval.NeedFinish, judge: func(s *eval.Subject) (bool, string, error) {
		if slices.Contains(args.Value, string(s.Finish)) {
			return true, "", nil
		}
		return false, "want " + want + ", got " + quote(string(s.Finish)), nil
	}}, nil
}
