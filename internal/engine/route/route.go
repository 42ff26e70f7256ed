// Package route chooses who answers: it orders a route's models, makes the
// attempts of a turn, tries again, falls back, and writes their records. It
// imports the words of llm and fault, and gobreaker, which no other room imports;
// whoever answers is handed in.
package route

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Target is a model that can be asked.
type Target struct {
	Alias    string
	Provider string                   // its name in llmx.yaml
	Wire     string                   // the model's name on the wire
	Context  int                      // tokens of input and output together, 0 where nobody knows
	Model    llm.Model                // who answers; gets the request with Model set to Wire
	Cost     func(llm.Usage) llm.Cost // at the list price
	// Estimate is about what a request would use; nil for what the request itself says.
	Estimate func(llm.Request) llm.Usage

	retries retries
}

func (t *Target) estimate(req llm.Request) llm.Usage {
	if t.Estimate != nil {
		return t.Estimate(req)
	}
	return req.Estimate()
}

// Policy says which models answer for a name, and how they are asked.
type Policy struct {
	Use     []string  // aliases, in the order of falling back
	Weights []float64 // of Use, where the first is drawn; nil for the order as it is
	Sticky  string    // the input whose value a draw sticks to; "" for Request.Sticky
	Rules   []Rule    // the first that matches gives Use

	Retry    Retry
	Breaker  Breaker
	Timeouts map[string]llm.Timeouts // by alias
	Total    time.Duration           // bound of the whole call: waiting, asking, and all turns
	Restart  bool                    // a live answer that is lost is asked for again, and that is declared
}

// Retry bounds the attempts of one turn.
type Retry struct {
	MaxAttempts int           // over all models; the last is kept for one that was not tried
	Base, Max   time.Duration // the first pause, which doubles, and the longest
	Budget      float64       // share of the calls under way that may be retries of the same model
}

// Options of the route.
type Options struct {
	Targets  map[string]*Target // by alias
	Policies map[string]Policy  // by the name that is asked: a model or a route
	Now      func() time.Time   // the wall clock of the attempts' records
	Jitter   func() float64     // 0 … 1; nil draws it
	Breakers *Breakers          // that outlive this route; nil for its own
}

// New makes the model that answers by policy. A name without a policy is refused.
func New(o Options) llm.Model {
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	routes := make(map[string]*route, len(o.Policies))
	if o.Breakers == nil {
		o.Breakers = NewBreakers(nil)
	}
	for name, policy := range o.Policies {
		routes[name] = newRoute(o, policy)
	}
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		r := routes[req.Model]
		if r == nil {
			return llm.Fail(unknown(req.Model, o.Policies))
		}
		return func(yield func(llm.Event, error) bool) {
			t := r.newTurn(req, yield)
			t.run(ctx)
		}
	})
}

// route is a policy with its targets.
type route struct {
	Options
	policy   Policy
	breakers map[string]*breaker // by alias
}

func newRoute(o Options, policy Policy) *route {
	r := &route{Options: o, policy: policy, breakers: map[string]*breaker{}}
	r.policy.Retry.MaxAttempts = max(1, policy.Retry.MaxAttempts)
	for _, alias := range policy.all() {
		r.breakers[alias] = o.Breakers.of(o.Targets[alias], alias, policy.Breaker)
	}
	return r
}

func unknown(name string, policies map[string]Policy) error {
	names := make([]string, 0, len(policies))
	for known := range policies {
		names = append(names, known)
	}
	slices.Sort(names)
	return fault.New(fault.Usage, "no model or route is called %q", name).WithHint("%s", fault.Allowed(name, names))
}
