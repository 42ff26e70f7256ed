package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// guarded is a server on loopback with one model, "echo", and no prompts.
type guarded struct {
	address string
	ring    *Keyring
	log     *logged
	asked   atomic.Int64
	engine  llm.Model // in place of the echo; set before the first request
}

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type noPrompts struct{}

func (noPrompts) Find(ref, _ string) (*prompt.Prompt, error) {
	return nil, fault.New(fault.Usage, "there is no prompt %q", ref)
}
func (noPrompts) List() []*prompt.Prompt { return nil }

// guard starts a server, which ends with the test.
func guard(t testing.TB, o Options, b Bounds) *guarded {
	t.Helper()
	g := &guarded{ring: emptyRing(), log: &logged{}}
	var ids atomic.Int64
	runtime := &Runtime{
		Engine: llm.ModelFunc(g.stream), Models: []ModelCard{{"echo", "test"}, {"other", "test"}}, Prompts: noPrompts{},
	}
	o.Current, o.Now, o.Keys = func() *Runtime { return runtime }, time.Now, g.ring
	o.NewID = func() string { return fmt.Sprint("call-", ids.Add(1)) }
	o.Explain = func(_ context.Context, id string, _ bool) (*llm.Call, json.RawMessage, error) {
		return nil, nil, fault.New(fault.Usage, "there is no call %q", id)
	}
	o.Log = slog.New(slog.NewTextHandler(g.log, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.address = listener.Addr().String()
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, New(o), b, o.Log, make(chan struct{})) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return g
}

// stream answers with the text that it was asked, and one token each.
func (g *guarded) stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	g.asked.Add(1)
	if g.engine != nil {
		return g.engine.Stream(ctx, req)
	}
	return func(yield func(llm.Event, error) bool) {
		text := ""
		for _, m := range req.Messages {
			text += m.Text()
		}
		if req.Output.Kind == llm.OutputEmbedding {
			text = "AACAPw==" // [1]
		}
		usage := llm.Usage{Input: 7, Output: 3}
		call := &llm.Call{ID: req.ID, Model: req.Model, Turns: []llm.Turn{{Attempts: []llm.Attempt{{Model: req.Model, Usage: usage}}}}}
		_ = yield(llm.Event{Text: text}, nil) && yield(llm.Event{End: &llm.End{Finish: llm.FinishStop, Usage: usage}}, nil) && yield(llm.Event{Call: call}, nil)
	}
}

// addKey makes a key that opens what the caller may, and gives its text.
func (g *guarded) addKey(caller Caller, bounds KeyBounds) (text string) {
	text = NewKeyText()
	g.ring.Set([]Key{{Hash: HashKey(text), Caller: caller, Bounds: bounds}})
	return text
}

const askEcho = `{"model": "echo", "messages": [{"role": "user", "content": "hi"}]}`

// do sends one request; headers are given as name, value, ….
func (g *guarded) do(t testing.TB, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	openapitest.Of(OpenAPI).Hold(t, openapitest.Seen(req, body, response, string(text)))
	return response, string(text)
}

func (g *guarded) ask(t testing.TB, key string) (*http.Response, string) {
	t.Helper()
	return g.do(t, http.MethodPost, "/v1/chat/completions", askEcho, "Authorization", "Bearer "+key)
}

// wantError wants a status and OpenAI's body with a code.
func wantError(t *testing.T, response *http.Response, body string, status int, code string) {
	t.Helper()
	var got errorBody
	if err := json.Unmarshal([]byte(body), &got); err != nil || response.StatusCode != status || got.Error.Code != code {
		t.Errorf("got %d %s, want %d %s", response.StatusCode, body, status, code)
	}
	if response.Header.Get("X-Request-Id") == "" {
		t.Error("no x-request-id")
	}
}

// emptyRing is a keyring that was read, and has no keys.
func emptyRing() *Keyring {
	ring := NewKeyring(time.Now)
	ring.Set(nil)
	return ring
}

// Until it is known which keys there are, nobody is let in, with a key or without.
func TestNobodyIsLetInWhileTheKeysAreNotKnown(t *testing.T) {
	ring := NewKeyring(time.Now)
	s := New(Options{Keys: ring})
	r := httptest.NewRequest(http.MethodGet, "/v1/models", nil)
	r.RemoteAddr, r.Host = "127.0.0.1:5", "localhost"
	for _, key := range []string{"", "Bearer llmx_x"} {
		r.Header.Set("Authorization", key)
		if _, err := s.callerOf(r); err == nil || err.(*refusal).status != http.StatusServiceUnavailable {
			t.Errorf("with %q: %v", key, err)
		}
	}
	ring.Set(nil)
	r.Header.Del("Authorization")
	if _, err := s.callerOf(r); err != nil {
		t.Errorf("once it is known that there are none: %v", err)
	}
}
