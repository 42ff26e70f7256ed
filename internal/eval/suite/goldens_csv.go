package suite

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// csvRow is a row whose golden cells are to change.
type csvRow struct {
	row
	change *goldenChange
	spans  []span // of its cells in the file, quotes included
}

// span is a range of bytes.
type span struct{ from, to int }

// editCSV replaces the golden cells of rows.
func editCSV(g *goldenEdit, f *goldenFile) error {
	if err := strictyaml.CheckText(f.name, f.data, 1); err != nil {
		return err
	}
	rows, header, quoted, err := g.readCSVRows(f)
	if err != nil {
		return err
	}
	missing := map[string]bool{}
	for _, r := range rows {
		if err := f.editRecord(r, header, quoted, missing); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		names := slices.Sorted(maps.Keys(missing))
		return fault.At(fault.Place{File: f.name, Line: 1}, "the file has no column %s, which the golden answer needs", strings.Join(names, ", ")).
			WithHint("add it to the header, and an empty cell to every row")
	}
	return nil
}

// readCSVRows finds the rows that are wanted. quoted are the columns in which
// strings stand as JSON.
func (g *goldenEdit) readCSVRows(f *goldenFile) (rows []csvRow, header []string, quoted map[string]bool, err error) {
	body := bytes.TrimPrefix(f.data, byteOrderMark)
	mark := len(f.data) - len(body)
	reader := csv.NewReader(bytes.NewReader(body))
	reader.FieldsPerRecord = -1
	t := table{plan: &plan{}, name: f.name, next: 1, reader: reader}
	if err := t.readHeader(); err != nil {
		return nil, nil, nil, err
	}
	quoted = map[string]bool{}
	for {
		start := int(reader.InputOffset())
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, t.header, quoted, nil
		}
		if err != nil {
			return nil, nil, nil, t.broken(err)
		}
		r, err := t.row(cells)
		if err != nil {
			return nil, nil, nil, err
		}
		for name, value := range r.columns {
			if text, _ := value.(string); isGoldenColumn(name) && strings.HasPrefix(text, `"`) {
				_, failed := jsonschema.Decode([]byte(text))
				quoted[name] = quoted[name] || failed == nil
			}
		}
		if c := g.want(rowID(r.columns), r.place, true); c != nil {
			rows = append(rows, csvRow{row: r, change: c, spans: cellSpans(f.data, mark+start)})
		}
	}
}

// cellSpans finds the cells of the record at an offset; the file is valid CSV.
// Empty lines before the record are skipped, as reading does.
func cellSpans(data []byte, at int) []span {
	for at < len(data) && (data[at] == '\n' || bytes.HasPrefix(data[at:], []byte("\r\n"))) {
		at++
	}
	var spans []span
	for {
		start := at
		if at < len(data) && data[at] == '"' {
			for at++; data[at] != '"' || at+1 < len(data) && data[at+1] == '"'; at++ {
				if data[at] == '"' {
					at++
				}
			}
			at++
		} else {
			for at < len(data) && data[at] != ',' && data[at] != '\n' {
				at++
			}
			if at > start && data[at-1] == '\r' && (at == len(data) || data[at] == '\n') {
				at--
			}
		}
		spans = append(spans, span{start, at})
		if at >= len(data) || data[at] != ',' {
			return spans
		}
		at++
	}
}

// editRecord changes the golden cells of one row, and notes the columns that it
// would need besides.
func (f *goldenFile) editRecord(r csvRow, header []string, quoted, missing map[string]bool) (err error) {
	c := r.change
	have := slices.DeleteFunc(slices.Clone(header), func(name string) bool { return !isGoldenColumn(name) })
	cells := spread(c.after, have)
	for column := range cells {
		if !slices.Contains(have, column) {
			missing[column] = true
		}
	}
	same := true
	read := map[string]any{} // the golden columns as they were
	for i, column := range header {
		if !isGoldenColumn(column) {
			continue
		}
		old, _ := r.columns[column].(string)
		value, stays := cells[column]
		text := ""
		if stays {
			var ok bool
			if text, ok = cellText(old, value, quoted[column]); !ok {
				return fault.At(r.place, "the golden answer of %s cannot stand in the CSV column %s: %s", printable(c.id), column, shown(value)).
					WithHint("a cell cannot be an empty text, nor hold a carriage return; put the case into a JSON lines file")
			}
		}
		if old != "" {
			read[column] = readCell(old, value)
		}
		if text != old {
			same = false
			f.edits = append(f.edits, byteEdit{r.spans[i].from, r.spans[i].to, quoteCell(text, f.data[r.spans[i].from:r.spans[i].to])})
		}
	}
	if c.before, c.had, err = goldenOf(read); err != nil {
		return at(r.place, err)
	}
	if same {
		c.before, c.had = c.after, true
	}
	return nil
}

// cellText is a value as the text of a cell. A cell that says the same stays. It
// reports false where no text would be read as the value.
func cellText(old string, value any, quoted bool) (string, bool) {
	if text, isText := value.(string); isText {
		_, failed := jsonschema.Decode([]byte(text))
		if (failed == nil || text == "") && quoted {
			text = encodeGolden(text, false)
		}
		return text, text != "" && !strings.Contains(text, "\r")
	}
	if known, err := jsonschema.Decode([]byte(old)); err == nil && reflect.DeepEqual(known, value) {
		return old, true
	}
	return encodeGolden(value, false), true
}

// readCell is what a cell is taken for in the report: JSON if it is JSON, unless
// text takes its place.
func readCell(text string, next any) any {
	if _, isText := next.(string); !isText || strings.HasPrefix(text, `"`) {
		if value, err := jsonschema.Decode([]byte(text)); err == nil {
			return value
		}
	}
	return text
}

// quoteCell writes a cell, in quotes where it needs them or had them.
func quoteCell(text string, old []byte) string {
	if !bytes.HasPrefix(old, []byte(`"`)) && !strings.ContainsAny(text, ",\"\r\n") && strings.TrimSpace(text) == text {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}
