package store

import (
	"context"
	"time"
)

// History is how one case of a suite was answered by one model, over all stored runs
// in which neither what decides an answer nor what it is judged by was other than in
// the newest of them.
type History struct {
	Suite, Model, Case string
	Draws              int // answers that were judged, each counted once
	Passes             int // of these
	Last               time.Time
}

// Histories lists the history of every case that has been judged, by suite, model and
// case. A recorded or cached answer that was judged in several runs is one draw: the
// same answer says nothing new. Of a suite "" all.
func (s *Store) Histories(ctx context.Context, suite string) ([]History, error) {
	const columns = "suite, model, name, draws, passes, last"
	// judged numbers what is the same by hashes from the newest result on: the first is
	// what holds now; what was asked beside it, to be compared with, held before. A stored answer is told by its repeat, its time and its text.
	const query = `WITH judged AS (
		SELECT g.suite, g.model, g.arm, r."case" AS name, r.status, r.started, r.id,
			g.treatment || '/' || coalesce(r.input_hash, '') || '/' || coalesce(r.criteria_hash, '') AS hashes,
			CASE WHEN r.stored_by IS NULL THEN r.id ELSE r.repeat || '/' || coalesce(r.stored_at, '') || '/' || coalesce(r.digest, '') END AS draw
		FROM results r JOIN result_groups g ON g.n = r.grp
		WHERE r.status IN ('pass', 'fail') AND (?1 = '' OR g.suite = ?1)
	), newest AS (
		SELECT suite, model, name, hashes, max(id) FROM judged WHERE arm IS NULL GROUP BY suite, model, name
	), draws AS (
		SELECT judged.suite, judged.model, judged.name, draw, max(status = 'pass') AS passed, max(started) AS last
		FROM judged JOIN newest USING (suite, model, name, hashes)
		GROUP BY judged.suite, judged.model, judged.name, draw
	)
	SELECT suite, model, name, count(*), sum(passed), max(last) FROM draws GROUP BY suite, model, name ORDER BY suite, model, name`
	rows, err := s.readers.QueryContext(ctx, query, suite)
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var histories []History
	r := newRecord(columns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, s.failure("read", err)
		}
		histories = append(histories, History{
			Suite: r.text(), Model: r.text(), Case: r.text(), Draws: r.int(), Passes: r.int(), Last: r.time(),
		})
	}
	return histories, s.failure("read", rows.Err())
}
