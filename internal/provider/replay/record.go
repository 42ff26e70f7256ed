package replay

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// asks keeps two requests of one key from being asked twice in a run: the
// second waits for the first, and gets what was recorded. Else a replay could not
// give back what the run saw.
type asks struct {
	mu   sync.Mutex
	open map[string]chan struct{} // closed when the ask is over
	made map[id]struct{}          // kept in this run; only where everything is asked anew
}

// begin begins the ask of a key, or gives the channel that tells when the one
// that is under way is over.
func (a *asks) begin(key string) (over <-chan struct{}, mine bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open, a.made = map[string]chan struct{}{}, map[id]struct{}{}
	}
	if over, ok := a.open[key]; ok {
		return over, false
	}
	a.open[key] = make(chan struct{})
	return nil, true
}

// end lets those go on who wait.
func (a *asks) end(key string, made bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.open[key])
	delete(a.open, key)
	if key, ok := idOf(key); ok && made {
		a.made[key] = struct{}{}
	}
}

func (a *asks) wasMade(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, _ := idOf(key)
	_, made := a.made[id]
	return made
}

// record answers from the recordings or asks, and keeps what it is told.
func (m *model) record(ctx context.Context, recordings *Recordings, key string, req llm.Request, yield func(llm.Event, error) bool) {
	if !req.Reuse.Reads() {
		m.askAndKeep(ctx, recordings, key, req, yield)
		return
	}
	for {
		if m.mayReplay(key, req) && m.replay(recordings, key, yield) {
			return
		}
		over, mine := m.asks.begin(key)
		if mine {
			break
		}
		select {
		case <-over:
		case <-ctx.Done():
			yield(llm.Event{}, fault.Ended(ctx, nil))
			return
		}
	}
	kept := false
	defer func() { m.asks.end(key, kept && m.o.Fresh) }()
	// It may have been recorded between the look and the beginning.
	if m.mayReplay(key, req) && m.replay(recordings, key, yield) {
		return
	}
	kept = m.askAndKeep(ctx, recordings, key, req, yield)
}

// mayReplay reports whether a recording may answer: a fresh one only, where
// everything is asked anew. What judges said stays: they have their own word for it.
func (m *model) mayReplay(key string, req llm.Request) bool {
	return !m.o.Fresh || req.Origin.Check != "" || m.asks.wasMade(key)
}

// askAndKeep passes the model's answer on, and appends it before its end is
// passed on. It reports whether the answer was kept.
func (m *model) askAndKeep(ctx context.Context, recordings *Recordings, key string, req llm.Request, yield func(llm.Event, error) bool) bool {
	if err := m.mayAsk(req); err != nil {
		yield(llm.Event{}, err)
		return false
	}
	start := time.Now()
	var heard tape
	kept := false
	for event, err := range m.next.Stream(ctx, req) {
		if err != nil {
			yield(event, m.unbudgeted(req, err))
			return kept
		}
		heard.add(event, start)
		if event.End != nil {
			if err := recordings.Append(m.recording(key, req, &heard, event.End, time.Since(start))); err != nil {
				yield(llm.Event{}, err)
				return false
			}
			m.used(key)
			kept = true
		}
		if !yield(event, nil) {
			return kept
		}
	}
	return kept
}

func (m *model) recording(key string, req llm.Request, heard *tape, end *llm.End, service time.Duration) Recording {
	return Recording{
		Key: key, Case: req.Origin.Case, Check: req.Origin.Check, Prompt: req.Prompt.String(), Model: m.o.Resolved, Repeat: req.Repeat,
		Answered: end.Model, ResponseID: end.ResponseID, Origin: m.o.Provider, Date: day(m.o.Now()),
		Finish: end.Finish, Usage: end.Usage, Service: service, FirstToken: heard.firstToken,
		Text: heard.text.String(), ToolCalls: heard.toolCalls.Calls(),
	}
}

// tape gathers an answer as it passes.
type tape struct {
	text       strings.Builder
	toolCalls  llm.ToolCallPieces
	firstToken time.Duration
}

func (t *tape) add(event llm.Event, start time.Time) {
	if t.firstToken == 0 && (event.Text != "" || event.Reasoning != "" || event.ToolCall != nil) {
		t.firstToken = time.Since(start)
	}
	t.text.WriteString(event.Text)
	if event.ToolCall != nil {
		t.toolCalls.Add(*event.ToolCall)
	}
}
