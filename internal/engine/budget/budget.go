// Package budget is the engine's wrapper that keeps budgets: what an attempt may
// cost is taken out of every account that it belongs to before it is made, and what
// it did cost is counted after it. The accounts stand in a ledger that processes
// share; each takes blocks of money out of it ahead of need, so that no request
// waits for a write. It imports the words of llm and fault; the store satisfies Ledger.
package budget

import (
	"fmt"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Scope says what a budget counts together.
type Scope string

// The scopes.
const (
	ScopeProject Scope = "project" // everything
	ScopePrompt  Scope = "prompt"  // each prompt by its name
	ScopeModel   Scope = "model"   // each model by its alias
	ScopeKey     Scope = "key"     // each caller's key; the command line counts as one
	ScopeRun     Scope = "run"     // each run
)

// Per says when a budget begins anew.
type Per string

// The periods. Days and months are those of UTC.
const (
	PerDay   Per = "day"
	PerMonth Per = "month"
	PerRun   Per = "run" // only requests that belong to a run are counted
)

const (
	dayForm   = "2006-01-02"
	monthForm = "2006-01"
)

// Period names the day or the month of a time; "" for runs, which have names of
// their own.
func (p Per) Period(at time.Time) string {
	switch p {
	case PerDay:
		return at.UTC().Format(dayForm)
	case PerMonth:
		return at.UTC().Format(monthForm)
	}
	return ""
}

// Budget bounds what is spent in a scope, each period anew.
type Budget struct {
	Scope Scope
	Per   Per
	Limit llm.Money
	Alert float64 // share of the limit from which on there is an alert; 0 for none
	// Place is where the budget stands in llmx.yaml. A flag that made it stands in
	// File, alone.
	Place fault.Place
}

// Account is what a budget has counted in one period: of the whole project, or of
// one prompt, model, key or run.
type Account struct {
	Scope  Scope
	Value  string // name of the prompt, alias of the model, id of the key or run; "" for the project
	Per    Per
	Period string // 2026-11-25, 2026-11, or the id of a run
}

// account finds the account that a request belongs to; ok is false for one that the
// budget does not count.
func (b *Budget) account(req *llm.Request, alias string, today *today) (_ Account, ok bool) {
	a := Account{Scope: b.Scope, Per: b.Per}
	switch b.Scope {
	case ScopePrompt:
		a.Value = req.Prompt.Name
	case ScopeModel:
		a.Value = alias
	case ScopeKey:
		a.Value = req.Key
	case ScopeRun:
		a.Value = req.Origin.Run
	}
	switch b.Per {
	case PerDay:
		a.Period = today.day
	case PerMonth:
		a.Period = today.month
	case PerRun:
		a.Period = req.Origin.Run
	}
	return a, req.Origin.Run != "" || b.Per != PerRun && b.Scope != ScopeRun
}

// String names the account as it stands after "the budget of".
func (a Account) String() string {
	what := "the " + string(a.Scope)
	switch {
	case a.Scope == ScopeKey && a.Value == "":
		what = "requests without a key"
	case a.Scope == ScopePrompt && a.Value == "":
		what = "requests without a prompt"
	case a.Scope != ScopeProject:
		what += " " + a.Value
	}
	switch {
	case a.Per == PerDay:
		return what + " on " + a.Period
	case a.Per == PerMonth:
		return what + " in " + a.Period
	case a.Scope == ScopeRun:
		return what
	}
	return what + " in the run " + a.Period
}

// ends says when the account's period is over; zero for a run.
func (a Account) ends() time.Time {
	if day, err := time.Parse(dayForm, a.Period); err == nil && a.Per == PerDay {
		return day.AddDate(0, 0, 1)
	}
	if month, err := time.Parse(monthForm, a.Period); err == nil && a.Per == PerMonth {
		return month.AddDate(0, 1, 0)
	}
	return time.Time{}
}

// today keeps the names of the periods that are now, which change once a day.
type today struct {
	day, month string
	from, to   time.Time
}

func (t *today) set(now time.Time) {
	if !now.Before(t.from) && now.Before(t.to) {
		return
	}
	now = now.UTC()
	t.from = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	t.to = t.from.AddDate(0, 0, 1)
	t.day, t.month = PerDay.Period(now), PerMonth.Period(now)
}

// Alert tells that a share of a budget is spent.
type Alert struct {
	Budget  Budget
	Account Account
	Spent   llm.Money
}

func (a Alert) String() string {
	return fmt.Sprintf("%s of the %s budget of %s are spent", a.Spent, a.Budget.Limit, a.Account)
}
