package openai

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// sent asks a server with the request and gives the fields of the body that
// reached it, each in its own JSON text.
func sent(t *testing.T, caps Caps, req llm.Request) (map[string]string, http.Header) {
	t.Helper()
	server := upstream.New(t, func(string, []upstream.Message, map[string]any) upstream.Reply {
		return upstream.Reply{Text: "ok"}
	})
	p := New(Options{Name: "acme", BaseURL: server.URL(), APIKey: testKey, Headers: map[string]string{"X-Org": "org-12345"}})
	t.Cleanup(p.Close)
	if _, err := collect(t.Context(), p.Model("gpt-test", caps), req); err != nil {
		t.Fatal(err)
	}
	requests := server.Requests()
	if len(requests) != 1 || requests[0].Path != "/v1/chat/completions" {
		t.Fatalf("want one request to /v1/chat/completions, got %+v", requests)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(requests[0].Body, &fields); err != nil {
		t.Fatalf("the body is not JSON: %v\n%s", err, requests[0].Body)
	}
	out := map[string]string{}
	for name, raw := range fields {
		out[name] = string(raw)
		if n := strings.Count(string(requests[0].Body), `"`+name+`":`); n != 1 && name != "stop" {
			t.Errorf("%q is %d times in %s", name, n, requests[0].Body)
		}
	}
	return out, requests[0].Header
}

func TestOptionsAreOnTheWireAsWritten(t *testing.T) {
	no := false
	base := map[string]string{
		"model": `"gpt-test"`, "messages": `[{"role":"user","content":"hello"}]`,
		"stream": "true", "stream_options": `{"include_usage":true}`,
	}
	type fields = map[string]string
	asWritten := func(f fields) [2]fields { return [2]fields{f, f} }
	tests := map[string]struct {
		caps    Caps
		options [2]fields // as written, and as sent
	}{
		"none":                      {options: asWritten(fields{})},
		"temperature 0":             {options: asWritten(fields{"temperature": "0"})},
		"temperature 0.0":           {options: asWritten(fields{"temperature": "0.0"})},
		"temperature 1e-3":          {options: asWritten(fields{"temperature": "1e-3"})},
		"temperature":               {options: asWritten(fields{"temperature": "0.70"})},
		"top_p 0":                   {options: asWritten(fields{"top_p": "0"})},
		"max_tokens":                {options: asWritten(fields{"max_tokens": "200"})},
		"max_completion_tokens":     {options: asWritten(fields{"max_completion_tokens": "200"})},
		"n":                         {options: asWritten(fields{"n": "2"})},
		"stop as a text":            {options: asWritten(fields{"stop": `"\n"`})},
		"stop as a list":            {options: asWritten(fields{"stop": `["\n", "END"]`})},
		"stop empty":                {options: asWritten(fields{"stop": `[]`})},
		"seed 0":                    {options: asWritten(fields{"seed": "0"})},
		"seed beyond a float":       {options: asWritten(fields{"seed": "9007199254740993"})},
		"penalties 0":               {options: asWritten(fields{"presence_penalty": "0", "frequency_penalty": "0"})},
		"penalties":                 {options: asWritten(fields{"presence_penalty": "-2.0", "frequency_penalty": "1.10"})},
		"logit_bias":                {options: asWritten(fields{"logit_bias": `{"1639": -100, "50256": 0}`})},
		"logprobs false":            {options: asWritten(fields{"logprobs": "false", "top_logprobs": "0"})},
		"response_format":           {options: asWritten(fields{"response_format": `{"type":"json_schema","json_schema":{"name":"x","schema":{"z":1,"a":2}}}`})},
		"tools":                     {options: asWritten(fields{"tools": `[{"type":"function","function":{"name":"f","parameters":{}}}]`, "tool_choice": `"none"`, "parallel_tool_calls": "false"})},
		"reasoning_effort":          {options: asWritten(fields{"reasoning_effort": `"minimal"`})},
		"user, store and metadata":  {options: asWritten(fields{"user": `""`, "store": "false", "metadata": `{}`})},
		"a vendor's own":            {options: asWritten(fields{"min_p": "0.05", "x_vendor": `{"deep": [null, 0.0, "<&>"]}`, "thinking": "null"})},
		"line breaks in the option": {options: asWritten(fields{"extra": "{\n  \"a\": 1\n}"})},
		"stream_options":            {options: asWritten(fields{"stream_options": `{"include_usage":false}`})},
		"no temperature":            {caps: Caps{Temperature: &no}, options: [2]fields{{"temperature": "0", "top_p": "1"}, {"top_p": "1"}}},
		"max_tokens as":             {caps: Caps{MaxTokensAs: "max_completion_tokens"}, options: [2]fields{{"max_tokens": "64"}, {"max_completion_tokens": "64"}}},
		"max_tokens as, both":       {caps: Caps{MaxTokensAs: "max_completion_tokens"}, options: [2]fields{{"max_tokens": "64", "max_completion_tokens": "32"}, {"max_completion_tokens": "32"}}},
		"max_tokens as itself":      {caps: Caps{MaxTokensAs: "max_tokens"}, options: asWritten(fields{"max_tokens": "64"})},
		"a reasoning model":         {caps: Caps{Reasoning: true}, options: asWritten(fields{"temperature": "0", "max_tokens": "5"})},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req := hello()
			req.Options = llm.Options{}
			for name, value := range test.options[0] {
				req.Options[name] = json.RawMessage(value)
			}
			want := fields{}
			for _, from := range []fields{base, test.options[1]} {
				for name, value := range from {
					want[name] = value
				}
			}
			got, header := sent(t, test.caps, req)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the body is not as written (-want +got):\n%s", diff)
			}
			if got := header.Get("Authorization"); got != "Bearer "+testKey {
				t.Errorf("Authorization is %q", got)
			}
			if got := header.Get("X-Org"); got != "org-12345" {
				t.Errorf("X-Org is %q", got)
			}
		})
	}
}

// go-openai refuses some options and models by the model's name; servers decide that.
func TestModelNamesAreNotJudgedHere(t *testing.T) {
	server := upstream.New(t, func(model string, _ []upstream.Message, _ map[string]any) upstream.Reply {
		return upstream.Reply{Text: model}
	})
	p := provider(t, server.URL())
	for _, name := range []string{"o1-mini", "gpt-5", "text-davinci-003", "gpt-6-sol", `odd "name"`} {
		req := hello()
		req.Options = llm.Options{"max_tokens": json.RawMessage("5"), "temperature": json.RawMessage("0.3")}
		got, err := collect(t.Context(), p.Model(name, Caps{}), req)
		if err != nil || got.Text != name {
			t.Errorf("model %q: got %q, %v", name, got.Text, err)
		}
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	server := upstream.NewFixed(t, upstream.Reply{Text: "ok"})
	p := provider(t, server.URL())
	for name, value := range map[string]string{
		"model": `"other"`, "messages": "[]", "stream": "false",
		"temperature": `0,"model":"other"`, "top_p": "", "seed": "1 2",
	} {
		req := hello()
		req.Options = llm.Options{name: json.RawMessage(value)}
		_, err := collect(t.Context(), p.Model("m", Caps{}), req)
		if fault.ClassOf(err) != fault.BadRequest || !strings.Contains(err.Error(), name) {
			t.Errorf("%s = %s: got %v", name, value, err)
		}
	}
	if server.Count() != 0 {
		t.Errorf("%d requests were sent", server.Count())
	}
}

func TestMessagesOnTheWire(t *testing.T) {
	text := func(s string) llm.Part { return llm.Part{Kind: llm.PartText, Text: s} }
	image := func(m llm.Media) llm.Part { return llm.Part{Kind: llm.PartImage, Media: &m} }
	file := func(m llm.Media) llm.Part { return llm.Part{Kind: llm.PartFile, Media: &m} }
	call := func(id, name, arguments string) llm.Part {
		return llm.Part{Kind: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: id, Name: name, Arguments: arguments}}
	}
	result := func(id, content string) llm.Part {
		return llm.Part{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: id, Content: content}}
	}
	tests := map[string]struct {
		message llm.Message
		want    string
	}{
		"text":        {llm.Text(llm.System, "a <b> & \"c\"\\\n\t\x01 é 😀"), `{"role":"system","content":"a <b> & \"c\"\\\n\t\u0001 é 😀"}`},
		"empty text":  {llm.Text(llm.User, ""), `{"role":"user","content":""}`},
		"no part":     {llm.Message{Role: llm.User}, `{"role":"user","content":""}`},
		"not UTF-8":   {llm.Text(llm.User, "a\xffb"), `{"role":"user","content":"a` + "\ufffd" + `b"}`},
		"name":        {llm.Message{Role: llm.User, Name: "ann", Parts: []llm.Part{text("x")}}, `{"role":"user","name":"ann","content":"x"}`},
		"two texts":   {llm.Message{Role: llm.User, Parts: []llm.Part{text("x"), text("y")}}, `{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}`},
		"image, URL":  {llm.Message{Role: llm.User, Parts: []llm.Part{text("what?"), image(llm.Media{URL: "https://x.test/a.png?b=1&c=2"})}}, `{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"https://x.test/a.png?b=1&c=2","detail":"auto"}}]}`},
		"image":       {llm.Message{Role: llm.User, Parts: []llm.Part{image(llm.Media{Type: "image/png", Data: []byte{0, 1, 2, 255}})}}, `{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAEC/w==","detail":"auto"}}]}`},
		"image, bare": {llm.Message{Role: llm.User, Parts: []llm.Part{image(llm.Media{Data: []byte("GIF89a")})}}, `{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lGODlh","detail":"auto"}}]}`},
		"file":        {llm.Message{Role: llm.User, Parts: []llm.Part{file(llm.Media{Type: "application/pdf", Name: "a \"b\".pdf", Data: []byte("%PDF")}), text("sum up")}}, `{"role":"user","content":[{"type":"file","file":{"filename":"a \"b\".pdf","file_data":"data:application/pdf;base64,JVBERg=="}},{"type":"text","text":"sum up"}]}`},
		"file, URL":   {llm.Message{Role: llm.User, Parts: []llm.Part{file(llm.Media{URL: "https://x.test/a.pdf"})}}, `{"role":"user","content":[{"type":"file","file":{"filename":"file","file_data":"https://x.test/a.pdf"}}]}`},
		"tool calls":  {llm.Message{Role: llm.Assistant, Parts: []llm.Part{call("1", "f", `{"a":1}`), call("2", "g", "")}}, `{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"2","type":"function","function":{"name":"g","arguments":""}}]}`},
		"call, text":  {llm.Message{Role: llm.Assistant, Parts: []llm.Part{text("let me see"), call("1", "f", `{}`)}}, `{"role":"assistant","content":"let me see","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}`},
		"results":     {llm.Message{Role: llm.Tool, Parts: []llm.Part{result("1", "12"), result("2", "")}}, `{"role":"tool","tool_call_id":"1","content":"12"},{"role":"tool","tool_call_id":"2","content":""}`},
		"result, ask": {llm.Message{Role: llm.User, Parts: []llm.Part{text("and?"), result("1", "12")}}, `{"role":"tool","tool_call_id":"1","content":"12"},{"role":"user","content":"and?"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, _ := sent(t, Caps{}, llm.Request{Messages: []llm.Message{test.message, llm.Text(llm.User, "go")}})
			want := "[" + test.want + `,{"role":"user","content":"go"}]`
			if diff := cmp.Diff(want, got["messages"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPartsThatHoldNothingAreRefused(t *testing.T) {
	p := provider(t, "http://127.0.0.1:1")
	for _, part := range []llm.Part{
		{Kind: llm.PartImage}, {Kind: llm.PartFile, Media: &llm.Media{Name: "a"}},
		{Kind: llm.PartToolCall}, {Kind: llm.PartToolResult}, {Kind: "video"},
	} {
		_, err := collect(t.Context(), p.Model("m", Caps{}), llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{part}}}})
		if fault.ClassOf(err) != fault.BadRequest || !strings.Contains(err.Error(), string(part.Kind)) {
			t.Errorf("%+v: got %v", part, err)
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\x00\x7f", "é\xff😀\u2028", strings.Repeat("x", 100) + "\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendQuoted(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		want, _ := json.Marshal(s)
		var through string
		_ = json.Unmarshal(want, &through)
		if got != through {
			t.Errorf("got %q, encoding/json has %q", got, through)
		}
	})
}
