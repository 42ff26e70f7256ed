package server

import (
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// timing is what an exchange needed besides its own work: the caller's time.
type timing struct {
	reading time.Duration // of the body
	slow    []span        // the last writes that had to wait for the caller
}

type span struct {
	begin time.Time
	took  time.Duration
}

// slowWrite is from when on a write has waited for its reader.
const slowWrite = time.Millisecond

// keptSlow bounds the writes that are kept: of a live answer all but the last belong to
// the time of its attempt anyway.
const keptSlow = 16

func (t *timing) wrote(begin time.Time) {
	took := time.Since(begin)
	if took < slowWrite {
		return
	}
	if len(t.slow) == keptSlow {
		t.slow = t.slow[1:]
	}
	t.slow = append(t.slow, span{begin, took})
}

// overhead is the time that a call took besides what its provider and its place needed,
// and besides the caller's own: sending the body, and reading the answer. What is
// written while an attempt is under way is part of that attempt's time.
func (x *exchange) overhead() time.Duration {
	took := time.Since(x.begun) - x.timing.reading
	var answered time.Time
	switch call := x.call; {
	case call == nil:
	case call.Stored == nil:
		took -= call.Service + call.Queue
		answered = answeredAt(call)
	case call.Stored.By == sharedAnswer: // it waited for an equal call
		took -= call.Total
	}
	for _, write := range x.timing.slow {
		if write.begin.After(answered) {
			took -= write.took
		}
	}
	return max(took, 0)
}

// sharedAnswer is llm.Stored.By of an answer that an equal call under way was given.
const sharedAnswer = "shared"

// answeredAt is when the last attempt ended.
func answeredAt(call *llm.Call) time.Time {
	turn := call.Turn()
	if turn == nil || len(turn.Attempts) == 0 {
		return time.Time{}
	}
	last := turn.Attempts[len(turn.Attempts)-1]
	return last.Started.Add(last.Queue + last.Service)
}
