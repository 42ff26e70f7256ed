package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// saying finds which of some calls have a text in their inputs, messages or answers.
// Contents are JSON, in which a text may be escaped, and SQLite folds the case of ASCII
// alone: so they are read row by row, and looked through here.
func (s *Store) saying(ctx context.Context, numbers []int64, text string) (map[int64]bool, error) {
	list, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	l := looked{text: strings.ToLower(text), found: map[int64]bool{}}
	for _, one := range []struct {
		query string
		holds func(kind int, raw string) bool
	}{
		{"SELECT n, vars, answer, NULL FROM calls WHERE n" + ofNumbers, l.inCall},
		{"SELECT call, messages, answer, tool_calls FROM turns WHERE call" + ofNumbers, l.inTurn},
	} {
		if err := l.through(ctx, s, one.query, string(list), one.holds); err != nil {
			return nil, err
		}
	}
	return l.found, nil
}

// looked is one search.
type looked struct {
	text  string // in lower case
	found map[int64]bool
}

func (l *looked) through(ctx context.Context, s *Store, query, list string, holds func(column int, raw string) bool) error {
	rows, err := s.readers.QueryContext(ctx, query, list)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := newRecord("call, a, b, c")
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return err
		}
		n := r.int64()
		for column := range 3 {
			if raw := r.text(); raw != "" && !l.found[n] && holds(column, raw) {
				l.found[n] = true
			}
		}
	}
	return rows.Err()
}

func (l *looked) in(text string) bool { return strings.Contains(strings.ToLower(text), l.text) }

// cannot reports whether JSON without escapes does not have the text, so that it need
// not be parsed.
func (l *looked) cannot(raw string) bool { return !strings.Contains(raw, `\`) && !l.in(raw) }

func (l *looked) inCall(column int, raw string) bool {
	if column == 1 {
		return l.in(raw)
	}
	if l.cannot(raw) {
		return false
	}
	var vars any
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber() // as they were written
	return decoder.Decode(&vars) == nil && l.inValue(vars)
}

// inValue looks through the values of JSON, and not its keys.
func (l *looked) inValue(value any) bool {
	switch v := value.(type) {
	case string:
		return l.in(v)
	case json.Number:
		return l.in(string(v))
	case []any:
		for _, item := range v {
			if l.inValue(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if l.inValue(item) {
				return true
			}
		}
	}
	return false
}

func (l *looked) inTurn(column int, raw string) bool {
	switch column {
	case 0:
		var messages []llm.Message
		return !l.cannot(raw) && json.Unmarshal([]byte(raw), &messages) == nil && l.inMessages(messages)
	case 2:
		var calls []llm.ToolCall
		if l.cannot(raw) || json.Unmarshal([]byte(raw), &calls) != nil {
			return false
		}
		for _, call := range calls {
			if l.in(call.Name) || l.in(call.Arguments) {
				return true
			}
		}
		return false
	}
	return l.in(raw)
}

func (l *looked) inMessages(messages []llm.Message) bool {
	for _, message := range messages {
		for _, part := range message.Parts {
			if l.in(part.Text) || part.ToolCall != nil && (l.in(part.ToolCall.Name) || l.in(part.ToolCall.Arguments)) ||
				part.ToolResult != nil && l.in(part.ToolResult.Content) {
				return true
			}
		}
	}
	return false
}
