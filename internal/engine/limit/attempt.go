package limit

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// attempt is a request that was let through, and what has been seen of it.
type attempt struct {
	limiter *Limiter
	pass    pass
	begun   bool          // an event has come
	first   time.Duration // the instant when it came
	output  bool          // a piece of an answer has come
	left    bool
}

// lesson is what the end of an attempt teaches.
type lesson struct {
	good    bool          // it was answered
	tooMuch bool          // the provider said that it is asked too much
	pause   time.Duration // the instant before which it will refuse; 0 for none
}

// see takes note of an event. With the end, or a failure, the attempt leaves at
// once: who reads it may take its time.
func (a *attempt) see(event llm.Event, err error) {
	switch {
	case err != nil:
		a.failed(fault.As(err))
	case event.End != nil:
		a.answered(event.End)
	default:
		if !a.begun {
			a.begun, a.first = true, a.limiter.now()
		}
		a.output = a.output || event.Begins()
	}
}

// leave ends an attempt of which no end was seen: the caller went away, and
// nobody says what was used until then.
func (a *attempt) leave() { a.settle(a.pass.tokens, lesson{}) }

// answered ends an attempt that has an answer.
func (a *attempt) answered(end *llm.End) {
	used := a.pass.tokens
	if n := total(end.Usage); n > 0 {
		used = float64(n)
	}
	learned := lesson{good: true}
	if end.RateLimit != nil {
		// The durations count from the head of the answer, which came before its
		// first piece.
		since := a.first
		if !a.begun {
			since = a.limiter.now()
		}
		learned.pause = since + reset(end.RateLimit)
	}
	a.settle(used, learned)
}

// longestBrake bounds a pause for a limit that is used up and has refused nobody:
// vendors say when it will be whole again, and a part of it is free long before.
const longestBrake = 2 * time.Second

// reset is how long to wait for a limit that is used up by what the provider says.
func reset(said *llm.RateLimit) time.Duration {
	wait := time.Duration(0)
	if said.RemainingRequests == 0 {
		wait = max(wait, said.ResetRequests)
	}
	if said.RemainingTokens == 0 {
		wait = max(wait, said.ResetTokens)
	}
	return min(wait, longestBrake)
}

// failed ends an attempt that came to nothing. Also a rate limit without a status was
// said by the provider, in the middle of its stream.
func (a *attempt) failed(failure *fault.Error) {
	used := a.pass.tokens
	if !a.output && !worked[failure.Class] {
		used = 0
	}
	learned := lesson{}
	if failure.Class == fault.RateLimited {
		learned.tooMuch = true
		learned.pause = a.limiter.now() + failure.RetryAfter
	}
	a.settle(used, learned)
}

// worked are the failures after which a model may have worked without a piece of
// its answer having come. After all others nothing was used.
var worked = map[fault.Class]bool{
	fault.TimeoutFirstToken: true,
	fault.TimeoutIdle:       true,
	fault.TimeoutTotal:      true,
	fault.Canceled:          true,
	fault.Cut:               true,
	fault.Malformed:         true,
}

// settle ends the attempt, once: it has used so many tokens.
func (a *attempt) settle(used float64, learned lesson) {
	if a.left {
		return
	}
	a.left = true
	l := a.limiter
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	now = l.tick(now)
	changed := l.learn(now, a.pass.epoch, learned)
	l.release(a.pass, used)
	if changed {
		l.sift(now)
	}
	l.admit(now)
}
