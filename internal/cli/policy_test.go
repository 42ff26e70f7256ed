package cli

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// openWith opens a project of one file.
func openWith(t *testing.T, config string) *project {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	w := &World{Stdout: io.Discard, Stderr: io.Discard, Dir: dir, Now: time.Now, LookupEnv: func(string) (string, bool) { return "", false }}
	p, err := openProject(w)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const routed = `
version: 1
project: x
providers: {up: {kind: openai, base_url: "http://127.0.0.1:1"}}
models:
  small: {provider: up, context: 8000, limits: {tpm: 1000}}
  again: {provider: up, model: small, limits: {tpm: 500, rpm: 9}}
  warm:  {provider: up, model: small, caps: {temperature: false}}
  think: {provider: up, price: {input: 1, output: 1}, caps: {reasoning: true}}
routes:
  r:
    use: [think, small]
    weights: {small: 1, think: 2}
    sticky: user
    restart: true
    rules: [{when: {prompts: [p], tags: [x], tokens: {min: 1, max: 2}, characters: {min: 3, max: 4}}, use: [again]}]
    retry: {max_attempts: 4, base: 1s, max: 2s, budget: 0.3}
    timeout: {idle: 7s}
    breaker: {window: 1s, min_calls: 2, failure_ratio: 0.3, open_for: 4s}
`

// What a route says is what the engine does; what it does not say is in force by default,
// for each model what that one needs.
func TestARouteReachesTheEngine(t *testing.T) {
	p := openWith(t, routed)
	found, err := p.lookup("r", fault.Place{})
	if err != nil {
		t.Fatal(err)
	}
	plain := llm.Timeouts{Connect: 5 * time.Second, FirstToken: 15 * time.Second, Idle: 7 * time.Second}
	thinks := plain
	thinks.FirstToken = 120 * time.Second
	want := route.Policy{
		Use: []string{"think", "small"}, Weights: []float64{2, 1}, Sticky: "user", Restart: true,
		Rules: []route.Rule{{
			Prompts: []string{"p"}, Tags: []string{"x"}, Tokens: route.Range{Min: 1, Max: 2}, Input: route.Range{Min: 3, Max: 4}, Use: []string{"again"},
		}},
		Retry:    route.Retry{MaxAttempts: 4, Base: time.Second, Max: 2 * time.Second, Budget: 0.3},
		Breaker:  route.Breaker{Window: time.Second, MinCalls: 2, FailureRatio: 0.3, OpenFor: 4 * time.Second},
		Timeouts: map[string]llm.Timeouts{"small": plain, "again": plain, "think": thinks},
		Total:    180 * time.Second, // as long as the slowest may need, whoever is asked last
	}
	if diff := cmp.Diff(want, p.policy(found)); diff != "" {
		t.Error(diff)
	}
}

// A model reaches the engine with its context and its limits, and what changes its
// answers is in the name that its answers are kept under.
func TestAModelReachesTheEngine(t *testing.T) {
	p := openWith(t, routed)
	s := newServers(p, 1)
	defer s.close()
	book, err := p.openBook(nil, nil, &alerts{})
	if err != nil {
		t.Fatal(err)
	}
	target, err := s.target("small", func(_ string, next llm.Model) llm.Model { return next }, book)
	if err != nil || target.Context != 8000 || target.Provider != "up" || target.Wire != "small" {
		t.Errorf("%+v, %v", target, err)
	}
	if p.cacheName("small", true) != p.cacheName("again", true) || p.cacheName("small", true) == p.cacheName("warm", true) || p.cacheName("small", true) == p.cacheName("think", true) {
		t.Error("answers are kept under the wrong names")
	}
	if s.limiter("small") != s.limiter("again") || s.limiter("small") == s.limiter("think") {
		t.Error("limits are shared by who stands for the same model, and by nobody else")
	}
	if got, want := p.limits("again"), (limit.Settings{Name: "up/small", RPM: 9, TPM: 500}); got != want {
		t.Errorf("limits %+v, want %+v", got, want)
	}
}

// --max-cost needs the price of every model that a route may ask, those of its rules too.
func TestMaxCostNeedsThePricesOfRules(t *testing.T) {
	bound := llm.Money(1)
	p := openWith(t, `
version: 1
providers: {up: {kind: openai, base_url: "http://127.0.0.1:1"}}
models: {known: {provider: up, price: {input: 1, output: 1}}, unknown: {provider: up}}
routes: {r: {use: [known], rules: [{when: {tags: [x]}, use: [unknown]}]}}
`)
	if err := p.priced(&bound, []string{"r"}); fault.ClassOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	if err := p.priced(&bound, []string{"known"}); err != nil {
		t.Error(err)
	}
}
