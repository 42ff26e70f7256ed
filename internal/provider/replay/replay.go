// Package replay answers from recordings: replies that a model, or a person,
// gave before, kept as JSON lines under fixtures/, one file a suite. It reads and
// writes those files, and wraps a model so that it is asked only for what is
// missing. It imports llm and fault alone.
package replay

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Mode says where replies come from.
type Mode string

// The modes. Auto asks for what is missing, if it can; Record keeps it besides.
const (
	Replay Mode = "replay" // recordings alone
	Auto   Mode = "auto"
	Record Mode = "record"
	Live   Mode = "live" // straight to the model
)

// Options say how a model is wrapped.
type Options struct {
	Mode     Mode
	Resolved string // the model as it is named in keys and recordings, "openai/gpt-4o-mini"
	Provider string // its provider's name, the origin of new recordings
	Fresh    bool   // in Record: ask for everything anew but what checks ask, and replace what is there

	Recordings *Recordings
	// For finds the recordings of a request where a run has several suites; nil
	// where Recordings serves all.
	For func(req llm.Request) *Recordings

	// CanAsk tells why a missing reply cannot be asked for; nil, or a nil error,
	// where it can.
	CanAsk func() error
	// Now dates new recordings; only Record calls it.
	Now func() time.Time
	// Used is called with the key of every recording that was replayed or made;
	// nil for none. It must be safe for concurrent use.
	Used func(key string)
}

// Wrap answers from recordings in place of next, as far as the mode says. In Live
// it is next itself; in Replay next is never asked and may be nil.
//
// A request with llm.ReuseRefresh is asked anew where the mode may ask at all. In
// Record an answer is kept before its end is passed on, so that an answer that
// has ended is a recorded one; answers that fail or are cut are not kept, and two
// requests of one key are asked once.
func Wrap(next llm.Model, o Options) llm.Model {
	if o.Mode == Live {
		return next
	}
	return &model{next: next, o: o}
}

type model struct {
	next llm.Model
	o    Options
	asks asks
}

func (m *model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if err := fault.Ended(ctx, nil); err != nil {
			yield(llm.Event{}, err)
			return
		}
		recordings := m.o.Recordings
		if m.o.For != nil {
			recordings = m.o.For(req)
		}
		if recordings == nil {
			yield(llm.Event{}, fault.New(fault.Internal, "no file of recordings for suite %q", req.Origin.Suite))
			return
		}
		key := Key(req, m.o.Resolved)
		if m.o.Mode == Record {
			m.record(ctx, recordings, key, req, yield)
			return
		}
		if m.o.Mode == Replay || req.Reuse.Reads() {
			if done := m.replay(recordings, key, yield); done {
				return
			}
		}
		if err := m.mayAsk(req); err != nil {
			yield(llm.Event{}, err)
			return
		}
		for event, err := range m.next.Stream(ctx, req) {
			if !yield(event, m.unbudgeted(req, err)) || err != nil {
				return
			}
		}
	}
}

// replay gives what is recorded, and reports whether that was anything.
func (m *model) replay(recordings *Recordings, key string, yield func(llm.Event, error) bool) bool {
	recording, found, err := recordings.Lookup(key)
	if err != nil {
		yield(llm.Event{}, err)
		return true
	}
	if !found {
		return false
	}
	m.used(key)
	recording.events(yield)
	return true
}

func (m *model) used(key string) {
	if m.o.Used != nil {
		m.o.Used(key)
	}
}

// mayAsk is nil where the model may be asked for a missing reply.
func (m *model) mayAsk(req llm.Request) error {
	missing := fault.New(fault.Missing, "no recorded reply%s on %s", subject(req), m.o.Resolved)
	command := "record it: llmx test " + req.Origin.Suite + " --record"
	if req.Origin.Suite == "" {
		command = "ask without --replay"
	}
	if m.o.Mode == Replay || req.Recorded {
		return missing.WithHint("%s", command)
	}
	if m.o.CanAsk == nil {
		return nil
	}
	reason := m.o.CanAsk()
	if reason == nil {
		return nil
	}
	return m.missing(req, command, reason)
}

// unbudgeted says of a reply that no budget allows to be asked for that it is missing.
func (m *model) unbudgeted(req llm.Request, err error) error {
	if err == nil || fault.ClassOf(err) != fault.Budget {
		return err
	}
	return m.missing(req, "", err)
}

// missing is the failure of a reply that is not recorded and cannot be asked for;
// then is what to do once it can, "" for nothing.
func (m *model) missing(req llm.Request, then string, reason error) error {
	why := fault.As(reason)
	hint := why.Hint
	if hint == "" {
		hint = "see " + why.Place.String()
	}
	if then != "" && req.Origin.Suite != "" {
		hint += "; then " + then
	}
	return fault.New(fault.Missing, "no recorded reply%s on %s, and it cannot be asked for: %s", subject(req), m.o.Resolved, why.Message).
		WithHint("%s", hint).Because(reason)
}

// subject says what a request is for: " for case "x" (repeat 2) of triage@draft".
func subject(req llm.Request) string {
	text := ""
	if req.Origin.Case != "" {
		text = fmt.Sprintf(" for case %q", req.Origin.Case)
		if req.Repeat > 0 {
			text += fmt.Sprintf(" (repeat %d)", req.Repeat)
		}
	}
	if req.Prompt.Name != "" {
		text += " of " + req.Prompt.String()
	}
	if req.Reask > 0 {
		text = " to what goes back, as the answer before breaks its contract," + text
	}
	return text
}
