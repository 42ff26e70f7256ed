package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Call finds a call by its id, with its turns and attempts.
func (s *Store) Call(ctx context.Context, id string) (*llm.Call, error) {
	r := newRecord(callColumns)
	err := r.scan(s.readers.QueryRowContext(ctx, "SELECT "+callColumns+" FROM calls WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.Usage, "there is no call %q", id).
			WithHint("llmx runs show lists the calls of a run; calls of pruned runs are gone")
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
	if last := call.Turn(); inTurn && last != nil {
		call.Answer = last.Answer
	}
	return call, nil
}

// call reads callColumns.
func (r *record) call() (n int64, call *llm.Call, answerInTurn bool) {
	n = r.int64()
	c := &llm.Call{
		ID: r.text(), Started: r.time(), Origin: llm.Origin{Run: r.text(), Suite: r.text(), Case: r.text()},
		Prompt: llm.PromptRef{Name: r.text(), Version: r.text(), Hash: r.text()}, Model: r.text(), Repeat: r.int(),
		Answered: r.text(), Finish: llm.FinishReason(r.text()), Stored: r.stored(),
		Queue: r.duration(), Service: r.duration(), FirstToken: r.duration(), Total: r.duration(), Failure: r.failure(),
	}
	if vars := r.text(); vars != "" {
		c.Vars = json.RawMessage(vars)
	}
	c.Answer = r.text()
	return n, c, r.bool()
}

func (s *Store) turns(ctx context.Context, call int64) ([]llm.Turn, error) {
	const columns = `kind, violation, answer, messages, repairs, options, output_kind, output_schema, output_rest`
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
		r.json(&turn.Options)
		kind, schema := r.text(), r.text()
		r.json(&turn.Output)
		turn.Output.Kind = llm.OutputKind(kind)
		if schema != "" {
			turn.Output.Schema = json.RawMessage(schema)
		}
		if r.err != nil {
			return nil, r.err
		}
		turns = append(turns, turn)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return turns, s.attempts(ctx, call, turns)
}

// attempts reads the attempts of all turns into them.
func (s *Store) attempts(ctx context.Context, call int64, turns []llm.Turn) error {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+attemptColumns+" FROM attempts WHERE call = ? ORDER BY turn, n", call)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := newRecord(attemptColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return err
		}
		r.int64() // the call
		turn := r.int()
		r.int64() // its number
		attempt := llm.Attempt{
			Provider: r.text(), Model: r.text(), Wire: r.text(), Answered: r.text(), ResponseID: r.text(),
			Started: r.time(), Queue: r.duration(), Service: r.duration(), FirstToken: r.duration(),
			Usage: r.usage(), Cost: r.cost(), Paid: r.cost(), Finish: llm.FinishReason(r.text()),
			Stored: r.stored(), Failure: r.failure(), Skipped: r.int(), Unasked: r.bool(),
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

// CallFilter selects calls; an empty field selects all. Run is an id as Store.Run takes it.
type CallFilter struct {
	Run    string
	Suite  string
	Case   string
	Prompt string
	Model  string
	Failed bool // only calls that failed
	Limit  int  // at most so many; 0: 20
}

const defaultCalls = 20

// Calls lists the newest calls first, without their turns; Call reads those.
func (s *Store) Calls(ctx context.Context, f CallFilter) ([]*llm.Call, error) {
	if f.Limit <= 0 {
		f.Limit = defaultCalls
	}
	where, args, err := s.callsWhere(ctx, f)
	if err != nil {
		return nil, err
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT "+callColumns+` FROM calls WHERE `+where+
		` ORDER BY started DESC, n DESC LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var calls []*llm.Call
	r := newRecord(callColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, s.failure("read", err)
		}
		n, call, inTurn := r.call()
		if r.err != nil {
			return nil, s.failure("read", r.err)
		}
		if inTurn {
			if call.Answer, err = s.lastAnswer(ctx, n); err != nil {
				return nil, s.failure("read", err)
			}
		}
		calls = append(calls, call)
	}
	return calls, s.failure("read", rows.Err())
}

// callsWhere makes the condition of a filter; a run is a range of numbers.
func (s *Store) callsWhere(ctx context.Context, f CallFilter) (string, []any, error) {
	conditions, args := []string{"true"}, []any{}
	if f.Run != "" {
		run, err := s.findRun(ctx, f.Run)
		if err != nil {
			return "", nil, err
		}
		conditions, args = append(conditions, "n BETWEEN ? AND ?"), append(args, firstRow(run), lastRow(run))
	}
	for _, one := range []struct{ column, value string }{
		{"suite", f.Suite}, {`"case"`, f.Case}, {"prompt", f.Prompt}, {"model", f.Model},
	} {
		if one.value != "" {
			conditions, args = append(conditions, one.column+" = ?"), append(args, one.value)
		}
	}
	if f.Failed {
		conditions = append(conditions, "failure IS NOT NULL")
	}
	return strings.Join(conditions, " AND "), args, nil
}

func (s *Store) lastAnswer(ctx context.Context, call int64) (string, error) {
	var answer sql.NullString
	err := s.readers.QueryRowContext(ctx, "SELECT answer FROM turns WHERE call = ? ORDER BY n DESC LIMIT 1", call).Scan(&answer)
	return answer.String, err
}
