package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// apiServer is llmx serve, the whole command, in a copy of the scripts' project.
type apiServer struct {
	t   *testing.T
	url string
	mu  sync.Mutex
	log bytes.Buffer
}

func (s *apiServer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *apiServer) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// serveAPI starts the command, after the files were changed, and ends it with the test.
func serveAPI(t *testing.T, change func(dir string), args ...string) *apiServer {
	t.Helper()
	session, s := newSession(t), &apiServer{t: t}
	if change != nil {
		change(session.world.Dir)
	}
	read, write := io.Pipe()
	session.world.Stdout, session.world.Stderr = write, s
	ended := make(chan int, 1)
	go func() {
		ended <- Run(context.Background(), append([]string{"serve", "--draft", "--addr", "127.0.0.1:0", "--log", "json"}, args...), session.world)
		write.Close()
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("it did not begin: exit %d\n%s", <-ended, s.logged())
	}
	s.url = strings.TrimSpace(line[strings.Index(line, "http://"):])
	t.Cleanup(func() {
		session.signals <- syscall.SIGTERM
		if code := <-ended; code != fault.ExitOK {
			t.Errorf("exit %d\n%s", code, s.logged())
		}
	})
	return s
}

// ask sends a request and gives the answer's status, header with trailers, and body.
func (s *apiServer) ask(method, path, body string) (int, http.Header, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	openapitest.Of(server.OpenAPI).Hold(s.t, openapitest.Seen(r, body, response, string(text)))
	header := response.Header.Clone()
	for name, values := range response.Trailer {
		header[name] = values
	}
	return response.StatusCode, header, string(text)
}

// A user's first hour with the API: a model, a prompt, both streaming, a contract that
// is broken, the call behind an answer, and what is wrong in between.
func TestServeAPI(t *testing.T) {
	s := serveAPI(t, func(dir string) {
		draft := filepath.Join(dir, "prompts", "triage", "draft.prompty")
		text, err := os.ReadFile(draft)
		if err != nil {
			t.Fatal(err)
		}
		quick := strings.Replace(string(text), "name: triage", "name: quick\nllmx: {stream: optimistic, allow: [model]}", 1)
		if err := os.MkdirAll(filepath.Join(dir, "prompts", "quick"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "prompts", "quick", "draft.prompty"), []byte(quick), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	var said struct {
		ID      string
		Choices []struct{ Message struct{ Content string } }
	}
	status, header, body := s.ask("POST", "/v1/chat/completions", `{"model":"right","messages":[{"role":"user","content":"I was charged twice"}],"temperature":0}`)
	if json.Unmarshal([]byte(body), &said) != nil || status != 200 || said.Choices[0].Message.Content != `{"label": "billing"}` || header.Get("X-Llmx-Attempts") != "1" {
		t.Fatalf("%d %v %s", status, header, body)
	}
	for name := range header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-") && !strings.Contains(apiHelp, "\n  "+name+" ") {
			t.Errorf("llmx help api says nothing of the header %s", name)
		}
	}
	// The call is there at once, though the store is behind.
	if status, _, body := s.ask("GET", "/v1/calls/"+said.ID, ""); status != 200 || !strings.Contains(body, "charged twice") {
		t.Errorf("%d %s", status, body)
	}
	status, header, body = s.ask("POST", "/v1/chat/completions", `{"model":"prompt:quick","prompt":{"variables":{"ticket":"I was charged twice"}},"stream":true,"stream_options":{"include_usage":true}}`)
	if status != 200 || !strings.Contains(body, "data: [DONE]") || header.Get("X-Llmx-Prompt") != "quick@draft" || header.Get("X-Llmx-Cost-Usd") == "" {
		t.Errorf("%d %v %s", status, header, body)
	}
	status, _, body = s.ask("POST", "/v1/chat/completions", `{"model":"broken","prompt":{"id":"quick","variables":{"ticket":"I was charged twice"}},"stream":true}`)
	if status != 200 || !strings.Contains(body, `"code":"contract_violation"`) || strings.Contains(body, "[DONE]") {
		t.Errorf("%d %s", status, body)
	}
	for body, want := range map[string]string{
		`{"model":"broken","prompt":{"id":"triage","variables":{"ticket":"x"}}}`: "the prompt triage says which model is asked",
		`{"model":"prompt:triag"}`:                                       `did you mean`,
		`{"model":"refused","messages":[{"role":"user","content":"x"}]}`: "this server has no key that the model's provider takes",
	} {
		status, header, text := s.ask("POST", "/v1/chat/completions", body)
		if status < 400 || !strings.Contains(text, want) || strings.Contains(text, "sk-") || header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}
