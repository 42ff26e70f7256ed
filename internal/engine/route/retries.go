package route

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// retries bounds how many of the calls that are under way with a model may be
// asking it once more, so that an outage is not doubled by those who meet it.
type retries struct {
	calls    atomic.Int64 // turns that have asked the model and not ended
	retrying atomic.Int64
}

// leastRetries are allowed however few calls are under way.
const leastRetries = 3

// take takes a place for one retry; false where there is none.
func (r *retries) take(share float64) bool {
	most := max(leastRetries, int64(math.Ceil(share*float64(r.calls.Load()))))
	for {
		n := r.retrying.Load()
		if n >= most {
			return false
		}
		if r.retrying.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (r *retries) give() { r.retrying.Add(-1) }

// pause is the wait before a model is asked again: what its provider asked for and
// up to a tenth more, so that not all come back at once; else it doubles from
// base to most, and half of it is drawn. tries counts from 1.
func (p *Retry) pause(e *fault.Error, tries int, jitter float64) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter + time.Duration(jitter*float64(e.RetryAfter)/10)
	}
	pause := p.Base
	for i := 1; i < tries && pause < p.Max; i++ {
		pause *= 2
	}
	pause = min(pause, p.Max)
	return pause/2 + time.Duration(jitter*float64(pause)/2)
}
