package server

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a caller sends as a word may be megabytes. Neither the answer nor the log repeats
// them, and nobody looks for long for what was meant.
func TestWordsOfMegabytes(t *testing.T) {
	g := guard(t, Options{}, Bounds{})
	long := strings.Repeat("model", 1<<18)
	for path, bodies := range map[string][]string{
		"/v1/chat/completions": {
			`{"model": %q, "messages": [{"role": "user", "content": "x"}]}`, `{"model": "prompt:%s", "messages": []}`,
			`{"model": "echo", "messages": [{"role": %q, "content": "x"}]}`,
			`{"model": "echo", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": %q}}`, `{%[1]q: 1, %[1]q: 2}`,
		},
		"/v1/embeddings": {`{"model": "echo", "input": "x", "encoding_format": %q}`},
	} {
		for _, body := range bodies {
			begun := time.Now()
			response, answer := g.do(t, "POST", path, fmt.Sprintf(body, long))
			if took := time.Since(begun); response.StatusCode < 400 || response.StatusCode >= 500 || len(answer) > 10_000 || took > 5*time.Second {
				t.Errorf("%.60s: %d, %d bytes after %v", body, response.StatusCode, len(answer), took)
			}
		}
	}
	if response, answer := g.do(t, "GET", "/v1/"+strings.Repeat("p", 60_000), ""); response.StatusCode != 404 || len(answer) > 10_000 {
		t.Errorf("a path: %d, %d bytes", response.StatusCode, len(answer))
	}
	if said := len(g.log.String()); said > 100_000 {
		t.Errorf("the log has %d bytes", said)
	}
}
