package replay

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

func wholeRequest() llm.Request {
	return llm.Request{
		Prompt: llm.PromptRef{Name: "triage", Version: "draft"}, Vars: map[string]any{"ticket": "x"}, Model: "small",
		Messages: []llm.Message{
			llm.Text(llm.System, "You label tickets."),
			{Role: llm.User, Name: "ann", Parts: []llm.Part{
				{Kind: llm.PartText, Text: "Look:"},
				{Kind: llm.PartImage, Media: &llm.Media{Type: "image/png", Data: []byte("png")}},
			}},
			{Role: llm.Assistant, Parts: []llm.Part{{Kind: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "1", Name: "find", Arguments: "{}"}}}},
			{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: "1", Name: "find", Content: "none"}}}},
		},
		Options: llm.Options{"temperature": json.RawMessage("0"), "stop": json.RawMessage(`["\n", "a b"]`), "format": json.RawMessage(`{"b": 1, "a": "x y"}`)},
		Output:  llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type": "object", "title": "a \" b"}`)},
		Repeat:  2,
	}
}

// These keys stand in the files of users: a change of them loses every recording.
func TestKeysAreTheSameForEver(t *testing.T) {
	tests := map[string]struct {
		request llm.Request
		want    string
	}{
		"whole": {wholeRequest(), "e6b84f75a66a32315fbf5da609315000b0e9b0403df0cfe1ea3daf5daf880c37"},
		"small": {llm.Request{Messages: []llm.Message{llm.Text(llm.User, "hello")}}, "29ee1215e3fb2df0bcaf19e4eca194108550e2b600d37179051e225086039ca4"},
	}
	for name, test := range tests {
		if got := Key(test.request, "openai/gpt-4o-mini"); got != test.want {
			t.Errorf("%s: key = %s, want %s", name, got, test.want)
		}
	}
}

func TestWhatAKeyDependsOn(t *testing.T) {
	want := Key(wholeRequest(), "openai/gpt-4o-mini")
	type change func(r *llm.Request)
	others := map[string]change{
		"repeat":          func(r *llm.Request) { r.Repeat = 3 },
		"role":            func(r *llm.Request) { r.Messages[0].Role = llm.User },
		"name":            func(r *llm.Request) { r.Messages[1].Name = "" },
		"text":            func(r *llm.Request) { r.Messages[0].Parts[0].Text += " " },
		"part kind":       func(r *llm.Request) { r.Messages[1].Parts[1].Kind = llm.PartFile },
		"media bytes":     func(r *llm.Request) { r.Messages[1].Parts[1].Media.Data = []byte("gif") },
		"media type":      func(r *llm.Request) { r.Messages[1].Parts[1].Media.Type = "image/gif" },
		"media url":       func(r *llm.Request) { r.Messages[1].Parts[1].Media.URL = "https://example.com" },
		"media name":      func(r *llm.Request) { r.Messages[1].Parts[1].Media.Name = "a.png" },
		"media detail":    func(r *llm.Request) { r.Messages[1].Parts[1].Media.Detail = "low" },
		"tool call":       func(r *llm.Request) { r.Messages[2].Parts[0].ToolCall.Arguments = "[]" },
		"tool result":     func(r *llm.Request) { r.Messages[3].Parts[0].ToolResult.Content = "one" },
		"message gone":    func(r *llm.Request) { r.Messages = r.Messages[:3] },
		"text moved":      func(r *llm.Request) { r.Messages[0].Parts[0].Text, r.Messages[0].Name = "You label", " tickets." },
		"option value":    func(r *llm.Request) { r.Options["temperature"] = json.RawMessage("0.0") },
		"option gone":     func(r *llm.Request) { delete(r.Options, "temperature") },
		"option string":   func(r *llm.Request) { r.Options["stop"] = json.RawMessage(`["\n","ab"]`) },
		"option inside":   func(r *llm.Request) { r.Options["format"] = json.RawMessage(`{"a":"xy","b":1}`) },
		"items":           func(r *llm.Request) { r.Output.Items = "number" },
		"labels":          func(r *llm.Request) { r.Output.Enum = []string{"a"} },
		"language":        func(r *llm.Request) { r.Output.Language = "go" },
		"pattern":         func(r *llm.Request) { r.Output.Pattern = "(?P<a>.)" },
		"output kind":     func(r *llm.Request) { r.Output.Kind = llm.OutputText },
		"schema":          func(r *llm.Request) { r.Output.Schema = json.RawMessage(`{"type":"array"}`) },
		"order in schema": func(r *llm.Request) { r.Output.Schema = json.RawMessage(`{"title":"a \" b","type":"object"}`) },
		"space in string": func(r *llm.Request) { r.Output.Schema = json.RawMessage(`{"type":"object","title":"a \"  b"}`) },
	}
	keys := map[string]string{want: "the request", Key(wholeRequest(), "openai/gpt-4o"): "the model"}
	for name, change := range others {
		req := wholeRequest()
		change(&req)
		key := Key(req, "openai/gpt-4o-mini")
		if other, taken := keys[key]; taken {
			t.Errorf("%s: the same key as %s", name, other)
		}
		keys[key] = name
	}
	same := map[string]change{
		"prompt": func(r *llm.Request) { r.Prompt = llm.PromptRef{} },
		"vars":   func(r *llm.Request) { r.Vars = nil },
		"alias":  func(r *llm.Request) { r.Model = "other" },
		"tenant": func(r *llm.Request) { r.Tenant = "t" },
		"reuse":  func(r *llm.Request) { r.Reuse = llm.ReuseRefresh },
		"origin": func(r *llm.Request) { r.Origin = llm.Origin{Case: "c"} },
		"repair": func(r *llm.Request) {
			r.Output.Repair, r.Output.Coerce = llm.RepairCoerce, []llm.Coercion{llm.CoerceList}
		},
		"hint":               func(r *llm.Request) { r.Hint = "h" },
		"space in options":   func(r *llm.Request) { r.Options["stop"] = json.RawMessage(`["\n","a b"]`) },
		"order in an option": func(r *llm.Request) { r.Options["format"] = json.RawMessage(`{"a":"x y","b":1}`) },
		"space in schema": func(r *llm.Request) {
			r.Output.Schema = json.RawMessage("{\"type\":\n\t\"object\",\"title\":\"a \\\" b\"}")
		},
	}
	for name, change := range same {
		req := wholeRequest()
		change(&req)
		if got := Key(req, "openai/gpt-4o-mini"); got != want {
			t.Errorf("%s: another key, want the same", name)
		}
	}
	text := llm.Request{Messages: []llm.Message{llm.Text(llm.User, "x")}}
	explicit := text
	explicit.Output.Kind = llm.OutputText
	if Key(text, "m") != Key(explicit, "m") {
		t.Error("no output kind and text have different keys")
	}
}

func TestOptionValuesOfEveryKind(t *testing.T) {
	nested := func(raw string) string {
		return Key(llm.Request{Options: llm.Options{"o": json.RawMessage(raw)}}, "m")
	}
	a := nested(`{"z": [true, false, null, 1.50, "é\u0001\"\\\n"], "a": {"c": {}, "b": []}}`)
	b := nested(`{"a":{"b":[],"c":{}},"z":[true,false,null,1.50,"\u00e9\u0001\"\\\n"]}`)
	if a != b {
		t.Error("the order of keys and the escapes of strings count")
	}
	distinct := []string{a, nested(`{"z":[true,false,null,1.5,"é"]}`), nested(`{"z":`), nested(`"{"`), nested(`{}`), nested(`[{}]`), nested("")}
	slices.Sort(distinct)
	if got := len(slices.Compact(distinct)); got != 7 {
		t.Errorf("%d distinct keys, want 7", got)
	}
}

func smallRequest() llm.Request {
	return llm.Request{
		Messages: []llm.Message{llm.Text(llm.System, "You label support tickets. Answer with JSON."), llm.Text(llm.User, "I was charged twice, fix it NOW")},
		Options:  llm.Options{"temperature": json.RawMessage("0"), "max_tokens": json.RawMessage("200")},
		Output:   llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"object","required":["label","urgency"],"properties":{"label":{"enum":["billing","bug","account","other"]},"urgency":{"type":"integer","minimum":1,"maximum":5}}}`)},
	}
}

func BenchmarkKey(b *testing.B) {
	req := smallRequest()
	b.ReportAllocs()
	for b.Loop() {
		Key(req, "openai/gpt-4o-mini")
	}
}
