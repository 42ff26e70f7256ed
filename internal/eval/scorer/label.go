package scorer

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// labelArgs: label, or {label: {path: label, classes: [billing, bug], metric: team,
// threshold: 0}}.
type labelArgs struct {
	Path      *fieldPath `yaml:"path" json:"-"`
	At        string     `json:"path,omitempty"`
	Classes   []string   `yaml:"classes" json:"classes,omitempty"`
	Threshold threshold  `yaml:"threshold" json:"threshold"`
	options   `yaml:",inline" json:"-"`
}

const (
	labelMetric   = "label" // where the check names none
	maxLabelBytes = 200     // of an answer's label that are kept
)

// parseLabel reads the check that compares the answer's label with the golden one's,
// and from which the suite's metrics of labels are counted.
func parseLabel(n strictyaml.Node) (rule, error) {
	args := labelArgs{Threshold: 1}
	err := decodeOr(n, &args, func(strictyaml.Node) error {
		return n.Mismatch("a mapping").WithHint("write {label: {path: label}}, or label alone where the whole answer is one")
	})
	if err != nil {
		return rule{}, err
	}
	if args.Path != nil {
		args.At = args.Path.text
	}
	if err := args.checkClasses(n); err != nil {
		return rule{}, err
	}
	family := labelMetric
	if args.Metric != "" {
		family = string(args.Metric)
	}
	options := args.options
	options.Metric = metricName(family + eval.LabelAccuracy)
	return rule{
		args: args, options: options, needs: eval.NeedGolden, threshold: args.Threshold, about: "has the label of the golden answer",
		fits: args.fits, whole: args.score,
		labels: func(output llm.Output) eval.Labels {
			classes := args.Classes
			if classes == nil {
				classes = contractClasses(output, args.Path)
			}
			return eval.Labels{Metric: family, Classes: classes, Want: args.want}
		},
	}, nil
}

func (a *labelArgs) checkClasses(n strictyaml.Node) error {
	items := n.Get("classes").Items()
	if n.Get("classes").Exists() && len(items) < 2 {
		return n.Get("classes").Errorf("two classes at least can be told apart, this has %d", len(items)).
			WithHint("leave classes out: then they are those of the prompt's contract, or those that occur")
	}
	for i, class := range a.Classes {
		if plain(class) != class || class == "" {
			return items[i].Errorf("the class %s is empty, or has white space around it", quote(class))
		}
		if slices.Contains(a.Classes[:i], class) {
			return items[i].Errorf("the class %s is given twice", quote(class))
		}
	}
	return nil
}

// Labels says what a check of labels tells apart.
func (c *check) Labels(output llm.Output) (eval.Labels, bool) {
	if c.rule.labels == nil {
		return eval.Labels{}, false
	}
	return c.rule.labels(output), true
}

// want is the label of a golden answer.
func (a *labelArgs) want(golden any) (string, bool) {
	if a.Path != nil {
		found, ok := a.Path.in(golden)
		if !ok {
			return "", false
		}
		golden = found
	}
	return labelOf(golden)
}

func (a *labelArgs) fits(golden any) error {
	want, ok := a.want(golden)
	switch {
	case !ok && a.Path != nil:
		return fault.New(fault.Invalid, "it has no label at %s: %s", a.At, show(golden)).WithHint("a label is a text, a number, true or false")
	case !ok:
		return fault.New(fault.Invalid, "it is no label: %s", show(golden)).WithHint("name the field that is one: {label: {path: label}}")
	case a.Classes != nil && !slices.Contains(a.Classes, want):
		return fault.New(fault.Invalid, "its label %s is none of the classes", quote(want)).WithHint("%s", fault.Allowed(want, a.Classes))
	}
	return nil
}

func (a *labelArgs) score(_ context.Context, s *eval.Subject) (eval.Score, error) {
	if s.Golden == nil {
		return eval.Score{}, noGolden()
	}
	want, ok := a.want(s.Golden.Value)
	if !ok {
		return eval.Score{}, a.fits(s.Golden.Value)
	}
	got, reason := a.got(s)
	score := eval.Score{Want: want, Got: got}
	switch {
	case got == want:
		score.Value = 1
	case reason == "":
		score.Reason = "want " + want + ", got " + quote(got)
	default:
		score.Reason = "want " + want + ", got no label: " + reason
	}
	score.Pass = a.Threshold.reached(score.Value)
	return score, nil
}

// got is the answer's label, "" with the reason where it has none.
func (a *labelArgs) got(s *eval.Subject) (label, reason string) {
	if s.Broken != "" {
		return "", cutReason(s.Broken)
	}
	var value any = s.Answer
	switch {
	case a.Path != nil:
		root, isJSON := valueOf(s)
		if !isJSON {
			return "", notJSON(isJSON, s)
		}
		found, there := a.Path.in(root)
		if !there {
			return "", a.At + ": no such field in " + show(root)
		}
		value = found
	case s.Value != nil:
		value = s.Value
	}
	label, ok := labelOf(value)
	if !ok {
		return "", "not one word or number, but " + show(value)
	}
	return cutTo(maxLabelBytes, label), ""
}

// labelOf is a text, a number or a boolean as a label.
func labelOf(value any) (string, bool) {
	text := ""
	switch v := value.(type) {
	case string:
		text = plain(v)
	case json.Number, bool:
		text = textOf(v)
	}
	return text, text != ""
}

// contractClasses are the values that a prompt's contract allows at a path, nil where it
// does not list them.
func contractClasses(output llm.Output, path *fieldPath) []string {
	if path == nil {
		return slices.Clone(output.Enum)
	}
	schema, err := parseJSON(string(output.Schema))
	if err != nil {
		return nil
	}
	for _, step := range path.steps {
		object, _ := schema.(map[string]any)
		if step.key == "" {
			schema = object["items"]
			continue
		}
		properties, _ := object["properties"].(map[string]any)
		schema = properties[step.key]
	}
	object, _ := schema.(map[string]any)
	values, _ := object["enum"].([]any)
	var classes []string
	for _, value := range values {
		if label, ok := labelOf(value); ok {
			classes = append(classes, label)
		}
	}
	return classes
}
