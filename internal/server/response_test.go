package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// noPrompts has none.
type noPrompts struct{}

func (noPrompts) Find(ref, _ string) (*prompt.Prompt, error) {
	return nil, fault.New(fault.Invalid, "there is no prompt %q", ref)
}
func (noPrompts) List() []*prompt.Prompt { return nil }

// responding is a server before a model "m" of which asked has the last request.
func responding(t *testing.T, events iter.Seq2[llm.Event, error]) (url string, asked *llm.Request) {
	t.Helper()
	asked = new(llm.Request)
	model := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		*asked = req
		return events
	})
	runtime := &server.Runtime{Engine: model, Models: []server.ModelCard{{Name: "m"}}, Prompts: noPrompts{}}
	s := httptest.NewServer(server.New(server.Options{
		Current: func() *server.Runtime { return runtime }, NewID: func() string { return "7" },
		Now: func() time.Time { return time.Unix(1, 0) }, Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1/responses", asked
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	openapitest.Of(server.OpenAPI).Hold(t, openapitest.Seen(answer.Request, body, answer, string(text)))
	return answer.StatusCode, string(text)
}

func said(events ...llm.Event) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		for _, event := range append(events, llm.Event{Call: &llm.Call{ID: "7"}}) {
			if !yield(event, nil) {
				return
			}
		}
	}
}

func ended(finish llm.FinishReason) llm.Event {
	return llm.Event{End: &llm.End{Finish: finish, Model: "m-1", Usage: llm.Usage{Input: 3, Output: 2}}}
}

func TestResponsesRefuseWhatTheyDoNotServe(t *testing.T) {
	url, _ := responding(t, said(ended(llm.FinishStop)))
	for body, param := range map[string]string{
		`{"input":"hi"}`:          "model",
		`{"model":"m"}`:           "input",
		`{"model":"m","input":7}`: "input",
		`{"model":"m","input":"hi","previous_response_id":"resp_1"}`:                                                                            "previous_response_id",
		`{"model":"m","input":"hi","conversation":"c"}`:                                                                                         "conversation",
		`{"model":"m","input":"hi","background":true}`:                                                                                          "background",
		`{"model":"m","input":"hi","store":true}`:                                                                                               "store",
		`{"model":"m","input":"hi","truncation":"auto"}`:                                                                                        "truncation",
		`{"model":"m","input":"hi","include":["x"]}`:                                                                                            "include",
		`{"model":"m","input":"hi","top_logprobs":2}`:                                                                                           "top_logprobs",
		`{"model":"m","input":"hi","reasoning":{"summary":"auto"}}`:                                                                             "reasoning.summary",
		`{"model":"m","input":"hi","text":{"format":{"type":"x"}}}`:                                                                             "text.format.type",
		`{"model":"m","input":"hi","text":{"format":{"type":"json_schema"}}}`:                                                                   "text.format.schema",
		`{"model":"m","input":"hi","tools":[{"type":"web_search"}]}`:                                                                            "tools[0].type",
		`{"model":"m","input":"hi","tool_choice":"required"}`:                                                                                   "tool_choice",
		`{"model":"m","input":"hi","instructions":"x","tools":[{"type":"function","name":"a b"}]}`:                                              "tools[0].name",
		`{"model":"m","input":"hi","tools":[{"type":"function","name":"a"}],"tool_choice":{"type":"function","name":"b"}}`:                      "tool_choice.name",
		`{"model":"m","input":"hi","text":{"format":{"type":"json_schema","name":"x","schema":{"type":"strange"}}}}`:                            "text.format.schema",
		`{"model":"m","input":"hi","max_output_tokens":0}`:                                                                                      "max_output_tokens",
		`{"model":"m","instructions":"x","input":[{"role":"nobody","content":"x"}]}`:                                                            "input[0].role",
		`{"model":"m","input":[{"role":"user","content":"x"},{"role":"user","content":[{"type":"input_image","image_url":"file:///x"}]}]}`:      "input[1].content[0].image_url",
		`{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}`:                                                    "input[0].call_id",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_text","Text":"hi"}]}]}`:                                                 "input[0].content[0]",
		`{"model":"m","input":[{"role":"user"}]}`:                                                                                               "input[0].content",
		`{"model":"m","input":[{"type":"function_call","call_id":"c","name":"f"},{"type":"function_call_output","call_id":"c","output":null}]}`: "input[1].output",
		`{"model":"m","input":[{"type":"reasoning"}]}`:                                                                                          "input[0].type",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_audio"}]}]}`:                                                            "input[0].content[0].type",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]}`:                                               "input[0].content[0]",
		`{"model":"m","input":[{"type":"function_call","name":"f"}]}`:                                                                           "input[0]",
		`{"model":"m","input":"hi","metadata":{},"stream_options":{},"prompt":{"id":"p","version":1}}`:                                          "prompt.version",
		`{"prompt":{"id":"p","vars":{"q":"hi"}}}`:                                                                                               "prompt.vars", // which would ask without it
		`{"prompt":{"id":"p","Variables":{"q":"hi"}}}`:                                                                                          "prompt.Variables",
		`{"model":"m","input":"hi","text":{"formt":{"type":"json_object"}}}`:                                                                    "text.formt", // which would lose a contract
		`{"model":"m","input":"hi","text":{"format":{"type":"json_object","schema":{"type":"object"}}}}`:                                        "text.format.schema",
		`{"model":"m","input":"hi","reasoning":{"efort":"low"}}`:                                                                                "reasoning.efort",
		`{"model":"m","input":[{"Role":"user","content":"hi"}]}`:                                                                                "input[0].role",
	} {
		status, text := post(t, url, body)
		var said struct {
			Error struct{ Param, Message string }
		}
		if err := json.Unmarshal([]byte(text), &said); err != nil || status != http.StatusBadRequest || said.Error.Param != param || said.Error.Message == "" || strings.Contains(text, "messages[") || strings.Contains(text, "response_format") {
			t.Errorf("%s: %d %s, want 400 and the param %s", body, status, text, param)
		}
	}
}

func TestResponsesAskWhatAChatAsks(t *testing.T) {
	url, asked := responding(t, said(llm.Event{Text: "Hello"}, llm.Event{ToolCall: &llm.ToolCallDelta{ID: "c1", Name: "f", Arguments: "{}"}}, ended(llm.FinishToolCalls)))
	status, text := post(t, url, `{"model":"m","instructions":"Be kind.","max_output_tokens":9,"reasoning":{"effort":"low"},"metadata":{"a":"b"},
		"tools":[{"type":"function","name":"f","parameters":{"type":"object"}}],"tool_choice":{"type":"function","name":"f"},
		"text":{"format":{"type":"json_object"}},
		"input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},
			{"type":"message","role":"assistant","content":[{"type":"output_text","text":"wait"}]},
			{"type":"function_call","call_id":"c0","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c0","output":"rain"}]}`)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	m := asked.Messages
	if len(m) != 4 || m[0].Role != llm.System || m[0].Text() != "Be kind." || m[1].Text() != "hi" ||
		m[2].Role != llm.Assistant || m[2].Text() != "wait" || m[2].Parts[1].ToolCall.ID != "c0" || m[3].Parts[0].ToolResult.Content != "rain" {
		t.Errorf("asked %+v", m)
	}
	if string(asked.Options["max_tokens"]) != "9" || string(asked.Options["reasoning_effort"]) != `"low"` || len(asked.Options) != 2 {
		t.Errorf("options %s", asked.Options)
	}
	if asked.Tools.Choice != "f" || asked.Output.Kind != llm.OutputJSON {
		t.Errorf("tools %+v, output %+v", asked.Tools, asked.Output)
	}
	var answer struct {
		ID, Status, Model string
		Metadata          map[string]string
		Output            []struct {
			Type, Name, Arguments string
			CallID                string `json:"call_id"`
			Content               []struct{ Type, Text string }
		}
		Usage struct {
			Total int `json:"total_tokens"`
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.ID != "resp_7" || answer.Status != "completed" || answer.Model != "m-1" || answer.Metadata["a"] != "b" || answer.Usage.Total != 5 ||
		len(answer.Output) != 2 || answer.Output[0].Content[0].Text != "Hello" || answer.Output[1].CallID != "c1" || answer.Output[1].Name != "f" {
		t.Errorf("answered %s", text)
	}
}

func TestAResponseThatIsCutIsIncomplete(t *testing.T) {
	url, _ := responding(t, said(llm.Event{Text: "Hel"}, ended(llm.FinishLength)))
	_, text := post(t, url, `{"model":"m","input":"hi"}`)
	if !strings.Contains(text, `"status":"incomplete"`) || !strings.Contains(text, `"incomplete_details":{"reason":"max_output_tokens"}`) {
		t.Error(text)
	}
}

// eventsOf gives the types of a stream, in order, after checking that they are numbered.
func eventsOf(t *testing.T, text string) (kinds []string) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var event struct {
			Type   string
			Number int `json:"sequence_number"`
		}
		if err := json.Unmarshal([]byte(data), &event); err != nil || event.Number != len(kinds) {
			t.Errorf("%v: %s", err, data)
		}
		kinds = append(kinds, strings.TrimPrefix(event.Type, "response."))
	}
	return kinds
}

func TestResponsesStreamEveryItemFromItsBeginningToItsEnd(t *testing.T) {
	url, _ := responding(t, said(llm.Event{Alive: true}, llm.Event{Text: "Hel"}, llm.Event{Text: "lo"},
		llm.Event{ToolCall: &llm.ToolCallDelta{ID: "c1", Name: "f"}}, llm.Event{ToolCall: &llm.ToolCallDelta{Arguments: "{}"}}, ended(llm.FinishToolCalls)))
	_, text := post(t, url, `{"model":"m","input":"hi","stream":true}`)
	const want = "created in_progress output_item.added content_part.added output_text.delta output_text.delta " +
		"output_item.added function_call_arguments.delta output_text.done content_part.done output_item.done function_call_arguments.done output_item.done completed"
	if got := strings.Join(eventsOf(t, text), " "); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !strings.HasPrefix(text, ": waiting\n\nevent: response.created\n") || !strings.Contains(text, `"output":[],"usage":null`) {
		t.Errorf("it begins with %.400s", text)
	}
}

func TestAResponseThatFailsOnTheWaySaysSo(t *testing.T) {
	failing := func(yield func(llm.Event, error) bool) {
		if yield(llm.Event{Text: "Hel"}, nil) {
			yield(llm.Event{}, fault.New(fault.Cut, "the answer of provider \"up\" was cut off"))
		}
	}
	url, _ := responding(t, failing)
	status, text := post(t, url, `{"model":"m","input":"hi","stream":true}`)
	kinds := eventsOf(t, text)
	if status != http.StatusOK || kinds[len(kinds)-1] != "failed" || !strings.Contains(text, `"error":{"code":"cut"`) || strings.Contains(text, `"up`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text = post(t, url, `{"model":"m","input":"hi"}`); status != http.StatusBadGateway {
		t.Errorf("whole: %d %s", status, text)
	}
}
