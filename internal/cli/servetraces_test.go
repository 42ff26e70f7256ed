package cli_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
)

// What the standard variables of OpenTelemetry name gets the spans of a request, under the
// caller's own trace, and the metrics, at the latest when the server ends; and no contents.
func TestTracesReachACollector(t *testing.T) {
	var mu sync.Mutex
	got := map[string][]byte{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path] = append(got[r.URL.Path], body...)
	}))
	t.Cleanup(collector.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_SERVICE_NAME", "desk")
	s := released(t, "production: 0.1.0\n")
	r := s.serve(t)
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	status, header, body := r.send("POST", "/v1/prompts/triage", `{"variables": {"ticket": "I was charged twice"}}`, "Traceparent", "00-"+trace+"-"+parent+"-01")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	r.signal(syscall.SIGTERM)
	r.exits(0)
	mu.Lock()
	defer mu.Unlock()
	for path, wants := range map[string][]string{
		"/v1/traces": {
			"desk", unhex(t, trace), unhex(t, parent), "POST /v1/prompts/{name}", header.Get("X-Request-Id"), "gen_ai.operation.name", "gen_ai.request.model",
			"gen_ai.usage.input_tokens", "llmx.prompt.version", "0.1.0",
		},
		"/v1/metrics": {"desk", "gen_ai.client.operation.duration", "gen_ai.client.token.usage"},
	} {
		for _, want := range wants {
			if !bytes.Contains(got[path], []byte(want)) {
				t.Errorf("%q is not in what %s was sent (%d bytes)", want, path, len(got[path]))
			}
		}
		if bytes.Contains(got[path], []byte("charged twice")) {
			t.Errorf("%s was sent what was asked", path)
		}
	}
}

func unhex(t *testing.T, text string) string {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
