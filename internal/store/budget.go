package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Change is budget.Ledger's: it reads the accounts and writes the entries in one
// transaction. It waits for the lock at most the busy timeout. In a store that serves
// it goes ahead of the calls that wait, and fails at once while nothing can be written.
func (s *Store) Change(owner string, accounts []budget.Account, decide func([]budget.State) []budget.Entry) error {
	if err := s.writable(); err != nil {
		return err
	}
	item := work{do: func(conn *sql.Conn) error { return change(conn, owner, accounts, decide, s.now()) }}
	if s.writer.serving != nil {
		return s.writer.await(context.Background(), s.writer.serving.ahead, item)
	}
	return s.writer.wait(context.Background(), item)
}

func change(conn *sql.Conn, owner string, accounts []budget.Account, decide func([]budget.State) []budget.Entry, now time.Time) error {
	states, known := make([]budget.State, len(accounts)), make([]bool, len(accounts))
	for i, a := range accounts {
		var err error
		if states[i], known[i], err = stateOf(conn, a, owner, now); err != nil {
			return err
		}
	}
	entries := decide(states)
	for i, entry := range entries { // all before the first write
		if entry.Spent < 0 || entry.Lease < 0 {
			return fault.New(fault.Internal, "the budget of %s was to be given %+v", accounts[i], entry)
		}
	}
	for i, entry := range entries {
		if entry.Spent > 0 || !known[i] {
			if err := addSpent(conn, accounts[i], entry.Spent, now); err != nil {
				return err
			}
		}
		if err := setLease(conn, accounts[i], owner, entry, now); err != nil {
			return err
		}
	}
	return nil
}

// leaseSums tells the leases of those who live from those of the dead. A time that
// is far ahead is from a clock that was wrong.
const leaseSums = `coalesce(sum(amount) FILTER (WHERE renewed BETWEEN ?1 AND ?2), 0),
	coalesce(sum(amount) FILTER (WHERE renewed NOT BETWEEN ?1 AND ?2), 0),
	coalesce(sum(wanted) FILTER (WHERE renewed BETWEEN ?1 AND ?2), 0)`

// living bounds when a process that lives has renewed its leases.
func living(now time.Time) (from, to int64) {
	return now.Add(-budget.AliveFor).UnixNano(), now.Add(budget.AliveFor).UnixNano()
}

// stateOf reads an account without the leases of one owner; known is false for one
// that has no row yet.
func stateOf(conn *sql.Conn, a budget.Account, owner string, now time.Time) (state budget.State, known bool, err error) {
	var spent sql.NullInt64
	var leased, lost, wanted int64
	from, to := living(now)
	err = conn.QueryRowContext(context.Background(), `SELECT
		(SELECT spent FROM budget_accounts WHERE per = ?3 AND period = ?4 AND scope = ?5 AND value = ?6), `+leaseSums+`
		FROM budget_leases WHERE per = ?3 AND period = ?4 AND scope = ?5 AND value = ?6 AND owner <> ?7`,
		from, to, string(a.Per), a.Period, string(a.Scope), a.Value, owner).Scan(&spent, &leased, &lost, &wanted)
	state = budget.State{Spent: llm.Money(spent.Int64), Leased: llm.Money(leased), Lost: llm.Money(lost), Wanted: llm.Money(wanted)}
	return state, spent.Valid, err
}

func addSpent(conn *sql.Conn, a budget.Account, spent llm.Money, now time.Time) error {
	_, err := conn.ExecContext(context.Background(), `INSERT INTO budget_accounts (per, period, scope, value, spent, changed)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET spent = spent + excluded.spent, changed = excluded.changed`,
		string(a.Per), a.Period, string(a.Scope), a.Value, int64(spent), now.UnixNano())
	return err
}

func setLease(conn *sql.Conn, a budget.Account, owner string, entry budget.Entry, now time.Time) error {
	ctx := context.Background()
	key := []any{string(a.Per), a.Period, string(a.Scope), a.Value, owner}
	if entry.Lease == 0 && entry.Wanted == 0 {
		_, err := conn.ExecContext(ctx, "DELETE FROM budget_leases WHERE per = ? AND period = ? AND scope = ? AND value = ? AND owner = ?", key...)
		return err
	}
	_, err := conn.ExecContext(ctx, `INSERT OR REPLACE INTO budget_leases (per, period, scope, value, owner, amount, wanted, renewed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, append(key, int64(entry.Lease), int64(entry.Wanted), now.UnixNano())...)
	return err
}

// Balances reads the accounts of a scope in a period, those with the most spent
// first. For budgets per run it is the period of the account that changed last.
func (s *Store) Balances(ctx context.Context, scope budget.Scope, per budget.Per, period string) ([]budget.Balance, error) {
	from, to := living(s.now())
	rows, err := s.readers.QueryContext(ctx, `
		WITH now AS (SELECT iif(?4 = 'run', (SELECT period FROM budget_accounts WHERE per = ?4 AND scope = ?3 ORDER BY changed DESC, period DESC LIMIT 1), ?5) AS period)
		SELECT value, period, spent, `+leaseSums+`
		FROM budget_accounts JOIN now USING (period) LEFT JOIN budget_leases USING (per, period, scope, value)
		WHERE per = ?4 AND scope = ?3 GROUP BY value ORDER BY spent DESC, value`,
		from, to, string(scope), string(per), period)
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var balances []budget.Balance
	for rows.Next() {
		b := budget.Balance{Account: budget.Account{Scope: scope, Per: per}}
		if err := rows.Scan(&b.Account.Value, &b.Account.Period, &b.Spent, &b.Leased, &b.Lost, &b.Wanted); err != nil {
			return nil, s.failure("read", err)
		}
		balances = append(balances, b)
	}
	return balances, s.failure("read", rows.Err())
}
