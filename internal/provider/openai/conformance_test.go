package openai

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/conformance"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// called are parallel calls, one of them without arguments.
var called = []llm.ToolCall{{ID: "a", Name: "look", Arguments: `{"id":17,"why":"it is late"}`}, {ID: "b", Name: "now"}, {ID: "c", Name: "look", Arguments: `{"id":18}`}}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		request := llm.Request{Messages: []llm.Message{llm.Text(llm.User, "hi")}}
		demanding := request
		demanding.Tools = llm.Tools{List: []llm.ToolSpec{{Name: "look"}}, Choice: llm.ToolsRequired}
		calling := upstream.Reply{Text: "I look.", Finish: "tool_calls"}
		for _, call := range called {
			calling.ToolCalls = append(calling.ToolCalls, upstream.ToolCall(call))
		}
		server := upstream.New(t, func(model string, _ []upstream.Message, _ map[string]any) upstream.Reply {
			switch model {
			case "refuses":
				return upstream.Reply{Status: http.StatusUnauthorized, Body: `{"error": {"message": "no such key"}}`}
			case "busy":
				return upstream.Reply{Status: http.StatusTooManyRequests, Body: `{"error": {"message": "slow down"}}`}
			case "calls":
				return calling
			case "calls-mixed", "calls-cut", "calls-demanded":
				reply := calling
				reply.Pieces, reply.Mixed = 4, model == "calls-mixed"
				if model == "calls-cut" {
					reply.ToolCalls, reply.Finish = []upstream.ToolCall{{ID: "a", Name: "look", Arguments: `{"id":1`}}, "length"
				}
				if model == "calls-demanded" {
					reply.Finish = "stop"
				}
				return reply
			case "cuts":
				return upstream.Reply{Text: "half of what was meant to be said", Pieces: 4, CutAfter: 200}
			}
			return upstream.Reply{Text: "hello, world", Pieces: 3}
		})
		stopped := make(chan struct{}, 64)
		headers, drip := make(chan struct{}, 64), make(chan struct{}, 64)
		provider := New(Options{Name: "loopback", BaseURL: server.URL()})
		waiting := New(Options{Name: "waiting", BaseURL: waitingServer(t, stopped, headers, drip)})
		t.Cleanup(provider.Close)
		t.Cleanup(waiting.Close)
		return conformance.Subject{
			Model: provider.Model("answers", Caps{}), Request: request, Text: "hello, world",
			Silent: waiting.Model("silent", Caps{}), Stuck: waiting.Model("stuck", Caps{}), Stopped: stopped,
			Slow: []conformance.Slow{
				{Name: "headers byte by byte", Model: waiting.Model("headers", Caps{}), Begun: headers},
				{Name: "an answer byte by byte", Model: waiting.Model("drip", Caps{}), Begun: drip},
			},
			Calls: []conformance.Calls{
				{Name: "at once", Model: provider.Model("calls", Caps{}), Request: request, Text: "I look.", Want: called},
				{Name: "pieces by turns", Model: provider.Model("calls-mixed", Caps{}), Request: request, Text: "I look.", Want: called},
				{Name: "cut arguments", Model: provider.Model("calls-cut", Caps{}), Request: request, Text: "I look.",
					Want: []llm.ToolCall{{ID: "a", Name: "look", Arguments: `{"id":1`}}, Finish: llm.FinishLength},
				{Name: "a demanded one that ends as a text", Model: provider.Model("calls-demanded", Caps{}), Request: demanding, Text: "I look.", Want: called},
				{Name: "one that ends as a text", Model: provider.Model("calls-demanded", Caps{}), Request: request, Text: "I look.", Want: called, Finish: llm.FinishStop},
			},
			Failures: []conformance.Failure{
				{Name: "key refused", Model: provider.Model("refuses", Caps{}), Request: request, Class: fault.Auth},
				{Name: "rate limited", Model: provider.Model("busy", Caps{}), Request: request, Class: fault.RateLimited},
				{Name: "cut", Model: provider.Model("cuts", Caps{}), Request: request, Class: fault.Cut},
			},
		}
	})
}

// waitingServer answers with nothing, with one piece of text and then nothing, or
// byte by byte, until the caller goes away, which it reports.
func waitingServer(t *testing.T, stopped, headers, drip chan<- struct{}) string {
	tell := func(sign chan<- struct{}) {
		select {
		case sign <- struct{}{}:
		default:
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // only then does the server notice that the caller leaves
		const text = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hel\"}}]}\n\n"
		switch {
		case strings.Contains(string(body), `"stuck"`):
			_, _ = io.WriteString(w, text)
			w.(http.Flusher).Flush()
		case strings.Contains(string(body), `"headers"`):
			dripHeaders(w, func() { tell(headers) })
			tell(stopped)
			return
		case strings.Contains(string(body), `"drip"`):
			for i := 0; r.Context().Err() == nil; i++ {
				_, _ = w.Write([]byte{text[i%len(text)]})
				w.(http.Flusher).Flush()
				if i == len(text)*3/2 {
					tell(drip)
				}
				pause(r.Context().Done())
			}
		}
		<-r.Context().Done()
		tell(stopped)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

// dripHeaders answers with a head that has no end, until the caller goes away.
func dripHeaders(w http.ResponseWriter, begun func()) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, buffered) // until the end
	}()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Long: ")
	for i := 0; ; i++ {
		select {
		case <-gone:
			return
		default:
		}
		_, _ = conn.Write([]byte("x"))
		if i == 10 {
			begun()
		}
		pause(gone)
	}
}

// pause waits for a moment, or for the end.
func pause(end <-chan struct{}) {
	select {
	case <-end:
	case <-time.After(2 * time.Millisecond):
	}
}
