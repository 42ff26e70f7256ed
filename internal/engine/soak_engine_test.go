//go:build soak

package engine_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/timeout"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// soak is an engine with everything on, over real connections.
type soak struct {
	t         *testing.T
	server    *faults.Server
	transport *http.Transport
	engine    llm.Model
	book      *budget.Book
	parts     int // played so far: each has prompts of its own

	mu      sync.Mutex
	counts  counts
	classes map[string]int // attempts, by model and class
}

func newSoak(t *testing.T) *soak {
	s := &soak{t: t, server: faults.New(t), counts: counts{}, classes: map[string]int{}}
	kinds := append(faults.Kinds(soakSlow), // what is slow is silent as well
		faults.SlowFirstToken(3*soakSilence), faults.SlowHeaders(3*soakSilence), faults.After(3*soakSilence, faults.OK()))
	for i, alias := range []string{"living", "living@b"} {
		s.server.Set(alias, faults.Random(uint64(i), faultRate, faults.OK(), kinds...))
	}
	s.transport = s.server.Transport(soakSilence)
	s.book = budget.Open(budget.Options{
		Budgets: []budget.Budget{{Scope: budget.ScopeProject, Per: budget.PerDay, Limit: 1000 * llm.USD}},
		Ledger:  &ledger{}, Owner: "soak", Now: time.Now,
	})
	policies := map[string]route.Policy{deadAndAlone: soakPolicy("dead", "living")}
	for suffix, use := range map[string][]string{"": {"dead", "living", "living@b"}, mirrored: {"dead", "living@b", "living"}} {
		policy := soakPolicy(use...)
		policies[ofTwoModels+suffix] = policy
		policy.Restart = true
		policies[withRestart+suffix] = policy
	}
	targets := map[string]*route.Target{}
	for _, alias := range policies[ofTwoModels].Use {
		targets[alias] = s.target(alias)
	}
	var ids atomic.Int64
	s.engine = engine.New(engine.Parts{
		Recorder: s, NewID: func() string { return fmt.Sprint(ids.Add(1)) }, Now: time.Now,
		Targets: targets, Policies: policies,
		Cache: &cache.Options{
			Storage: nowhere{}, TTL: time.Hour, Now: time.Now, MemoryBytes: 1 << 20,
			Resolve: func(req llm.Request) (string, string, bool) { return "dead", "acme/dead", true },
		},
	})
	return s
}

func soakPolicy(use ...string) route.Policy {
	policy := usual(use...)
	policy.Total = 20 * time.Second
	policy.Retry.Base, policy.Retry.Max = time.Millisecond, 4*soakSlow
	policy.Breaker.Window, policy.Breaker.OpenFor = 2*time.Second, 200*time.Millisecond
	for alias := range policy.Timeouts {
		policy.Timeouts[alias] = llm.Timeouts{Connect: soakSilence, FirstToken: soakSilence, Idle: soakSilence}
	}
	return policy
}

func (s *soak) target(alias string) *route.Target {
	provider := openai.New(openai.Options{Name: "acme", BaseURL: s.server.URL(), APIKey: "sk-test", Transport: s.transport, Now: time.Now})
	limits := limit.Settings{Name: alias, RPM: 60_000_000, TPM: 2_000_000_000, Concurrency: soakCallers}
	cost := func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Input + 4*u.Output)) }
	return &route.Target{
		Alias: alias, Provider: "acme", Wire: alias, Cost: cost,
		Model: s.book.Model(alias, cost, limit.New(limits).Model(timeout.New(alias, provider.Model(alias, openai.Caps{})))),
	}
}

// Record looks at the records that nobody keeps, and counts the attempts by class.
func (s *soak) Record(call *llm.Call) {
	s.mu.Lock()
	for _, a := range call.Turn().Attempts {
		class := fault.Class("answered")
		switch {
		case a.Failure != nil:
			class = a.Failure.Class
		case a.Stored != nil:
			class = "stored"
		}
		s.classes[a.Model+" "+string(class)]++
	}
	s.mu.Unlock()
	switch {
	case call.Attempts() > attempts:
		s.t.Errorf("call %s made %d attempts", call.ID, call.Attempts())
	case call.Total > 21*time.Second:
		s.t.Errorf("call %s took %v", call.ID, call.Total)
	}
}
