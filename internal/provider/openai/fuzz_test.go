package openai

import (
	"context"
	"io"
	"net/http"
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
	} {
		f.Add(200, "text/event-stream", body)
		f.Add(400, "application/json", body)
	}
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		p := New(Options{Name: "acme", BaseURL: "http://x.test", APIKey: testKey, Transport: transportFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Header: http.Header{"Content-Type": {kind}},
				Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(body))),
			}, nil
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ended, failed := 0, 0
		for event, err := range p.Model("m", Caps{}).Stream(ctx, hello()) {
			if ended+failed > 0 {
				t.Fatal("something follows the end")
			}
			if err != nil {
				failed++
				e, ok := asFault(err)
				if !ok || e.Class == fault.Internal || e.Class == fault.TimeoutTotal || e.Class == "" {
					t.Fatalf("got %T %v", err, err)
				}
				if strings.Contains(err.Error(), testKey) {
					t.Fatalf("the key is in %v", err)
				}
			}
			if event.End != nil {
				ended++
				checkUsage(t, event.End.Usage)
			}
		}
		if ended+failed != 1 {
			t.Fatalf("%d ends, %d errors", ended, failed)
		}
	})
}

func checkUsage(t *testing.T, u llm.Usage) {
	t.Helper()
	if u.Input < 0 || u.Reasoning < 0 || u.CachedInput < 0 || u.CachedInput > u.Input || u.Reasoning > u.Output {
		t.Fatalf("usage %+v", u)
	}
}
