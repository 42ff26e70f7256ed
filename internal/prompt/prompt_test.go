package prompt

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

// project makes a file system out of paths and texts.
func project(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return fsys
}

// draft makes a project of one draft named t.
func draft(text string) fstest.MapFS {
	return project(map[string]string{"prompts/t/draft.prompty": text})
}

func resolve(t *testing.T, fsys fstest.MapFS, ref string) *Prompt {
	t.Helper()
	p, err := NewLibrary(fsys).Resolve(ref, Develop)
	if err != nil {
		t.Fatalf("Resolve(%q): %v", ref, err)
	}
	return p
}

// spoken writes messages as "role: text".
func spoken(messages []llm.Message) []string {
	lines := []string{}
	for _, m := range messages {
		line := string(m.Role) + ": "
		for _, part := range m.Parts {
			switch part.Kind {
			case llm.PartText:
				line += part.Text
			case llm.PartImage, llm.PartFile:
				line += "<" + string(part.Kind) + " " + part.Media.Type + " " + part.Media.Name + part.Media.URL + ">"
			case llm.PartToolCall:
				line += "<call " + part.ToolCall.ID + " " + part.ToolCall.Name + part.ToolCall.Arguments + ">"
			case llm.PartToolResult:
				line += "<result " + part.ToolResult.ID + " " + part.ToolResult.Content + ">"
			}
		}
		lines = append(lines, line)
	}
	return lines
}

const triage = `---
name: triage
description: Routes a support ticket.
model: {id: small, options: {temperature: 0, top_p: 0.70, stop: ["a", "b"]}}
inputs:
  ticket: {kind: string, required: true, description: what the customer wrote}
  note: {kind: string}
outputs:
  file: triage.schema.json   # goes into the release
llmx:
  examples:
    - inputs: {ticket: "Where is my invoice?"}
      output: {label: billing, urgency: 2}
---
system:
You label support tickets. {% include "_tone.j2" %}
{% if note %}Note: {{ note }}{% endif %}

user:
{{ ticket }}
`

const triageSchema = `{"type": "object", "required": ["label"],
 "properties": {"urgency": {"type": "integer", "minimum": 1}, "label": {"enum": ["billing", "bug"]}}}`

func triageProject() fstest.MapFS {
	return project(map[string]string{
		"prompts/triage/draft.prompty":      triage,
		"prompts/triage/triage.schema.json": triageSchema,
		"prompts/_tone.j2":                  "Be {% include \"_how.j2\" %}.\n",
		"prompts/_how.j2":                   "brief",
	})
}

func TestPromptIsReadWhole(t *testing.T) {
	p := resolve(t, triageProject(), "triage")
	got := map[string]any{
		"ref": p.Ref().String(), "description": p.Description, "model": p.Model, "output": p.Output, "options": p.Options,
		"inputs": inputNames(p.Inputs), "hash": len(p.Hash),
	}
	want := map[string]any{
		"ref": "triage@draft", "description": "Routes a support ticket.", "model": "small",
		"options": llm.Options{"temperature": json.RawMessage("0"), "top_p": json.RawMessage("0.70"), "stop": json.RawMessage(`["a","b"]`)},
		"output": llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(
			`{"type":"object","required":["label"],"properties":{"urgency":{"type":"integer","minimum":1},"label":{"enum":["billing","bug"]}}}`), Repair: llm.RepairSyntax},
		"inputs": []string{"ticket", "note"}, "hash": 32,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	messages, err := p.Render(map[string]any{"ticket": "Charged twice", "note": "VIP"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"system: You label support tickets. Be brief.\nNote: VIP",
		"user: Where is my invoice?",
		`assistant: {"label":"billing","urgency":2}`,
		"user: Charged twice",
	}, spoken(messages)); diff != "" {
		t.Error(diff)
	}
	wantFlat := `---
name: triage
description: Routes a support ticket.
model: {id: small, options: {temperature: 0, top_p: 0.70, stop: ["a", "b"]}}
inputs:
  ticket: {kind: string, required: true, description: what the customer wrote}
  note: {kind: string}
outputs:
  {
    "type": "object",
    "required": [
      "label"
    ],
    "properties": {
      "urgency": {
        "type": "integer",
        "minimum": 1
      },
      "label": {
        "enum": [
          "billing",
          "bug"
        ]
      }
    }
  }
llmx:
  examples:
    - inputs: {ticket: "Where is my invoice?"}
      output: {label: billing, urgency: 2}
---
system:
You label support tickets. Be brief.
{% if note %}Note: {{ note }}{% endif %}

user:
{{ ticket }}
`
	if diff := cmp.Diff(wantFlat, string(p.Flat())); diff != "" {
		t.Error(diff)
	}
}

func TestRender(t *testing.T) {
	tests := []struct {
		name   string
		inputs string
		body   string
		vars   map[string]any
		want   []string
	}{
		{name: "blank lines and trailing white space of a section go, indentation stays",
			body: "\n\nsystem:\n\n  indented\n\ttail  \n\n\nuser:   \nhi\n",
			want: []string{"system:   indented\n\ttail", "user: hi"}},
		{name: "white space of a value stays",
			inputs: "q: {kind: string}", body: "user:\n{{ q }}\n", vars: map[string]any{"q": "\n x \n"}, want: []string{"user: \n x \n"}},
		{name: "an escaped header is text",
			body: "user:\nwrite\n\\user:\n\\\\system:\n\\other:\n", want: []string{"user: write\nuser:\n\\system:\n\\other:"}},
		{name: "headers in comments, raw blocks and strings are no headers",
			body: "user:\na{#\nsystem:\n#}{% raw %}\nuser:\n{{ x }}{% endraw %}{{ \"\nassistant:\n\" }}",
			want: []string{"user: a\nuser:\n{{ x }}\nassistant:\n"}},
		{name: "an absent optional input is none", inputs: "q: {kind: string}",
			body: "user:\n{% if q is none %}nothing{% endif %} {{ q or 'else' }}", want: []string{"user: nothing else"}},
		{name: "null is absent", inputs: "q: {kind: string, default: d}", body: "user:\n{{ q }}", vars: map[string]any{"q": nil}, want: []string{"user: d"}},
		{name: "nothing is escaped", inputs: "q: {kind: string}", body: "user:\n{{ q }}", vars: map[string]any{"q": `<a href="x">&'`}, want: []string{`user: <a href="x">&'`}},
		{name: "numbers print as people write them", inputs: "i: {kind: integer}\n  n: {kind: number}\n  b: {kind: integer}",
			body: "user:\n{{ i + 1 }} {{ n }} {{ b }}", vars: map[string]any{"i": json.Number("41.0"), "n": json.Number("1234567.5"), "b": json.Number("123456789012345678901234567890")},
			want: []string{"user: 42 1234567.5 123456789012345678901234567890"}},
		{name: "lists and mappings", inputs: "l: {kind: array}\n  o: {kind: object}",
			body: "user:\n{% for x in l %}{{ loop.index }}{{ x.n }}{% else %}-{% endfor %}{% for k, v in o | items %} {{ k }}={{ v }}{% endfor %}",
			vars: map[string]any{"l": []any{map[string]any{"n": "a"}, map[string]any{"n": "b"}}, "o": map[string]any{"z": true, "a": json.Number("1")}},
			want: []string{"user: 1a2b a=1 z=True"}},
		{name: "a message whose text is empty stays a message", inputs: "q: {kind: string}", body: "system:\n{% if q %}x{% endif %}\nuser:\nhi", want: []string{"system: ", "user: hi"}},
		{name: "assistant sections", body: "user:\na\nassistant:\nb\nuser:\nc", want: []string{"user: a", "assistant: b", "user: c"}},
		{name: "nested blocks", inputs: "l: {kind: array}", body: "user:\n{% for x in l %}{% if x %}{{ x }}{% endif %}{% endfor %}",
			vars: map[string]any{"l": []any{json.Number("1"), nil}}, want: []string{"user: 1"}},
		{name: "macros, with and set", body: "user:\n{% macro m(a, b=1) %}{{ a }}{{ b }}{% endmacro %}{% set y = 2 %}{% with z = y + 1 %}{{ m(y, b=z) }}{% endwith %}", want: []string{"user: 23"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head := "---\nname: t\n"
			if tt.inputs != "" {
				head += "inputs:\n  " + tt.inputs + "\n"
			}
			p := resolve(t, draft(head+"---\n"+tt.body), "t")
			messages, err := p.Render(tt.vars)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, spoken(messages)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIncludesStandForTheirText(t *testing.T) {
	p := resolve(t, project(map[string]string{
		"prompts/t/draft.prompty": "---\nname: t\n---\nsystem:\na \n {%- include 'in.j2' -%} \n b{% include 'in.j2' %}\nuser:\n{% include 'set.j2' %}{{ x }}{% include 'esc.j2' %}\n",
		"prompts/t/in.j2":         "[near]\n",
		"prompts/in.j2":           "[far]\n",
		"prompts/set.j2":          "{% set x = 1 %}",
		"prompts/esc.j2":          "\n\\user:\n\n",
	}), "t")
	messages, err := p.Render(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"system: a[near]b[near]", "user: 1\nuser:"}, spoken(messages)); diff != "" {
		t.Error(diff)
	}
}

func TestExamplesStandBeforeTheUsersTurn(t *testing.T) {
	tests := []struct {
		name, head, body string
		vars             map[string]any
		want             []string
	}{
		{"numbers, as written", "inputs: {q: {kind: string}}\noutputs: {kind: number}\nllmx: {examples: [{inputs: {q: a}, output: 1.50}, {inputs: {}, output: -2}]}",
			"system:\nS\nuser:\n{{ q or '-' }}\nassistant:\nso:", map[string]any{"q": "x"},
			[]string{"system: S", "user: a", "assistant: so:", "assistant: 1.50", "user: -", "assistant: so:", "assistant: -2", "user: x", "assistant: so:"}},
		{"a conversation belongs to the turn", "inputs: {q: {kind: string}, h: {kind: thread}}\nllmx: {examples: [{inputs: {q: a, h: [{role: user, content: b}]}, output: \"c\\nuser:\\n\"}]}",
			"{{ h }}\nuser:\n{{ q }}", map[string]any{"q": "x", "h": []any{}},
			[]string{"user: b", "user: a", "assistant: c\nuser:\n", "user: x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := resolve(t, draft("---\nname: t\n"+tt.head+"\n---\n"+tt.body), "t")
			messages, err := p.Render(tt.vars)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, spoken(messages)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSchemaFilesAreFlattened(t *testing.T) {
	tests := []struct{ name, front, schema, want string }{
		{"last key", "name: t\noutputs: {file: s.json}\n", `{"type":"string"}`, "name: t\noutputs:\n  {\n    \"type\": \"string\"\n  }\n"},
		{"remarks of the next key stay", "name: t\noutputs: {\n  file: s.json}\n\n# who\ntags: [x]\n", `{"type":"string"}`, "name: t\noutputs:\n  {\n    \"type\": \"string\"\n  }\n\n# who\ntags: [x]\n"},
		{"words of many scripts", "name: t\noutputs: {file: s.json}\n", `{"const":"\ud83d\ude00 <é>: #\u0007"}`, "name: t\noutputs:\n  {\n    \"const\": \"😀 <é>: #\\u0007\"\n  }\n"},
		{"on one line with others", "{name: t, outputs: {file: s.json}}\n", `{}`,
			"prompts/t/draft.prompty:2:11: the schema of a file cannot be put in here\n  write outputs: on a line of its own"},
		{"numbers as they are written", "name: t\noutputs: {file: s.json}\n", `{"maximum":1e5, "minimum":-1.0}`,
			"name: t\noutputs:\n  {\n    \"maximum\": 1e5,\n    \"minimum\": -1.0\n  }\n"},
		{"a key that YAML reads otherwise", "name: t\noutputs: {file: s.json}\n", `{"properties":{"<<":{}}}`,
			"prompts/t/draft.prompty:3:1: the schema of prompts/t/s.json reads differently as YAML, so that it cannot be released\n  a property named << is one reason"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := draft("---\n" + tt.front + "---\nuser:\nhi\n")
			fsys["prompts/t/s.json"] = project(map[string]string{"x": tt.schema})["x"]
			p, err := NewLibrary(fsys).Resolve("t", Develop)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got, _ = strings.CutSuffix(strings.TrimPrefix(string(p.Flat()), "---\n"), "---\nuser:\nhi\n")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	p, err := NewLibrary(triageProject()).Resolve("triage", Develop)
	if err != nil {
		b.Fatal(err)
	}
	vars := map[string]any{"ticket": "I was charged twice, fix it NOW", "note": "VIP"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Render(vars); err != nil {
			b.Fatal(err)
		}
	}
}
