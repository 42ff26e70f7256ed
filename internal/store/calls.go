package store

import (
	"database/sql/driver"
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

const (
	// callHead is a call but for its contents.
	callHead = `n, id, started, run, suite, "case", "check", prompt, prompt_version, prompt_hash, model, repeat, answered, finish,
	stored, queue, service, first_token, total, failure, key, user`
	callColumns = callHead + `, vars, answer, answer_in_turn`
)

// Record queues a call that has ended, with its turns and attempts. The call
// must not change any more. It waits only while the queue is full, and in a store
// that serves never. A write error is told by AddResult, EndRun, Flush and Close.
func (s *Store) Record(call *llm.Call) {
	if call == nil || s.writer == nil {
		return
	}
	if s.content == ContentRedacted || s.content == ContentNone {
		call = callWithoutContent(call)
	}
	item := work{call: call}
	if s.writer.serving != nil {
		item.size = callBytes(call)
	}
	_ = s.writer.send(item) // the error stays, and others are told
}

func (w *writer) insertCall(c *llm.Call) error {
	n, err := w.callNumber(c.Origin.Run)
	if err != nil {
		return err
	}
	failure, err := failureValue(c.Failure)
	if err != nil {
		return err
	}
	stored, err := storedValue(c.Stored)
	if err != nil {
		return err
	}
	answer, inTurn := textValue(c.Answer), false
	if last := c.Turn(); last != nil && last.Answer == c.Answer {
		answer, inTurn = nil, true
	}
	err = w.inserts.call.exec(
		n, c.ID, timeValue(c.Started), textValue(c.Origin.Run), textValue(c.Origin.Suite), textValue(c.Origin.Case),
		textValue(c.Origin.Check),
		textValue(c.Prompt.Name), textValue(c.Prompt.Version), textValue(c.Prompt.Hash), textValue(c.Model),
		int64(c.Repeat), textValue(c.Answered), textValue(string(c.Finish)), stored,
		int64(c.Queue), int64(c.Service), int64(c.FirstToken), int64(c.Total),
		failure, textValue(c.Key), textValue(c.User), textValue(string(c.Vars)), answer, boolValue(inTurn),
	)
	if err != nil {
		return err
	}
	for i := range c.Turns {
		if err := w.insertTurn(n, i, &c.Turns[i]); err != nil {
			return err
		}
	}
	return nil
}

// callNumber is the next number in the run, or outside of runs for a run that
// this store does not know.
func (w *writer) callNumber(run string) (int64, error) {
	open := w.runs[run]
	if open == nil {
		open = &w.loose
		if !open.known {
			last, err := w.inserts.lastLoose.int64(lastRow(0))
			if err != nil {
				return 0, err
			}
			open.calls, open.known = last, true
		}
	}
	open.calls++
	return open.calls, nil
}

const turnColumns = `call, n, kind, shape, violation, answer, messages, repairs, tool_calls, declined`

func (w *writer) insertTurn(call int64, n int, t *llm.Turn) error {
	shape, err := w.shapeHash(t)
	if err != nil {
		return err
	}
	messages, err := listValue(t.Messages)
	if err != nil {
		return err
	}
	repairs, err := listValue(t.Repairs)
	if err != nil {
		return err
	}
	tools, err := listValue(t.ToolCalls)
	if err != nil {
		return err
	}
	err = w.inserts.turn.exec(call, int64(n), textValue(t.Kind), shape, textValue(t.Violation), textValue(t.Answer), messages, repairs, tools, boolValue(t.Declined))
	if err != nil {
		return err
	}
	for i := range t.Attempts {
		if err := w.insertAttempt(call, n, i, &t.Attempts[i]); err != nil {
			return err
		}
	}
	return nil
}

const attemptColumns = `call, turn, n, provider, model, wire, answered, response_id, started, queue, service, first_token,
	input_tokens, output_tokens, cached_tokens, reasoning_tokens, estimated, cost, cost_known, paid, paid_known, finish,
	stored, failure, skipped, unasked, structured`

func (w *writer) insertAttempt(call int64, turn, n int, a *llm.Attempt) error {
	failure, err := failureValue(a.Failure)
	if err != nil {
		return err
	}
	stored, err := storedValue(a.Stored)
	if err != nil {
		return err
	}
	return w.inserts.attempt.exec(
		call, int64(turn), int64(n), textValue(a.Provider), textValue(a.Model), textValue(a.Wire), textValue(a.Answered),
		textValue(a.ResponseID), timeValue(a.Started), int64(a.Queue), int64(a.Service), int64(a.FirstToken),
		a.Usage.Input, a.Usage.Output, a.Usage.CachedInput, a.Usage.Reasoning, boolValue(a.Usage.Estimated),
		int64(a.Cost.Amount), boolValue(a.Cost.Known), int64(a.Paid.Amount), boolValue(a.Paid.Known),
		textValue(string(a.Finish)), stored, failure, int64(a.Skipped), boolValue(a.Unasked), textValue(a.Structured),
	)
}

const shapeColumns = `hash, options, output_kind, output_schema, output_rest, tools`

// shapeSet knows the shapes that stand in the file, by what they hold.
type shapeSet map[string]string

// maxShapes bounds the set; there are as many as there are prompts, usually.
const maxShapes = 1000

// shapeHash names the options, the output contract and the tools of a turn, and keeps them
// where they are new. nil stands for
// none of these.
func (w *writer) shapeHash(t *llm.Turn) (driver.Value, error) {
	rest, err := restOf(t.Output)
	if err != nil || len(t.Options) == 0 && t.Output.Kind == "" && t.Output.Schema == nil && rest == nil && !t.Tools.Offered() {
		return nil, err
	}
	var options []byte
	if len(t.Options) > 0 {
		if options, err = json.Marshal(t.Options); err != nil {
			return nil, err
		}
	}
	key := string(options) + "\x00" + string(t.Output.Kind) + "\x00" + string(t.Output.Schema) + "\x00" + string(rest) + "\x00" + string(t.Tools.Text())
	if hash, ok := w.shapes[key]; ok {
		return hash, nil
	}
	parts := [][]byte{options, []byte(t.Output.Kind), t.Output.Schema}
	if rest != nil { // shapes of before keep their hashes
		parts = append(parts, rest)
	}
	if tools := t.Tools.Text(); tools != nil {
		parts = append(parts, []byte("tools"), tools)
	}
	hash := eval.HashOf(parts...)
	if len(w.shapes) == maxShapes {
		clear(w.shapes)
	}
	w.shapes[key] = hash
	return hash, w.inserts.shape.exec(hash, textValue(string(options)), textValue(string(t.Output.Kind)), textValue(string(t.Output.Schema)), textValue(string(rest)),
		textValue(string(t.Tools.Text())))
}

// restOf is what a contract says besides its kind and its schema; nil for nothing.
func restOf(output llm.Output) ([]byte, error) {
	output.Kind, output.Schema = "", nil
	rest, err := json.Marshal(output)
	if err != nil || string(rest) == "{}" {
		return nil, err
	}
	return rest, nil
}
