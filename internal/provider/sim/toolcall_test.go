package sim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

const invoiceSchema = `{"type":"object","required":["id","since"],"properties":{"id":{"type":"integer","minimum":1,"maximum":99},"since":{"type":"string","format":"date"}},"additionalProperties":false}`

var clerk = llm.Tools{List: []llm.ToolSpec{
	{Name: "get_invoice", Parameters: json.RawMessage(invoiceSchema)}, {Name: "refund-customer"}, {Name: "now"},
}}

func chosen(choice string) llm.Tools {
	tools := clerk
	tools.Choice = choice
	return tools
}

func TestToolsAreCalledWhereTheyAreMeant(t *testing.T) {
	oneAtATime := clerk
	oneAtATime.OneAtATime = true
	result := llm.Message{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: "1", Content: "paid"}}}}
	asks := func(text string) []llm.Message { return []llm.Message{llm.Text(llm.User, text)} }
	for name, test := range map[string]struct {
		messages []llm.Message
		tools    llm.Tools
		hint     any
		want     string // names of the tools
	}{
		"no tools":                     {asks("my invoice"), llm.Tools{}, nil, ""},
		"a word of its name":           {asks("Where is my Invoice?"), clerk, nil, "get_invoice"},
		"a weak word":                  {asks("Where do I get help?"), clerk, nil, ""},
		"within another word":          {asks("I know invoices"), clerk, nil, ""},
		"two":                          {asks("now refund my invoice"), clerk, nil, "get_invoice refund-customer now"},
		"two, one at a time":           {asks("refund my invoice"), oneAtATime, nil, "get_invoice"},
		"none is allowed":              {asks("my invoice"), chosen("none"), nil, ""},
		"some must":                    {asks("hello"), chosen("required"), nil, "*"},
		"one must":                     {asks("my invoice"), chosen("now"), nil, "now"},
		"the result is there":          {append(asks("my invoice"), result), clerk, nil, ""},
		"… and one must":               {append(asks("my invoice"), result), chosen("now"), nil, "now"},
		"the golden is an answer":      {asks("my invoice"), clerk, "It is paid.", ""},
		"the golden is a call":         {asks("hello"), clerk, map[string]any{"name": "now"}, "now"},
		"the golden is none of these":  {asks("hello"), clerk, map[string]any{"name": "Ann", "age": json.Number("3")}, ""},
		"the golden calls what is not": {asks("hello"), chosen("now"), map[string]any{"name": "get_invoice"}, "now"},
	} {
		request := llm.Request{Messages: test.messages, Tools: test.tools, Hint: test.hint}
		var answers [2]llm.Response
		for i := range answers {
			var err error
			if answers[i], err = llm.Collect(New(Options{Model: "m", Seed: 3}).Stream(t.Context(), request)); err != nil {
				t.Fatal(err)
			}
		}
		var called []string
		for i, call := range answers[0].ToolCalls {
			called = append(called, call.Name)
			if call != answers[1].ToolCalls[i] || call.ID == "" {
				t.Errorf("%s: called %v, and then %v", name, call, answers[1].ToolCalls[i])
			}
		}
		got := strings.Join(called, " ")
		if test.want == "*" && len(called) != 1 || test.want != "*" && got != test.want {
			t.Errorf("%s: called %q, want %q", name, got, test.want)
		}
		finish, text := llm.FinishStop, answers[0].Text != ""
		if len(called) > 0 {
			finish = llm.FinishToolCalls
		}
		if answers[0].End.Finish != finish || text == (len(called) > 0) || answers[0].End.Usage.Output == 0 {
			t.Errorf("%s: %q with finish %q and usage %+v", name, answers[0].Text, answers[0].End.Finish, answers[0].End.Usage)
		}
	}
}

func TestArgumentsAreMadeUnderTheirSchema(t *testing.T) {
	schema, err := jsonschema.Compile(json.RawMessage(invoiceSchema))
	if err != nil {
		t.Fatal(err)
	}
	never, always := 0.0, 1.0
	count := func(o Options, hint any) (valid, right int) {
		o.Model = "m"
		model := New(o)
		for repeat := range 50 {
			request := llm.Request{Messages: []llm.Message{llm.Text(llm.User, "my invoice")}, Tools: clerk, Hint: hint, Repeat: repeat}
			response, err := llm.Collect(model.Stream(t.Context(), request))
			if err != nil || len(response.ToolCalls) != 1 {
				t.Fatalf("%+v, %v", response, err)
			}
			value, err := jsonschema.Decode([]byte(response.ToolCalls[0].Arguments))
			if err == nil && len(schema.Validate(value)) == 0 {
				valid++
				if value.(map[string]any)["id"] == json.Number("17") {
					right++
				}
			}
		}
		return valid, right
	}
	hint := map[string]any{"name": "get_invoice", "arguments": map[string]any{"id": json.Number("17")}}
	if valid, right := count(Options{}, hint); valid != 50 || right != 50 {
		t.Errorf("right: %d valid, %d right", valid, right)
	}
	if valid, right := count(Options{Accuracy: &never}, hint); valid != 50 || right != 0 {
		t.Errorf("wrong: %d valid, %d right", valid, right)
	}
	if valid, _ := count(Options{Accuracy: &always}, nil); valid != 50 {
		t.Errorf("invented: %d valid", valid)
	}
	if valid, _ := count(Options{Malformed: 1}, nil); valid != 0 {
		t.Errorf("malformed: %d valid", valid)
	}
}
