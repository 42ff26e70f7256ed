package openai

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/conformance"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		request := llm.Request{Messages: []llm.Message{llm.Text(llm.User, "hi")}}
		server := upstream.New(t, func(model string, _ []upstream.Message, _ map[string]any) upstream.Reply {
			switch model {
			case "refuses":
				return upstream.Reply{Status: http.StatusUnauthorized, Body: `{"error": {"message": "no such key"}}`}
			case "busy":
				return upstream.Reply{Status: http.StatusTooManyRequests, Body: `{"error": {"message": "slow down"}}`}
			case "cuts":
				return upstream.Reply{Text: "half of what was meant to be said", Pieces: 4, CutAfter: 200}
			}
			return upstream.Reply{Text: "hello, world", Pieces: 3}
		})
		stopped := make(chan struct{}, 64)
		provider := New(Options{Name: "loopback", BaseURL: server.URL()})
		waiting := New(Options{Name: "waiting", BaseURL: waitingServer(t, stopped)})
		t.Cleanup(provider.Close)
		t.Cleanup(waiting.Close)
		return conformance.Subject{
			Model: provider.Model("answers", Caps{}), Request: request, Text: "hello, world",
			Silent: waiting.Model("silent", Caps{}), Stuck: waiting.Model("stuck", Caps{}), Stopped: stopped,
			Failures: []conformance.Failure{
				{Name: "key refused", Model: provider.Model("refuses", Caps{}), Request: request, Class: fault.Auth},
				{Name: "rate limited", Model: provider.Model("busy", Caps{}), Request: request, Class: fault.RateLimited},
				{Name: "cut", Model: provider.Model("cuts", Caps{}), Request: request, Class: fault.Cut},
			},
		}
	})
}

// waitingServer answers with nothing, or with one piece of text and then nothing,
// until the caller goes away, which it reports.
func waitingServer(t *testing.T, stopped chan<- struct{}) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // only then does the server notice that the caller leaves
		if strings.Contains(string(body), `"stuck"`) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hel\"}}]}\n\n")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		select {
		case stopped <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}
