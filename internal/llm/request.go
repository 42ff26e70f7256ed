package llm

import (
	"encoding/json"
	"time"
)

// PromptRef names a prompt, exactly: Version is a semver or "draft". Hash is
// that of its flattened content.
type PromptRef struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Hash    string `json:"hash,omitempty"`
}

// String gives name@version.
func (p PromptRef) String() string {
	if p.Name == "" {
		return ""
	}
	return p.Name + "@" + p.Version
}

// Options are a model's options (temperature, max_tokens, …) by the name and in
// the JSON text that the user wrote, so that temperature 0 stays temperature 0.
type Options map[string]json.RawMessage

// Reuse says how far an answer that was given before may stand in for a new one,
// and whether this one may do so later.
type Reuse string

// How answers are reused.
const (
	ReuseAllowed Reuse = ""        // answered from what is kept, and kept
	ReuseRead    Reuse = "read"    // answered from what is kept; nothing new is kept
	ReuseRefresh Reuse = "refresh" // asked anew, and kept in place of what was there
	ReuseOff     Reuse = "off"     // asked anew, and not kept
)

// Reads reports whether a kept answer may be given.
func (r Reuse) Reads() bool { return r == ReuseAllowed || r == ReuseRead }

// Keeps reports whether the answer may be kept.
func (r Reuse) Keeps() bool { return r == ReuseAllowed || r == ReuseRefresh }

// Origin says what a request is part of, for the readers of traces and
// recordings. It is never sent and never hashed.
type Origin struct {
	Run   string `json:"run,omitempty"`
	Suite string `json:"suite,omitempty"`
	Case  string `json:"case,omitempty"`
	Check string `json:"check,omitempty"` // the check that asks, "" for the answer itself
}

// Timeouts bound one attempt; 0 is no bound.
type Timeouts struct {
	Connect    time.Duration // until there is a connection
	FirstToken time.Duration // from the ask until the first piece of an answer or of its reasoning
	Idle       time.Duration // between two pieces
}

// Request is what is asked of a Model. The engine's render wrapper turns Prompt
// and Vars into Messages, Options and Output; below it only these are read.
type Request struct {
	Prompt PromptRef
	Vars   map[string]any

	Model    string // alias of a model, or a route
	Messages []Message
	Options  Options
	Output   Output
	Tools    Tools

	Repeat int    // index of the draw, from 0; part of cache and recording keys
	Tenant string // whose cache
	Reuse  Reuse
	Reask  int // how often it was asked for before in vain; such a request passes every cache by
	Origin Origin

	Tags   []string // of the case, or the caller's own: rules of routes may look at them
	Key    string   // id of the caller's key, "" at the command line: budgets go by it
	User   string   // whom the caller asks for, in the caller's words; "" where it does not say
	ID     string   // of the call, where its caller has named it already; "" lets the engine do so
	Sticky string   // a weighted route gives the same model for the same text; "" goes by what is asked

	// Live asks for the pieces as they come. It holds only where nothing may still
	// reject the answer; everywhere else it comes whole, or not at all.
	Live bool
	// KeepAlive is how often the caller wants a sign of life (Event.Alive) while
	// nothing else comes; 0 for never.
	KeepAlive time.Duration

	// Recorded lets only recorded replies answer: the route sets it once the reply of
	// the model that comes first is missing, as another one must not be judged in its place.
	Recorded bool
	// Step is the first of the route's models to ask: a cascade goes on with it.
	Step int
	// Timeouts bound one attempt. The route sets them.
	Timeouts Timeouts

	// Hint is the case's golden answer. It reaches the simulated model alone: it
	// is never sent, stored or hashed.
	Hint any
}
