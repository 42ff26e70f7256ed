package scorer

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseGolden: golden, or {golden: {extract: final_number}}. The answer must be
// the case's golden one: objects as a subset, everything else whole, white space
// in text aside; to the letter with golden_match: exact.
func parseGolden(n strictyaml.Node) (rule, error) {
	var args struct {
		Extract *extraction `yaml:"extract" json:"extract,omitempty"`
		options `yaml:",inline" json:"-"`
	}
	if n.Exists() {
		if err := n.Decode(&args); err != nil {
			return rule{}, err
		}
	}
	return rule{args: args, options: args.options, about: "is the golden answer", needs: eval.NeedGolden, judge: func(s *eval.Subject) (bool, string, error) {
		if s.Golden == nil {
			return false, "", noGolden()
		}
		how := subset
		if s.Golden.Exact {
			how = exact
		}
		pass, reason := compare(s.Golden.Value, s, args.Extract, how)
		return pass, reason, nil
	}}, nil
}

// parseEquals: {equals: billing}, {equals: {value: …, extract: …, metric: …}}. As
// golden, with the value in the check, and objects compared whole.
func parseEquals(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   strictyaml.Node `yaml:"value,required" json:"-"`
		Wanted  any             `json:"value"`
		Extract *extraction     `yaml:"extract" json:"extract,omitempty"`
		options `yaml:",inline" json:"-"`
	}
	args.Value = n
	if n.Kind() == strictyaml.Mapping {
		if err := n.Decode(&args); err != nil {
			return rule{}, hintValue(n, err)
		}
	}
	args.Wanted = args.Value.Value()
	want := args.Wanted
	return rule{args: args, options: args.options, about: "equals " + show(want), judge: func(s *eval.Subject) (bool, string, error) {
		pass, reason := compare(want, s, args.Extract, equal)
		return pass, reason, nil
	}}, nil
}

// hintValue helps who wrote an object straight under equals.
func hintValue(n strictyaml.Node, err error) error {
	if n.Get("value").Exists() {
		return err
	}
	return n.Errorf("the key \"value\" is missing").WithHint("write {equals: {value: {…}}}, with extract and metric beside value")
}

// compare holds a wanted value against the answer: against the extracted text, the
// value under the contract, or the text.
func compare(want any, s *eval.Subject, extract *extraction, how strictness) (bool, string) {
	if extract != nil {
		return compareExtracted(want, s, extract, how)
	}
	if s.Broken != "" {
		return false, "no valid answer: " + cutReason(s.Broken)
	}
	if s.Value != nil || !s.Output.IsText() {
		return match(want, s.Value, how)
	}
	return compareText(want, s.Answer, how)
}

// compareText holds a wanted value against plain text. A number or a boolean is
// compared as the text it was written in: "18.0" is not 18 where nobody said that
// the answer is a number. An object or a list is looked for in the text as JSON.
func compareText(want any, answer string, how strictness) (bool, string) {
	switch w := want.(type) {
	case string:
		return match(w, answer, how)
	case json.Number:
		return match(string(w), answer, how)
	case map[string]any, []any:
		value, err := parseJSON(answer)
		if err != nil {
			return false, "want " + show(want) + ", got text that is not JSON: " + quote(answer)
		}
		return match(want, value, how)
	}
	return match(show(want), answer, how)
}

// compareExtracted compares by value where both sides are numbers and one was
// meant as a number, else as text.
func compareExtracted(want any, s *eval.Subject, extract *extraction, how strictness) (bool, string) {
	got, ok, reason := extract.from(s)
	if !ok {
		return false, reason
	}
	switch w := want.(type) {
	case json.Number:
		return match(w, numberOr(got), how)
	case string:
		plain := extract.without(w)
		if extract.finalNumber() {
			return match(numberOr(finalOf(w)), numberOr(got), how)
		}
		return match(plain, got, how)
	}
	return compareText(want, got, how)
}

// numberOr gives a text as the number it is, else as text.
func numberOr(text string) any {
	if _, ok := parseDecimal(text); ok {
		return json.Number(text)
	}
	return text
}

// finalOf gives the final number of a golden text ("1,600", "A: 18"), or the text.
func finalOf(text string) string {
	if number, ok := finalNumber(text); ok {
		return number
	}
	return text
}

// parseJSON reads a text that is one JSON value and nothing else.
func parseJSON(text string) (any, error) { return jsonschema.Decode([]byte(text)) }
