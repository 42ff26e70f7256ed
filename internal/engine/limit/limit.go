// Package limit holds the requests to one provider's model within its limits:
// requests and tokens per minute, and how many at once. Waiting is first come,
// first served, and ends with the caller's deadline. It imports the words of llm
// and fault alone; whoever answers is handed in.
package limit

import (
	"container/list"
	"math"
	"sync"
	"time"
)

// Settings are the limits of a model; 0 is no bound.
type Settings struct {
	Name        string // the model's alias, for messages
	RPM         int    // requests per minute
	TPM         int    // tokens per minute, of input and output together
	Concurrency int    // requests under way at once
}

// Limiter keeps one account of what is asked of a provider's model. It is shared
// by all who ask.
//
// In any 60 seconds at most RPM requests are admitted. That many are never
// admitted at once: see bucket. Tokens are taken by the request's estimate, and
// set right when the usage is known.
type Limiter struct {
	set   Settings
	start time.Time // instants are durations since then, by the monotonic clock

	mu       sync.Mutex
	requests *bucket // nil: no bound
	tokens   *bucket // nil: no bound
	held     float64 // tokens taken for attempts under way: they may still come back
	pace     pace    // of both buckets
	places   places
	paused   time.Duration // nobody is admitted before this instant
	lowered  int           // how many times the limits were lowered
	queue    list.List     // of *waiter, first come first
	timer    *time.Timer   // looks again when the first waiter may be admitted
}

// New makes a limiter whose buckets are full.
func New(set Settings) *Limiter {
	l := &Limiter{set: set, start: time.Now(), pace: pace{share: 1}, places: places{set: float64(set.Concurrency), limit: float64(set.Concurrency)}}
	if set.RPM > 0 {
		l.requests = newBucket(whole(set.RPM))
	}
	if set.TPM > 0 {
		l.tokens = newBucket(divisible(set.TPM))
	}
	return l
}

// pass is an admission: what was taken for an attempt.
type pass struct {
	tokens float64
	epoch  int // lowered, when it was given
}

// never is the wait for something that no time will bring.
const never = time.Duration(math.MaxInt64)

// wait is how long a request of so many tokens has to wait if nothing is given
// back: 0 if it may go, never if it waits for a place.
func (l *Limiter) wait(now time.Duration, tokens float64) time.Duration {
	if !l.places.free() {
		return never
	}
	refill := 0.0
	if l.requests != nil {
		refill = l.requests.after(1)
	}
	if l.tokens != nil {
		refill = max(refill, l.tokens.after(l.tokens.fit(tokens)))
	}
	return max(l.paused-now, l.pace.until(refill), 0)
}

// take admits a request of so many tokens.
func (l *Limiter) take(tokens float64) pass {
	l.places.taken++
	if l.requests != nil {
		l.requests.take(1)
	}
	if l.tokens != nil {
		l.tokens.take(tokens)
		l.held += tokens
	}
	return pass{tokens: tokens, epoch: l.lowered}
}

// undo takes an admission back of which no use was made.
func (l *Limiter) undo(p pass) {
	if l.requests != nil {
		l.requests.give(1)
	}
	l.release(p, 0)
}

// release ends an attempt that has used so many tokens.
func (l *Limiter) release(p pass, used float64) {
	l.places.taken--
	if l.tokens != nil {
		l.tokens.give(p.tokens - used)
		l.held -= p.tokens
	}
}

// now is asked before the lock is taken, so that it is held for less.
func (l *Limiter) now() time.Duration { return time.Since(l.start) }

// tick brings the account up to date, and gives the instant: now, or a later one
// that somebody else has brought.
func (l *Limiter) tick(now time.Duration) time.Duration {
	now = max(now, l.pace.at)
	refill := l.pace.advance(now)
	if l.requests != nil {
		l.requests.refill(refill)
	}
	if l.tokens != nil {
		l.tokens.refill(refill)
	}
	l.places.forget(now)
	return now
}
