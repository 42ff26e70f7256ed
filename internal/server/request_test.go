package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// says is an upstream that answers every chat alike.
func says(t testing.TB, reply upstream.Reply) *upstream.Server {
	return upstream.New(t, func(string, []upstream.Message, map[string]any) upstream.Reply { return reply })
}

// What is wrong with a request is a 400 that names the field by its path, and nothing
// is asked.
func TestBadRequests(t *testing.T) {
	up := says(t, upstream.Reply{Text: "never"})
	h := plan{upstream: up.URL(), models: []string{"small"}}.build(t)
	const user = `"model":"small","messages":[{"role":"user","content":"hi"}]`
	msg := func(m string) string { return `{"model":"small","messages":[` + m + `]}` }
	for body, want := range map[string]string{
		`nonsense`:                                                               "|the body is not a JSON object: wrong at byte 2",
		`{"model":`:                                                              "|the body is not a JSON object: it ends too early",
		`[1]`:                                                                    "|the body is not a JSON object: it is a list",
		`null`:                                                                   "|the body is not a JSON object: it is null",
		"{\"model\":\"\xff\"}":                                                   "|the body is not UTF-8",
		`{"messages":[]}`:                                                        "model|model is missing: the name of a model, of a route, or prompt:NAME",
		`{"model":1}`:                                                            "model|model: want a string, got a number",
		`{"model":"small"}`:                                                      "messages|messages is missing, or empty",
		`{"model":"small","messages":{}}`:                                        "messages|messages: want a list of messages, got an object",
		`{"model":"small","messages":[1]}`:                                       "messages[0]|messages[0]: want an object {role, content}, got a number",
		`{"model":"small","messages":[null]}`:                                    "messages[0]|messages[0]: want an object {role, content}, got null",
		`{"model":"small","model":"other"}`:                                      "model|model stands here twice",
		`{"model":"small","m\u006fdel":"other"}`:                                 "model|model stands here twice",
		`{` + user + `,"":0,"":0}`:                                               `""|"" stands here twice`,
		`{` + user + `,"x":{"a":[{"b":1,"b":2}]}}`:                               "x.a[0].b|x.a[0].b stands here twice",
		`{` + user + `,"Model":"other"}`:                                         `Model|Model is not known; did you mean "model"?`,
		`{` + user + `,"MAX_TOKENS":1}`:                                          `MAX_TOKENS|MAX_TOKENS is not known; did you mean "max_tokens"?`,
		`{` + user + `,"ſtream":true}`:                                           `ſtream|ſtream is not known; did you mean "stream"?`,
		`{` + user + `,"models":["large"]}`:                                      "models|models is not supported: the name of one model or route goes into model",
		`{` + user + `,"stream":"yes"}`:                                          "stream|stream: want a boolean, got a string",
		`{` + user + `,"n":2}`:                                                   "n|n: one answer is given to a request; ask again for another",
		`{` + user + `,"max_tokens":0}`:                                          "max_tokens|max_tokens: want a whole number from 1 on",
		`{` + user + `,"max_tokens":1e3}`:                                        "max_tokens|max_tokens: want a whole number from 1 on",
		`{` + user + `,"max_completion_tokens":"5"}`:                             "max_completion_tokens|max_completion_tokens: want a whole number from 1 on",
		`{` + user + `,"max_tokens":5,"max_completion_tokens":9}`:                "max_completion_tokens|max_completion_tokens stands beside max_tokens: they are the same bound",
		`{` + user + `,"temperature":"hot"}`:                                     "temperature|temperature: want a number, got a string",
		`{` + user + `,"seed":1.5}`:                                              "seed|seed: want a whole number, got a number",
		`{` + user + `,"stop":["a",1]}`:                                          "stop[1]|stop[1]: want a string, got a number",
		`{` + user + `,"metadata":{"a":{"b":1}}}`:                                "metadata.a|metadata.a: want a string, got an object",
		`{` + user + `,"logprobs":true}`:                                         "logprobs|logprobs is not supported: log probabilities are not passed on",
		`{` + user + `,"modalities":["text","audio"]}`:                           "modalities|modalities: answers are text",
		`{` + user + `,"stream_options":{"include_usage":true}}`:                 "stream_options|stream_options: the request asks for no stream",
		`{` + user + `,"stream":true,"stream_options":{"usage":true}}`:           "stream_options.usage|stream_options.usage is not passed on; allowed: include_usage, include_obfuscation",
		`{` + user + `,"stream":true,"stream_options":{"include_usage":1}}`:      "stream_options.include_usage|stream_options.include_usage: want a boolean, got a number",
		`{` + user + `,"tools":[{"type":"custom","custom":{}}]}`:                 `tools[0].type|tools[0].type "custom" is not passed on; allowed: function`,
		`{` + user + `,"tools":[{"type":"function"}]}`:                           "tools[0].function|tools[0].function is missing: an object {name, description, parameters, strict}",
		`{` + user + `,"tools":[{"type":"function","function":{}}]}`:             "tools[0].function.name|tools[0].function.name is missing",
		`{` + user + `,"tools":[{"type":"function","function":{"name":1}}]}`:     "tools[0].function.name|tools[0].function.name: want a string, got a number",
		`{` + user + `,"tools":[{"type":"function","function":{"name":"a b"}}]}`: "tools[0].function.name|tools[0].function.name: want 1 to 64 letters, digits, _ and -, and no word of tool_choice",
		`{` + user + `,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"array"}}}]}`:               "tools[0].function.parameters.type|tools[0].function.parameters.type: the arguments of a tool are an object: write type: object",
		`{` + user + `,"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}]}`: `tools[1].function.name|tools[1].function.name: there is a tool "a" before it`,
		`{` + user + `,"tool_choice":"auto"}`:                                                                                            "tool_choice|tool_choice: there are no tools to choose from",
		`{` + user + `,"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":"some"}`:                                      "tool_choice|tool_choice \"some\" is not known; allowed: auto, none, required, or an object {type: function, function: {name}}",
		`{` + user + `,"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":{"type":"function","function":{"name":"b"}}}`: `tool_choice.function.name|tool_choice.function.name: there is no tool "b"`,
		`{` + user + `,"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":{"type":"allowed_tools"}}`:                    `tool_choice.type|tool_choice.type "allowed_tools" is not supported; allowed: function`,
		`{` + user + `,"response_format":{"type":"xml"}}`:                                                                                `response_format.type|response_format.type "xml" is not known; allowed: text, json_object, json_schema`,
		`{` + user + `,"response_format":{"type":"json_schema"}}`:                                                                        "response_format.json_schema|response_format.json_schema is missing: an object {name, schema, strict}",
		`{` + user + `,"response_format":{"type":"json_schema","json_schema":{"name":"a b","schema":{}}}}`:                               "response_format.json_schema.name|response_format.json_schema.name: want 1 to 64 letters, digits, _ and -",
		`{` + user + `,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":[]}}}`:                                 "response_format.json_schema.schema|response_format.json_schema.schema: want a JSON Schema, an object, got a list",
		`{` + user + `,"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":"yes","schema":{}}}}`:                  "response_format.json_schema.strict|response_format.json_schema.strict: want a boolean, got a string",
		`{` + user + `,"prompt":"triage"}`:                                                                                               "prompt|prompt: want an object {id, version, variables}, got a string",
		`{` + user + `,"prompt":{"id":"triage","vars":{"a":1}}}`:                                                                         "prompt.vars|prompt.vars is not passed on; allowed: id, version, variables",
		msg(`{"role":"wizard","content":"x"}`):                                                                                           `messages[0].role|messages[0].role "wizard" is not known; allowed: system, developer, user, assistant, tool`,
		msg(`{"role":"user"}`):                                                                                                           "messages[0].content|messages[0].content is missing",
		msg(`{"role":"user","content":5}`):                                                                                               "messages[0].content|messages[0].content: want a string or a list of parts, got a number",
		msg(`{"role":"user","content":[{"type":"text","text":5}]}`):                                                                      "messages[0].content[0].text|messages[0].content[0].text: want a string, got a number",
		msg(`{"role":"user","content":[{"type":"text"}]}`):                                                                               "messages[0].content[0].text|messages[0].content[0].text is missing",
		msg(`{"role":"user","content":[{"type":"input_audio"}]}`):                                                                        `messages[0].content[0].type|messages[0].content[0].type "input_audio" is not passed on; allowed: text, refusal, image_url, file`,
		msg(`{"role":"user","content":[{"type":"image_url"}]}`):                                                                          "messages[0].content[0].image_url|messages[0].content[0].image_url is missing: an object {url, detail}",
		msg(`{"role":"user","content":"x","cache_control":{"a":1}}`):                                                                     "messages[0].cache_control|messages[0].cache_control is not passed on; allowed: role, content, name, refusal, tool_calls, tool_call_id",
		msg(`{"Role":"user","content":"x"}`):                                                                                             `messages[0].Role|messages[0].Role is not passed on; did you mean "role"? allowed: role, content, name, refusal, tool_calls, tool_call_id`,
		msg(`{"role":"assistant","function_call":{"name":"x"}}`):                                                                         "messages[0].function_call|messages[0].function_call is not supported: use tool_calls",
		msg(`{"role":"user","content":"x","tool_calls":[{"id":"1"}]}`):                                                                   "messages[0].tool_calls|messages[0].tool_calls: only an assistant proposes calls",
		msg(`{"role":"tool","content":"x"}`):                                                                                             "messages[0].tool_call_id|messages[0].tool_call_id is missing",
		msg(`{"role":"tool","content":"x","tool_call_id":"c1"}`):                                                                         `messages[0].tool_call_id|messages[0].tool_call_id: no assistant's message before it has a call "c1"`,
		msg(`{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"a","arguments":{}}}]}`):                                     "messages[0].tool_calls[0].function.arguments|messages[0].tool_calls[0].function.arguments: want a string of JSON, got an object",
		msg(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.test/a.png","detail":"huge"}}]}`):               `messages[0].content[0].image_url.detail|messages[0].content[0].image_url.detail "huge" is not known; allowed: auto, low, high`,
		msg(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}`):                                 `messages[0].content[0].image_url.url|messages[0].content[0].image_url.url: "file:///etc/passwd" is not a URL that is sent`,
		msg(`{"role":"user","content":[{"type":"file","file":{"file_id":"f1"}}]}`):                                                       "messages[0].content[0].file.file_id|messages[0].content[0].file.file_id is not supported: the files of a provider's account are not known here; send file_data",
	} {
		a := h.chat(body)
		if a.status != 400 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
			continue
		}
		said := a.failure(t)
		param := ""
		if said.Param != nil {
			param = *said.Param
		}
		if got := param + "|" + said.Message; got != want || said.Type != "invalid_request_error" {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
		if a.header.Get("X-Should-Retry") != "" {
			t.Errorf("%s: x-should-retry is %q", body, a.header.Get("X-Should-Retry"))
		}
	}
	a := h.chat(`{` + user + `,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"strange"}}}}`)
	if said := a.failure(t); a.status != 400 || *said.Param != "response_format.json_schema.schema" || !strings.Contains(said.Message, "cannot be used: ") {
		t.Errorf("a bad schema: %d %s", a.status, a.body)
	}
	a = h.chat(`{` + user + `,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{"x":{"type":"strange"}}}}}]}`)
	if said := a.failure(t); a.status != 400 || *said.Param != "tools[0].function.parameters" {
		t.Errorf("a bad schema of a tool: %d %s", a.status, a.body)
	}
	if n := up.Count(); n != 0 {
		t.Errorf("the provider was asked %d times", n)
	}
}

// Whatever is served reaches the provider as it was written.
func TestWhatReachesTheProvider(t *testing.T) {
	up := says(t, upstream.Reply{Text: `{"a": 1}`, Usage: &upstream.Usage{Prompt: 3, Completion: 2}})
	h := plan{upstream: up.URL(), models: []string{"small"}}.build(t)
	for name, test := range map[string]struct{ given, sent string }{
		"options": {
			`"temperature":0,"top_p":1.0,"stop":["a","b"],"seed":7,"service_tier":"auto","metadata":{"a":"b"},"store":false,"max_completion_tokens":9,"top_k":40,"logit_bias":{"5":-100},"presence_penalty":null,"user":"u1","n":1,"modalities":["text"],"logprobs":false`,
			`"temperature":0,"top_p":1.0,"stop":["a","b"],"seed":7,"service_tier":"auto","metadata":{"a":"b"},"store":false,"max_completion_tokens":9,"top_k":40,"logit_bias":{"5":-100}`,
		},
		"a system's message by its newer name": {`"messages":[{"role":"developer","content":"be brief"},{"role":"user","name":"ann","content":"hi"}]`,
			`"messages":[{"role":"system","content":"be brief"},{"role":"user","name":"ann","content":"hi"}]`},
		"parts": {
			`"messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"https://x.test/a.png","detail":"low"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERg=="}}]}]`,
			`"messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"https://x.test/a.png","detail":"low"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERg=="}}]}]`,
		},
		"a round of tools, as clients send an answer back": {
			`"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,"function_call":null,"tool_calls":[{"id":"c1","index":0,"type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"no"},{"type":"text","text":"on"}]}]`,
			`"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"noon"}]`,
		},
		"a refusal": {`"messages":[{"role":"assistant","content":null,"refusal":"I cannot"},{"role":"user","content":"why?"}]`,
			`"messages":[{"role":"assistant","content":"I cannot"},{"role":"user","content":"why?"}]`},
		"tools": {
			`"tools":[{"type":"function","function":{"name":"now","strict":true,"parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"then","description":"d","parameters":{}}}],"tool_choice":"none","parallel_tool_calls":false`,
			`"tools":[{"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}},"strict":true}},{"type":"function","function":{"name":"then","description":"d","parameters":{"type":"object","properties":{}}}}],"tool_choice":"none","parallel_tool_calls":false`,
		},
	} {
		given := test.given
		if !strings.Contains(given, `"messages"`) {
			given += `,"messages":[{"role":"user","content":"hi"}]`
		}
		before := up.Count()
		if a := h.chat(`{"model":"small",` + given + `}`); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
			continue
		}
		var sent, want map[string]any
		if err := json.Unmarshal(up.Requests()[before].Body, &sent); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(`{`+test.sent+`}`), &want); err != nil {
			t.Fatal(err)
		}
		for _, ours := range []string{"model", "stream", "stream_options"} {
			delete(sent, ours)
		}
		if want["messages"] == nil {
			delete(sent, "messages")
		}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What is known of a model's options is not asked of those of an embedding.
func TestModelsThatAreNotThere(t *testing.T) {
	h := plan{upstream: says(t, upstream.Reply{}).URL(), models: []string{"small"}}.build(t)
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"model":"smal","messages":[{"role":"user","content":"hi"}]}`,
		"/v1/embeddings":       `{"model":"smal","input":"x"}`,
	} {
		a := h.post(path, body)
		if said := a.failure(t); a.status != 404 || said.Code != "model_not_found" || *said.Param != "model" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for ref, status := range map[string]int{"prompt:none": 404, "prompt:": 400} {
		if a := h.chat(fmt.Sprintf(`{"model":%q}`, ref)); a.status != status {
			t.Errorf("%s: %d %s", ref, a.status, a.body)
		}
	}
}
