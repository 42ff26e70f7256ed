package openai

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func askVector(t *testing.T, p *Provider) (llm.Response, error) {
	t.Helper()
	req := hello()
	req.Output.Kind = llm.OutputEmbedding
	return collect(t.Context(), p.Model("embed-test", Caps{}), req)
}

func TestEmbeddingsAreAskedAndRead(t *testing.T) {
	var path, key string
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, key = r.URL.Path, r.Header.Get("Authorization")
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"object":"list","data":[{"index":0,"embedding":[1,-0.5]}],"model":"embed-test-2026","usage":{"prompt_tokens":2,"total_tokens":2}}`)
	}))
	defer server.Close()
	got, err := askVector(t, provider(t, server.URL+"/v1"))
	if err != nil {
		t.Fatal(err)
	}
	// 1 is 3f800000 and -0.5 is bf000000, little-endian.
	if got.Text != "AACAPwAAAL8=" || got.End.Finish != llm.FinishStop || got.End.Model != "embed-test-2026" || got.End.Usage != (llm.Usage{Input: 2}) {
		t.Errorf("%+v", got)
	}
	var sent map[string]any
	if err := json.Unmarshal(body, &sent); err != nil || path != "/v1/embeddings" || key != "Bearer "+testKey || len(sent) != 2 || sent["model"] != "embed-test" || sent["input"] != "hello" {
		t.Errorf("%s, %s, %s", path, key, body)
	}
}

func TestEmbeddingsThatAreNone(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		class  fault.Class
	}{
		"401":             {401, `{"error":{"message":"no ` + testKey + `","code":"invalid_api_key"}}`, fault.Auth},
		"404":             {404, "not here", fault.NotFound},
		"429":             {429, `{}`, fault.RateLimited},
		"500":             {500, "", fault.ServerError},
		"an error in 200": {200, `{"error":{"message":"boom"}}`, fault.ServerError},
		"no JSON":         {200, "hello", fault.Malformed},
		"no vector":       {200, `{"data":[{"embedding":[]}]}`, fault.Malformed},
		"no data":         {200, `{"data":[]}`, fault.Malformed},
		"null in it":      {200, `{"data":[{"embedding":[null,1]}]}`, fault.Malformed},
		"an odd vector":   {200, `{"data":[{"embedding":["x"]}]}`, fault.Malformed},
		"too much":        {200, `{"data":[{"embedding":[` + strings.Repeat("1,", 3<<20) + `1]}]}`, fault.Malformed},
	} {
		p := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		})
		_, err := askVector(t, p)
		if fault.ClassOf(err) != test.class || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: %v, want %s", name, err, test.class)
		}
	}
	gone := provider(t, "http://127.0.0.1:1/v1")
	if _, err := askVector(t, gone); fault.ClassOf(err) != fault.Network {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := llm.Collect(gone.Model("m", Caps{}).Stream(t.Context(), llm.Request{Output: llm.Output{Kind: llm.OutputEmbedding}})); fault.ClassOf(err) != fault.BadRequest {
		t.Errorf("of nothing: %v", err)
	}
}

// A caller who leaves ends the request.
func TestEmbeddingsAreLeft(t *testing.T) {
	left := make(chan struct{})
	p := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(left)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req := hello()
	req.Output.Kind = llm.OutputEmbedding
	if _, err := collect(ctx, p.Model("m", Caps{}), req); fault.ClassOf(err) != fault.TimeoutTotal {
		t.Errorf("%v", err)
	}
	<-left
}
