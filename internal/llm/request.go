package llm

import "encoding/json"

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

// OutputKind says what form an answer must have.
type OutputKind string

// The kinds of output.
const (
	OutputText   OutputKind = "text"
	OutputNumber OutputKind = "number"
	OutputJSON   OutputKind = "json" // valid under Output.Schema
)

// Output is the contract of an answer. The zero value is text.
type Output struct {
	Kind   OutputKind      `json:"kind,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// Reuse says how far an answer that was given before may stand in for a new one.
type Reuse string

// How answers are reused.
const (
	ReuseAllowed Reuse = ""      // from the cache or the recordings
	ReuseNever   Reuse = "never" // ask anew
)

// Origin says what a request is part of, for the readers of traces and
// recordings. It is never sent and never hashed.
type Origin struct {
	Run   string `json:"run,omitempty"`
	Suite string `json:"suite,omitempty"`
	Case  string `json:"case,omitempty"`
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

	Repeat int    // index of the draw, from 0; part of cache and recording keys
	Tenant string // whose cache
	Reuse  Reuse
	Origin Origin

	// Hint is the case's golden answer. It reaches the simulated model alone: it
	// is never sent, stored or hashed.
	Hint any
}
