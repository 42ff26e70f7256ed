package prompt

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

// goodOutputs are contracts as they are written, and what they are.
var goodOutputs = []struct {
	head string
	want llm.Output
}{
	{"description: x", llm.Output{Kind: llm.OutputText}},
	{"outputs: {kind: text}", llm.Output{Kind: llm.OutputText}},
	{"outputs: {kind: number}", llm.Output{Kind: llm.OutputNumber, Repair: llm.RepairSyntax}},
	{"outputs: {kind: boolean}\nllmx: {repair: off}", llm.Output{Kind: llm.OutputBoolean, Repair: llm.RepairOff}},
	{"outputs: {kind: label, enum: [billing, 'no', \"a b\"]}\nllmx: {repair: syntax}",
		llm.Output{Kind: llm.OutputLabel, Enum: []string{"billing", "no", "a b"}, Repair: llm.RepairSyntax}},
	{"outputs: {kind: list}", llm.Output{Kind: llm.OutputList, Repair: llm.RepairSyntax}},
	{"outputs: {kind: list, items: any}", llm.Output{Kind: llm.OutputList, Repair: llm.RepairSyntax}},
	{"outputs: {items: number, kind: list}\nllmx: {repair: coerce, coerce: [list, number]}",
		llm.Output{Kind: llm.OutputList, Items: "number", Repair: llm.RepairCoerce, Coerce: []llm.Coercion{llm.CoerceList, llm.CoerceNumber}}},
	{"outputs: {kind: code}", llm.Output{Kind: llm.OutputCode, Repair: llm.RepairSyntax}},
	{"outputs: {kind: code, language: c++}", llm.Output{Kind: llm.OutputCode, Language: "c++", Repair: llm.RepairSyntax}},
	{"outputs: {kind: regex, pattern: '(?P<n>\\d+)'}", llm.Output{Kind: llm.OutputRegex, Pattern: `(?P<n>\d+)`, Repair: llm.RepairSyntax}},
	{"outputs: {kind: json}", llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage("{}"), Repair: llm.RepairSyntax}},
	{"outputs: {type: string}\nllmx: {repair: coerce, coerce: [boolean]}", llm.Output{
		Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"string"}`), Repair: llm.RepairCoerce, Coerce: []llm.Coercion{llm.CoerceBoolean}}},
}

func TestOutputsAreReadAsTheyAreWritten(t *testing.T) {
	for _, test := range goodOutputs {
		p := resolve(t, draft("---\nname: t\n"+test.head+"\n---\nuser:\nhi\n"), "t")
		if diff := cmp.Diff(test.want, p.Output); diff != "" {
			t.Errorf("%s: %s", test.head, diff)
		}
	}
}

func TestExamplesKeepTheContractOfEveryKind(t *testing.T) {
	for _, test := range []struct{ outputs, output, want, refused string }{
		{"{kind: boolean}", "true", "true", ""},
		{"{kind: boolean}", "'yes'", "", "want true or false"},
		{"{kind: label, enum: [a, b]}", "b", "b", ""},
		{"{kind: label, enum: [a, b]}", "c", "", "is no label of the prompt"},
		{"{kind: list, items: number}", "[1, 2.50]", "[1,2.50]", ""},
		{"{kind: list, items: number}", "[a]", "", "breaks the schema"},
		{"{kind: code, language: go}", "\"x := 1\\n\"", "```go\nx := 1\n```", ""},
		{"{kind: code}", "\"```\\nx\\n```\"", "", "without its fence"},
		{"{kind: regex, pattern: '(?P<n>[0-9]+)'}", "'12'", "12", ""},
		{"{kind: regex, pattern: '(?P<n>[0-9]+)'}", "a12", "", "does not match"},
	} {
		fsys := draft("---\nname: t\noutputs: " + test.outputs + "\nllmx: {examples: [{inputs: {}, output: " + test.output + "}]}\n---\nuser:\nhi\n")
		p, err := NewLibrary(fsys).Resolve("t", Develop)
		if test.refused != "" {
			if err == nil || !strings.Contains(err.Error(), test.refused) {
				t.Errorf("%s %s: %v; want it refused: %s", test.outputs, test.output, err, test.refused)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		messages, err := p.Render(nil)
		if err != nil || len(messages) != 3 || messages[1].Text() != test.want {
			t.Errorf("%s %s: %v, %v; want the answer %q", test.outputs, test.output, spoken(messages), err, test.want)
		}
	}
}
