package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const feedbackColumns = `call, n, at, key, score, correction, comment`

// What may be said of one call: whoever may call may say something.
const (
	maxFeedback   = 100       // times
	maxCorrection = 256 << 10 // bytes
	maxComment    = 16 << 10  // bytes
)

// AddFeedback keeps what was said of a call's answer; At is now where it is not set.
// It waits until that is written. Where contents are not kept, the score alone is. A
// call that is not there is fault.NoMatch, feedback that says nothing, or too much,
// fault.Usage.
func (s *Store) AddFeedback(ctx context.Context, call string, f llm.Feedback) error {
	if err := s.writable(); err != nil {
		return err
	}
	if err := checkFeedback(f); err != nil {
		return err
	}
	if f.At.IsZero() {
		f.At = s.now()
	}
	if s.content == ContentRedacted || s.content == ContentNone {
		f.Correction, f.Comment = nil, ""
	}
	var score any
	if f.Score != nil {
		score = *f.Score
	}
	return s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		ctx := context.Background() // as for every batch
		var number, had int64
		err := conn.QueryRowContext(ctx, `SELECT n, (SELECT count(*) FROM feedback WHERE call = calls.n) FROM calls WHERE id = ?`, call).Scan(&number, &had)
		switch {
		case err == sql.ErrNoRows:
			return fault.New(fault.NoMatch, "there is no call %q", call).WithHint("llmx calls lists the newest; calls of pruned runs are gone")
		case err != nil:
			return err
		case had >= maxFeedback:
			return fault.New(fault.Usage, "the call %q has feedback %d times already", call, had)
		}
		_, err = conn.ExecContext(ctx, insertInto("INSERT", "feedback", feedbackColumns),
			number, had, f.At.UnixNano(), textValue(f.Key), score, textValue(string(f.Correction)), textValue(f.Comment))
		return err
	}})
}

func checkFeedback(f llm.Feedback) error {
	switch {
	case f.Score == nil && f.Correction == nil && f.Comment == "":
		return fault.New(fault.Usage, "the feedback says nothing").WithHint("give a score, a correction or a comment")
	case f.Score != nil && (math.IsNaN(*f.Score) || *f.Score < 0 || *f.Score > 1):
		return fault.New(fault.Usage, "the score %v is not between 0 and 1", *f.Score).WithHint("0 is wrong, 1 is right")
	case f.Correction != nil && !json.Valid(f.Correction):
		return fault.New(fault.Usage, "the correction is no JSON value").WithHint("a text is a JSON string")
	case len(f.Correction) > maxCorrection:
		return fault.New(fault.Usage, "the correction has %d bytes, at most %d are kept", len(f.Correction), maxCorrection)
	case len(f.Comment) > maxComment:
		return fault.New(fault.Usage, "the comment has %d bytes, at most %d are kept", len(f.Comment), maxComment)
	}
	return nil
}

// Feedback reads what was said of a call, the oldest first; nothing for a call that is
// not there.
func (s *Store) Feedback(ctx context.Context, call string) ([]llm.Feedback, error) {
	byCall, err := s.feedbackOf(ctx, "call = (SELECT n FROM calls WHERE id = ?)", call)
	if err != nil {
		return nil, s.failure("read", err)
	}
	for _, list := range byCall {
		return list, nil
	}
	return nil, nil
}

// feedbackOf reads the feedback of the calls that a condition selects, by number.
func (s *Store) feedbackOf(ctx context.Context, where string, arg any) (map[int64][]llm.Feedback, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+feedbackColumns+" FROM feedback WHERE "+where+" ORDER BY call, n", arg)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var byCall map[int64][]llm.Feedback
	r := newRecord(feedbackColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, err
		}
		call := r.int64()
		r.int64() // its number
		f := llm.Feedback{At: r.time(), Key: r.text(), Score: r.fraction()}
		if correction := r.text(); correction != "" {
			f.Correction = json.RawMessage(correction)
		}
		f.Comment = r.text()
		if byCall == nil {
			byCall = map[int64][]llm.Feedback{}
		}
		byCall[call] = append(byCall[call], f)
	}
	return byCall, rows.Err()
}

// fraction is a number, or nil.
func (r *record) fraction() *float64 {
	if f, ok := r.take().(float64); ok {
		return &f
	}
	return nil
}
