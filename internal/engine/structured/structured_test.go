package structured

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/engine/contract"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var object = llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"object"}`)}

// native takes schemas of objects, and counts how often it was asked.
func native(asked *int) func(json.RawMessage) (json.RawMessage, bool) {
	return func(schema json.RawMessage) (json.RawMessage, bool) {
		*asked++
		return json.RawMessage(`{"of":` + string(schema) + `}`), strings.Contains(string(schema), "object")
	}
}

func TestHow(t *testing.T) {
	array := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"array"}`)}
	number := llm.Output{Kind: llm.OutputNumber}
	told, toldArray := object, array
	told.Told, toldArray.Told = true, true
	inWords := func(o llm.Output) Told { return Told{Way: llm.StructuredInstructions, Instructions: Instructions(o)} }
	bySchema := Told{Way: llm.StructuredSchema, Format: json.RawMessage(`{"of":{"type":"object"}}`)}
	asObject := json.RawMessage(`{"type":"json_object"}`)
	tests := []struct {
		way    string
		output llm.Output
		want   Told
	}{
		{"", object, Told{}},
		{llm.StructuredInstructions, llm.Output{}, Told{}},
		{llm.StructuredSchema, llm.Output{Kind: llm.OutputText}, Told{}},
		{llm.StructuredInstructions, llm.Output{Kind: llm.OutputEmbedding}, Told{}},
		{llm.StructuredInstructions, object, inWords(object)},
		{llm.StructuredInstructions, told, Told{}},
		{llm.StructuredSchema, object, bySchema},
		{llm.StructuredSchema, told, bySchema},
		{llm.StructuredSchema, array, inWords(array)},
		{llm.StructuredSchema, toldArray, Told{}},
		{llm.StructuredSchema, number, inWords(number)},
		{llm.StructuredObject, object, Told{Way: llm.StructuredObject, Format: asObject, Instructions: Instructions(object)}},
		{llm.StructuredObject, told, Told{Way: llm.StructuredObject, Format: asObject}},
		{llm.StructuredObject, array, inWords(array)},
		{llm.StructuredObject, number, inWords(number)},
	}
	for _, test := range tests {
		asked := 0
		teller := New(Options{Way: test.way, Native: native(&asked)})
		for range 3 {
			if diff := cmp.Diff(test.want, teller.How(test.output, nil)); diff != "" {
				t.Errorf("%s %+v:\n%s", test.way, test.output, diff)
			}
		}
		if asked > 1 {
			t.Errorf("%s: the schema was lowered %d times", test.way, asked)
		}
		if got := teller.How(test.output, llm.Options{option: json.RawMessage(`{}`)}); got.Way != "" {
			t.Errorf("%s: the user's own response_format was not left alone: %+v", test.way, got)
		}
	}
}

// The parser takes, without a repair, what the instructions ask for.
func TestInstructionsSayWhatTheParserTakes(t *testing.T) {
	tests := []struct {
		output  llm.Output
		says    string
		answers []string // as the instructions have it
	}{
		{llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"array","items":{"type":"number"}}`)}, `valid under this JSON Schema:` + "\n" + `{"type":"array","items":{"type":"number"}}`, []string{"[1]"}},
		{llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{}`)}, "no code fence.", []string{"[1]", "null"}},
		{llm.Output{Kind: llm.OutputNumber}, "one number and nothing else", []string{"1200", "12.5", "-3"}},
		{llm.Output{Kind: llm.OutputBoolean}, "true or false", []string{"true", "false"}},
		{llm.Output{Kind: llm.OutputLabel, Enum: []string{"billing", "a bug"}}, "\nbilling\na bug", []string{"billing", "a bug"}},
		{llm.Output{Kind: llm.OutputList}, "one JSON array", []string{`[1, "a"]`}},
		{llm.Output{Kind: llm.OutputList, Items: "string"}, "array of strings", []string{`["a"]`, "- a\n- b"}},
		{llm.Output{Kind: llm.OutputList, Items: "number"}, "array of numbers", []string{`[1]`, "- 1\n- 2.5"}},
		{llm.Output{Kind: llm.OutputCode}, "fenced block", []string{"```\nx\n```"}},
		{llm.Output{Kind: llm.OutputCode, Language: "python"}, "```python", []string{"```python\nx\n```"}},
		{llm.Output{Kind: llm.OutputRegex, Pattern: `(?P<n>\d+) items`}, "\n" + `(?P<n>\d+) items`, []string{"3 items"}},
	}
	parser := contract.NewParser()
	for _, test := range tests {
		if got := Instructions(test.output); !strings.Contains(got, test.says) {
			t.Errorf("%s: %q does not say %q", test.output.Kind, got, test.says)
		}
		test.output.Repair = llm.RepairOff
		for _, answer := range test.answers {
			if _, broken := parser.Read(answer, test.output); broken != "" {
				t.Errorf("%s: the instructions ask for %q, and the parser says: %s", test.output.Kind, answer, broken)
			}
		}
	}
}

func TestTell(t *testing.T) {
	text := Instructions(object)
	system, user := llm.Text(llm.System, "Be brief."), llm.Text(llm.User, "hi")
	image := llm.Message{Role: llm.System, Parts: []llm.Part{{Kind: llm.PartImage, Media: &llm.Media{URL: "u"}}}}
	tests := []struct{ given, want []llm.Message }{
		{[]llm.Message{user}, []llm.Message{llm.Text(llm.System, text), user}},
		{[]llm.Message{system, user}, []llm.Message{llm.Text(llm.System, "Be brief.\n\n"+text), user}},
		{[]llm.Message{system, user, system}, []llm.Message{system, user, llm.Text(llm.System, "Be brief.\n\n"+text)}},
		{[]llm.Message{image}, []llm.Message{{Role: llm.System, Parts: append(image.Parts[:1:1], llm.Part{Kind: llm.PartText, Text: text})}}},
	}
	teller := New(Options{Way: llm.StructuredInstructions})
	for _, test := range tests {
		before, err := json.Marshal(test.given)
		if err != nil {
			t.Fatal(err)
		}
		req, told := teller.Tell(llm.Request{Messages: test.given, Output: object})
		if diff := cmp.Diff(test.want, req.Messages); diff != "" || told.Instructions != text {
			t.Errorf("%s", diff)
		}
		if after, _ := json.Marshal(test.given); string(after) != string(before) { // renderings share their messages
			t.Errorf("the messages that were given are others now: %s", after)
		}
	}
}

func TestTellLeavesTheCallersOptionsAlone(t *testing.T) {
	asked := 0
	teller := New(Options{Way: llm.StructuredSchema, Native: native(&asked)})
	options := llm.Options{"temperature": json.RawMessage("0")}
	req, _ := teller.Tell(llm.Request{Options: options, Output: object})
	if len(options) != 1 || len(req.Options) != 2 {
		t.Errorf("given %v, sent %v", options, req.Options)
	}
	with, without := teller.Estimate(llm.Request{Output: object}).Input, (&llm.Request{}).Estimate().Input
	if with <= without {
		t.Errorf("a schema that is sent is %d tokens, none is %d", with, without)
	}
}

func TestARefusalNamesTheWayOut(t *testing.T) {
	asked := 0
	refusal := func(class fault.Class, status int) llm.Model {
		e := fault.New(class, "no")
		e.Status = status
		return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] { return llm.Fail(e) })
	}
	for _, test := range []struct {
		way    string
		class  fault.Class
		status int
		hinted bool
	}{
		{llm.StructuredSchema, fault.BadRequest, 400, true},
		{llm.StructuredObject, fault.BadRequest, 422, true},
		{llm.StructuredInstructions, fault.BadRequest, 400, false}, // there was none
		{llm.StructuredSchema, fault.BadRequest, 0, false},         // of our own
		{llm.StructuredSchema, fault.Auth, 401, false},
	} {
		teller := New(Options{Alias: "small", Way: test.way, Native: native(&asked)})
		admission := &llm.Admission{}
		_, err := llm.Collect(teller.Model(refusal(test.class, test.status)).Stream(llm.WithAdmission(t.Context(), admission), llm.Request{Output: object}))
		e := fault.As(err)
		if strings.Contains(e.Hint, "caps: {structured_output: instructions} for small") != test.hinted || strings.Contains(e.Message, "caps.structured_output of small") != test.hinted || e.Class != test.class || e.Status != test.status {
			t.Errorf("%+v: %+v", test, e)
		}
		if admission.Structured != test.way {
			t.Errorf("%+v: the attempt says %q", test, admission.Structured)
		}
	}
}
