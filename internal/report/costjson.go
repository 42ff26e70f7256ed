package report

import (
	"io"

	"github.com/llmx-dev/llmx/internal/llm"
)

// CostSchemaVersion names the shape of the costs as JSON. Keys may be added under
// the same version.
const CostSchemaVersion = "llmx.cost/1"

type costDocument struct {
	Schema  string              `json:"schema"`
	By      string              `json:"by"`
	Since   string              `json:"since"` // "" for ever
	Rows    []costDocumentRow   `json:"rows"`
	Total   costDocumentRow     `json:"total"`
	Budgets []costDocumentLimit `json:"budgets"`
}

type costDocumentRow struct {
	Name      string     `json:"name"`
	Calls     int        `json:"calls"`
	Asked     int        `json:"asked"`
	Stored    int        `json:"stored"`
	Input     int64      `json:"input_tokens"`
	Output    int64      `json:"output_tokens"`
	Cached    int64      `json:"cached_input_tokens"`
	Reasoning int64      `json:"reasoning_tokens"`
	Estimated bool       `json:"estimated"` // some of the tokens are
	Cost      costAmount `json:"cost"`      // at list price
	Paid      costAmount `json:"paid"`
}

// costAmount is a sum, and how many attempts are not in it because nobody knows what
// they cost. Where that are all of them the sum is null, and not 0.
type costAmount struct {
	documentCost
	Unknown int `json:"unknown_attempts"`
}

type costDocumentLimit struct {
	Scope  string       `json:"scope"`
	Value  string       `json:"value"`
	Per    string       `json:"per"`
	Period string       `json:"period"` // "" where nothing is counted yet
	Limit  documentCost `json:"limit"`
	Spent  documentCost `json:"spent"` // with what was lost
	Lost   documentCost `json:"lost"`
	Held   documentCost `json:"held"`
}

// CostJSON writes the costs as one JSON document.
func CostJSON(w io.Writer, c Costs) error {
	doc := costDocument{Schema: CostSchemaVersion, By: c.By, Since: moment(c.Since),
		Rows: []costDocumentRow{}, Total: costRowOf(c.Total), Budgets: []costDocumentLimit{}}
	for _, row := range c.Rows {
		doc.Rows = append(doc.Rows, costRowOf(row))
	}
	for _, b := range c.Budgets {
		amount := func(m llm.Money) documentCost { return costOf(llm.KnownCost(m)) }
		doc.Budgets = append(doc.Budgets, costDocumentLimit{
			Scope: b.Scope, Value: b.Value, Per: b.Per, Period: b.Period,
			Limit: amount(b.Limit), Spent: amount(b.Spent + b.Lost), Lost: amount(b.Lost), Held: amount(b.Held),
		})
	}
	return writeDocument(w, doc)
}

func costRowOf(row CostRow) costDocumentRow {
	amount := func(m llm.Money, unknowns int) costAmount {
		return costAmount{costOf(llm.Cost{Amount: m, Known: unknowns == 0 || m > 0}), unknowns}
	}
	return costDocumentRow{
		Name: row.Name, Calls: row.Calls, Asked: row.Asked, Stored: row.Stored,
		Input: row.Usage.Input, Output: row.Usage.Output, Cached: row.Usage.CachedInput, Reasoning: row.Usage.Reasoning, Estimated: row.Usage.Estimated,
		Cost: amount(row.Cost, row.Unpriced), Paid: amount(row.Paid, row.Untold),
	}
}
