package openai

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

func TestConnectionsAreUsedAgain(t *testing.T) {
	ended := make(chan struct{}, 1)
	bodies := map[string]http.HandlerFunc{
		"stream": says("text/event-stream", firstChunk+lastChunk+usageChunk+doneLine),
		"object": says("application/json", `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`),
		"error":  func(w http.ResponseWriter, r *http.Request) { http.Error(w, `{"error":{"message":"no"}}`, 500) },
		"ended later": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, firstChunk+lastChunk+doneLine)
			_ = http.NewResponseController(w).Flush()
			<-ended
		},
	}
	for name, handler := range bodies {
		t.Run(name, func(t *testing.T) {
			p := serve(t, handler)
			reused := 0
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
				if c.Reused {
					reused++
				}
			}})
			for range 5 {
				for event := range p.Model("m", Caps{}).Stream(ctx, hello()) {
					if event.End != nil && name == "ended later" {
						ended <- struct{}{}
					}
				}
			}
			if reused != 4 {
				t.Errorf("%d of 4 connections were used again", reused)
			}
		})
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	server := upstream.NewFixed(t, upstream.Reply{Text: "ok", Delay: 5 * time.Millisecond})
	p := New(Options{Name: "acme", BaseURL: server.URL(), MaxConns: 2})
	t.Cleanup(p.Close)
	failed := make(chan error)
	for range 8 {
		go func() {
			_, err := collect(t.Context(), p.Model("m", Caps{}), hello())
			failed <- err
		}()
	}
	for range 8 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if server.Count() != 8 || server.Peak() > 2 {
		t.Errorf("%d requests, %d at once", server.Count(), server.Peak())
	}
}
