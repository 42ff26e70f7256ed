package openai

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "sk-test-7f3a9c"

// serve starts a server with a handler and makes a provider for it.
func serve(t testing.TB, handler http.HandlerFunc) *Provider {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only when the request is read does a server see that its client leaves.
		_, _ = io.Copy(io.Discard, r.Body)
		handler(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return provider(t, server.URL+"/v1")
}

func provider(t testing.TB, url string) *Provider {
	t.Helper()
	p := New(Options{Name: "acme", BaseURL: url, APIKey: testKey})
	t.Cleanup(p.Close)
	return p
}

// says is a handler that answers with a body.
func says(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

func ask(t testing.TB, p *Provider) (llm.Response, error) {
	t.Helper()
	return llm.Collect(p.Model("gpt-test", Caps{}).Stream(t.Context(), hello()))
}

func hello() llm.Request {
	return llm.Request{Model: "alias", Messages: []llm.Message{llm.Text(llm.User, "hello")}}
}

func collect(ctx context.Context, m llm.Model, req llm.Request) (llm.Response, error) {
	return llm.Collect(m.Stream(ctx, req))
}
