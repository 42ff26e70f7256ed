package route

import (
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Breaker stops asking a model that keeps failing. The zero Breaker never opens.
type Breaker struct {
	Window       time.Duration // over which failures are counted
	MinCalls     int           // in the window, before it may open
	FailureRatio float64       // that opens it, 0 … 1
	OpenFor      time.Duration // before a single call tries the model again
}

// breaker watches one model under one policy's figures.
type breaker struct {
	steps *gobreaker.TwoStepCircuitBreaker[struct{}] // nil: never opens

	mu    sync.Mutex
	until time.Time // a provider that is shut out has asked for this
}

// windowParts is into how many parts a window is cut as it rolls on.
const windowParts = 10

// longestShut bounds what a provider's Retry-After adds to the time a breaker is open.
const longestShut = 5 * time.Minute

var (
	errFailed   = errors.New("failed")
	errExcluded = errors.New("says nothing of the model")
)

func newBreaker(b Breaker, told func(open bool)) *breaker {
	if b.OpenFor <= 0 || b.FailureRatio <= 0 {
		return &breaker{}
	}
	return &breaker{steps: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1, Interval: b.Window, BucketPeriod: b.Window / windowParts, Timeout: b.OpenFor,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			judged := c.TotalSuccesses + c.TotalFailures
			return int(judged) >= b.MinCalls && float64(c.TotalFailures) >= b.FailureRatio*float64(judged)
		},
		IsExcluded: func(err error) bool { return err == errExcluded },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if opens := to == gobreaker.StateOpen; told != nil && (opens || from == gobreaker.StateOpen) {
				told(opens)
			}
		},
	})}
}

// enter lets a call through, or not. left must be called when the attempt is over.
func (b *breaker) enter() (left func(failure *fault.Error), ok bool) {
	if b == nil || b.steps == nil {
		return func(*fault.Error) {}, true
	}
	if b.shut() {
		return nil, false
	}
	done, err := b.steps.Allow()
	if err != nil {
		return nil, false
	}
	return func(failure *fault.Error) {
		done(outcome(failure))
		if failure != nil && failure.RetryAfter > 0 && b.steps.State() == gobreaker.StateOpen {
			b.mu.Lock()
			b.until = time.Now().Add(min(failure.RetryAfter, longestShut))
			b.mu.Unlock()
		}
	}, true
}

// shut reports that a provider has asked to be left alone.
func (b *breaker) shut() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.until) > 0
}

// open reports that no call would be let through now.
func (b *breaker) open() bool {
	return b != nil && b.steps != nil && (b.steps.State() == gobreaker.StateOpen || b.shut())
}

func outcome(failure *fault.Error) error {
	switch {
	case failure == nil:
		return nil
	case ofHealth[failure.Class]:
		return errFailed
	}
	return errExcluded
}

// Breakers are shared by the policies that have the same figures for a model, and by
// the readings of llmx.yaml that follow one another: who failed a moment ago has not
// recovered because a file was edited. They are safe for concurrent use.
type Breakers struct {
	told func(alias string, open bool)
	mu   sync.Mutex
	all  map[breakerKey]*breaker
}

// NewBreakers makes breakers that are shut. told hears when one of a model has opened, or
// is open no more; nil: nobody does.
func NewBreakers(told func(alias string, open bool)) *Breakers {
	return &Breakers{told: told, all: map[breakerKey]*breaker{}}
}

type breakerKey struct {
	alias, provider, wire string
	Breaker
}

func (b *Breakers) of(target *Target, alias string, figures Breaker) *breaker {
	key := breakerKey{alias: alias, Breaker: figures}
	if target != nil {
		key.provider, key.wire = target.Provider, target.Wire
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[key] == nil {
		var told func(bool)
		if b.told != nil {
			told = func(open bool) { b.told(alias, open) }
		}
		b.all[key] = newBreaker(figures, told)
	}
	return b.all[key]
}
