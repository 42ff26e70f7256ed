package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// unwell are models by what goes wrong with them, and how that reads.
var unwell = map[string]string{
	"503": "2 × overloaded", "500": "2 × server_error", "429": "2 × rate_limited", "reset": "2 × network", "html": "2 × malformed", "gzip": "2 × malformed",
	"cut": "2 × cut", "no-end": "2 × cut", "broken": "2 × malformed", "endless-line": "2 × malformed", "quota": "quota_exhausted",
	"silent": "timeout_first_token", "slow-headers-20s": "timeout_first_token", "comments-20ms": "timeout_first_token", "stall-3": "timeout_idle",
	"429-after-9s": "rate_limited", // longer than any pause
}

// newUnwell is the scripts' project with a route over each of these models and one
// that answers, "r-…", and one over it alone, "dead-…", with times that are short.
func newUnwell(t *testing.T) (*session, *faults.Server) {
	t.Helper()
	server := faults.New(t)
	server.Set("right", func(x *faults.Exchange) {
		text := fmt.Sprintf(`{"label": %q}`, labelOf(x.Messages[len(x.Messages)-1].Content))
		faults.Says(upstream.Reply{Text: text, Usage: &upstream.Usage{Prompt: 40, Completion: 5}})(x)
	})
	s := newSessionAt(t, server.URL())
	config := "version: 1\nproject: shop\nproviders:\n  up: {kind: openai, base_url: \"${env:UPSTREAM}\", api_key: \"${env:SHOP_KEY}\"}\n" +
		"models:\n  right: {provider: up}\n"
	routes := "routes:\n"
	for model := range unwell {
		config += fmt.Sprintf("  m-%s: {provider: up, model: %q}\n", model, model)
		const times = "retry: {base: 1ms, max: 10ms}, timeout: {first_token: 300ms, idle: 300ms, total: 20s}"
		routes += fmt.Sprintf("  r-%s: {use: [m-%s, right], %s}\n  dead-%s: {use: [m-%s], %s}\n", model, model, times, model, model, times)
	}
	if err := os.WriteFile(filepath.Join(s.world.Dir, "llmx.yaml"), []byte(config+"test: {jobs: 1}\n"+routes), 0o644); err != nil {
		t.Fatal(err)
	}
	return s, server
}

// Whatever is wrong with the first model of a route, ask is answered by the second,
// and says what came before.
func TestAskOverAModelThatIsUnwell(t *testing.T) {
	s, server := newUnwell(t)
	for model, class := range unwell {
		code := s.run("ask", "triage", "-v", "ticket=I was charged twice for "+model, "--model", "r-"+model)
		told := fmt.Sprintf("before: m-%s (%s)", model, class)
		if code != 0 || s.stdout.String() != "{\"label\": \"billing\"}\n" || !strings.Contains(s.stderr.String(), told) {
			t.Errorf("exit code %d, stdout %q, stderr %q, want %q in it", code, &s.stdout, &s.stderr, told)
		}
	}
	if n := server.Count("right"); n != len(unwell) {
		t.Errorf("the model that answers was asked %d times", n)
	}
}

// A run over such a route judges all its cases.
func TestTestOverAModelThatIsUnwell(t *testing.T) {
	s, _ := newUnwell(t)
	for _, model := range []string{"reset", "silent", "stall-3", "cut"} {
		code := s.run("test", "--live", "--model", "r-"+model)
		if out := s.stdout.String(); code != 0 || !strings.HasPrefix(out, "PASS") || !strings.Contains(out, "\n3 planned = 3 judged + 0 errors + 0 unjudged\n") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", model, code, out, &s.stderr)
		}
	}
}

// Where nobody answers there is no verdict, and the error says who was tried.
func TestNobodyAnswers(t *testing.T) {
	s, server := newUnwell(t)
	for model, said := range map[string]string{
		"reset": "; 3 attempts", "503": "answered 503: the engine is overloaded; 3 attempts", "silent": "nothing came from m-silent within 300ms", "quota": "no credit left",
	} {
		if code := s.run("ask", "triage", "-v", "ticket=hi", "--model", "dead-"+model); code != 4 || s.stdout.Len() > 0 || !strings.Contains(s.stderr.String(), said) {
			t.Errorf("ask: exit code %d, stdout %q, stderr %q, want %q in it", code, &s.stdout, &s.stderr, said)
		}
		if code := s.run("test", "--live", "--model", "dead-"+model); code != 4 || !strings.Contains(s.stdout.String(), "\n3 planned = 0 judged + 3 errors + 0 unjudged\n") {
			t.Errorf("test: exit code %d, stdout %q, stderr %q", code, &s.stdout, &s.stderr)
		}
		if wire := server.Count(model); said == "; 3 attempts" && wire != 3+3*3 || model == "quota" && wire != 1+1 {
			t.Errorf("%s was asked %d times", model, wire)
		}
	}
	two := "  two: {use: [m-503, m-reset], retry: {base: 1ms, max: 1ms}}\n"
	file := filepath.Join(s.world.Dir, "llmx.yaml")
	config, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(config, two...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	const tried = "tried m-503 (2 × overloaded), m-reset (network)"
	if code := s.run("ask", "triage", "-v", "ticket=hi", "--model", "two"); code != 4 || !strings.Contains(s.stderr.String(), tried) {
		t.Errorf("ask: exit code %d, stderr %q, want %q in it", code, &s.stderr, tried)
	}
	id := regexp.MustCompile(`llmx explain (\S+)`).FindStringSubmatch(s.stderr.String())
	if code := s.run("explain", id[1]); code != 0 || strings.Count(s.stdout.String(), "overloaded") < 2 || !strings.Contains(s.stdout.String(), "network") {
		t.Errorf("explain: exit code %d, stdout %q", code, &s.stdout)
	}
	unwrapped := func() string { return strings.Join(strings.Fields(s.stdout.String()), " ") }
	if code := s.run("test", "--live", "--model", "two"); code != 4 || !strings.Contains(unwrapped(), tried) {
		t.Errorf("test: exit code %d, stdout %q, want %q in it", code, &s.stdout, tried)
	}
}

// Ctrl-C ends at once: ask by the first, a run of cases by the first in the pause
// before a retry, and by the second while a model is being asked.
func TestInterruptWhileItWaits(t *testing.T) {
	s, server := newUnwell(t)
	for i, model := range []string{"dead-429-after-9s", "dead-silent"} {
		for _, test := range []struct {
			args    []string
			signals int
		}{
			{[]string{"ask", "triage", "-v", "ticket=hi"}, 1}, {[]string{"test", "--live"}, 1 + i},
		} {
			wire := strings.TrimPrefix(model, "dead-")
			before := server.Count(wire)
			var pressed time.Time
			done := make(chan struct{})
			go func() {
				defer close(done)
				if i == 0 {
					server.WaitDone(wire, before+1)
				} else {
					server.WaitFor(wire, before+1)
				}
				pressed = time.Now()
				for range test.signals {
					s.signals <- os.Interrupt
				}
			}()
			code := s.run(append(test.args, "--model", model)...)
			<-done
			if took := time.Since(pressed); code != 130 || took > 250*time.Millisecond {
				t.Errorf("%s of %s: exit code %d, %v after Ctrl-C; stderr %q", test.args[0], model, code, took, &s.stderr)
			}
		}
	}
}
