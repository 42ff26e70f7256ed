package llm

import (
	"encoding/json"
	"testing"
)

func TestRepairScoreIsTheProductOfWhatIsLeft(t *testing.T) {
	for want, repairs := range map[float64][]Repair{
		1:    nil,
		0.9:  {{Name: "a", Weight: 0.1, Times: 50}}, // once, however often
		0.72: {{Name: "a", Weight: 0.1}, {Name: "b", Weight: 0.2}},
		0:    {{Name: "a", Weight: 1}, {Name: "b", Weight: 0.2}},
	} {
		if got := RepairScore(repairs); got != want {
			t.Errorf("%v: %v, want %v", repairs, got, want)
		}
	}
}

// Recordings and cached answers are found by what is asked: details count, repair does not.
func TestDetailsAreWhatIsAskedBesidesASchema(t *testing.T) {
	for want, output := range map[string]Output{
		"":                                 {Kind: OutputJSON, Schema: json.RawMessage(`{}`), Repair: RepairCoerce, Coerce: []Coercion{CoerceList}},
		`{"items":"number"}`:               {Kind: OutputList, Items: "number", Repair: RepairSyntax},
		`{"enum":["a","b"]}`:               {Kind: OutputLabel, Enum: []string{"a", "b"}},
		`{"language":"go"}`:                {Kind: OutputCode, Language: "go"},
		`{"pattern":"(?P\u003ca\u003e.)"}`: {Kind: OutputRegex, Pattern: "(?P<a>.)"},
	} {
		if got := string(output.Details()); got != want {
			t.Errorf("%+v: %s, want %s", output, got, want)
		}
	}
}

func TestValueSchemaIsJSON(t *testing.T) {
	for _, output := range []Output{
		{Kind: OutputNumber}, {Kind: OutputBoolean}, {Kind: OutputLabel, Enum: []string{`a"b`}}, {Kind: OutputList}, {Kind: OutputList, Items: "string"},
		{Kind: OutputCode}, {Kind: OutputRegex},
	} {
		if raw := output.ValueSchema(); !json.Valid(raw) {
			t.Errorf("%s: %s", output.Kind, raw)
		}
		if output.IsText() {
			t.Errorf("%s is a contract", output.Kind)
		}
	}
	if (Output{}).ValueSchema() != nil || !(Output{Kind: OutputText}).IsText() {
		t.Error("text has no contract")
	}
}
