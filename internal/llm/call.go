package llm

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Call is the record of what a caller asked for and how it went. A call has
// turns (final requests: the ask, later a re-ask, a tool round, a cascade
// step), a turn has attempts (one HTTP request each).
type Call struct {
	ID      string
	Started time.Time
	Prompt  PromptRef
	Vars    json.RawMessage // canonical JSON of the inputs
	Model   string          // the alias or route that was asked
	Repeat  int
	Origin  Origin
	Key     string // id of the caller's key, "" at the command line
	User    string // whom the caller asked for, in its words

	Turns []Turn

	Answer   string       // the last turn's text, valid or not
	Finish   FinishReason // of the last turn
	Answered string       // the model that answered, in the provider's words
	Stored   *Stored      // set when the answer was not asked for now

	Queue      time.Duration // waiting for a place, over all attempts
	Service    time.Duration // being served, over all attempts and the pauses between them
	FirstToken time.Duration // from the start of the answering attempt to its first token
	Total      time.Duration // from start to end, all of it

	Failure *Failure // nil for an answer that was passed on

	Feedback []Feedback // that came since, the oldest first
}

// The kinds of turns.
const (
	TurnAsk     = "ask"
	TurnReask   = "re-ask"  // the answer before broke its contract, and was sent back with what was wrong
	TurnCascade = "cascade" // the next step of one
)

// Turn is one final request of a call.
type Turn struct {
	Kind      string
	Messages  []Message
	Options   Options
	Output    Output
	Tools     Tools
	Attempts  []Attempt
	Answer    string // as the model gave it
	ToolCalls []ToolCall
	Repairs   []Repair // what was put right of it
	Violation string   // what the contract, or a check of the cascade, refused; "" if nothing
	Declined  bool     // … and it was the cascade: the contract was kept
}

// Attempt is one request to a provider, or one answer from what is stored.
type Attempt struct {
	Provider   string // its name in llmx.yaml
	Model      string // the alias asked
	Wire       string // the model's name on the wire
	Answered   string // the model that answered, in the provider's words
	ResponseID string
	Started    time.Time
	Queue      time.Duration
	Service    time.Duration
	FirstToken time.Duration
	Usage      Usage
	Cost       Cost // at the list price, whether it was paid now or before
	Paid       Cost // what was paid now: 0 for a stored answer
	Finish     FinishReason
	Stored     *Stored
	Failure    *Failure
	// Structured says how the model was told the form of its answer: one of the
	// Structured… words, "" where nothing was said.
	Structured string
	Skipped    int  // pieces of the stream that could not be read and were left out
	Unasked    bool // nobody was asked: the breaker was open, the budget spent, the wait too long, the key refused before
}

// How a model is told the form of its answer.
const (
	StructuredSchema       = "json_schema"  // natively, by a schema that it is held to
	StructuredObject       = "json_object"  // natively, that it is JSON; the rest in words
	StructuredInstructions = "instructions" // in words alone
)

// Failure is how a call or an attempt failed, as it is kept.
type Failure struct {
	Class   fault.Class `json:"class"`
	Status  int         `json:"status,omitempty"`
	Message string      `json:"message"`
}

// FailureOf makes the record of an error; nil stays nil.
func FailureOf(err error) *Failure {
	if err == nil {
		return nil
	}
	e := fault.As(err)
	return &Failure{Class: e.Class, Status: e.Status, Message: e.Message}
}

// Usage sums the tokens over all attempts.
func (c *Call) Usage() Usage {
	var sum Usage
	for _, turn := range c.Turns {
		for _, attempt := range turn.Attempts {
			sum = sum.Plus(attempt.Usage)
		}
	}
	return sum
}

// Cost is the answering path at the list price: the last attempt of every turn.
func (c *Call) Cost() Cost {
	sum := KnownCost(0)
	for _, turn := range c.Turns {
		if n := len(turn.Attempts); n > 0 {
			sum = sum.Plus(turn.Attempts[n-1].Cost)
		}
	}
	return sum
}

// Paid is what was paid for all attempts of the call.
func (c *Call) Paid() Cost {
	sum := KnownCost(0)
	for _, turn := range c.Turns {
		for _, attempt := range turn.Attempts {
			sum = sum.Plus(attempt.Paid)
		}
	}
	return sum
}

// Attempts counts the attempts of all turns, but for those in which nobody was asked.
func (c *Call) Attempts() int {
	n := 0
	for _, turn := range c.Turns {
		for _, attempt := range turn.Attempts {
			if !attempt.Unasked {
				n++
			}
		}
	}
	return n
}

// Unstored reports whether the call was kept without its contents: nothing is asked
// without any message.
func (c *Call) Unstored() bool {
	return slices.ContainsFunc(c.Turns, func(t Turn) bool { return len(t.Messages) == 0 })
}

// Admission is what the wrappers between the route and the provider say of an
// attempt on its way. It belongs to the attempt's goroutine.
type Admission struct {
	Queue  time.Duration // waiting for a place
	Asked  bool          // the provider was asked
	Before bool          // it was not: it refused before what no request can change

	Structured string // how the form of the answer was told; see Attempt.Structured
}

type admissionKey struct{}

// WithAdmission lets what is below say how the attempt was admitted.
func WithAdmission(ctx context.Context, a *Admission) context.Context {
	return context.WithValue(ctx, admissionKey{}, a)
}

// AdmissionFrom finds the admission that ctx belongs to; where there is none it
// gives one that nobody reads.
func AdmissionFrom(ctx context.Context) *Admission {
	if a, ok := ctx.Value(admissionKey{}).(*Admission); ok {
		return a
	}
	return &Admission{}
}

type callKey struct{}

// WithCall lets what is below add its turns and attempts to the call. A call
// belongs to one goroutine at a time.
func WithCall(ctx context.Context, call *Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// CallFrom finds the call that ctx belongs to, or nil.
func CallFrom(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// EnsureCall finds the call that ctx belongs to; where nobody traces it makes one
// that nobody reads.
func EnsureCall(ctx context.Context) (context.Context, *Call) {
	if call := CallFrom(ctx); call != nil {
		return ctx, call
	}
	call := &Call{}
	return WithCall(ctx, call), call
}

// Turn is the turn that is under way, or nil.
func (c *Call) Turn() *Turn {
	if c == nil || len(c.Turns) == 0 {
		return nil
	}
	return &c.Turns[len(c.Turns)-1]
}
