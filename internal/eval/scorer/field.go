package scorer

import (
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type fieldArgs struct {
	Path    fieldPath       `yaml:"path,required" json:"-"`
	At      string          `json:"path"`
	Equals  strictyaml.Node `yaml:"equals" json:"-"`
	OneOf   strictyaml.Node `yaml:"one_of" json:"-"`
	Min     *number         `yaml:"min" json:"min,omitempty"`
	Max     *number         `yaml:"max" json:"max,omitempty"`
	Regex   *pattern        `yaml:"regex" json:"regex,omitempty"`
	Exists  *bool           `yaml:"exists" json:"exists,omitempty"`
	options `yaml:",inline" json:"-"`

	Wanted  *any  `json:"equals,omitempty"` // a pointer, since null may be wanted
	Choices []any `json:"one_of,omitempty"`
}

// parseField: {field: {path: urgency, min: 4, max: 5, metric: …}} with equals,
// one_of, min, max, regex or exists; all that is given must hold. The answer is the
// value under the contract, or the text read as JSON.
func parseField(n strictyaml.Node) (rule, error) {
	var args fieldArgs
	if n.Kind() != strictyaml.Mapping {
		return rule{}, n.Mismatch("a mapping").WithHint("write {field: {path: urgency, min: 4}}")
	}
	if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	if err := args.settle(n); err != nil {
		return rule{}, err
	}
	return rule{args: args, options: args.options, about: args.about(n), judge: args.judge}, nil
}

func (a *fieldArgs) settle(n strictyaml.Node) error {
	a.At = a.Path.text
	if a.Equals.Exists() {
		value := a.Equals.Value()
		a.Wanted = &value
	}
	if a.OneOf.Exists() {
		if a.OneOf.Kind() != strictyaml.List || len(a.OneOf.Items()) == 0 {
			return a.OneOf.Mismatch("a list of at least one value")
		}
		a.Choices = a.OneOf.Value().([]any)
	}
	if a.Min != nil && a.Max != nil && a.Min.compare(a.Max.decimal) > 0 {
		return n.Get("min").Errorf("min %s is above max %s: nothing can pass", a.Min.text, a.Max.text)
	}
	says := a.Wanted != nil || a.Choices != nil || a.Min != nil || a.Max != nil || a.Regex != nil
	switch {
	case !says && a.Exists == nil:
		return n.Errorf("the check does not say what the field must be").WithHint("add one of: equals, one_of, min, max, regex, exists")
	case says && a.Exists != nil && !*a.Exists:
		return n.Get("exists").Errorf("a field that must not exist can have no other rule")
	}
	return nil
}

// about repeats the arguments, in the order of the file.
func (a *fieldArgs) about(n strictyaml.Node) string {
	var parts []string
	for _, field := range n.Fields() {
		if field.Key != "path" && field.Key != "metric" {
			parts = append(parts, field.Key+" "+show(field.Value.Value()))
		}
	}
	return a.At + " " + strings.Join(parts, ", ")
}

func (a *fieldArgs) judge(s *eval.Subject) (bool, string, error) {
	root, isJSON := valueOf(s)
	value, there := a.Path.in(root)
	if a.Exists != nil && !*a.Exists {
		if there {
			return false, a.At + ": want no such field, got " + show(value), nil
		}
		return isJSON, notJSON(isJSON, s), nil
	}
	switch {
	case !isJSON:
		return false, notJSON(isJSON, s), nil
	case !there:
		return false, a.At + ": no such field in " + show(root), nil
	}
	reason := a.wrong(value)
	if reason != "" {
		reason = a.At + ": " + reason
	}
	return reason == "", reason, nil
}

func notJSON(isJSON bool, s *eval.Subject) string {
	if isJSON {
		return ""
	}
	return "the answer is not JSON: " + quote(s.Answer)
}

// wrong words the first rule that the value breaks, "" if there is none.
func (a *fieldArgs) wrong(value any) string {
	if a.Wanted != nil {
		if ok, reason := match(*a.Wanted, value, equal); !ok {
			return reason
		}
	}
	if a.Choices != nil && !a.isChoice(value) {
		return "want one of " + show(a.Choices) + ", got " + show(value)
	}
	if a.Min != nil || a.Max != nil {
		if reason := a.outside(value); reason != "" {
			return reason
		}
	}
	if a.Regex == nil {
		return ""
	}
	text, ok := value.(string)
	if !ok {
		text = show(value)
	}
	if !a.Regex.compiled.MatchString(text) {
		return "nothing matches " + a.Regex.String() + " in " + show(value)
	}
	return ""
}

func (a *fieldArgs) isChoice(value any) bool {
	for _, choice := range a.Choices {
		if ok, _ := match(choice, value, equal); ok {
			return true
		}
	}
	return false
}

func (a *fieldArgs) outside(value any) string {
	written, isNumber := value.(json.Number)
	got, ok := parseDecimal(string(written))
	low := a.Min != nil && ok && got.compare(a.Min.decimal) < 0
	high := a.Max != nil && ok && got.compare(a.Max.decimal) > 0
	if isNumber && ok && !low && !high {
		return ""
	}
	want := ""
	switch {
	case a.Min != nil && a.Max != nil:
		want = "from " + a.Min.text + " to " + a.Max.text
	case a.Min != nil:
		want = "at least " + a.Min.text
	default:
		want = "at most " + a.Max.text
	}
	return "want " + want + ", got " + show(value)
}
