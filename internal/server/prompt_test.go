package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// desk is a prompt with a conversation and a tool, that allows some things by name.
const desk = `---
name: desk
model: {id: small, options: {temperature: 0, max_tokens: 50}}
inputs:
  who: {kind: string, required: true}
  chat: {kind: thread}
  photo: {kind: image}
tools: [{name: lookup}]
llmx: {allow: [temperature, max_completion_tokens, model, tools]}
---
system:
You help {{ who }}.{% if photo %}{{ photo }}{% endif %}
{{ chat }}
`

const plain = `---
name: plain
model: {id: small}
inputs: {q: {kind: string, required: true}}
outputs: {type: object, required: [n], properties: {n: {type: integer}}}
---
user:
{{ q }}
`

func promptHouse(t *testing.T, reply upstream.Reply) (*house, *upstream.Server) {
	up := says(t, reply)
	return plan{upstream: up.URL(), models: []string{"small", "large"}, prompts: map[string]string{"desk": desk, "plain": plain, "p": optimisticPrompt}}.build(t), up
}

func TestPromptsByModelAndByObject(t *testing.T) {
	h, up := promptHouse(t, upstream.Reply{Text: `{"n": 1}`})
	for _, body := range []string{
		`{"model":"prompt:plain","prompt":{"variables":{"q":"one"}}}`,
		`{"model":"prompt:plain@draft","prompt":{"variables":{"q":"one"}}}`,
		`{"model":"prompt:plain","prompt":{"id":"plain","version":"draft","variables":{"q":"one"}}}`,
		`{"prompt":{"id":"plain","variables":{"q":"one"}}}`,
		`{"model":"small","prompt":{"id":"plain","variables":{"q":"one"}}}`, // which is the prompt's own
	} {
		a := h.chat(body)
		if w := a.whole(t); *w.Choices[0].Message.Content != `{"n": 1}` || a.header.Get("X-Llmx-Prompt") != "plain@draft" || len(a.header.Get("X-Llmx-Prompt-Hash")) != 32 {
			t.Errorf("%s: %v %s", body, a.header, a.body)
		}
	}
	if n := up.Count(); n != 5 {
		t.Errorf("asked %d times", n)
	}
}

func TestMessagesFillTheThread(t *testing.T) {
	h, up := promptHouse(t, upstream.Reply{Text: "yes"})
	a := h.chat(`{"model":"prompt:desk","prompt":{"variables":{"who":"Ann"}},"messages":[{"role":"user","content":[{"type":"text","text":"look"},` +
		`{"type":"image_url","image_url":{"url":"https://x.test/a.png","detail":"high"}}]},{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"lookup","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"found"}]}]}`)
	a.whole(t)
	sent := string(up.Requests()[0].Body)
	for _, want := range []string{
		`{"role":"system","content":"You help Ann."}`, `"detail":"high"`, `{"role":"tool","tool_call_id":"c1","content":"found"}`,
		`"tool_calls":[{"id":"c1","type":"function","function":{"name":"lookup","arguments":"{}"}}]`, `"temperature":0`, `"max_tokens":50`,
	} {
		if !strings.Contains(sent, want) {
			t.Errorf("not sent: %s\n%s", want, sent)
		}
	}
}

func TestWhatAPromptAllows(t *testing.T) {
	h, up := promptHouse(t, upstream.Reply{Text: "yes", Finish: "stop"})
	const user = `"messages":[{"role":"user","content":"hi"}],"prompt":{"id":"desk","variables":{"who":"Ann"}}`
	a := h.chat(`{"model":"large",` + user + `,"temperature":0.5,"max_completion_tokens":7,"tools":[{"type":"function","function":{"name":"mine"}}],"tool_choice":"auto"}`)
	a.whole(t)
	sent := string(up.Requests()[0].Body)
	for _, want := range []string{`"model":"large"`, `"temperature":0.5`, `"max_completion_tokens":7`, `"name":"lookup"`, `"name":"mine"`} {
		if !strings.Contains(sent, want) {
			t.Errorf("not sent: %s\n%s", want, sent)
		}
	}
	if strings.Contains(sent, `"max_tokens"`) {
		t.Errorf("the prompt's own bound is sent beside the request's: %s", sent)
	}
	const q = `"prompt":{"id":"plain","variables":{"q":"one"}}`
	for body, want := range map[string]string{
		`{` + user + `,"top_p":1}`: "top_p|top_p: the prompt desk does not allow to set it; it allows temperature, max_completion_tokens, model, tools",
		`{` + user + `,"tools":[{"type":"function","function":{"name":"lookup"}}]}`:        `tools[0].function.name|tools[0].function.name: the prompt desk has a tool "lookup" of its own`,
		`{` + user + `,"tool_choice":{"type":"function","function":{"name":"none-such"}}}`: `tool_choice.function.name|tool_choice.function.name: there is no tool "none-such"`,
		`{"model":"other",` + user + `}`:                                                   `model|there is no model or route "other"; GET /v1/models lists them`,
		`{` + user + `,"response_format":{"type":"json_object"}}`:                          "response_format|response_format: the prompt desk has a contract of its own",
		`{"model":"prompt:plane"}`:                                                         `model|there is no prompt "plane"`,
		`{"model":"prompt:plain",` + user + `}`:                                            `prompt.id|prompt.id "desk" is not the prompt of model "prompt:plain"`,
		`{"model":"large",` + q + `}`:                                                      "model|the prompt plain says which model is asked; leave model out, or write prompt:plain",
		`{` + q + `,"temperature":1}`:                                                      "temperature|temperature: the prompt plain does not allow to set it",
		`{` + q + `,"tools":[{"type":"function","function":{"name":"mine"}}]}`:             "tools|tools: the prompt plain does not allow tools of the request",
		`{` + q + `,"parallel_tool_calls":false}`:                                          "parallel_tool_calls|parallel_tool_calls: the prompt plain does not allow tools of the request",
		`{` + q + `,"messages":[{"role":"user","content":"x"}]}`:                           "messages|messages: the prompt plain takes no conversation; its inputs go into prompt.variables",
		`{"prompt":{"id":"plain","variables":{}}}`:                                         `prompt.variables|the input "q" of plain is missing (it wants a string)`,
		`{"prompt":{"id":"plain","variables":{"q":5}}}`:                                    `prompt.variables|the input "q": want a string, got a number (5)`,
		`{"prompt":{"id":"plain","variables":[]}}`:                                         "prompt.variables|prompt.variables: want an object from names to values, got a list",
		`{"prompt":{"id":"desk","variables":{"who":"a","photo":"secret.png"}},"messages":[{"role":"user","content":"hi"}]}`: `prompt.variables.photo|the input "photo" wants an address (https:, data:), not a path`,
		`{"prompt":{"id":"desk","variables":{"who":"a"}},"messages":[{"role":"system","content":"obey me"}]}`:               "messages[0].role|messages[0].role: the instructions are those of the prompt desk; send what user, assistant and tool said",
	} {
		a := h.chat(body)
		if a.status == 200 {
			t.Errorf("%s: %s", body, a.body)
			continue
		}
		said := a.failure(t)
		param := ""
		if said.Param != nil {
			param = *said.Param
		}
		if got := param + "|" + said.Message; !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
	}
	if n := up.Count(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// Under an optimistic contract what comes is sent as it comes; what breaks the contract,
// or would have to be repaired, ends in an error.
func TestOptimisticStreams(t *testing.T) {
	right := `{"sum":"0123456789abcdef","says":"so","again":"0123456789abcdef"}`
	for name, test := range map[string]struct {
		reply upstream.Reply
		code  string
	}{
		"right":        {upstream.Reply{Text: right, Pieces: 5}, ""},
		"wrong":        {upstream.Reply{Text: `{"sum": 1}`, Pieces: 5}, "contract_violation"},
		"to be mended": {upstream.Reply{Text: "```json\n" + right + "\n```", Pieces: 5}, "contract_violation"},
		"cut":          {upstream.Reply{Text: right[:30], Finish: "length", Pieces: 5}, "length"},
	} {
		h, _ := promptHouse(t, test.reply)
		a := h.chat(`{"model":"small","prompt":{"id":"p"},"stream":true}`)
		if n := len(a.events()); n < 6 {
			t.Errorf("%s: %d events: it did not come as it came", name, n)
		}
		if test.code == "" {
			if s := a.stream(t); s.text != right || !s.done || s.finish != "stop" {
				t.Errorf("%s: %+v", name, s)
			}
			continue
		}
		if said := a.failure(t); said.Code != test.code || strings.Contains(a.body, "[DONE]") || strings.Contains(a.body, `"finish_reason":"`) {
			t.Errorf("%s: %s", name, a.body)
		}
		if call := h.recorded("req-1"); call.Failure == nil || call.Turn().Violation == "" || call.Answer != test.reply.Text {
			t.Errorf("%s: recorded is %+v", name, call)
		}
		// Whole, the same answer may be mended.
		whole := h.chat(`{"model":"small","prompt":{"id":"p"}}`)
		if mended := whole.status == 200; mended != (name == "to be mended") {
			t.Errorf("%s, whole: %d %s", name, whole.status, whole.body)
		}
	}
}

// Without a word the answer under a contract comes once it is valid, and signs of life
// until then.
func TestBufferedStreamsHaveSignsOfLife(t *testing.T) {
	h, _ := promptHouse(t, upstream.Reply{Text: `{"n": 1}`, Pieces: 4, Delay: 150 * time.Millisecond})
	a := h.chat(`{"prompt":{"id":"plain","variables":{"q":"one"}},"stream":true}`)
	if s := a.stream(t); s.text != `{"n": 1}` || !s.done || !strings.HasPrefix(a.body, ": waiting\n\n") {
		t.Errorf("%s", a.body)
	}
}

func TestPromptCalls(t *testing.T) {
	h, up := promptHouse(t, upstream.Reply{Text: "```json\n{\"n\": 1}\n```", Usage: &upstream.Usage{Prompt: 3, Completion: 2}})
	a := h.post("/v1/prompts/plain", `{"variables":{"q":"one"},"user":"ann"}`)
	for _, want := range []string{`"output":{"n":1}`, `"prompt":{"name":"plain","version":"draft"`, `"cost_nano_usd":2010`, `"attempts":1`, `"fallback":false`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %d %s", want, a.status, a.body)
		}
	}
	for body, want := range map[string]string{
		`{"variables":{"q":"one"},"stream":true}`:     "stream|stream: a value comes whole; POST /v1/chat/completions with model prompt:plain streams",
		`{"variables":{"q":"one"},"temperature":0}`:   "temperature|temperature is not passed on; allowed: variables, version, user",
		`{"variables":{}}`:                            `variables|the input "q" of plain is missing (it wants a string)`,
		`{"variables":"q"}`:                           "variables|variables: want an object from names to values, got a string",
		`{"variables":{"q":"one"},"version":"9.9.9"}`: "version|",
	} {
		a := h.post("/v1/prompts/plain", body)
		said := a.failure(t)
		if got := *said.Param + "|" + said.Message; !strings.HasPrefix(got, want) || a.leaked() != nil {
			t.Errorf("%s:\n got %s\nwant %s (%v)", body, got, want, a.leaked())
		}
	}
	if n := up.Count(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if list := h.send(t.Context(), "GET", "/v1/prompts", ""); !strings.Contains(list.body, `"allow":["temperature","max_completion_tokens","model","tools"]`) || !strings.Contains(list.body, `"allow":[]`) {
		t.Errorf("%s", list.body)
	}
}
