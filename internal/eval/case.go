// Package eval has the words of judging: Case, Check, Score, Result, Run,
// Baseline, Gate and Verdict. It imports the standard library, fault and llm alone.
package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Case is one input, or one conversation, with what must hold.
type Case struct {
	Suite   string
	ID      string
	Tags    []string
	Vars    map[string]any // JSON values: string, bool, json.Number, nil, []any, map[string]any
	Golden  *Golden        // nil where no answer is known to be right
	Checks  []Check        // the golden check included; at least one, here or at a turn
	Meta    map[string]any
	Repeats int
	Cluster string // cases of one cluster are not independent of each other; "" where the file does not say

	// Of a case that is a conversation: Checks are then those that look at the whole
	// of it, and Golden is nil.
	Turns  []CaseTurn
	Thread string        // the input that the conversation goes into; Vars has its beginning, a list or nil
	Begun  []llm.Message // the beginning, read

	InputHash    string // of what is asked; pairs with the baseline
	CriteriaHash string // of golden, effective checks and their versions
	Place        fault.Place
}

// Golden is the answer that is known to be right.
type Golden struct {
	Value any  // a JSON value
	Exact bool // golden_match: exact
}

// Check is one expectation. A check is safe for concurrent use.
type Check interface {
	// Name is the check's name in a suite file, "contains"; with not: "not contains".
	Name() string
	// Metric is the name under which its scores are averaged, "" for none.
	Metric() string
	// Spec is the check's canonical JSON with its version; it enters the criteria hash.
	Spec() json.RawMessage
	// Operational checks (cost, latency, attempts) do not count for accuracy.
	Operational() bool
	// Deterministic checks give the same score for the same subject, without a call.
	Deterministic() bool
	// Score judges. An error means that the check could not judge: never a fail.
	Score(ctx context.Context, subject Subject) (Score, error)
}

// Subject is what a check looks at.
type Subject struct {
	Answer string         // the text, as the model gave it
	Value  any            // the answer under the prompt's contract, nil where it has none or breaks it
	Output llm.Output     // the contract
	Golden *Golden        // nil where there is none
	Vars   map[string]any // the inputs
	Broken string         // what the contract refused, "" for a valid answer

	// Planned says that nobody has answered yet, and the answer is a text that stands in
	// for one: questions of it are counted, and nothing is judged.
	Planned bool

	ToolCalls []llm.ToolCall // that the model proposed, in order
	Repairs   []llm.Repair   // what was put right of a valid answer
	Turns     int            // final requests that the answer took: more than one where it was asked for again

	Finish   llm.FinishReason
	Usage    llm.Usage // over all attempts
	Cost     llm.Cost
	Service  time.Duration
	Attempts int
	Stored   bool   // from the cache or a recording: Service is not of now
	StoredBy string // "cache", "recording" or "shared"; "" for an answer of now

	// Ask answers a check that asks a model, for the result that Origin names. Nil
	// where nobody may be asked.
	Ask    llm.Model
	Origin llm.Origin
}

// Need is what a check looks at besides the answer itself.
type Need uint8

// The needs.
const (
	NeedGolden    Need = 1 << iota // the case's golden answer
	NeedToolCalls                  // the tool calls that the model proposed
	JudgesGolden                   // likewise, and it can fail by it: it says how golden answers are compared
	NeedFinish                     // why the model stopped: what it says of a length stop is the check's to judge
)

// Needs says what a check looks at; a check without the method needs nothing.
func Needs(c Check) Need {
	if n, ok := c.(interface{ Needs() Need }); ok {
		return n.Needs()
	}
	return 0
}

// Questions are what a check is going to ask models of a subject, in order: nothing
// for a check without the method.
func Questions(c Check, s Subject) ([]llm.Request, error) {
	if q, ok := c.(interface {
		Questions(s Subject) ([]llm.Request, error)
	}); ok {
		return q.Questions(s)
	}
	return nil, nil
}

// ToolsOf are the tools that a check names; none for a check without the method.
func ToolsOf(c Check) []string {
	if t, ok := c.(interface{ Tools() []string }); ok {
		return t.Tools()
	}
	return nil
}

// FieldPath leads to a part of an answer that a check looks at: each step is the name of a
// member, or the index of an item.
type FieldPath struct {
	Text  string
	Steps []any // string or int
	Place fault.Place
}

// FieldsOf are the parts of an answer that a check looks at; none for a check without the
// method.
func FieldsOf(c Check) []FieldPath {
	if f, ok := c.(interface{ Fields() []FieldPath }); ok {
		return f.Fields()
	}
	return nil
}

// FitsGolden says why a check cannot compare with a golden answer; nil where it can,
// or does not look at one.
func FitsGolden(c Check, golden Golden) error {
	if f, ok := c.(interface{ FitsGolden(golden any) error }); ok {
		return f.FitsGolden(golden.Value)
	}
	return nil
}

// WeightOf is how much a check counts in its metric's mean; 1 for a check without
// the method.
func WeightOf(c Check) float64 {
	if w, ok := c.(interface{ Weight() float64 }); ok {
		return w.Weight()
	}
	return 1
}

// Score is the outcome of one check.
type Score struct {
	Check       string  `json:"check"`
	Metric      string  `json:"metric,omitempty"`
	Value       float64 `json:"value"` // 0..1
	Pass        bool    `json:"pass"`
	Reason      string  `json:"reason,omitempty"` // why it did not pass; may be empty for a pass
	Operational bool    `json:"operational,omitempty"`
	Weight      float64 `json:"weight,omitempty"` // in the metric's mean; 0 stands for 1
	Turn        int     `json:"turn,omitempty"`   // of a conversation, from 1

	Want  string `json:"want,omitempty"` // of a label: the right one
	Got   string `json:"got,omitempty"`  // of a label: the answer's, "" for none of them
	Asked *Asked `json:"asked,omitempty"`
	// Unasked marks the score of a check that asks a model and had nothing to show it.
	Unasked bool `json:"unasked,omitempty"`
}

// Asked says whom a check asked.
type Asked struct {
	Prompt string   `json:"prompt,omitempty"` // name@version
	Model  string   `json:"model"`            // that answered, in the provider's words
	Calls  []string `json:"calls"`            // their ids
	// Orders are the places that won of a preference that is asked in both orders:
	// "first", "second" or "tie", the answer standing first, then second.
	Orders []string `json:"orders,omitempty"`
	Eval   `json:"spent"`
}

// Plus joins whom two checks asked, either of which may be nil.
func (a *Asked) Plus(b *Asked) *Asked {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	both := *a
	both.Calls = append(slices.Clone(a.Calls), b.Calls...)
	both.Eval = a.Eval.Plus(b.Eval)
	if b.Prompt != a.Prompt {
		both.Prompt += ", " + b.Prompt
	}
	if b.Model != a.Model {
		both.Model += ", " + b.Model
	}
	return &both
}

// Why names the check, says why it did not pass, and at which turn of a conversation.
func (s *Score) Why() string {
	why := strings.TrimSuffix(s.Check+": "+s.Reason, ": ")
	if s.Turn > 0 {
		return AtTurn(s.Turn, why)
	}
	return why
}

// AtTurn says of which turn of a conversation something is true.
func AtTurn(turn int, what string) string { return fmt.Sprintf("turn %d: %s", turn, what) }

// Weighs is the score's weight in the mean of its metric.
func (s *Score) Weighs() float64 {
	if s.Weight == 0 {
		return 1
	}
	return s.Weight
}

// Critical reports whether every repeat of the case must pass.
func (c *Case) Critical() bool { return slices.Contains(c.Tags, TagCritical) && !c.Quarantined() }

// Quarantined reports whether the case is kept out of every gate.
func (c *Case) Quarantined() bool { return slices.Contains(c.Tags, TagQuarantine) }

// ClusterKey is a number for the cases that are not independent of this one: those of its
// cluster, else those that ask the same.
func (c *Case) ClusterKey() uint64 {
	kind, name := "cluster\x00", c.Cluster
	if name == "" {
		kind, name = "input\x00", c.InputHash
	}
	key := uint64(14695981039346656037) // FNV-1a, without the garbage of its package: it is asked of every case
	for _, text := range []string{kind, name} {
		for i := range len(text) {
			key = (key ^ uint64(text[i])) * 1099511628211
		}
	}
	return key
}
