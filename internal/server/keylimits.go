package server

import (
	"sync"
	"time"
)

// KeyBounds are what a key may ask; 0 is no bound.
type KeyBounds struct {
	RPM         int // requests in any 60 seconds
	TPM         int // tokens in any 60 seconds, of input and output together
	Concurrency int // requests under way
}

// KeyLimits hold a key within its bounds. What is too much is refused at once and not
// queued: the caller's client knows how to wait, and a queue here would hide from it
// that it has to. Each server counts for itself, in memory.
type KeyLimits struct {
	bounds KeyBounds
	start  time.Time // instants are durations since then, by the monotonic clock

	mu       sync.Mutex
	requests window
	tokens   window
	underway int
}

func newKeyLimits(b KeyBounds) *KeyLimits { return &KeyLimits{bounds: b, start: time.Now()} }

func (l *KeyLimits) now() time.Duration { return time.Since(l.start) }

// keyPass is a request that was let in.
type keyPass struct {
	limits *KeyLimits
	second int64 // in which it was
	tokens int   // that were taken for it
}

// tooMuch says which limit of a key refuses a request, and for how long.
type tooMuch struct {
	what  string        // requests per minute, …
	bound int           // that it has
	wait  time.Duration // until it may be let in
}

// enter lets a request of about so many tokens in, or says what it is too much for. One
// of more tokens than a minute may have is let in when the minute is empty.
func (l *KeyLimits) enter(now time.Duration, tokens int) (keyPass, *tooMuch) {
	if l.bounds.TPM > 0 {
		tokens = min(tokens, l.bounds.TPM)
	}
	second := int64(now / time.Second)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests.forget(second)
	l.tokens.forget(second)
	switch b := l.bounds; {
	case b.Concurrency > 0 && l.underway >= b.Concurrency:
		return keyPass{}, &tooMuch{"requests at once", b.Concurrency, time.Second}
	case b.RPM > 0 && l.requests.sum+1 > b.RPM:
		return keyPass{}, &tooMuch{"requests per minute", b.RPM, l.requests.until(now, l.requests.sum+1-b.RPM)}
	case b.TPM > 0 && l.tokens.sum+tokens > b.TPM:
		return keyPass{}, &tooMuch{"tokens per minute", b.TPM, l.tokens.until(now, l.tokens.sum+tokens-b.TPM)}
	}
	l.underway++
	l.requests.add(second, 1)
	l.tokens.add(second, tokens)
	return keyPass{l, second, tokens}, nil
}

// leave ends a request that has used so many tokens.
func (p keyPass) leave(now time.Duration, used int) {
	l := p.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underway--
	l.tokens.forget(int64(now / time.Second))
	l.tokens.add(p.second, used-p.tokens)
}

// limitState is how much of the limits is left.
type limitState struct {
	bounds           KeyBounds
	requests, tokens int           // left
	newRequests      time.Duration // until all are there again
	newTokens        time.Duration
}

func (l *KeyLimits) state(now time.Duration) limitState {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests.forget(int64(now / time.Second))
	l.tokens.forget(int64(now / time.Second))
	return limitState{
		bounds: l.bounds, requests: max(0, l.bounds.RPM-l.requests.sum), tokens: max(0, l.bounds.TPM-l.tokens.sum),
		newRequests: l.requests.until(now, l.requests.sum), newTokens: l.tokens.until(now, l.tokens.sum),
	}
}

// window counts what was in the last minute, by the second. The one that is 60 seconds
// ago still counts, as a part of it may be less than a minute ago.
type window struct {
	seconds [windowSeconds]int
	sum     int
	last    int64 // the second that is known of
}

const windowSeconds = 61

// forget lets go of what is older than a minute.
func (w *window) forget(second int64) {
	if second-w.last >= windowSeconds {
		*w = window{last: second}
	}
	for w.last < second {
		w.last++
		at := w.last % windowSeconds
		w.sum -= w.seconds[at]
		w.seconds[at] = 0
	}
}

// add counts n in a second, unless that is forgotten already.
func (w *window) add(second int64, n int) {
	if second > w.last || w.last-second >= windowSeconds {
		return
	}
	w.seconds[second%windowSeconds] += n
	w.sum += n
}

// until is how long it takes until so many are forgotten.
func (w *window) until(now time.Duration, n int) time.Duration {
	if n <= 0 {
		return 0
	}
	for second := w.last - windowSeconds + 1; second <= w.last; second++ {
		if n -= w.seconds[(second%windowSeconds+windowSeconds)%windowSeconds]; n <= 0 {
			return time.Duration(second+windowSeconds)*time.Second - now
		}
	}
	return windowSeconds * time.Second
}
