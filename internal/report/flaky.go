package report

import (
	"fmt"
	"io"
	"time"
)

// Flaky are the histories of cases under equal hashes.
type Flaky struct {
	Rows            []FlakyRow // the flaky ones
	Stable, Unknown int
	Least           int // draws from which on a case whose answers all came out alike is stable
}

// FlakyRow is a case that passed and failed while nothing had changed.
type FlakyRow struct {
	Suite, Model, Case string
	Passes, Draws      int
	Low, High          float64 // 95 % interval of the chance that it passes
	Last               time.Time
}

var flakyColumns = []column{{title: "SUITE", least: narrowest}, {title: "MODEL"}, {title: "CASE", least: narrowest},
	{title: "PASSED", right: true}, {title: "CHANCE TO PASS", right: true}, {title: "LAST"}}

// FlakyPage writes the flaky cases as a table, and counts the others.
func FlakyPage(w io.Writer, f Flaky, s Style) error {
	p := newPage(w, s)
	if len(f.Rows) > 0 {
		rows := make([][]span, len(f.Rows))
		for i, row := range f.Rows {
			chance := fmt.Sprintf("%.0f … %.0f %%", 100*row.Low, 100*row.High)
			rows[i] = []span{text(row.Suite), text(row.Model), {row.Case, strong}, text(fmt.Sprintf("%d/%d", row.Passes, row.Draws)), text(chance), text(clock(row.Last, s))}
		}
		p.table("", flakyColumns, rows)
		p.space()
	}
	p.flow("", text(fmt.Sprintf("%s flaky, %d stable, %d unknown (fewer than %d draws under equal hashes)",
		count(len(f.Rows), "case is", "cases are"), f.Stable, f.Unknown, f.Least)))
	return p.end()
}

// FlakySchemaVersion names the shape of the flaky cases as JSON. Keys may be added
// under the same version.
const FlakySchemaVersion = "llmx.flaky/1"

type flakyDocument struct {
	Schema  string             `json:"schema"`
	Flaky   []flakyDocumentRow `json:"flaky"`
	Stable  int                `json:"stable"`
	Unknown int                `json:"unknown"`
	Least   int                `json:"stable_from_draws"`
}

type flakyDocumentRow struct {
	Suite  string  `json:"suite"`
	Model  string  `json:"model"`
	Case   string  `json:"case"`
	Passes int     `json:"passes"`
	Draws  int     `json:"draws"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Last   string  `json:"last"`
}

// FlakyJSON writes the flaky cases as one JSON document.
func FlakyJSON(w io.Writer, f Flaky) error {
	doc := flakyDocument{Schema: FlakySchemaVersion, Flaky: []flakyDocumentRow{}, Stable: f.Stable, Unknown: f.Unknown, Least: f.Least}
	for _, row := range f.Rows {
		doc.Flaky = append(doc.Flaky, flakyDocumentRow{row.Suite, row.Model, row.Case, row.Passes, row.Draws, row.Low, row.High, moment(row.Last)})
	}
	return writeDocument(w, doc)
}
