package engine_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/timeout"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// What llmx.yaml says where it says nothing.
const (
	attempts = 3
	connect  = 5 * time.Second
	total    = time.Minute
)

// usual is the policy of a route that says nothing but its models.
func usual(use ...string) route.Policy {
	policy := route.Policy{
		Use: use, Total: total, Timeouts: map[string]llm.Timeouts{},
		Retry:   route.Retry{MaxAttempts: attempts, Base: 500 * time.Millisecond, Max: 8 * time.Second, Budget: 0.2},
		Breaker: route.Breaker{Window: 10 * time.Second, MinCalls: 20, FailureRatio: 0.5, OpenFor: 5 * time.Second},
	}
	for _, alias := range use {
		policy.Timeouts[alias] = llm.Timeouts{Connect: connect, FirstToken: 15 * time.Second, Idle: 20 * time.Second}
	}
	return policy
}

// plan is a house before it is built.
type plan struct {
	policy   route.Policy                             // of the route "r"; usual() over the models
	contexts map[string]int                           // by alias
	limits   map[string]limit.Settings                // by alias
	at       map[string]func(*faults.Server) string   // base URL, by alias; the server's own
	price    func(alias string, u llm.Usage) llm.Cost // a nano-USD a token of output
}

// house is the engine as cli joins it, over the real provider and a faulty upstream:
// a model's alias is its name on the wire. Whatever it is asked, it holds each answer
// and its record against each other.
type house struct {
	t      testing.TB
	server *faults.Server
	engine llm.Model
	kept   *kept
	astray bool // some attempts go where the server does not see them
}

func (p plan) build(t testing.TB, s *faults.Server) *house {
	h := &house{t: t, server: s, kept: &kept{entries: map[string]cache.Entry{}}, astray: len(p.at) > 0}
	targets := map[string]*route.Target{}
	for _, alias := range p.policy.Use {
		targets[alias] = p.target(t, s, alias)
	}
	policies := map[string]route.Policy{"r": p.policy}
	h.engine = engine.New(engine.Parts{
		Recorder: h.kept, NewID: func() string { return "id" }, Now: time.Now,
		Targets: targets, Policies: policies, Jitter: func() float64 { return 1 },
		Cache: &cache.Options{
			Storage: h.kept, TTL: time.Hour, Now: time.Now,
			Resolve: func(req llm.Request) (string, string, bool) {
				alias := policies["r"].First(req)
				return alias, "acme/" + alias, true
			},
		},
	})
	return h
}

// target is a model as cli makes it: the provider, under timeouts, under limits.
func (p plan) target(t testing.TB, s *faults.Server, alias string) *route.Target {
	url := s.URL()
	if at := p.at[alias]; at != nil {
		url = at(s)
	}
	provider := openai.New(openai.Options{Name: "acme", BaseURL: url, APIKey: "sk-test", Transport: s.Transport(connect), Now: time.Now})
	t.Cleanup(provider.Close)
	settings := p.limits[alias]
	settings.Name = alias
	cost := func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output)) }
	if p.price != nil {
		cost = func(u llm.Usage) llm.Cost { return p.price(alias, u) }
	}
	return &route.Target{
		Alias: alias, Provider: "acme", Wire: alias, Context: p.contexts[alias], Cost: cost,
		Model: route.Latch(limit.New(settings).Model(timeout.New(alias, provider.Model(alias, openai.Caps{})))),
	}
}

// Stream asks the route, and then looks whether what the caller got, what is
// recorded, what is kept and what the server was asked go together.
func (h *house) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	req.Model = "r"
	return func(yield func(llm.Event, error) bool) {
		h.kept.mu.Lock()
		got := heard{begin: time.Now(), before: h.server.Count(""), keeps: len(h.kept.entries)}
		h.kept.mu.Unlock()
		for event, err := range h.engine.Stream(ctx, req) {
			got.add(event, err)
			if !yield(event, err) {
				return
			}
		}
		for _, problem := range h.problems(got) {
			h.t.Error(problem)
		}
	}
}

// heard is what a caller has heard.
type heard struct {
	begin  time.Time
	before int // attempts at the server
	keeps  int // answers that are kept
	text   strings.Builder
	end    *llm.End
	call   *llm.Call
	err    error
	after  bool // something came after the end
}

func (g *heard) add(event llm.Event, err error) {
	g.after = g.after || g.err != nil || g.end != nil && (err != nil || event.Call == nil)
	if event.Restart != nil {
		g.text.Reset()
	}
	g.text.WriteString(event.Text)
	if event.End != nil {
		g.end = event.End
	}
	if event.Call != nil {
		g.call = event.Call
	}
	if err != nil {
		g.err = err
	}
}

func (h *house) problems(g heard) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	call := g.call
	switch {
	case call == nil:
		return []string{"the caller got no record"}
	case (g.end == nil) == (g.err == nil):
		problem("the caller got the end %+v and the error %v, want one of them", g.end, g.err)
	case g.after:
		problem("something came after the end of the answer")
	}
	h.kept.mu.Lock()
	defer h.kept.mu.Unlock()
	if n := len(h.kept.calls); n == 0 || h.kept.calls[n-1] != call {
		problem("the call that the caller got is not the one that is recorded last")
	}
	if took := time.Since(g.begin); call.Total != took || call.Stored == nil && call.Queue+call.Service != took {
		problem("recorded are %v of queueing, %v of service and %v in all, it took %v", call.Queue, call.Service, call.Total, took)
	}
	if asked := h.server.Count("") - g.before; call.Attempts() != asked && !h.astray {
		problem("%d attempts are recorded, the server was asked %d times", call.Attempts(), asked)
	}
	if g.err != nil {
		return append(problems, failureProblems(call, g.err)...)
	}
	if call.Failure != nil || call.Answer != g.text.String() || call.Answered != g.end.Model {
		problem("recorded are %q by %q and failure %v, the caller got %q by %q", call.Answer, call.Answered, call.Failure, g.text.String(), g.end.Model)
	}
	last := call.Turn().Attempts[len(call.Turn().Attempts)-1]
	if last.Usage != g.end.Usage || len(call.Turn().Attempts) != 1+len(g.end.Failed) {
		problem("recorded are %+v after %d failures, the caller got %+v after %v", last.Usage, len(call.Turn().Attempts)-1, g.end.Usage, g.end.Failed)
	}
	whole := g.end.Finish == llm.FinishStop || g.end.Finish == llm.FinishToolCalls
	if may := whole && !g.end.Fallback && g.end.Skipped == 0; g.end.Stored == nil && may != (len(h.kept.entries) > g.keeps) {
		problem("kept for later: %v, want %v", !may, may)
	}
	return problems
}

func failureProblems(call *llm.Call, err error) (problems []string) {
	if call.Failure == nil || call.Failure.Class != fault.ClassOf(err) {
		problems = append(problems, fmt.Sprintf("the failure %v is recorded, the caller got %v", call.Failure, err))
	}
	if n := len(call.Turn().Attempts); n > 1 && !strings.Contains(err.Error(), "; tried ") && !strings.Contains(err.Error(), fmt.Sprintf("; %d attempts", n)) {
		problems = append(problems, fmt.Sprintf("%q does not say that %d attempts were made", err, n))
	}
	if strings.Contains(err.Error(), "sk-test") {
		problems = append(problems, fmt.Sprintf("%q tells the key", err))
	}
	return problems
}
