package openai

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const (
	firstChunk = `data: {"id":"r1","model":"gpt-9","choices":[{"index":0,"delta":{"content":"Hel"}}]}` + "\n\n"
	lastChunk  = `data: {"id":"r1","model":"gpt-9","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}` + "\n\n"
	usageChunk = `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}` + "\n\n"
	doneLine   = "data: [DONE]\n\n"
)

var counted = llm.Usage{Input: 9, Output: 7, CachedInput: 4, Reasoning: 3}

// estimated is the estimate for "hello", asked, and "Hello", answered: five bytes each.
var estimated = llm.Usage{Input: 2, Output: 2, Estimated: true}

func TestAnswers(t *testing.T) {
	full := llm.Response{Text: "Hello", End: llm.End{Finish: llm.FinishStop, Usage: counted, Model: "gpt-9", ResponseID: "r1"}}
	guessed := full
	guessed.End.Usage = estimated
	with := func(change func(*llm.Response)) llm.Response {
		r := full
		change(&r)
		return r
	}
	finish := func(f llm.FinishReason) llm.Response {
		return with(func(r *llm.Response) { r.End.Finish = f })
	}
	skipping := func(n int) llm.Response {
		return with(func(r *llm.Response) { r.End.Skipped = n })
	}
	ending := func(reason string) string {
		return strings.Replace(firstChunk+lastChunk+usageChunk+doneLine, `"stop"`, `"`+reason+`"`, 1)
	}
	chunk := func(delta string) string {
		return `data: {"id":"r1","model":"gpt-9","choices":[{"index":0,"delta":` + delta + `}]}` + "\n\n"
	}
	whole := `{
  "id": "r1", "object": "chat.completion", "model": "gpt-9",
  "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
  "usage": {"prompt_tokens": 9, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 3}}
}
`
	tests := map[string]struct {
		kind, body string
		want       llm.Response
	}{
		"stream":                           {"text/event-stream", firstChunk + lastChunk + usageChunk + doneLine, full},
		"no content type":                  {"", firstChunk + lastChunk + usageChunk + doneLine, full},
		"a stream that says it is JSON":    {"application/json", firstChunk + lastChunk + usageChunk + doneLine, full},
		"carriage returns, no blank line":  {"text/event-stream", strings.ReplaceAll(firstChunk+lastChunk+usageChunk+doneLine, "\n\n", "\r\n"), full},
		"no space after data:":             {"text/event-stream", strings.ReplaceAll(firstChunk+lastChunk+usageChunk+doneLine, "data: ", "data:"), full},
		"no usage":                         {"text/event-stream", firstChunk + lastChunk + doneLine, guessed},
		"usage of zeros":                   {"text/event-stream", firstChunk + lastChunk + `data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}` + "\n\n" + doneLine, guessed},
		"usage of an odd type":             {"text/event-stream", firstChunk + strings.Replace(lastChunk, `{"id"`, `{"usage":"many","id"`, 1) + doneLine, guessed},
		"usage of null before":             {"text/event-stream", strings.Replace(firstChunk, `{"id"`, `{"usage":null,"id"`, 1) + lastChunk + usageChunk + doneLine, full},
		"usage with the last piece":        {"text/event-stream", firstChunk + strings.Replace(lastChunk, `{"id"`, `{"usage":{"prompt_tokens":1,"completion_tokens":2},"id"`, 1) + doneLine, with(func(r *llm.Response) { r.End.Usage = llm.Usage{Input: 1, Output: 2} })},
		"reasoning counted beside":         {"text/event-stream", firstChunk + lastChunk + `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":31,"completion_tokens_details":{"reasoning_tokens":20}}}` + "\n\n" + doneLine, with(func(r *llm.Response) { r.End.Usage = llm.Usage{Input: 9, Output: 22, Reasoning: 20} })},
		"cached, another word":             {"text/event-stream", firstChunk + lastChunk + `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":8}}` + "\n\n" + doneLine, with(func(r *llm.Response) { r.End.Usage = llm.Usage{Input: 9, Output: 2, CachedInput: 8} })},
		"no end marker, but a finish":      {"text/event-stream", firstChunk + lastChunk, guessed},
		"no end marker nor line break":     {"text/event-stream", strings.TrimSpace(firstChunk + lastChunk), guessed},
		"what follows the end marker":      {"text/event-stream", firstChunk + lastChunk + usageChunk + doneLine + firstChunk, full},
		"an empty line":                    {"text/event-stream", firstChunk + "data:\n\n" + lastChunk + usageChunk + doneLine, full},
		"lines that are not JSON":          {"text/event-stream", "data: keep-alive\n\n" + firstChunk + "data: <oops>\n\n" + lastChunk + usageChunk + doneLine, skipping(2)},
		"lines that are no object":         {"text/event-stream", firstChunk + "data: [1]\n\ndata: null\n\ndata: 7\n\n" + lastChunk + usageChunk + doneLine, skipping(3)},
		"a broken object of another kind":  {"text/event-stream", firstChunk + "data: {\"ping\": \n\n" + lastChunk + usageChunk + doneLine, skipping(1)},
		"an object of another kind":        {"text/event-stream", firstChunk + "data: {\"ping\": 1}\n\n" + lastChunk + usageChunk + doneLine, full},
		"broken off after the finish":      {"text/event-stream", firstChunk + lastChunk + usageChunk[:40], guessed},
		"a finish for the second answer":   {"text/event-stream", firstChunk + strings.Replace(strings.Replace(lastChunk, `"index":0`, `"index":1`, 1), `"stop"`, `"length"`, 1) + lastChunk + usageChunk + doneLine, full},
		"comments, events and lines":       {"text/event-stream", "\n: hi\n" + firstChunk + "event: x\nid: 7\nretry: 10\nwhat\n" + lastChunk + usageChunk + doneLine, full},
		"a thousand comments":              {"text/event-stream", firstChunk + strings.Repeat(": still thinking\n\n", 1000) + lastChunk + usageChunk + doneLine, full},
		"an error of null":                 {"text/event-stream", `data: {"error":null,"id":"r1","model":"gpt-9","choices":[{"delta":{"content":"Hel"}}]}` + "\n\n" + lastChunk + usageChunk + doneLine, full},
		"first a piece without a choice":   {"text/event-stream", `data: {"id":"r1","model":"gpt-9","choices":[],"prompt_filter_results":[{}]}` + "\n\n" + firstChunk + lastChunk + usageChunk + doneLine, full},
		"of many answers the first":        {"text/event-stream", firstChunk + strings.Replace(strings.Replace(firstChunk, `"index":0`, `"index":1`, 1), "Hel", "other", 1) + lastChunk + usageChunk + doneLine, full},
		"one object":                       {"application/json", whole, full},
		"one object of unknown type":       {"", "\n " + whole, full},
		"one object, in place of a stream": {"text/event-stream", whole, full},
		"length":                           {"text/event-stream", ending("length"), finish(llm.FinishLength)},
		"content_filter":                   {"text/event-stream", ending("content_filter"), finish(llm.FinishContentFilter)},
		"tool_calls":                       {"text/event-stream", ending("tool_calls"), finish(llm.FinishToolCalls)},
		"function_call":                    {"text/event-stream", ending("function_call"), finish(llm.FinishToolCalls)},
		"a vendor's own finish":            {"text/event-stream", ending("Insufficient_System_Resource"), finish(llm.FinishOther)},
		"another vendor's length stop":     {"text/event-stream", ending("MAX_TOKENS"), finish(llm.FinishLength)},
		"another vendor's stop":            {"text/event-stream", ending("end_turn"), finish(llm.FinishStop)},
		"another vendor's filter":          {"text/event-stream", ending("content-filter"), finish(llm.FinishContentFilter)},
		"usage that cannot be true":        {"text/event-stream", firstChunk + lastChunk + `data: {"choices":[],"usage":{"prompt_tokens":1e30,"completion_tokens":2}}` + "\n\n" + doneLine, guessed},
		"a finish of null before":          {"text/event-stream", strings.Replace(firstChunk, `}}]`, `},"finish_reason":null}]`, 1) + lastChunk + usageChunk + doneLine, full},
		"reasoning_content":                {"text/event-stream", chunk(`{"reasoning_content":"Hm","content":null}`) + chunk(`{"reasoning_content":"m."}`) + firstChunk + lastChunk + usageChunk + doneLine, with(func(r *llm.Response) { r.Reasoning = "Hmm." })},
		"reasoning":                        {"text/event-stream", chunk(`{"reasoning":"Hmm.","content":""}`) + firstChunk + lastChunk + usageChunk + doneLine, with(func(r *llm.Response) { r.Reasoning = "Hmm." })},
		"reasoning, both words":            {"text/event-stream", chunk(`{"reasoning":"Hmm.","reasoning_content":"Hmm."}`) + firstChunk + lastChunk + usageChunk + doneLine, with(func(r *llm.Response) { r.Reasoning = "Hmm." })},
		"reasoning, estimated": {"text/event-stream", chunk(`{"reasoning":"12345678"}`) + firstChunk + lastChunk + doneLine, with(func(r *llm.Response) {
			r.Reasoning = "12345678"
			r.End.Usage = llm.Usage{Input: 2, Output: 4, Reasoning: 2, Estimated: true}
		})},
		"content as a list":             {"text/event-stream", chunk(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hmm."}]}]}`) + chunk(`{"content":[{"type":"text","text":"Hel"}]}`) + lastChunk + usageChunk + doneLine, with(func(r *llm.Response) { r.Reasoning = "Hmm." })},
		"a refusal is an answer":        {"text/event-stream", chunk(`{"refusal":"Hello"}`) + `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}` + "\n\n" + usageChunk + doneLine, full},
		"a line longer than any buffer": {"text/event-stream", chunk(`{"content":"`+strings.Repeat("x", 1<<20)+`"}`) + firstChunk + lastChunk + usageChunk + doneLine, with(func(r *llm.Response) { r.Text = strings.Repeat("x", 1<<20) + "Hello" })},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, serve(t, says(test.kind, test.body)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The pieces must be passed on as they come: the server sends the second only
// when the first has been seen.
func TestPiecesArePassedOnAsTheyCome(t *testing.T) {
	seen := make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, firstChunk)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-seen:
			fmt.Fprint(w, lastChunk+usageChunk+doneLine)
		case <-r.Context().Done():
		}
	})
	var texts []string
	for event, err := range p.Model("m", Caps{}).Stream(t.Context(), hello()) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Text != "" {
			texts = append(texts, event.Text)
			if len(texts) == 1 {
				close(seen)
			}
		}
	}
	if diff := cmp.Diff([]string{"Hel", "lo"}, texts); diff != "" {
		t.Error(diff)
	}
}

// A server that keeps the body open after its end marker holds nobody up.
func TestEndMarkerEndsTheAnswer(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, firstChunk+lastChunk+usageChunk+doneLine)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	got, err := ask(t, p)
	if err != nil || got.Text != "Hello" || got.End.Usage != counted {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNoKeyNoHeader(t *testing.T) {
	header := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header <- r.Header
		fmt.Fprint(w, lastChunk)
	}))
	defer server.Close()
	p := New(Options{Name: "local", BaseURL: server.URL})
	defer p.Close()
	if _, err := ask(t, p); err != nil {
		t.Fatal(err)
	}
	if got, ok := (<-header)["Authorization"]; ok {
		t.Errorf("Authorization is %q", got)
	}
}

// A live caller does not read on behind the hole that a damaged piece leaves.
func TestNothingComesBehindADamagedPiece(t *testing.T) {
	p := serve(t, says("text/event-stream", firstChunk+"data: {\"choices\":[{\"delta\":{\"content\":\"not \n\n"+lastChunk+doneLine))
	whole, err := llm.Collect(serve(t, says("text/event-stream", firstChunk+doneLine)).Model("gpt-test", Caps{}).Stream(t.Context(), hello()))
	if err != nil || whole.Text == "" {
		t.Fatal(err)
	}
	response, err := ask(t, p)
	if fault.ClassOf(err) != fault.Malformed || response.Text != whole.Text {
		t.Errorf("got %q, %v; want %q and no more", response.Text, err, whole.Text)
	}
}
