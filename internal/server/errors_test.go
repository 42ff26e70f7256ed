package server_test

import (
	"bufio"
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
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/server"
)

// over is a server over a model of the test's own.
func over(t testing.TB, model llm.Model, change func(*server.Options)) *house {
	h := &house{t: t, logs: &logs{}, calls: map[string]*llm.Call{}}
	runtime := &server.Runtime{Engine: model, Models: []server.ModelCard{{Name: "small", Owner: "someone"}}, Prompts: plan{}.library()}
	o := server.Options{
		Current: func() *server.Runtime { return runtime }, NewID: func() string { return "req-1" }, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(h.logs, nil)), Explain: h.explain,
	}
	if change != nil {
		change(&o)
	}
	h.server = server.New(o)
	listening := httptest.NewServer(h.server)
	t.Cleanup(listening.Close)
	h.url = listening.URL
	return h
}

// fails is a model that fails, after it has said something or not.
func fails(said string, err error) llm.Model {
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			if said == "" || yield(llm.Event{Text: said}, nil) {
				yield(llm.Event{}, err)
			}
		}
	})
}

const hello = `{"model":"small","messages":[{"role":"user","content":"hi"}]}`
const helloStream = `{"model":"small","messages":[{"role":"user","content":"hi"}],"stream":true}`

// The table of the classes: status, type and code, whole and within a stream. What a
// class says of addresses, files and providers never reaches a caller.
func TestTheTableOfTheClasses(t *testing.T) {
	const secret = `provider "acme" at http://127.0.0.1:11434/v1 says sk-test-0123456789: dial tcp: i/o timeout at /tmp/x.go:12`
	for class, want := range map[fault.Class]string{
		fault.Missing: "503 server_error missing_reply", fault.Store: "503 server_error store",
		fault.RateLimited: "429 rate_limit_error rate_limit_exceeded", fault.Overloaded: "503 server_error overloaded",
		fault.ServerError: "502 server_error server_error", fault.Network: "502 server_error network", fault.Malformed: "502 server_error malformed",
		fault.TimeoutConnect: "504 server_error timeout_connect", fault.TimeoutFirstToken: "504 server_error timeout_first_token",
		fault.TimeoutIdle: "504 server_error timeout_idle", fault.TimeoutTotal: "504 server_error timeout_total",
		fault.Budget: "429 insufficient_quota insufficient_quota", fault.BreakerOpen: "503 server_error breaker_open",
		fault.Auth: "502 server_error auth", fault.NotFound: "502 server_error not_found", fault.BadRequest: "400 invalid_request_error bad_request",
		fault.QuotaExhausted: "503 server_error quota_exhausted", fault.Cut: "502 server_error cut",
		fault.ContextLength: "400 invalid_request_error context_length_exceeded", fault.ContentFilter: "422 invalid_request_error content_filter",
		fault.Invalid: "500 server_error internal_error", fault.Internal: "500 server_error internal_error", fault.Drifted: "500 server_error internal_error",
		fault.Empty: "500 server_error internal_error", fault.NoMatch: "500 server_error internal_error", fault.Gate: "500 server_error internal_error",
		fault.Unjudged: "500 server_error internal_error", fault.Judge: "500 server_error internal_error",
	} {
		e := fault.New(class, "%s", secret).WithHint("edit /srv/app/llmx.yaml")
		e.Said = secret
		for said, body := range map[string]string{"": hello, "half": helloStream} {
			a := over(t, fails(said, e), nil).chat(body)
			f := a.failure(t)
			got := fmt.Sprintf("%d %s %s", a.status, f.Type, f.Code)
			if said != "" {
				got = want[:4] + f.Type + " " + f.Code
			}
			if got != want || a.leaked() != nil || said != "" && (a.status != 200 || strings.Contains(a.body, "[DONE]")) {
				t.Errorf("%s (%q): %s, want %s: %s leaks %q", class, said, got, want, a.body, a.leaked())
			}
		}
	}
}

// What is the caller's own to know is told: what it asked wrong, and what its answer breaks.
func TestWhatIsToldOfAFailure(t *testing.T) {
	refused := func(words string) error {
		e := fault.New(fault.BadRequest, "provider \"acme\" answered 400: %s", words)
		e.Said, e.Status = words, 400
		return e
	}
	for want, err := range map[string]error{
		`the answer breaks its contract: missing required property "label"`:             fault.New(fault.Contract, "missing required property \"label\""),
		"this server has no key that the model's provider takes":                        fault.New(fault.Auth, "the environment variable OPENAI_API_KEY is not set"),
		"the budget is spent, or what is left of it is less than this request may cost": fault.New(fault.Budget, "this request may cost $2, and the budget is $1"),
		"the answer stopped at the token limit":                                         fault.New(fault.Length, "the answer stopped at the token limit").WithHint("x"),
		"the model's provider refuses the request: temperature must be at most 2":       refused("temperature must be at most 2"),
		"the model's provider refuses the request: 'top_k' is not permitted for o4.":    refused("'top_k' is not permitted for o4."),
		"the model's provider refuses the request":                                      refused("Traceback: File /usr/lib/vllm.py"),
		"the server failed": fmt.Errorf("open /etc/secret: no"),
		"a content filter of the model's provider withheld the answer, or refused the request": fault.New(fault.ContentFilter, "provider \"acme\" says no"),
	} {
		if f := over(t, fails("", err), nil).chat(hello).failure(t); f.Message != want {
			t.Errorf("told %q, want %q", f.Message, want)
		}
	}
	for _, words := range []string{"at 10.0.0.7:8000", "see vllm.internal.corp", "key sk-abc", "<html>", "C:\\x", "a\nb", strings.Repeat("x", 500), "org@corp"} {
		if f := over(t, fails("", refused(words)), nil).chat(hello).failure(t); f.Message != "the model's provider refuses the request" {
			t.Errorf("told %q", f.Message)
		}
	}
}

// A bug of ours is an answer like every failure, and the process lives.
func TestAPanicIsAnAnswer(t *testing.T) {
	h := over(t, llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] { panic("secret thing at server.go:1") }), nil)
	for path, body := range map[string]string{"/v1/chat/completions": hello, "/v1/chat/completions?": helloStream, "/v1/embeddings": `{"model":"small","input":["a","b"]}`} {
		a := h.post(path, body)
		if f := a.failure(t); a.status != 500 || f.Message != "the server failed" || a.header.Get("X-Request-Id") == "" || a.leaked() != nil {
			t.Errorf("%d %s %q", a.status, a.body, a.leaked())
		}
	}
	if log := h.logs.String(); !strings.Contains(log, "secret thing") || !strings.Contains(log, `"status":500`) {
		t.Errorf("the log says %s", log)
	}
}

// An answer that had begun and is asked for again ends in an error: what was sent cannot
// be taken back. One of which nothing was sent goes on.
func TestARestart(t *testing.T) {
	restarts := func(said string) llm.Model {
		return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
			return func(yield func(llm.Event, error) bool) {
				_ = (said == "" || yield(llm.Event{Text: said}, nil)) && yield(llm.Event{Restart: &llm.Restart{Model: "b"}}, nil) &&
					yield(llm.Event{Text: "anew"}, nil) && yield(llm.Event{End: &llm.End{Finish: llm.FinishStop}}, nil)
			}
		})
	}
	a := over(t, restarts("half"), nil).chat(helloStream)
	if f := a.failure(t); f.Code != "cut" || strings.Contains(a.body, "anew") || strings.Contains(a.body, "[DONE]") {
		t.Errorf("%s", a.body)
	}
	if s := over(t, restarts(""), nil).chat(helloStream).stream(t); s.text != "anew" || !s.done {
		t.Errorf("%+v", s)
	}
}

// What is no request of an endpoint is told by its status, with a name to ask after.
func TestWhatIsNotServed(t *testing.T) {
	h := over(t, fails("", fault.New(fault.Internal, "never")), func(o *server.Options) { o.MaxBody = 1 << 10 })
	for _, test := range []struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		{"GET", "/", "", nil, 404, "unknown_url"},
		{"GET", "/v1/nothing", "", nil, 404, "unknown_url"},
		{"POST", "//v1/chat/completions", hello, nil, 404, "unknown_url"},
		{"GET", "/v1/../v1/models", "", nil, 404, "unknown_url"},
		{"GET", "/v1/chat/completions", "", nil, 405, "method_not_allowed"},
		{"DELETE", "/v1/models", "", nil, 405, "method_not_allowed"},
		{"OPTIONS", "/v1/prompts/x", "", nil, 405, "method_not_allowed"},
		{"POST", "/v1/chat/completions", hello, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type"},
		{"POST", "/v1/chat/completions", hello, []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.test"}, 403, "origin_not_allowed"},
		{"POST", "/v1/chat/completions", strings.Repeat("x", 2<<10), nil, 413, "body_too_large"},
		{"POST", "/v1/calls/req-9/feedback", `{"score":1}`, nil, 501, "feedback_not_kept"},
		{"GET", "/v1/calls/req-9", "", nil, 404, "call_not_found"},
		{"GET", "/v1/models/none", "", nil, 404, "model_not_found"},
		{"POST", "/v1/prompts/none", `{}`, nil, 404, "prompt_not_found"},
	} {
		a := h.send(t.Context(), test.method, test.path, test.body, append(test.header, "X-Client-Request-Id", "mine-1")...)
		f := a.failure(t)
		if a.status != test.status || f.Code != test.code || a.header.Get("X-Request-Id") != "req-1" || a.header.Get("X-Client-Request-Id") != "mine-1" || a.leaked() != nil {
			t.Errorf("%s %s: %d %s %v", test.method, test.path, a.status, a.body, a.header)
		}
		if allow := a.header.Get("Allow"); (allow != "") != (test.status == 405) {
			t.Errorf("%s %s: Allow is %q", test.method, test.path, allow)
		}
	}
	if a := h.send(t.Context(), "PUT", "/v1/models", ""); a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow is %q", a.header.Get("Allow"))
	}
	// What programs call a form is taken: curl -d says so of every body.
	if a := h.post("/v1/chat/completions", hello, "Content-Type", "application/x-www-form-urlencoded"); a.status != 500 {
		t.Errorf("%d %s", a.status, a.body)
	}
	// A name that no log should have is not kept.
	if a := h.send(t.Context(), "GET", "/v1/models", "", "X-Request-Id", strings.Repeat("x", 200)); a.header.Get("X-Client-Request-Id") != "" {
		t.Errorf("%v", a.header)
	}
}

// serve listens with the bounds of a server, which httptest's has not.
func (h *house) serve(t *testing.T, b server.Bounds) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(ctx, listener, h.server, b, slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// A body that does not come in time is a 408.
func TestABodyThatDoesNotCome(t *testing.T) {
	h := over(t, fails("", fault.New(fault.Internal, "never")), nil)
	conn, err := net.Dial("tcp", h.serve(t, server.Bounds{Header: 50 * time.Millisecond, Body: 50 * time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"model\":")
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != 408 || !response.Close || !json.Valid(text) || !strings.Contains(string(text), `"request_timeout"`) {
		t.Errorf("%d %v %s", response.StatusCode, response.Header, text)
	}
}

// The bound of reading a request is none of its answer.
func TestALongAnswerOutlivesTheBoundOfTheBody(t *testing.T) {
	up := says(t, upstream.Reply{Text: "at last", Delay: 300 * time.Millisecond})
	h := plan{upstream: up.URL(), models: []string{"small"}}.build(t)
	h.url = "http://" + h.serve(t, server.Bounds{Header: 50 * time.Millisecond, Body: 50 * time.Millisecond})
	if w := h.chat(hello).whole(t); *w.Choices[0].Message.Content != "at last" {
		t.Errorf("%+v", w)
	}
	if s := h.chat(helloStream).stream(t); s.text != "at last" || !s.done {
		t.Errorf("%+v", s)
	}
}
