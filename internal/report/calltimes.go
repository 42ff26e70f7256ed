package report

import (
	"cmp"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// timesOf says how long a call took, and what of that it waited; a stored answer
// took most of its time then.
func timesOf(call *llm.Call) string {
	if call.Stored != nil {
		return given(call.Stored, call.Service) + ", " + latency(call.Total) + " now"
	}
	said := []string{latency(servedOf(call)) + " served"}
	for _, part := range []struct {
		took time.Duration
		what string
	}{{call.Queue, " waiting for a place"}, {pausesOf(call), " between attempts"}} {
		if part.took >= time.Millisecond {
			said = append(said, latency(part.took)+part.what)
		}
	}
	if call.FirstToken > 0 {
		said = append(said, "first token after "+latency(call.FirstToken))
	}
	return latency(call.Total) + " in all: " + strings.Join(said, ", ")
}

// servedOf sums up the attempts; the call's own figure has the pauses in it.
func servedOf(call *llm.Call) time.Duration {
	sum := time.Duration(0)
	for _, turn := range call.Turns {
		for i := range turn.Attempts {
			if turn.Attempts[i].Stored == nil {
				sum += turn.Attempts[i].Service
			}
		}
	}
	return sum
}

// pausesOf sums up the pauses between the attempts of every turn.
func pausesOf(call *llm.Call) time.Duration {
	sum := time.Duration(0)
	for _, turn := range call.Turns {
		for i := 1; i < len(turn.Attempts); i++ {
			ended, next := endOf(&turn.Attempts[i-1]), turn.Attempts[i].Started
			if pause := next.Sub(ended); !ended.IsZero() && !next.IsZero() && pause >= shortPause {
				sum += pause
			}
		}
	}
	return sum
}

// given says where a stored answer came from, of when it is, and what it took then.
func given(stored *llm.Stored, service time.Duration) string {
	s := "from " + source(stored)
	if service = cmp.Or(stored.Service, service); service > 0 {
		s += " (" + latency(service) + " then)"
	}
	return s
}

// source names what keeps a stored answer, with its date.
func source(stored *llm.Stored) string {
	s := "a " + stored.By
	switch stored.By {
	case "cache":
		s = "the cache"
	case "shared":
		return "an equal call that was under way"
	}
	if !stored.At.IsZero() {
		s += " of " + stored.At.UTC().Format("2006-01-02")
	}
	return s
}

// storedBy says where an answer came from that was not asked for now.
func storedBy(call *llm.Call) string {
	if call.Stored == nil {
		return ""
	}
	s := source(call.Stored)
	if call.Stored.Origin != "" {
		s += ", origin: " + call.Stored.Origin
	}
	for _, turn := range call.Turns {
		for i := range turn.Attempts {
			if a := &turn.Attempts[i]; a.Stored == nil && !unasked(a) {
				return s // an earlier turn was asked for
			}
		}
	}
	return s + "; no model was asked for this call"
}
