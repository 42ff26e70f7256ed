package report

import (
	"bufio"
	"encoding/json"
	"io"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// CallSchemaVersion names the shape of a whole call as JSON. Keys may be added under
// the same version; a key that goes or changes its meaning makes a new one.
const CallSchemaVersion = "llmx.call/1"

// callDocument is the JSON of a whole call. Its keys are always there, unless they
// are marked omitempty. Costs are integers of 10⁻⁹ USD, null for unknown; times are
// RFC 3339 in UTC, durations milliseconds.
type callDocument struct {
	Schema  string          `json:"schema"`
	Call    callLine        `json:"call"`
	Content bool            `json:"content"` // false: inputs, messages and answers were not stored
	Hash    string          `json:"prompt_hash"`
	Vars    json.RawMessage `json:"vars"` // the inputs, or null
	Turns   []callTurn      `json:"turns"`
	Tools   []llm.ToolCall  `json:"tool_calls"` // that the model proposed in the last turn
	Answer  string          `json:"answer"`     // of the last turn, valid or not; of a failed call what had come
	Said    []callFeedback  `json:"feedback"`   // what was said of the answer since
	Result  *callResult     `json:"result"`     // null outside of runs
}

type callFeedback struct {
	At         string          `json:"at"`
	Key        string          `json:"key"` // that it came by
	Score      *float64        `json:"score"`
	Correction json.RawMessage `json:"correction"`
	Comment    string          `json:"comment"`
}

// callLine is a call without its contents: the line of a list.
type callLine struct {
	ID         string       `json:"id"`
	Started    string       `json:"started"`
	Run        string       `json:"run"`
	Suite      string       `json:"suite"`
	Case       string       `json:"case"`
	Check      string       `json:"check,omitempty"` // that asked, of a call that is no answer to the case
	Repeat     int          `json:"repeat"`
	Key        string       `json:"key"`         // id of the caller's key, "" at the command line
	User       string       `json:"user"`        // whom the caller asked for
	Prompt     string       `json:"prompt"`      // name@version
	Model      string       `json:"model"`       // that was asked: an alias or a route
	AnsweredBy string       `json:"answered_by"` // the alias that answered; "" where nobody did, or nobody knows
	Answered   string       `json:"answered"`    // the model that answered, in the provider's words
	Outcome    string       `json:"outcome"`     // answered, cached, recorded, shared or a class of failure
	Failure    *llm.Failure `json:"failure"`     // null for an answer that was passed on
	Feedback   string       `json:"feedback"`    // what was said of the answer since: good, bad or ""
	Finish     string       `json:"finish"`
	Turns      int          `json:"turns"`
	Attempts   int          `json:"attempts"` // but for those in which nobody was asked
	Input      int64        `json:"input_tokens"`
	Output     int64        `json:"output_tokens"`
	Cost       *int64       `json:"cost_nano_usd"` // at list price
	Paid       *int64       `json:"paid_nano_usd"`
	QueueMS    float64      `json:"queue_ms"`
	ServiceMS  float64      `json:"service_ms"` // with the pauses between attempts
	FirstMS    float64      `json:"first_token_ms"`
	TotalMS    float64      `json:"total_ms"`
	StoredBy   string       `json:"stored_by,omitempty"` // cache, recording or shared
}

type callTurn struct {
	Kind      string         `json:"kind"` // ask, re-ask or cascade
	Messages  []llm.Message  `json:"messages"`
	Options   llm.Options    `json:"options"`
	Output    llm.Output     `json:"output"`
	Tools     []llm.ToolSpec `json:"tools"`       // that were offered
	Choice    string         `json:"tool_choice"` // "" for auto
	Attempts  []callAttempt  `json:"attempts"`
	Answer    string         `json:"answer"`
	ToolCalls []llm.ToolCall `json:"tool_calls"` // that the model proposed
	Repairs   []llm.Repair   `json:"repairs"`    // what was put right of the answer
	Violation string         `json:"violation"`  // why the answer was not accepted, "" if it was
}

type callAttempt struct {
	Asked      bool         `json:"asked"`    // a provider was asked, now
	Model      string       `json:"model"`    // the alias
	Provider   string       `json:"provider"` // its name in llmx.yaml
	Wire       string       `json:"wire"`     // the model's name on the wire
	Answered   string       `json:"answered"` // the model that answered, in the provider's words
	ResponseID string       `json:"response_id"`
	Started    string       `json:"started"` // of a stored answer: when it was given, where that is known
	QueueMS    float64      `json:"queue_ms"`
	ServiceMS  float64      `json:"service_ms"` // of a stored answer: then
	FirstMS    float64      `json:"first_token_ms"`
	Usage      llm.Usage    `json:"usage"`
	Cost       *int64       `json:"cost_nano_usd"` // at list price; of an attempt that asked nobody: what asking would cost
	Paid       *int64       `json:"paid_nano_usd"`
	Finish     string       `json:"finish"`
	Failure    *llm.Failure `json:"failure"`
	Skipped    int          `json:"skipped"`              // pieces of the stream that could not be read
	Structured string       `json:"structured,omitempty"` // how the form of the answer was told: json_schema, json_object or instructions
	StoredBy   string       `json:"stored_by,omitempty"`
	Origin     string       `json:"origin,omitempty"` // of a recording: who wrote it
}

type callResult struct {
	Status eval.Status  `json:"status"`
	Reason string       `json:"reason"`
	Scores []eval.Score `json:"scores"`
	Turn   int          `json:"turn,omitempty"`  // of the conversation that the call is part of: the one that it answers
	Steps  []eval.Step  `json:"steps,omitempty"` // the whole conversation
}

// CallJSON writes a whole call, and the result that it belongs to (nil where it has
// none), as one JSON document: see callDocument.
func CallJSON(w io.Writer, call *llm.Call, result *eval.Result) error {
	d := callDocument{
		Schema: CallSchemaVersion, Call: callLineOf(call), Content: !call.Unstored(), Hash: call.Prompt.Hash,
		Vars: call.Vars, Turns: []callTurn{}, Tools: []llm.ToolCall{}, Answer: call.Answer, Said: []callFeedback{},
	}
	if turn := call.Turn(); turn != nil {
		d.Tools = filled(turn.ToolCalls)
	}
	for _, turn := range call.Turns {
		t := callTurn{
			Kind: turn.Kind, Messages: filled(turn.Messages), Options: turn.Options, Output: turn.Output,
			Tools: filled(turn.Tools.List), Choice: turn.Tools.Choice,
			Attempts: []callAttempt{}, Answer: turn.Answer, ToolCalls: filled(turn.ToolCalls), Repairs: filled(turn.Repairs), Violation: turn.Violation,
		}
		if t.Options == nil {
			t.Options = llm.Options{}
		}
		for i := range turn.Attempts {
			t.Attempts = append(t.Attempts, callAttemptOf(&turn.Attempts[i]))
		}
		d.Turns = append(d.Turns, t)
	}
	for _, f := range call.Feedback {
		d.Said = append(d.Said, callFeedback{At: instant(f.At), Key: f.Key, Score: f.Score, Correction: f.Correction, Comment: f.Comment})
	}
	if result != nil {
		d.Result = &callResult{Status: result.Status, Reason: result.Reason(), Scores: filled(result.Scores), Steps: result.Steps}
		if at := stepOf(call, result); at >= 0 {
			d.Result.Turn = result.Steps[at].Turn
		}
	}
	return writeDocument(w, d)
}

// CallLines writes calls as lines of JSON: see callLine.
func CallLines(w io.Writer, calls iter.Seq2[*llm.Call, error]) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(&escaper{out})
	encoder.SetEscapeHTML(false)
	for call, err := range calls {
		if err != nil {
			return err
		}
		if err := encoder.Encode(callLineOf(call)); err != nil {
			return err
		}
	}
	return out.Flush()
}

func callLineOf(call *llm.Call) callLine {
	usage := call.Usage()
	by := aliasOf(call)
	if by == "" && call.Failure == nil && call.Stored == nil {
		by = call.Model
	}
	return callLine{
		ID: call.ID, Started: instant(call.Started), Run: call.Origin.Run, Suite: call.Origin.Suite, Case: call.Origin.Case, Check: call.Origin.Check, Repeat: call.Repeat,
		Key: call.Key, User: call.User, Feedback: call.FeedbackWord(), Prompt: call.Prompt.String(), Model: call.Model, AnsweredBy: by, Answered: call.Answered,
		Outcome: outcomeOf(call).text, Failure: call.Failure, Finish: string(call.Finish), Turns: len(call.Turns), Attempts: call.Attempts(),
		Input: usage.Input, Output: usage.Output, Cost: costOf(call.Cost()).NanoUSD, Paid: costOf(call.Paid()).NanoUSD,
		QueueMS: millis(call.Queue), ServiceMS: millis(call.Service), FirstMS: millis(call.FirstToken), TotalMS: millis(call.Total),
		StoredBy: storeOf(call.Stored),
	}
}

func callAttemptOf(a *llm.Attempt) callAttempt {
	doc := callAttempt{
		Asked: !unasked(a) && a.Stored == nil, Model: a.Model, Provider: a.Provider, Wire: a.Wire, Answered: a.Answered,
		ResponseID: a.ResponseID, Started: instant(a.Started), QueueMS: millis(a.Queue), ServiceMS: millis(a.Service), FirstMS: millis(a.FirstToken),
		Usage: a.Usage, Cost: costOf(a.Cost).NanoUSD, Paid: costOf(a.Paid).NanoUSD, Finish: string(a.Finish),
		Failure: a.Failure, Skipped: a.Skipped, StoredBy: storeOf(a.Stored), Structured: a.Structured,
	}
	if a.Stored != nil {
		doc.Origin = a.Stored.Origin
	}
	return doc
}

func storeOf(stored *llm.Stored) string {
	if stored == nil {
		return ""
	}
	return stored.By
}

// instant is a time to the nanosecond, which tells attempts apart; "" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
