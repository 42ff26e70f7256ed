package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Call finds a call by its id, with its turns, attempts and feedback.
func (s *Store) Call(ctx context.Context, id string) (*llm.Call, error) {
	r := newRecord(callColumns)
	err := r.scan(s.readers.QueryRowContext(ctx, "SELECT "+callColumns+" FROM calls WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.Usage, "there is no call %q", id).
			WithHint("llmx calls lists the newest; calls of pruned runs are gone")
	}
	if err != nil {
		return nil, s.failure("read", err)
	}
	n, call, inTurn := r.call()
	if r.err != nil {
		return nil, s.failure("read", r.err)
	}
	if call.Turns, err = s.turns(ctx, n); err != nil {
		return nil, s.failure("read", err)
	}
	feedback, err := s.feedbackOf(ctx, "call = ?", n)
	if err != nil {
		return nil, s.failure("read", err)
	}
	call.Feedback = feedback[n]
	if last := call.Turn(); inTurn && last != nil {
		call.Answer = last.Answer
	}
	return call, nil
}

// CallsBeginning finds the ids of the calls whose id begins as given, the newest
// first, at most 20.
func (s *Store) CallsBeginning(ctx context.Context, start string) ([]string, error) {
	// A range, so that the index finds them: no id goes on with the last of all runes.
	const query = `SELECT id FROM calls WHERE id >= ?1 AND id < ?2 AND ?1 <> '' ORDER BY started DESC, n DESC LIMIT 20`
	ids, err := s.texts(ctx, query, start, start+"\U0010ffff")
	return ids, s.failure("read", err)
}

// call reads callColumns.
func (r *record) call() (n int64, call *llm.Call, answerInTurn bool) {
	n = r.int64()
	c := &llm.Call{
		ID: r.text(), Started: r.time(), Origin: llm.Origin{Run: r.text(), Suite: r.text(), Case: r.text(), Check: r.text()},
		Prompt: llm.PromptRef{Name: r.text(), Version: r.text(), Hash: r.text()}, Model: r.text(), Repeat: r.int(),
		Answered: r.text(), Finish: llm.FinishReason(r.text()), Stored: r.stored(),
		Queue: r.duration(), Service: r.duration(), FirstToken: r.duration(), Total: r.duration(), Failure: r.failure(),
		Key: r.text(), User: r.text(),
	}
	if vars := r.text(); vars != "" {
		c.Vars = json.RawMessage(vars)
	}
	c.Answer = r.text()
	return n, c, r.bool()
}

func (s *Store) turns(ctx context.Context, call int64) ([]llm.Turn, error) {
	const columns = `kind, violation, answer, messages, repairs, tool_calls, declined, options, output_kind, output_schema, output_rest, tools`
	rows, err := s.readers.QueryContext(ctx, "SELECT "+columns+" FROM turns LEFT JOIN shapes ON shapes.hash = turns.shape WHERE call = ? ORDER BY n", call)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var turns []llm.Turn
	r := newRecord(columns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, err
		}
		turn := llm.Turn{Kind: r.text(), Violation: r.text(), Answer: r.text()}
		r.json(&turn.Messages)
		r.json(&turn.Repairs)
		r.json(&turn.ToolCalls)
		turn.Declined = r.bool()
		r.json(&turn.Options)
		kind, schema := r.text(), r.text()
		r.json(&turn.Output)
		turn.Output.Kind = llm.OutputKind(kind)
		if schema != "" {
			turn.Output.Schema = json.RawMessage(schema)
		}
		r.json(&turn.Tools)
		if r.err != nil {
			return nil, r.err
		}
		turns = append(turns, turn)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return turns, s.attempts(ctx, "call = ?", call, func(int64) []llm.Turn { return turns })
}

// attempts reads the attempts of the calls that a condition selects into their turns.
func (s *Store) attempts(ctx context.Context, where string, arg any, turnsOf func(call int64) []llm.Turn) error {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+attemptColumns+" FROM attempts WHERE "+where+" ORDER BY call, turn, n", arg)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := newRecord(attemptColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return err
		}
		turns, turn := turnsOf(r.int64()), r.int()
		r.int64() // its number
		attempt := llm.Attempt{
			Provider: r.text(), Model: r.text(), Wire: r.text(), Answered: r.text(), ResponseID: r.text(),
			Started: r.time(), Queue: r.duration(), Service: r.duration(), FirstToken: r.duration(),
			Usage: r.usage(), Cost: r.cost(), Paid: r.cost(), Finish: llm.FinishReason(r.text()),
			Stored: r.stored(), Failure: r.failure(), Skipped: r.int(), Unasked: r.bool(), Structured: r.text(),
		}
		if r.err != nil {
			return r.err
		}
		if turn < len(turns) {
			turns[turn].Attempts = append(turns[turn].Attempts, attempt)
		}
	}
	return rows.Err()
}
