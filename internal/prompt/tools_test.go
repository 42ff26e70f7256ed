package prompt

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

const toolHead = `tools:
  - name: lookup_invoice
    description: Finds an invoice.
    parameters:
      type: object
      required: [id]
      properties: {id: {type: integer}}
  - name: now
`

// goodTools are tools as they are written, and what they are.
var goodTools = []struct {
	head string
	want llm.Tools
	kept llm.Output
}{
	{toolHead, llm.Tools{List: invoiceTools}, llm.Output{Kind: llm.OutputText, Repair: llm.RepairSyntax}},
	{toolHead + "llmx: {tool_choice: auto, parallel_tool_calls: true}", llm.Tools{List: invoiceTools}, llm.Output{Kind: llm.OutputText, Repair: llm.RepairSyntax}},
	{toolHead + "llmx: {tool_choice: none, repair: off}", llm.Tools{List: invoiceTools, Choice: "none"}, llm.Output{Kind: llm.OutputText, Repair: llm.RepairOff}},
	{toolHead + "llmx: {tool_choice: now, reask: 2, parallel_tool_calls: false}",
		llm.Tools{List: invoiceTools, Choice: "now", OneAtATime: true}, llm.Output{Kind: llm.OutputText, Repair: llm.RepairSyntax, Reask: 2}},
	{"tools: []", llm.Tools{}, llm.Output{Kind: llm.OutputText}},
	{"outputs: {kind: number}\nllmx: {reask: 5}", llm.Tools{}, llm.Output{Kind: llm.OutputNumber, Repair: llm.RepairSyntax, Reask: 5}},
}

var invoiceTools = []llm.ToolSpec{
	{Name: "lookup_invoice", Description: "Finds an invoice.", Parameters: json.RawMessage(`{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}`)},
	{Name: "now"},
}

func TestToolsAreReadAsTheyAreWritten(t *testing.T) {
	schema, err := jsonschema.Compile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range goodTools {
		file := "---\nname: t\n" + test.head + "\n---\nuser:\nhi\n"
		p := resolve(t, draft(file), "t")
		if diff := cmp.Diff(test.want, p.Tools); diff != "" {
			t.Errorf("%s: %s", test.head, diff)
		}
		if diff := cmp.Diff(test.kept, p.Output); diff != "" {
			t.Errorf("%s: %s", test.head, diff)
		}
		if violations := schema.Validate(frontMatterOf(t, file)); len(violations) > 0 {
			t.Errorf("an editor refuses %s: %v", test.head, violations)
		}
	}
}

func TestWhatIsWrongWithToolsIsSaidWhereItStands(t *testing.T) {
	for _, test := range []struct{ head, want string }{
		{"tools: {name: x}", "3:8: want a list"},
		{"tools: [{description: x}]", `3:9: the key "name" is missing`},
		{"tools: [{name: look up}]", "3:16: a tool cannot be named \"look up\"\n  a name has 1 to 64 letters, digits, underscores and dashes"},
		{"tools: [{name: none}]", "3:16: a tool cannot be named none: tool_choice has the word"},
		{"tools: [{name: a}, {name: a}]", "3:27: there is a tool named a already"},
		{"tools: [{name: a, params: {}}]", `3:19: unknown key "params"` + "\n  allowed: name, description, parameters"},
		{"tools: [{name: a, parameters: {}}]", "3:31: want a JSON Schema of the arguments"},
		{"tools: [{name: a, parameters: {type: array}}]", "3:31: the arguments of a tool are an object, and the schema does not say so\n  write type: object at its root"},
		{"tools: [{name: a, parameters: {type: objet}}]", "3:31: "},
		{"tools: [{name: a, parameters: {file: x.json, type: object}}]", `the key "file" stands beside others`},
		{"tools: [{name: a, parameters: {file: none.json}}]", `3:38: the schema file "none.json"`},
		{"tools: [{name: a}]\nmodel: {options: {tool_choice: auto}}", "4:19: the option \"tool_choice\" stands beside the prompt's tools"},
		{toolHead + "llmx: {tool_choice: lookup_invoce}", "tool_choice names no tool of this prompt: \"lookup_invoce\"\n  did you mean \"lookup_invoice\"? allowed: auto, none, required, lookup_invoice, now"},
		{"llmx: {tool_choice: none}", "3:21: there is no tool to choose"},
		{"llmx: {parallel_tool_calls: false}", "3:29: there is no tool to call"},
		{toolHead + "llmx: {parallel_tool_calls: 1}", "want true or false, got a number"},
		{"llmx: {reask: 1}", "3:15: the output is text: every answer keeps its contract, and none is asked for again"},
		{"outputs: {kind: number}\nllmx: {reask: 6}", "4:15: want a whole number from 0 to 5, got a number (\"6\")"},
		{"outputs: {kind: number}\nllmx: {reask: 1.5}", "4:15: want a whole number from 0 to 5"},
		{"outputs: {kind: number}\nllmx: {reask: yes}", "4:15: want a whole number from 0 to 5"},
		{"outputs: {kind: number}\nllmx: {reask: -1}", "4:15: want a whole number from 0 to 5"},
	} {
		_, err := NewLibrary(draft("---\nname: t\n"+test.head+"\n---\nuser:\nhi\n")).Resolve("t", Develop)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s\ngot  %v\nwant %s", test.head, err, test.want)
		}
	}
}

// What an editor can tell is refused there, too.
func TestSchemaRefusesWrongTools(t *testing.T) {
	schema, err := jsonschema.Compile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range []string{
		"tools: {name: x}", "tools: [{description: x}]", "tools: [{name: look up}]", "tools: [{name: none}]",
		"tools: [{name: a, params: {}}]", "tools: [{name: a, parameters: {}}]", "tools: [{name: a, parameters: {type: array}}]",
		"tools: [{name: a, parameters: {file: x.json, type: object}}]", "llmx: {parallel_tool_calls: 1}", "llmx: {reask: 6}", "llmx: {reask: 1.5}",
	} {
		if violations := schema.Validate(frontMatterOf(t, "---\nname: t\n"+head+"\n---\n")); len(violations) == 0 {
			t.Errorf("an editor lets %s pass", head)
		}
	}
}

// A release holds the schemas of its tools' files, and is the same prompt as the
// draft it was made of.
func TestReleaseHoldsTheSchemasOfTools(t *testing.T) {
	fsys := draft("---\nname: t\ntools: # what it may call\n  - {name: find, description: \"Says: \\\"x\\\"\", parameters: {file: find.json}}\n  - name: now\n# of the model\nmodel: {id: m}\n---\nuser:\nhi\n")
	fsys["prompts/t/find.json"] = &fstest.MapFile{Data: []byte("{\n  \"type\": \"object\",\n  \"required\": [\"z\", \"a\"]\n}\n")}
	p := resolve(t, fsys, "t")
	const want = `{"type":"object","required":["z","a"]}`
	if got := string(p.Tools.List[0].Parameters); got != want {
		t.Errorf("the draft offers %s", got)
	}
	flat := string(p.Flat())
	if strings.Contains(flat, "find.json") || !strings.Contains(flat, "# of the model\nmodel: {id: m}") {
		t.Errorf("flat:\n%s", flat)
	}
	again := resolve(t, draft(flat), "t")
	if again.Hash != p.Hash || !cmp.Equal(again.Tools, p.Tools) || again.parts["tools"] != p.parts["tools"] {
		t.Errorf("the release is another prompt:\n%s\n%v", flat, cmp.Diff(p.Tools, again.Tools))
	}
	fsys["prompts/t/find.json"] = &fstest.MapFile{Data: []byte(`{"type":"object"}`)}
	if other := resolve(t, fsys, "t"); other.Hash == p.Hash || other.parts["tools"] == p.parts["tools"] {
		t.Error("another schema made the same prompt")
	}
}
