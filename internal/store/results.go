package store

import (
	"database/sql/driver"
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

const resultColumns = `id, grp, "case", repeat, status, digest, input_hash, criteria_hash, tags, answered, valid, finish,
	call, turns, attempts, input_tokens, output_tokens, cached_tokens, reasoning_tokens, estimated,
	cost, cost_known, paid, paid_known, queue, service, first_token, stored_by, stored_at, origin, started,
	failure, scores, answer, repair_score, tool_calls, first_try, eval, steps`

// AddResult queues a result of a run that was begun here; it waits while the
// queue is full. The error is that of a write before, and stays: after it
// nothing is written any more. The store keeps the result's slices until they
// are written.
func (s *Store) AddResult(result eval.Result) error {
	if err := s.writable(); err != nil {
		return err
	}
	if s.content == ContentNone {
		result = resultWithoutContent(result)
	}
	return s.writer.send(work{result: &result})
}

func (w *writer) insertResult(r *eval.Result) error {
	run := w.runs[r.Run]
	if run == nil {
		return w.fail(notBegun(r.Run))
	}
	group, err := w.groupNumber(run, groupOf(r))
	if err != nil {
		return err
	}
	tags, err := listValue(r.Tags)
	if err != nil {
		return err
	}
	failure, err := failureValue(r.Failure)
	if err != nil {
		return err
	}
	scores, err := listValue(r.Scores)
	if err != nil {
		return err
	}
	tools, err := listValue(r.ToolCalls)
	if err != nil {
		return err
	}
	steps, err := listValue(r.Steps)
	if err != nil {
		return err
	}
	spent, err := evalValue(r.Eval)
	if err != nil {
		return err
	}
	run.results++
	return w.inserts.result.exec(
		run.results, group, r.Case, int64(r.Repeat), string(r.Status), textValue(r.Digest), textValue(r.InputHash),
		textValue(r.CriteriaHash), tags, textValue(r.Answered), textValue(string(r.Valid)), textValue(string(r.Finish)),
		textValue(r.CallID), int64(r.Turns), int64(r.Attempts),
		r.Usage.Input, r.Usage.Output, r.Usage.CachedInput, r.Usage.Reasoning, boolValue(r.Usage.Estimated),
		int64(r.Cost.Amount), boolValue(r.Cost.Known), int64(r.Paid.Amount), boolValue(r.Paid.Known),
		int64(r.Queue), int64(r.Service), int64(r.FirstToken), textValue(r.StoredBy), timeValue(r.StoredAt),
		textValue(r.Origin), timeValue(r.Started), failure, scores, textValue(r.Answer), repairScoreValue(r),
		tools, firstTryValue(r), spent, steps,
	)
}

// repairScoreValue is NULL where the standing of the answer says it.
func repairScoreValue(r *eval.Result) driver.Value {
	if r.RepairScore == plainScore(r.Valid) {
		return nil
	}
	return r.RepairScore
}

// plainScore is the repair score of an answer of which nothing was put right.
func plainScore(valid eval.Validity) float64 {
	if valid == eval.Valid {
		return 1
	}
	return 0
}

// firstTryValue is NULL where the answer stands as it did at first.
func firstTryValue(r *eval.Result) driver.Value {
	if r.FirstTry == r.Valid {
		return nil
	}
	return string(r.FirstTry)
}

func evalValue(spent eval.Eval) (driver.Value, error) {
	if spent.Calls == 0 {
		return nil, nil
	}
	return jsonValue(spent)
}

// resultReader makes results of rows. Thousands of rows have the same tags and
// scores, letter by letter ("golden: 1, passed"), which are parsed once.
type resultReader struct {
	*record
	run    string
	groups map[int64]groupKey
	tags   map[string][]string
	scores map[string][]eval.Score
}

func newResultReader(run string, groups map[int64]groupKey) *resultReader {
	return &resultReader{
		record: newRecord(resultColumns), run: run, groups: groups,
		tags: map[string][]string{}, scores: map[string][]eval.Score{},
	}
}

func (r *resultReader) result() eval.Result {
	r.int64() // the id
	group := r.groups[r.int64()]
	result := eval.Result{
		Run: r.run, Suite: group.suite, Model: group.model, Treatment: group.treatment, Prompt: group.prompt, Arm: group.arm,
		Case: r.text(), Repeat: r.int(), Status: eval.Status(r.text()), Digest: r.text(), InputHash: r.text(),
		CriteriaHash: r.text(), Tags: parsedOnce(r.record, r.tags), Answered: r.text(), Valid: eval.Validity(r.text()),
		Finish: llm.FinishReason(r.text()), CallID: r.text(), Turns: r.int(), Attempts: r.int(), Usage: r.usage(),
		Cost: r.cost(), Paid: r.cost(), Queue: r.duration(), Service: r.duration(), FirstToken: r.duration(),
		StoredBy: r.text(), StoredAt: r.time(), Origin: r.text(), Started: r.time(),
		Failure: r.failure(), Scores: parsedOnce(r.record, r.scores), Answer: r.text(),
	}
	if score, scored := r.take().(float64); scored {
		result.RepairScore = score
	} else {
		result.RepairScore = plainScore(result.Valid)
	}
	r.json(&result.ToolCalls)
	if first, differs := r.take().(string); differs {
		result.FirstTry = eval.Validity(first)
	} else {
		result.FirstTry = result.Valid
	}
	r.json(&result.Eval)
	r.json(&result.Steps)
	return result
}

// maxParsed bounds what parsedOnce remembers.
const maxParsed = 1000

// parsedOnce parses a JSON array, or copies what it parsed before.
func parsedOnce[T any](r *record, seen map[string][]T) []T {
	text := r.text()
	if text == "" {
		return nil
	}
	parsed, ok := seen[text]
	if !ok {
		if err := json.Unmarshal([]byte(text), &parsed); err != nil && r.err == nil {
			r.err = err
		}
		if len(seen) < maxParsed {
			seen[text] = parsed
		}
	}
	return append([]T(nil), parsed...)
}
