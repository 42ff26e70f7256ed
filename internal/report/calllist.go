package report

import (
	"io"
	"iter"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// callExtras are the columns that not every list of calls has.
type callExtras struct{ cases, users, keys bool }

// callColumns are the columns of a list of calls, by the same names on every page. The
// case, the user and the key stand only where there is one, and room for it.
func callColumns(has callExtras) []column {
	columns := []column{{title: "CALL"}, {title: "WHEN"}, {title: "PROMPT", least: narrowest}}
	if has.cases {
		columns = append(columns, column{title: "CASE", least: narrowest})
	}
	if has.users {
		columns = append(columns, column{title: "USER", least: narrowest})
	}
	if has.keys {
		columns = append(columns, column{title: "KEY", least: narrowest})
	}
	return append(columns, column{title: "MODEL", least: narrowest}, column{title: "OUTCOME", least: narrowest},
		column{title: "TRIES", right: true}, column{title: "TOOK", right: true}, column{title: "PAID", right: true})
}

// CallList writes calls, one a line, in the order given, and under each that failed
// why. Where the page is too narrow, times, attempts and failures are told in short,
// and then cases and users go.
func CallList(w io.Writer, calls iter.Seq2[*llm.Call, error], s Style) error {
	p := newPage(w, s)
	var listed []*llm.Call
	var has callExtras
	for call, err := range calls {
		if err != nil {
			return err
		}
		listed = append(listed, call)
		has.cases = has.cases || call.Origin.Case != ""
		has.users = has.users || call.User != ""
		has.keys = has.keys || call.Key != ""
	}
	if len(listed) == 0 {
		p.line(text("no call is stored that is like that"))
		return p.end()
	}
	p.callTable(listed, s, has)
	return p.end()
}

// callTable writes the widest rows that fit, or else the narrowest.
func (p *page) callTable(calls []*llm.Call, s Style, has callExtras) {
	var columns []column
	var rows [][]span
	short := false
	for _, form := range []struct {
		short bool
		has   callExtras
	}{{false, has}, {true, has}, {false, callExtras{}}, {true, callExtras{}}} {
		short = form.short
		columns, rows = callColumns(form.has), make([][]span, len(calls))
		for i, call := range calls {
			rows[i] = callRow(call, s, short, form.has)
		}
		if (layout{"", "  ", columns, widthsOf(columns, rows)}).width() <= p.width {
			break
		}
	}
	l := p.lay("", columns, rows)
	p.titles(l)
	for i, call := range calls {
		p.line(l.line(rows[i])...)
		if call.Failure == nil {
			continue
		}
		why := clip(call.Failure.Message, 1000)
		if short {
			why = string(call.Failure.Class) + ": " + why
		}
		p.line(text("  "), span{why, faint})
	}
}

func callRow(call *llm.Call, s Style, short bool, has callExtras) []span {
	started, outcome, attempts := clock(call.Started, s), outcomeOf(call), number(call.Attempts())
	if n := len(call.Turns); n > 1 {
		attempts += " in " + number(n)
		if !short {
			attempts += " turns"
		}
	}
	if short {
		started = age(call.Started, s)
		if call.Failure != nil {
			outcome.text = "failed"
		}
	}
	if word := call.FeedbackWord(); word != "" {
		outcome.text += ", " + word
	}
	model := call.Model
	if by := aliasOf(call); by != "" {
		model += " → " + by
	}
	row := []span{{call.ID, strong}, text(started), text(call.Prompt.String())}
	if has.cases {
		row = append(row, text(caseOf(call.Origin)))
	}
	if has.users {
		row = append(row, text(call.User))
	}
	if has.keys {
		row = append(row, text(call.Key))
	}
	return append(row, text(model), outcome, text(attempts), text(latency(call.Total)), text(call.Paid().String()))
}

// outcomes are the words for answers that were not asked for now.
var outcomes = map[string]string{"cache": "cached", "recording": "recorded", "shared": "shared"}

// outcomeOf is what came of a call: that it was answered, from where if it was not
// asked for now, or the class of its failure.
func outcomeOf(call *llm.Call) span {
	switch {
	case call.Failure != nil:
		return span{string(call.Failure.Class), bad}
	case call.Stored != nil && outcomes[call.Stored.By] != "":
		return text(outcomes[call.Stored.By])
	}
	return text("answered")
}

// age is how long ago a time was, in short, or the day where that is long.
func age(t time.Time, s Style) string {
	return strings.TrimSuffix(strings.TrimPrefix(clock(t, s), "just "), " ago")
}

// caseOf names the case of a call, with its suite, and the check that asked; "" outside
// of suites.
func caseOf(origin llm.Origin) string {
	words := origin.Case
	if origin.Case != "" && origin.Suite != "" {
		words = name(origin.Suite, origin.Case)
	}
	if origin.Check != "" {
		words += ": " + origin.Check
	}
	return words
}
