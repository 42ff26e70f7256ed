package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// CallFilter selects calls; an empty field selects all.
type CallFilter struct {
	IDs      []string // only these
	Run      string   // an id as Run takes it
	Loose    bool     // only calls outside of runs
	Suite    string
	Case     string
	Prompt   string
	Version  string    // of the prompt
	Model    string    // that was asked for, a model or a route, or that one of the attempts went to
	Key      string    // id of the caller's key
	User     string    // whom the caller asked for
	Status   string    // what came of it: see CallStatuses
	Feedback string    // one of FeedbackWords
	Grep     string    // a text in the inputs, messages or answers; upper and lower case are the same
	Failed   bool      // only calls that failed
	Since    time.Time // only calls that began then or later
	Until    time.Time // only calls that began before
	Limit    int       // at most so many; 0: all
}

// FeedbackWords are what a filter may ask of feedback.
var FeedbackWords = []string{llm.FeedbackGood, llm.FeedbackBad, "any", "none"}

// callStatuses are conditions by what came of a call. What stands here besides is a
// class of failure.
var callStatuses = []struct{ word, condition string }{
	{"ok", "failure IS NULL"},
	{"failed", "failure IS NOT NULL"},
	{"cached", "stored ->> 'By' = 'cache'"},
	{"recorded", "stored ->> 'By' = 'recording'"},
	{"shared", "stored ->> 'By' = 'shared'"},
	{"retried", "EXISTS (SELECT 1 FROM attempts WHERE attempts.call = calls.n AND attempts.n > 0 AND NOT unasked)"},
	{"fallback", "EXISTS (SELECT 1 FROM attempts WHERE attempts.call = calls.n GROUP BY turn HAVING count(DISTINCT attempts.model) > 1)"},
	{"re-asked", "EXISTS (SELECT 1 FROM turns WHERE turns.call = calls.n AND kind = '" + llm.TurnReask + "')"},
	{"cascaded", "EXISTS (SELECT 1 FROM turns WHERE turns.call = calls.n AND kind = '" + llm.TurnCascade + "')"},
	{"repaired", "EXISTS (SELECT 1 FROM turns WHERE turns.call = calls.n AND repairs IS NOT NULL)"},
	{"cut-short", "finish = '" + string(llm.FinishLength) + "'"},
}

// callClasses are the classes that calls fail with.
var callClasses = []fault.Class{
	fault.Contract, fault.ContentFilter, fault.ContextLength, fault.Length,
	fault.RateLimited, fault.Overloaded, fault.ServerError, fault.Network, fault.Malformed, fault.Cut,
	fault.TimeoutConnect, fault.TimeoutFirstToken, fault.TimeoutIdle, fault.TimeoutTotal,
	fault.Budget, fault.BreakerOpen, fault.QuotaExhausted, fault.Auth, fault.NotFound, fault.BadRequest,
	fault.Missing, fault.Canceled, fault.Invalid, fault.Internal,
}

// CallStatuses are the words that CallFilter.Status takes: what came of a call, and
// then the classes of failure.
func CallStatuses() []string {
	words := make([]string, 0, len(callStatuses)+len(callClasses))
	for _, status := range callStatuses {
		words = append(words, status.word)
	}
	for _, class := range callClasses {
		words = append(words, string(class))
	}
	return words
}

// conditions is a WHERE with its arguments.
type conditions struct {
	texts []string
	args  []any
}

func (c *conditions) add(text string, args ...any) {
	c.texts, c.args = append(c.texts, text), append(c.args, args...)
}

func (c *conditions) String() string {
	if len(c.texts) == 0 {
		return "true"
	}
	return strings.Join(c.texts, " AND ")
}

// callsWhere makes the condition of a filter, but for Grep; a run is a range of numbers.
func (s *Store) callsWhere(ctx context.Context, f CallFilter) (*conditions, error) {
	where := &conditions{}
	if f.Run != "" {
		run, err := s.findRun(ctx, f.Run)
		if err != nil {
			return nil, err
		}
		where.add("n BETWEEN ? AND ?", firstRow(run), lastRow(run))
	}
	if f.Loose {
		where.add("n <= ?", lastRow(0))
	}
	if len(f.IDs) > 0 {
		list, err := jsonValue(f.IDs)
		if err != nil {
			return nil, err
		}
		where.add("id"+ofNumbers, list)
	}
	for _, one := range []struct{ column, value string }{
		{"suite", f.Suite}, {`"case"`, f.Case}, {"prompt", f.Prompt}, {"prompt_version", f.Version}, {"user", f.User},
	} {
		if one.value != "" {
			where.add(one.column+" = ?", one.value)
		}
	}
	if f.Key != "" {
		where.add("(key = ? OR key IN (SELECT id FROM keys WHERE name = ?))", f.Key, f.Key)
	}
	if f.Model != "" {
		where.add("(model = ? OR EXISTS (SELECT 1 FROM attempts WHERE attempts.call = calls.n AND attempts.model = ?))", f.Model, f.Model)
	}
	if f.Failed {
		where.add("failure IS NOT NULL")
	}
	if !f.Since.IsZero() {
		where.add("started >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		where.add("started < ?", f.Until.UnixNano())
	}
	if err := where.status(f.Status); err != nil {
		return nil, err
	}
	return where, where.feedback(f.Feedback)
}

func (c *conditions) status(word string) error {
	if word == "" {
		return nil
	}
	for _, status := range callStatuses {
		if status.word == word {
			c.add(status.condition)
			return nil
		}
	}
	if !slices.Contains(callClasses, fault.Class(word)) {
		words := CallStatuses()
		best := ""
		if near := fault.Suggest(word, words); near != "" {
			best = "did you mean \"" + near + "\"? "
		}
		return fault.New(fault.Usage, "no status of a call is called %q", word).WithHint("%sallowed: %s", best, strings.Join(words, ", "))
	}
	c.add("failure ->> 'class' = ?", word)
	return nil
}

// feedback goes by the newest feedback that says whether the answer was right, as
// llm.Call.FeedbackWord does.
func (c *conditions) feedback(word string) error {
	const newest = `(SELECT coalesce(score, 0) FROM feedback WHERE feedback.call = calls.n
		AND (score IS NOT NULL OR correction IS NOT NULL) ORDER BY feedback.n DESC LIMIT 1)`
	const some = "EXISTS (SELECT 1 FROM feedback WHERE feedback.call = calls.n)"
	switch word {
	case "":
	case llm.FeedbackGood:
		c.add(newest + " >= 0.5")
	case llm.FeedbackBad:
		c.add(newest + " < 0.5")
	case "any":
		c.add(some)
	case "none":
		c.add("NOT " + some)
	default:
		return fault.New(fault.Usage, "no feedback is called %q", word).WithHint("%s", fault.Allowed(word, FeedbackWords))
	}
	return nil
}

// callNumbers finds the calls that a filter selects, but for Grep.
func (s *Store) callNumbers(ctx context.Context, f CallFilter) ([]int64, error) {
	where, err := s.callsWhere(ctx, f)
	if err != nil {
		return nil, err
	}
	limit := f.Limit
	if limit == 0 || f.Grep != "" {
		limit = -1
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT n FROM calls WHERE "+where.String()+" ORDER BY started DESC, n DESC LIMIT ?", append(where.args, limit)...)
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var numbers []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, s.failure("read", err)
		}
		numbers = append(numbers, n)
	}
	return numbers, s.failure("read", rows.Err())
}
