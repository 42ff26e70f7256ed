package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// replica is llmx serve as a process of its own.
type replica struct {
	t       *testing.T
	process *exec.Cmd
	url     string
	log     *logBuffer
	ended   chan error
}

// logBuffer is what a process says, to be read while it runs. The first line of standard
// output has the address.
type logBuffer struct {
	mu    sync.Mutex
	text  bytes.Buffer
	first chan string
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	if _, after, ok := strings.Cut(b.text.String(), "llmx serves on "); ok && b.first != nil {
		if line, _, whole := strings.Cut(after, "\n"); whole {
			b.first <- line
			b.first = nil
		}
	}
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.text.String()
	return text[max(0, len(text)-20_000):]
}

// serve starts llmx serve on a free port, and waits until it says where.
func (s *site) serve(t *testing.T, args ...string) *replica {
	t.Helper()
	return s.serveBy(t, os.Args[0], append([]string{"--addr", "127.0.0.1:0"}, args...)...)
}

// serveBy starts it from a file: a built llmx, or this test.
func (s *site) serveBy(t *testing.T, binary string, args ...string) *replica {
	t.Helper()
	first := make(chan string, 1)
	r := &replica{t: t, log: &logBuffer{first: first}, ended: make(chan error, 1)}
	args = append([]string{"serve"}, args...)
	r.process = exec.Command(binary, args...)
	if binary == os.Args[0] {
		r.process = exec.Command(binary)
	}
	r.process.Dir = s.dir
	r.process.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "LLMX_TEST_SECRET=k")
	if binary == os.Args[0] {
		r.process.Env = append(r.process.Env, commandVariable+"="+strings.Join(args, " "))
	}
	r.process.Stdout, r.process.Stderr = r.log, r.log
	if err := r.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.process.Wait() }()
	t.Cleanup(func() {
		_ = r.process.Process.Kill() // one that has ended cannot be killed
		<-r.ended
	})
	select {
	case r.url = <-first:
	case err := <-r.ended:
		r.ended <- err
		t.Fatalf("llmx serve ended: %v\n%s", err, r.log)
	case <-time.After(30 * time.Second):
		t.Fatalf("llmx serve says nothing\n%s", r.log)
	}
	return r
}

func (r *replica) signal(s os.Signal) {
	r.t.Helper()
	if err := r.process.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// exits waits for the end of the process, and wants a code.
func (r *replica) exits(want int) {
	r.t.Helper()
	select {
	case err := <-r.ended:
		r.ended <- err
		if code := r.process.ProcessState.ExitCode(); code != want {
			r.t.Errorf("exit code %d, want %d\n%s", code, want, r.log)
		}
	case <-time.After(30 * time.Second):
		r.t.Fatalf("llmx serve does not end\n%s", r.log)
	}
}

// says waits until the log has a text.
func (r *replica) says(text string) {
	r.t.Helper()
	r.until(fmt.Sprintf("the log says %q", text), func() bool { return strings.Contains(r.log.String(), text) })
}

func (r *replica) until(what string, done func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited 20 s in vain until %s\n%s", what, r.log)
		}
	}
}

// send sends one request, on a connection of its own, and gives status and body.
func (r *replica) send(method, path, body string, headers ...string) (int, http.Header, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Close = true
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatalf("%v\n%s", err, r.log)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	openapitest.Of(server.OpenAPI).Hold(r.t, openapitest.Seen(req, body, resp, string(text)))
	return resp.StatusCode, resp.Header, string(text)
}

// version asks a prompt, and gives the version that answered.
func (r *replica) version(ref, user string) string {
	r.t.Helper()
	name, version, _ := strings.Cut(ref, "@")
	status, header, body := r.send("POST", "/v1/prompts/"+name, fmt.Sprintf(`{"version": %q, "user": %q, "variables": {"ticket": "I was charged twice"}}`, version, user))
	if status != http.StatusOK {
		return fmt.Sprintf("%d %s", status, body)
	}
	return strings.TrimPrefix(header.Get("X-Llmx-Prompt"), name+"@")
}

type readyBody struct {
	Status   string
	Reasons  []struct{ Code string }
	Warnings []struct{ Code, Message, At string }
	// Overrides are the labels that were set on the server.
	Overrides []struct {
		Prompt, Label, Version, Because, By string
		Until                               time.Time
	}
}

func (r *replica) ready(headers ...string) (int, readyBody) {
	r.t.Helper()
	status, _, text := r.send("GET", "/readyz", "", headers...)
	var body readyBody
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		r.t.Fatalf("%v: %s", err, text)
	}
	return status, body
}

func (b readyBody) warns(code string) bool {
	for _, w := range b.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

// released is a project whose prompt triage has the releases 0.1.0, 0.2.0 and 0.3.0;
// production is 0.1.0.
func released(t *testing.T, labels string) *tickets {
	t.Helper()
	s := newTickets(t, "")
	s.settings("serve: {reload: 100ms, lame_duck: 200ms}\n")
	for _, tone := range []string{"Be brief.", "Be kind.", "Be right."} {
		s.write("prompts/triage/draft.prompty", strings.NewReplacer("system:\n", "system:\n"+tone+"\n", "inputs:", "model: {id: small}\ninputs:").Replace(ticketPrompt))
		s.mustRun(0, "prompt", "release", "triage", "--minor")
	}
	s.write("prompts/triage/labels.yaml", labels)
	return s
}

func (r *replica) stop() {
	r.t.Helper()
	r.signal(os.Interrupt)
	r.exits(0)
}
