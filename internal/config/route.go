package config

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Route is a policy over models, called like one.
type Route struct {
	Use     []string           `yaml:"use,required"` // aliases, in the order of falling back
	Weights map[string]float64 `yaml:"weights"`      // by alias: the first is drawn by them, and the others follow
	Sticky  string             `yaml:"sticky"`       // the input whose value a draw sticks to; "": the caller's key
	Rules   []Rule             `yaml:"rules"`        // the first that matches gives the models in place of use
	Cascade *Cascade           `yaml:"cascade"`      // nil: an answer is taken as it is
	Restart bool               `yaml:"restart"`      // a live answer that is lost is asked for again, and that is declared
	Retry   Retry              `yaml:"retry"`
	Timeout Timeout            `yaml:"timeout"`
	Breaker Breaker            `yaml:"breaker"`
	Place   fault.Place        `yaml:",place"`
}

// Retry bounds the attempts of one turn, over all models of the route.
type Retry struct {
	MaxAttempts int           `yaml:"max_attempts"` // default 3
	Base        time.Duration `yaml:"base"`         // the first pause, default 500ms; it doubles
	Max         time.Duration `yaml:"max"`          // the longest pause, default 8s
	Budget      float64       `yaml:"budget"`       // share of the calls under way that may be asking the same model again, default 0.2
	Place       fault.Place   `yaml:",place"`
}

// Timeout bounds an attempt, and with Total a whole turn. FirstToken and Total are
// 0 where the file says nothing: For knows what a model needs.
type Timeout struct {
	Connect    time.Duration `yaml:"connect"`     // default 5s
	FirstToken time.Duration `yaml:"first_token"` // default 15s, of a reasoning model 120s; half of a total that is no longer
	Idle       time.Duration `yaml:"idle"`        // between two pieces, default 20s
	Total      time.Duration `yaml:"total"`       // default 60s, and at least 60s after a longer first_token
	Place      fault.Place   `yaml:",place"`
}

// Breaker stops asking a model that keeps failing.
type Breaker struct {
	Window       time.Duration `yaml:"window"`        // default 10s
	MinCalls     int           `yaml:"min_calls"`     // in the window before it may open, default 20
	FailureRatio float64       `yaml:"failure_ratio"` // that opens it, 0 … 1, default 0.5
	OpenFor      time.Duration `yaml:"open_for"`      // before it is tried again, default 5s
	Place        fault.Place   `yaml:",place"`
}

const (
	firstToken          = 15 * time.Second
	reasoningFirstToken = 120 * time.Second
	total               = 60 * time.Second
	longest             = 24 * time.Hour
)

func newRoute() Route {
	return Route{
		Retry:   Retry{MaxAttempts: 3, Base: 500 * time.Millisecond, Max: 8 * time.Second, Budget: 0.2},
		Timeout: Timeout{Connect: 5 * time.Second, Idle: 20 * time.Second},
		Breaker: Breaker{Window: 10 * time.Second, MinCalls: 20, FailureRatio: 0.5, OpenFor: 5 * time.Second},
	}
}

// For gives the timeouts in force for a model: none of them is 0.
func (t Timeout) For(m Model) Timeout {
	if t.FirstToken == 0 {
		t.FirstToken = firstToken
		if m.Caps.Reasoning {
			t.FirstToken = reasoningFirstToken
		}
		if t.Total > 0 && t.FirstToken >= t.Total {
			t.FirstToken = t.Total / 2 // so that a silent model leaves time for the next one
		}
	}
	if t.Total == 0 {
		t.Total = total
		if t.FirstToken >= total {
			t.Total = t.FirstToken + total
		}
	}
	return t
}

// UnmarshalNode reads a route over the defaults and checks it.
func (r *Route) UnmarshalNode(n strictyaml.Node) error {
	type plain Route
	*r = newRoute()
	var problems fault.List
	problems.Add(n.Decode((*plain)(r)))
	if use := n.Get("use"); use.Kind() == strictyaml.List && len(r.Use) == 0 {
		problems.Add(use.Errorf("a route needs at least one model"))
	}
	r.checkRetry(n.Get("retry"), &problems)
	r.checkTimeout(n.Get("timeout"), &problems)

	r.checkRouting(n, &problems)

	breaker := n.Get("breaker")
	between(&problems, breaker, "min_calls", 1, 1_000_000)
	between(&problems, breaker, "failure_ratio", 0.01, 1.0)
	positive(&problems, breaker, "window")
	positive(&problems, breaker, "open_for")
	return problems.Err()
}

func (r *Route) checkRetry(n strictyaml.Node, problems *fault.List) {
	between(problems, n, "max_attempts", 1, 100)
	between(problems, n, "budget", 0.0, 1.0)
	positive(problems, n, "base")
	positive(problems, n, "max")
	if r.Retry.Max != 0 && r.Retry.Max < r.Retry.Base {
		at := n.Get("max")
		if !at.Exists() {
			at = n.Get("base")
		}
		problems.Add(at.Errorf("the longest pause (max: %v) is shorter than the first (base: %v)", r.Retry.Max, r.Retry.Base))
	}
}

func (r *Route) checkTimeout(n strictyaml.Node, problems *fault.List) {
	for _, key := range []string{"connect", "first_token", "idle", "total"} {
		positive(problems, n, key)
		between(problems, n, key, 0, longest)
	}
	if r.Timeout.Total != 0 && r.Timeout.FirstToken > r.Timeout.Total {
		problems.Add(n.Get("first_token").Errorf("first_token (%v) is longer than total (%v)", r.Timeout.FirstToken, r.Timeout.Total))
	}
}
