package report

import (
	"io"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Costs are what calls have cost, put together by something, and how far budgets
// are spent.
type Costs struct {
	By      string    // project, prompt, model, day, suite, run or key
	Since   time.Time // zero: since ever
	Rows    []CostRow
	Total   CostRow
	Budgets []BudgetRow
}

// CostRow is what the calls of one name have cost. Of attempts whose price nobody
// knows there is a count, and they are not in the sums.
type CostRow struct {
	Name     string
	Calls    int
	Asked    int // attempts in which a provider was asked
	Stored   int // answers from what is kept, for which nothing was paid
	Usage    llm.Usage
	Cost     llm.Money // at list price
	Paid     llm.Money
	Unpriced int // attempts that are not in Cost
	Untold   int // attempts that are not in Paid
}

// BudgetRow is an account of a budget in the period that is now. Without an account
// there is no Period, and nothing is spent.
type BudgetRow struct {
	Scope, Value, Per, Period string
	Limit                     llm.Money
	Spent                     llm.Money // settled
	Held                      llm.Money // by processes that live, for what is under way or about to be
	Lost                      llm.Money // held by processes that were killed: it counts as spent
}

var budgetColumns = []column{{title: "BUDGET", least: narrowest}, {title: "PERIOD"}, {title: "SPENT", right: true},
	{title: "OF", right: true}, {title: "SHARE", right: true}, {title: "HELD", right: true}}

// CostPage writes the costs as a table with its total, and the budgets under it.
func CostPage(w io.Writer, c Costs, s Style) error {
	p := newPage(w, s)
	switch {
	case len(c.Rows) > 0:
		p.costs(c)
	case c.Since.IsZero():
		p.line(text("no call is stored yet"))
	default:
		p.line(text("no call is stored since " + c.Since.In(s.zone()).Format("2006-01-02 15:04")))
	}
	if len(c.Budgets) > 0 {
		p.space()
		p.budgets(c.Budgets)
	}
	return p.end()
}

func (p *page) costs(c Costs) {
	columns := []column{{title: strings.ToUpper(c.By), least: narrowest}, {title: "CALLS", right: true}, {title: "ASKED", right: true}, {title: "STORED", right: true},
		{title: "INPUT", right: true}, {title: "OUTPUT", right: true}, {title: "LIST PRICE", right: true}, {title: "PAID", right: true}}
	rows := make([][]span, 0, len(c.Rows)+1)
	for _, row := range c.Rows {
		name := text(row.Name)
		if row.Name == "" {
			name = span{"(no " + c.By + ")", faint}
		}
		rows = append(rows, costCells(name, row))
	}
	if len(c.Rows) > 1 {
		rows = append(rows, costCells(span{"total", strong}, c.Total))
	}
	p.table("", columns, rows)
	if n := max(c.Total.Unpriced, c.Total.Untold); n > 0 {
		p.flow("", span{count(n, "attempt", "attempts") + " of unknown cost: the price is not known, or nobody said what was used; that is not 0, and stands in no sum", doubtful})
	}
}

func costCells(name span, row CostRow) []span {
	return []span{name, text(number(row.Calls)), text(number(row.Asked)), text(number(row.Stored)),
		text(number(int(row.Usage.Input))), text(number(int(row.Usage.Output))),
		moneyOf(row.Cost, row.Unpriced), moneyOf(row.Paid, row.Untold)}
}

// moneyOf is an amount, or what it is at least where it leaves attempts out.
func moneyOf(amount llm.Money, unknowns int) span {
	switch {
	case unknowns == 0:
		return text(amount.String())
	case amount == 0:
		return span{unknown, doubtful}
	}
	return span{"≥ " + amount.String(), doubtful}
}

func (p *page) budgets(budgets []BudgetRow) {
	rows := make([][]span, len(budgets))
	for i, b := range budgets {
		share := 0.0
		gone := b.Spent + b.Lost
		if b.Limit > 0 {
			share = float64(gone) / float64(b.Limit)
		}
		look := plain
		if gone >= b.Limit {
			look = bad
		}
		period := b.Period
		if period == "" {
			period = "each " + b.Per
		}
		held := ""
		if b.Held > 0 {
			held = b.Held.String()
		}
		rows[i] = []span{text(b.what()), text(period), {gone.String(), look}, text(b.Limit.String()), {percent(share), look}, text(held)}
	}
	p.table("", budgetColumns, rows)
	for _, b := range budgets {
		if b.Lost > 0 {
			p.flow("", span{b.what() + ": " + b.Lost.String() + " of it was held by a process that was killed, and counts as spent", faint})
		}
	}
}

func (b BudgetRow) what() string {
	switch {
	case b.Scope == "project":
		return b.Scope
	case b.Period == "":
		return "each " + b.Scope
	case b.Value == "":
		return "no " + b.Scope
	}
	return b.Scope + " " + b.Value
}
