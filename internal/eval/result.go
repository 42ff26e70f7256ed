package eval

import (
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Status is what became of one case × model × repeat.
type Status string

// The statuses. Pass and Fail are judged; an Error is never a pass, never a
// fail, never in an average; Unjudged had no recorded reply.
const (
	Pass     Status = "pass"
	Fail     Status = "fail"
	Error    Status = "error"
	Unjudged Status = "unjudged"
)

// Judged reports whether the result counts.
func (s Status) Judged() bool { return s == Pass || s == Fail }

// Result is the outcome of one case × model × repeat.
type Result struct {
	Run          string
	Suite        string
	Case         string
	Tags         []string
	InputHash    string
	CriteriaHash string
	Treatment    string
	Prompt       llm.PromptRef
	Model        string // asked
	Arm          Arm    // of a run that compares two treatments: which of them
	Answered     string // the model that answered, in the provider's words
	Repeat       int

	Status    Status
	Scores    []Score
	Answer    string
	ToolCalls []llm.ToolCall // that the model proposed
	Digest    string         // of the answer: DigestOf, of its tool calls too, and of every step
	Valid     Validity
	// FirstTry is the standing of what the model said first, before it was asked again.
	FirstTry Validity
	// RepairScore is llm.RepairScore of a valid answer's repairs, else 0. See Repaired.
	RepairScore float64
	Finish      llm.FinishReason
	Failure     *llm.Failure // of an error, an unjudged, or a fail that is the call's own

	CallID     string
	Turns      int
	Attempts   int
	Usage      llm.Usage
	Cost       llm.Cost // the answering path at the uncached list price
	Paid       llm.Cost // what was paid now
	Queue      time.Duration
	Service    time.Duration
	FirstToken time.Duration
	Eval       Eval      // what the checks that ask a model spent
	Steps      []Step    // of a case that is a conversation; then Answer is the last one
	StoredBy   string    // "", "cache" or "recording"
	StoredAt   time.Time // when a stored answer was given
	Origin     string    // of a recording: who wrote it
	Started    time.Time
}

// Eval is what checks that ask a model spent. It is no part of Cost and Paid.
type Eval struct {
	Calls int      `json:"calls"`           // questions that were asked
	Asked int      `json:"asked,omitempty"` // … for which a model was asked now
	Cost  llm.Cost `json:"cost"`            // at the uncached list price
	Paid  llm.Cost `json:"paid"`
}

// Plus adds what another check spent. The zero value is nothing.
func (e Eval) Plus(other Eval) Eval {
	if other.Calls == 0 {
		return e
	}
	if e.Calls == 0 {
		return other
	}
	return Eval{Calls: e.Calls + other.Calls, Asked: e.Asked + other.Asked, Cost: e.Cost.Plus(other.Cost), Paid: e.Paid.Plus(other.Paid)}
}

// Step is one turn of a case that is a conversation: what was said to the model, and
// what came back. Its scores are the result's, by Score.Turn.
type Step struct {
	Turn      int              `json:"turn"` // of the case: the last that was said; Score.Turn names the same
	Said      []llm.Message    `json:"said"` // since the answer before
	Answer    string           `json:"answer"`
	ToolCalls []llm.ToolCall   `json:"tool_calls,omitempty"`
	Valid     Validity         `json:"valid,omitempty"`
	Finish    llm.FinishReason `json:"finish,omitempty"`
	Failure   *llm.Failure     `json:"failure,omitempty"`
	Call      string           `json:"call,omitempty"` // its id
	StoredBy  string           `json:"stored_by,omitempty"`
}

// Validity is the answer's standing under the prompt's output contract.
type Validity string

// The validities. NoContract is that of plain text.
const (
	NoContract Validity = ""
	Valid      Validity = "valid"
	Violated   Validity = "violated"
)

// Repaired is how far the answer was as its contract asks: 1 for one that came so, less
// for one that was put right, 0 for one that was refused. It is false without a
// contract. A valid answer without a score is of a time when nothing was repaired.
func (r *Result) Repaired() (score float64, ok bool) {
	switch {
	case r.Valid == NoContract:
		return 0, false
	case r.Valid == Violated:
		return 0, true
	case r.RepairScore == 0:
		return 1, true
	}
	return r.RepairScore, true
}

// Shown is the answer as people read it.
func (r *Result) Shown() string { return llm.Shown(r.Answer, r.ToolCalls) }

// Reason is the first thing that kept the result from passing.
func (r *Result) Reason() string {
	i := slices.IndexFunc(r.Scores, func(s Score) bool { return !s.Pass && !s.Operational })
	if r.Failure != nil && (i < 0 || !r.failedBefore(r.Scores[i].Turn)) {
		return r.Failure.Message
	}
	if i < 0 {
		return ""
	}
	return r.Scores[i].Why()
}

// failedBefore reports whether a turn of a conversation that failed comes before the
// one that ended it.
func (r *Result) failedBefore(turn int) bool {
	return r.Status == Fail && len(r.Steps) > 0 && turn > 0 && turn < r.Steps[len(r.Steps)-1].Turn
}

// StoredPart reports whether some of the answer was not asked for now: then Service
// is of no one time.
func (r *Result) StoredPart() bool {
	return r.StoredBy != "" || slices.ContainsFunc(r.Steps, func(s Step) bool { return s.StoredBy != "" })
}

// Arm tells the treatments apart that a run compares side by side.
type Arm string

// The arms. What is judged, listed and accepted are the results of the candidate.
const (
	Candidate Arm = ""        // the files as they are
	Against   Arm = "against" // the files as they were at a commit, asked beside them

	// Cases that flipped are asked anew, to see whether they do: as they are, and as
	// what they are compared with was.
	Confirm        Arm = "confirm"
	ConfirmAgainst Arm = "confirm against"
)

// Group is one suite on one model: what is compared with a baseline, and gated.
type Group struct {
	Suite     string        `json:"suite"`
	Model     string        `json:"model"`
	Arm       Arm           `json:"arm,omitempty"`
	Prompt    llm.PromptRef `json:"prompt"`
	ByPrompt  bool          `json:"by_prompt,omitempty"` // the run asks the suite with other prompts, too: this one is part of the name
	Treatment string        `json:"treatment"`
	Planned   int           `json:"planned"` // cases × repeats
	Judged    int           `json:"judged"`
	Errors    int           `json:"errors"`
	Unjudged  int           `json:"unjudged"`
	Cases     int           `json:"cases"`
}

// Same reports whether two groups are one: the same suite, model and arm, and where a run
// asks several prompts, the same prompt.
func (g Group) Same(o Group) bool {
	return g.Suite == o.Suite && g.Model == o.Model && g.Arm == o.Arm && (!g.ByPrompt && !o.ByPrompt || g.Prompt.String() == o.Prompt.String())
}

// Has reports whether a result of the candidate is of the group.
func (g Group) Has(r *Result) bool {
	return g.Suite == r.Suite && g.Model == r.Model && (!g.ByPrompt || g.Prompt.String() == r.Prompt.String())
}

// Name is how people call the group: "triage on small", and of a run that asks several
// prompts "triage on small by triage@1.0.0".
func (g Group) Name() string {
	name := g.Suite + " on " + g.Model
	if g.ByPrompt {
		name += " by " + g.Prompt.String()
	}
	return name
}

// Settled reports whether planned == judged + errors + unjudged.
func (g Group) Settled() bool { return g.Planned == g.Judged+g.Errors+g.Unjudged }

// RunState says how far a run came.
type RunState string

// The states of a run.
const (
	Running     RunState = "running" // or killed: nobody wrote the end
	Complete    RunState = "complete"
	Interrupted RunState = "interrupted"
)

// Run is one execution of suites.
type Run struct {
	ID        string
	Started   time.Time
	Ended     time.Time
	State     RunState
	Command   string // as typed, without secrets
	Replies   string // replay, auto, record or live; stored for a run that was scored again
	Version   string // of llmx
	Filtered  bool   // by --filter, --tag or --sample: not to be accepted as a baseline
	Selection Selection
	Groups    []Group
	Verdict   *Verdict // nil until the end
	Word      Word     // the verdict's, kept for listing
	Exit      int
	Failure   *llm.Failure // why the run could not go on
	Spent     llm.Cost
	Warnings  []string
}

// Selection is what a run was asked to do, in the words of the command line: one that
// was cut short goes on with it.
type Selection struct {
	Suites []string `json:"suites,omitempty"` // empty: all
	Prompt string   `json:"prompt,omitempty"` // several: "triage@1.0.0,triage@draft"
	Models []string `json:"models,omitempty"`
	// Reference is what several models or prompts are compared with; "" for the first.
	Reference string   `json:"reference,omitempty"`
	Filter    string   `json:"filter,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Sample    int      `json:"sample,omitempty"`
	Only      string   `json:"only,omitempty"` // how the cases came out before: "failed"
	Of        string   `json:"of,omitempty"`   // … in which run
	// Chosen are the ids that Only meant, by suite, sorted: later runs may tell otherwise.
	Chosen  map[string][]string `json:"chosen,omitempty"`
	Shard   string              `json:"shard,omitempty"` // "2/4", "" for the whole
	Repeats int                 `json:"repeats,omitempty"`
	Confirm int                 `json:"confirm,omitempty"` // how often what flipped is asked anew
	Missing string              `json:"missing,omitempty"`
	Fresh   bool                `json:"fresh,omitempty"`
	// FreshJudges likewise, of what checks ask.
	FreshJudges bool `json:"fresh_judges,omitempty"`
	// Against is the commit as it was named, whose prompts and models are asked beside
	// those of now; Commit is the one that it meant.
	Against string `json:"against,omitempty"`
	Commit  string `json:"commit,omitempty"`
	// Drift says that baselines were asked afresh: whether the models have moved.
	Drift bool `json:"drift,omitempty"`
	// Calibration says that a prompt was held against itself.
	Calibration bool `json:"calibration,omitempty"`
	// Cases names what is asked of each suite and what it is judged by.
	Cases map[string]string `json:"cases,omitempty"`
}

// ErrorClass counts the errors of one class in a run.
type ErrorClass struct {
	Class fault.Class `json:"class"`
	Count int         `json:"count"`
	First string      `json:"first"`           // the first message in the order of the alphabet
	Mixed bool        `json:"mixed,omitempty"` // there are other messages, too
}
