package store

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// ResultFilter selects results; an empty field selects all, but for Arm: what was
// asked beside the candidate comes only to who asks for it.
type ResultFilter struct {
	Arm    eval.Arm
	Suite  string
	Model  string
	Prompt string // name@version
	Status eval.Status
	Case   string
}

// Results streams the results of a run (an id as Run takes it) in the order of
// suite, model, prompt, case and repeat; they are never all in memory. Stopping early is
// fine. An error ends the stream.
func (s *Store) Results(ctx context.Context, run string, f ResultFilter) iter.Seq2[eval.Result, error] {
	return func(yield func(eval.Result, error) bool) {
		set, err := s.resultSet(ctx, run)
		if err != nil {
			yield(eval.Result{}, err)
			return
		}
		s.eachOf(ctx, set, f, newResultReader(set.id, set.groups), yield)
	}
}

// ByCase streams the results of one case after the other, of those that the filter
// selects: what belongs to the run is looked up once for all of them. Groups that are
// added afterwards are not seen.
func (s *Store) ByCase(ctx context.Context, run string, f ResultFilter) (func(id string) iter.Seq2[eval.Result, error], error) {
	set, err := s.resultSet(ctx, run)
	if err != nil {
		return nil, err
	}
	reader := newResultReader(set.id, set.groups)
	return func(id string) iter.Seq2[eval.Result, error] {
		return func(yield func(eval.Result, error) bool) {
			one := f
			one.Case = id
			s.eachOf(ctx, set, one, reader, yield)
		}
	}, nil
}

func (s *Store) eachOf(ctx context.Context, set resultSet, f ResultFilter, reader *resultReader, yield func(eval.Result, error) bool) {
	for _, arm := range set.arms(f) {
		if !s.eachResult(ctx, arm, f, reader, yield) {
			return
		}
	}
}

// eachResult streams one arm and reports whether to go on.
func (s *Store) eachResult(ctx context.Context, arm arm, f ResultFilter, reader *resultReader, yield func(eval.Result, error) bool) bool {
	rows, err := s.armRows(ctx, resultColumns, arm, f)
	if err != nil {
		yield(eval.Result{}, s.failure("read", err))
		return false
	}
	defer rows.Close()
	for rows.Next() {
		err := reader.scan(rows)
		var result eval.Result
		if err == nil {
			result = reader.result()
			err = reader.err
		}
		if err != nil {
			yield(eval.Result{}, s.failure("read", err))
			return false
		}
		if !yield(result, nil) {
			return false
		}
	}
	if err := rows.Err(); err != nil {
		yield(eval.Result{}, s.failure("read", err))
		return false
	}
	return true
}

// ResultCount counts the results that Results would stream.
func (s *Store) ResultCount(ctx context.Context, run string, f ResultFilter) (int, error) {
	set, err := s.resultSet(ctx, run)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, arm := range set.arms(f) {
		where, args := arm.where(f)
		var n int
		if err := s.readers.QueryRowContext(ctx, "SELECT count(*) FROM results WHERE "+where, args...).Scan(&n); err != nil {
			return 0, s.failure("read", err)
		}
		total += n
	}
	return total, nil
}

// resultSet is where a run's results are.
type resultSet struct {
	id     string
	groups map[int64]groupKey
}

func (s *Store) resultSet(ctx context.Context, run string) (resultSet, error) {
	n, err := s.findRun(ctx, run)
	if err != nil {
		return resultSet{}, err
	}
	set := resultSet{groups: map[int64]groupKey{}}
	if err := s.readers.QueryRowContext(ctx, "SELECT id FROM runs WHERE n = ?", n).Scan(&set.id); err != nil {
		return resultSet{}, s.failure("read", err)
	}
	groups, err := readGroups(ctx, s.readers, n)
	for key, number := range groups {
		set.groups[number] = key
	}
	return set, s.failure("read", err)
}

// arm is one suite on one model by one prompt: one group, or several where the run had
// more than one treatment.
type arm struct {
	suite, model, prompt string
	groups               []any // their numbers, ascending
}

// arms gives the arms that a filter selects, by suite and model.
func (set resultSet) arms(f ResultFilter) []arm {
	var arms []arm
	numbers := make([]int64, 0, len(set.groups))
	for n := range set.groups {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		key := set.groups[n]
		if f.Arm != key.arm || f.Suite != "" && f.Suite != key.suite || f.Model != "" && f.Model != key.model || f.Prompt != "" && f.Prompt != key.prompt.String() {
			continue
		}
		prompt := key.prompt.String()
		at := slices.IndexFunc(arms, func(a arm) bool { return a.suite == key.suite && a.model == key.model && a.prompt == prompt })
		if at < 0 {
			at = len(arms)
			arms = append(arms, arm{suite: key.suite, model: key.model, prompt: prompt})
		}
		arms[at].groups = append(arms[at].groups, n)
	}
	slices.SortFunc(arms, compareArms)
	return arms
}

func compareArms(a, b arm) int {
	return cmp.Or(strings.Compare(a.suite, b.suite), strings.Compare(a.model, b.model), strings.Compare(a.prompt, b.prompt))
}

// where makes the condition of an arm's rows.
func (a arm) where(f ResultFilter) (string, []any) {
	condition := "grp = ?"
	if n := len(a.groups); n > 1 {
		condition = "grp IN (?" + strings.Repeat(", ?", n-1) + ")"
	}
	args := slices.Clone(a.groups)
	if f.Status != "" {
		condition += " AND status = ?"
		args = append(args, string(f.Status))
	}
	if f.Case != "" {
		condition += ` AND "case" = ?`
		args = append(args, f.Case)
	}
	return condition, args
}

// armRows reads columns of an arm's results by case and repeat: in the order of
// the index, so that nothing is sorted where there is one group.
func (s *Store) armRows(ctx context.Context, columns string, a arm, f ResultFilter) (*sql.Rows, error) {
	where, args := a.where(f)
	return s.readers.QueryContext(ctx, "SELECT "+columns+" FROM results WHERE "+where+` ORDER BY "case", repeat, grp`, args...)
}
