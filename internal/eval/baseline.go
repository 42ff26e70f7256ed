package eval

import (
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Baseline is the accepted results of a suite.
type Baseline struct {
	Headers []BaselineHeader // one a model, sorted by model
	Lines   []BaselineLine   // sorted by case id, then model
}

// BaselineHeader says under which treatment a model's lines were made.
type BaselineHeader struct {
	Suite      string           `json:"suite"`
	Model      string           `json:"model"`    // asked
	Answered   []string         `json:"answered"` // models that answered, sorted
	Treatment  string           `json:"treatment"`
	Prompt     llm.PromptRef    `json:"prompt"`
	Draws      string           `json:"draws"` // "recorded" or "live"
	Date       string           `json:"date"`  // YYYY-MM-DD of the run
	Run        string           `json:"run"`
	LatencyP50 time.Duration    `json:"latency_p50_ns,omitempty"` // of uncached calls; 0 where there were none
	LatencyP95 time.Duration    `json:"latency_p95_ns,omitempty"`
	Spend      []BaselineSpend  `json:"spend,omitempty"`    // by the model that answered, sorted; nil where a cost is unknown
	Accepted   []BaselineAccept `json:"accepted,omitempty"` // single cases, accepted with a reason
}

// BaselineSpend is what the answers of one model came to, those of cases in quarantine
// left out: by it a change of cost is told apart.
type BaselineSpend struct {
	Answered string    `json:"answered"`
	Results  int       `json:"results"`
	Input    int64     `json:"input"` // tokens
	Output   int64     `json:"output"`
	Cost     llm.Money `json:"cost"`
}

// BaselineAccept keeps why single cases were accepted.
type BaselineAccept struct {
	Cases   []string `json:"cases"`
	Because string   `json:"because"`
	Date    string   `json:"date"`
}

// BaselineLine is what was accepted for one case × model.
type BaselineLine struct {
	Case     string             `json:"case"`
	Model    string             `json:"model"`
	Input    string             `json:"input"`    // input hash
	Criteria string             `json:"criteria"` // criteria hash
	Passes   int                `json:"passes"`
	Repeats  int                `json:"repeats"`             // judged ones
	Valid    int                `json:"valid"`               // repeats that met the contract; -1 where there is none
	FirstTry *int               `json:"first_try,omitempty"` // … with the first answer; nil: as many as are valid
	Scores   map[string]float64 `json:"scores,omitempty"`    // mean per named metric
	Cost     *llm.Money         `json:"cost,omitempty"`      // mean nano-USD per repeat; nil for unknown
	Service  time.Duration      `json:"-"`                   // mean of the calls made now, in a run against a commit; else 0
	Answers  []BaselineAnswer   `json:"answers"`             // distinct ones, most frequent first, then by digest
}

// BaselineAnswer is one distinct answer of a case.
type BaselineAnswer struct {
	Digest    string           `json:"digest"`
	Text      *string          `json:"text,omitempty"` // nil where it was left out: over 2 KB, or over 5,000 results
	Count     int              `json:"count"`
	Passes    int              `json:"passes"`
	Broken    string           `json:"broken,omitempty"`     // what the contract refused
	Finish    llm.FinishReason `json:"finish,omitempty"`     // where it is not "stop"
	ToolCalls []BaselineCall   `json:"tool_calls,omitempty"` // that the model proposed; left out with the text
	Steps     []BaselineStep   `json:"steps,omitempty"`      // of a conversation, whose text says the same to readers; left out with it
}

// BaselineCall is a tool call without its id, which is drawn anew every time.
type BaselineCall struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// First is how many repeats met the contract with the first answer.
func (l *BaselineLine) First() int {
	if l.FirstTry != nil {
		return *l.FirstTry
	}
	return l.Valid
}

// Shown is the answer as people read it, nil where its text was left out.
func (a *BaselineAnswer) Shown() *string {
	if a.Text == nil || len(a.ToolCalls) == 0 {
		return a.Text
	}
	shown := llm.Shown(*a.Text, a.Calls())
	return &shown
}

// Calls are the tool calls that the model proposed.
func (a *BaselineAnswer) Calls() []llm.ToolCall {
	var calls []llm.ToolCall
	for _, call := range a.ToolCalls {
		calls = append(calls, llm.ToolCall{Name: call.Name, Arguments: call.Arguments})
	}
	return calls
}

// BaselineStep is one reply of a conversation: enough to score it again.
type BaselineStep struct {
	Turn      int              `json:"turn"` // that it answers
	Answer    string           `json:"answer,omitempty"`
	ToolCalls []llm.ToolCall   `json:"tool_calls,omitempty"`
	Finish    llm.FinishReason `json:"finish,omitempty"` // where it is not "stop"
}
