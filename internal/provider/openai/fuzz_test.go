package openai

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// FuzzAnswer feeds broken answers: each must end, in an End or in one error that
// has the class of a provider's failure and not of a bug.
func FuzzAnswer(f *testing.F) {
	good := firstChunk + lastChunk + usageChunk + doneLine
	for _, body := range []string{
		good, firstChunk, doneLine, "", "<html>", "{", `{"error":{"code":429}}`, "data: {\"error\":null}\n",
		`{"choices":[{"message":{"content":"x"}}]}`, `{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"text":"x"}]}]}}]}`,
		"data: {\"error\":{\"message\":[\"a\"],\"innererror\":7}}\n\n", ": c\n\ndata: [1]\n\ndata: null\n\n",
		`data: {"choices":[{"delta":{"tool_calls":[{"index":-5,"id":"a"},{"id":"b"},{}]}}]}` + "\n" + doneLine,
		"data: keep-alive\n\n" + good, firstChunk + "data: {\"choices\":[\n\n" + lastChunk, firstChunk + "data: {\"ping\":\n\n" + lastChunk,
		firstChunk + lastChunk + usageChunk[:40], firstChunk + lastChunk[:70],
		`{"error":{"code":"content_filter","innererror":{"content_filter_result":{"hate":{"filtered":true,"severity":"high"},"x":[]}}}}`,
		`{"error":{"type":"BadRequestError","param":"input_tokens","code":400}}`,
		`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}},{"index":128}]}}]}` + "\n\n" + lastChunk,
	} {
		f.Add(200, "text/event-stream", body)
		f.Add(400, "application/json", body)
		f.Add(429, "", body)
	}
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		through(t, &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {kind}},
			Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(body))),
		})
	})
}

// providerClasses are all the classes that an answer can fail with.
var providerClasses = []fault.Class{
	fault.RateLimited, fault.Overloaded, fault.ServerError, fault.Network, fault.Malformed, fault.Auth, fault.NotFound,
	fault.BadRequest, fault.QuotaExhausted, fault.Cut, fault.ContextLength, fault.ContentFilter,
}

// through passes an answer through the provider. It must come to one end, or to
// one error of a class, soon.
func through(t *testing.T, resp *http.Response) (llm.Response, error) {
	t.Helper()
	p := New(Options{Name: "acme", BaseURL: "http://x.test", APIKey: testKey, Transport: transportFunc(func(*http.Request) (*http.Response, error) {
		return resp, nil
	})})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got llm.Response
	var failure error
	ended := 0
	for event, err := range p.Model("m", Caps{}).Stream(ctx, hello()) {
		if ended > 0 {
			t.Fatal("something follows the end")
		}
		got.Text += event.Text
		if failure = err; err != nil {
			ended++
			if e, ok := asFault(err); !ok || !slices.Contains(providerClasses, e.Class) {
				t.Fatalf("got %T %v", err, err)
			}
			if strings.Contains(err.Error(), testKey) {
				t.Fatalf("the key is in %v", err)
			}
		}
		if event.End != nil {
			ended++
			got.End = *event.End
			checkUsage(t, event.End.Usage)
		}
	}
	if ended != 1 {
		t.Fatalf("%d ends", ended)
	}
	return got, failure
}

func checkUsage(t *testing.T, u llm.Usage) {
	t.Helper()
	if u.Input < 0 || u.Reasoning < 0 || u.CachedInput < 0 || u.CachedInput > u.Input || u.Reasoning > u.Output {
		t.Fatalf("usage %+v", u)
	}
}
