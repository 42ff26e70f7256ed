package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/timeout"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// The secrets and names of the house that no answer may have.
const (
	providerKey  = "sk-test-0123456789"
	providerName = "acme"
)

// plan is a server before it is built.
type plan struct {
	upstream string            // base URL of the provider
	models   []string          // aliases, which are the names on the wire
	routes   map[string]string // from a route's name to its models, joined by commas
	prompts  map[string]string // drafts by name
	policy   func(*route.Policy)
	limits   map[string]limit.Settings
	cached   bool
	budget   func(next llm.Model) llm.Model
	options  func(*server.Options)
}

// house is a server on loopback, over the engine as cli joins it and the real provider.
type house struct {
	t      testing.TB
	url    string
	logs   *logs
	server *server.Server

	mu    sync.Mutex
	calls map[string]*llm.Call
	kept  map[string]cache.Entry
}

func (h *house) Record(call *llm.Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[call.ID] = call
}

func (h *house) Get(_ context.Context, key string) (cache.Entry, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entry, ok := h.kept[key]
	return entry, ok
}

func (h *house) Put(key string, entry cache.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[key] = entry
}

// recorded is a call that the engine has recorded.
func (h *house) recorded(id string) *llm.Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[id]
}

func (p plan) build(t testing.TB) *house {
	h := &house{t: t, logs: &logs{}, calls: map[string]*llm.Call{}, kept: map[string]cache.Entry{}}
	provider := openai.New(openai.Options{Name: providerName, BaseURL: p.upstream, APIKey: providerKey, Now: time.Now})
	t.Cleanup(provider.Close)
	targets, policies := map[string]*route.Target{}, map[string]route.Policy{}
	var cards []server.ModelCard
	for _, alias := range p.models {
		targets[alias] = p.target(provider, alias)
		policies[alias] = p.policyOf(alias)
		cards = append(cards, server.ModelCard{Name: alias, Owner: "someone"})
	}
	for name, use := range p.routes {
		policies[name] = p.policyOf(strings.Split(use, ",")...)
		cards = append(cards, server.ModelCard{Name: name, Owner: "route"})
	}
	parts := engine.Parts{
		Prompts: p.library().source, Recorder: h, NewID: func() string { return "none" }, Now: time.Now,
		Targets: targets, Policies: policies, Jitter: func() float64 { return 1 },
	}
	if p.cached {
		parts.Cache = &cache.Options{Storage: h, TTL: time.Hour, Now: time.Now, Resolve: func(req llm.Request) (string, string, bool) {
			alias := policies[req.Model].First(req)
			return alias, alias, true
		}}
	}
	runtime := &server.Runtime{Engine: engine.New(parts), Models: cards, Prompts: p.library()}
	var ids atomic.Int64
	options := server.Options{
		Current: func() *server.Runtime { return runtime }, NewID: func() string { return fmt.Sprintf("req-%d", ids.Add(1)) }, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(h.logs, nil)), Explain: h.explain, KeepAlive: 50 * time.Millisecond,
	}
	if p.options != nil {
		p.options(&options)
	}
	h.server = server.New(options)
	listening := httptest.NewServer(h.server)
	t.Cleanup(listening.Close)
	h.url = listening.URL
	return h
}

func (p plan) policyOf(use ...string) route.Policy {
	policy := route.Policy{Use: use, Total: 10 * time.Second, Retry: route.Retry{MaxAttempts: 2, Base: time.Millisecond, Max: 5 * time.Millisecond, Budget: 10}, Timeouts: map[string]llm.Timeouts{}}
	for _, alias := range use {
		policy.Timeouts[alias] = llm.Timeouts{Connect: time.Second, FirstToken: 800 * time.Millisecond, Idle: 800 * time.Millisecond}
	}
	if p.policy != nil {
		p.policy(&policy)
	}
	return policy
}

func (p plan) target(provider *openai.Provider, alias string) *route.Target {
	settings := p.limits[alias]
	settings.Name = alias
	model := provider.Model(alias, openai.Caps{})
	if p.budget != nil {
		model = p.budget(model)
	}
	return &route.Target{
		Alias: alias, Provider: providerName, Wire: alias,
		Cost:  func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output) * 1005) },
		Model: limit.New(settings).Model(timeout.New(alias, model)),
	}
}

// explain is the store's, which is behind.
func (h *house) explain(_ context.Context, id string, _ bool) (*llm.Call, json.RawMessage, error) {
	call := h.recorded(id)
	if call == nil {
		return nil, nil, fault.New(fault.Usage, "there is no call %q", id)
	}
	var text bytes.Buffer
	err := report.CallJSON(&text, call, nil)
	return call, text.Bytes(), err
}

// library finds the drafts of a plan.
type library struct {
	*prompt.Library
	names []string
}

func (p plan) library() library {
	files := fstest.MapFS{}
	var names []string
	for name, text := range p.prompts {
		files["prompts/"+name+"/draft.prompty"] = &fstest.MapFile{Data: []byte(text)}
		names = append(names, name)
	}
	slices.Sort(names)
	return library{prompt.NewLibrary(files), names}
}

func (l library) source(ref llm.PromptRef) (*prompt.Prompt, error) { return l.Find(ref.Name, "") }

func (l library) Find(ref, _ string) (*prompt.Prompt, error) { return l.Resolve(ref, prompt.Develop) }

func (l library) List() (list []*prompt.Prompt) {
	for _, name := range l.names {
		if p, err := l.Find(name, ""); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// logs are the lines of the log.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// answer is all that came back.
type answer struct {
	status  int
	header  http.Header
	trailer http.Header
	body    string
	err     error // of reading it
}

func (h *house) send(ctx context.Context, method, path, body string, header ...string) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil {
		openapitest.Of(server.OpenAPI).Hold(h.t, openapitest.Seen(r, body, response, string(text)))
	}
	return answer{response.StatusCode, response.Header, response.Trailer, string(text), err}
}

func (h *house) post(path, body string, header ...string) answer {
	h.t.Helper()
	return h.send(h.t.Context(), http.MethodPost, path, body, header...)
}

func (h *house) chat(body string) answer {
	h.t.Helper()
	return h.post("/v1/chat/completions", body)
}

// failure is the error of an answer, whole or in a stream.
type failure struct {
	Message, Type, Code string
	Param               *string
}

func (a answer) failure(t testing.TB) failure {
	t.Helper()
	var said struct{ Error *failure }
	text := a.body
	if events := a.events(); len(events) > 0 {
		text = events[len(events)-1]
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil || said.Error == nil {
		t.Fatalf("%d: %q holds no error: %v", a.status, a.body, err)
	}
	return *said.Error
}

// events are the data of a stream.
func (a answer) events() (events []string) {
	for line := range strings.SplitSeq(a.body, "\n") {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			events = append(events, data)
		}
	}
	return events
}

// streamed is what a stream says.
type streamed struct {
	text   string
	calls  []llm.ToolCall
	finish string
	role   string
	usage  *struct {
		Total int64 `json:"total_tokens"`
	}
	done bool
}

func (a answer) stream(t testing.TB) (s streamed) {
	t.Helper()
	var pieces llm.ToolCallPieces
	for _, data := range a.events() {
		if data == "[DONE]" {
			s.done = true
			continue
		}
		var chunk struct {
			Object  string
			Choices []struct {
				Delta struct {
					Role, Content string
					Calls         []struct {
						Index    int
						ID       string
						Type     string
						Function struct{ Name, Arguments string }
					} `json:"tool_calls"`
				}
				Finish string `json:"finish_reason"`
			}
			Usage *struct {
				Total int64 `json:"total_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		for _, choice := range chunk.Choices {
			s.text += choice.Delta.Content
			s.role += choice.Delta.Role
			s.finish += choice.Finish
			for _, call := range choice.Delta.Calls {
				pieces.Add(llm.ToolCallDelta{Index: call.Index, ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments})
			}
		}
		if chunk.Usage != nil {
			s.usage = chunk.Usage
		}
	}
	s.calls = pieces.Calls()
	return s
}

// whole is an answer that came in one piece.
type whole struct {
	ID, Object, Model string
	Choices           []struct {
		Message struct {
			Role    string
			Content *string
			Calls   []struct {
				ID, Type string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		Finish string `json:"finish_reason"`
	}
	Usage struct {
		Total int64 `json:"total_tokens"`
	}
}

func (a answer) whole(t testing.TB) (w whole) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &w); err != nil || a.status != 200 || len(w.Choices) != 1 {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return w
}

// leaks are words that no caller may read.
var leaks = []string{
	providerKey, providerName, "127.0.0.1", "localhost", "goroutine", ".go:", "panic", "dial tcp", "EOF", "net/http", "context deadline",
	"context canceled", "invalid character", "json:", "llmx.yaml", ".prompty", "base_url", "/tmp", "connection re", "x509", "i/o", "<nil>", "no such host",
}

func (a answer) leaked() (found []string) {
	text := a.body + fmt.Sprint(a.header, a.trailer)
	for _, word := range leaks {
		if strings.Contains(text, word) {
			found = append(found, word)
		}
	}
	return found
}
