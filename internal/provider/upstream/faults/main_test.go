package faults_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect is the bound of a dial in these tests.
const connect = 5 * time.Second

// provider is the real provider, at a base URL of the server.
func provider(t testing.TB, s *faults.Server, url string) *openai.Provider {
	t.Helper()
	p := openai.New(openai.Options{Name: "acme", BaseURL: url, APIKey: "sk-test", Transport: s.Transport(connect), Now: time.Now})
	t.Cleanup(p.Close)
	return p
}

func ask(ctx context.Context, t testing.TB, s *faults.Server, model, prompt string) (llm.Response, error) {
	t.Helper()
	return llm.Collect(provider(t, s, s.URL()).Model(model, openai.Caps{}).Stream(ctx, request(prompt)))
}

func request(prompt string) llm.Request {
	return llm.Request{Messages: []llm.Message{llm.Text(llm.System, "be brief"), llm.Text(llm.User, prompt)}}
}
