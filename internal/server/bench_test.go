package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/server"
)

// BenchmarkChat is what the server itself needs of a request, without the engine and the
// network: reading, checking, writing.
func BenchmarkChat(b *testing.B) {
	runtime := &server.Runtime{Engine: llm.ModelFunc(traced), Models: []server.ModelCard{{Name: "small"}}, Prompts: plan{}.library()}
	s := server.New(server.Options{
		Current: func() *server.Runtime { return runtime }, NewID: func() string { return "req-1" }, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	for name, body := range map[string]string{"hello": hello, "tools": asking(), "streaming": helloStream} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
				if w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
