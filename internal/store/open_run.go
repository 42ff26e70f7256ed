package store

import (
	"context"
	"database/sql"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// openRun numbers the rows of a run that this process writes.
type openRun struct {
	n       int64 // runs.n
	known   bool  // of the calls outside of runs: whether calls is that of the file
	results int64 // the last number given
	calls   int64 // likewise
	groups  map[groupKey]int64
}

// groupKey is what the results of a group share.
type groupKey struct {
	suite, model, treatment string
	prompt                  llm.PromptRef
	arm                     eval.Arm
}

func groupOf(r *eval.Result) groupKey {
	return groupKey{suite: r.Suite, model: r.Model, treatment: r.Treatment, prompt: r.Prompt, arm: r.Arm}
}

const groupColumns = `n, suite, model, treatment, prompt, prompt_version, prompt_hash, arm`

// rowBits is the room for a run's rows in a packed key, groupBits that for its groups.
const (
	rowBits   = 32
	groupBits = 16
)

// firstRow and lastRow bound the packed keys of a run.
func firstRow(run int64) int64 { return run << rowBits }
func lastRow(run int64) int64  { return run<<rowBits | (1<<rowBits - 1) }

func firstGroup(run int64) int64 { return run << groupBits }
func lastGroup(run int64) int64  { return run<<groupBits | (1<<groupBits - 1) }

// load reads how far the run is, for one that is resumed.
func (o *openRun) load(ctx context.Context, conn *sql.Conn) error {
	err := conn.QueryRowContext(ctx, `SELECT
		(SELECT coalesce(max(id), ?1) FROM results WHERE id BETWEEN ?1 AND ?2),
		(SELECT coalesce(max(n), ?1) FROM calls WHERE n BETWEEN ?1 AND ?2)`,
		firstRow(o.n), lastRow(o.n)).Scan(&o.results, &o.calls)
	if err != nil {
		return err
	}
	o.groups, err = readGroups(ctx, conn, o.n)
	return err
}

type rowsQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readGroups(ctx context.Context, db rowsQuerier, run int64) (map[groupKey]int64, error) {
	rows, err := db.QueryContext(ctx, "SELECT "+groupColumns+" FROM result_groups WHERE n BETWEEN ? AND ?",
		firstGroup(run), lastGroup(run))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	groups := map[groupKey]int64{}
	r := newRecord(groupColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, err
		}
		n := r.int64()
		groups[groupKey{suite: r.text(), model: r.text(), treatment: r.text(),
			prompt: llm.PromptRef{Name: r.text(), Version: r.text(), Hash: r.text()}, arm: eval.Arm(r.text())}] = n
	}
	return groups, rows.Err()
}

// groupNumber finds a group's number, and keeps the group where it is new.
func (w *writer) groupNumber(run *openRun, key groupKey) (int64, error) {
	if n, ok := run.groups[key]; ok {
		return n, nil
	}
	n := firstGroup(run.n) + int64(len(run.groups))
	run.groups[key] = n
	return n, w.inserts.group.exec(n, textValue(key.suite), textValue(key.model), textValue(key.treatment),
		textValue(key.prompt.Name), textValue(key.prompt.Version), textValue(key.prompt.Hash), textValue(string(key.arm)))
}
