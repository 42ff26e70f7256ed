package suite

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
)

// readCSV reads rows under a header, as RFC 4180 has them. A cell is text, but for
// inputs of other kinds, whose cells are JSON. An empty cell is an empty text where
// the input is a string, and else a column that is not given.
func readCSV(p *plan, name string, from io.Reader, yield func(row, error) bool) {
	bounded := &boundedReader{from: skipMark(from)}
	reader := csv.NewReader(bounded)
	reader.FieldsPerRecord, reader.ReuseRecord = -1, true
	t := table{plan: p, name: name, next: 1, reader: reader}
	bounded.left = maxRow
	if err := t.readHeader(); err != nil {
		yield(row{}, err)
		return
	}
	for {
		bounded.left = maxRow
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(row{}, t.broken(err))
			return
		}
		if !yield(t.row(cells)) {
			return
		}
	}
}

// table is a CSV file that is being read.
type table struct {
	plan   *plan
	name   string
	header []string
	cells  []cellReader // one a column
	next   int          // the line after the row that was read last
	reader *csv.Reader
}

func (t *table) readHeader() error {
	cells, err := t.reader.Read()
	if errors.Is(err, io.EOF) {
		return fault.At(fault.Place{File: t.name, Line: 1}, "the file has no header").WithHint("the first row names the columns: id, golden and the inputs")
	}
	if err != nil {
		return t.broken(err)
	}
	t.passed(cells)
	var problems fault.List
	for i, name := range cells {
		name = strings.TrimSpace(name)
		switch {
		case !utf8.ValidString(name):
			problems.Add(fault.At(t.place(i), "the file is not UTF-8").WithHint("save it as UTF-8"))
		case name == "":
			problems.Add(fault.At(t.place(i), "column %d has no name", i+1))
		case slices.Contains(t.header, name):
			problems.Add(fault.At(t.place(i), "the column %q is there twice", name))
		}
		t.header = append(t.header, name)
		t.cells = append(t.cells, t.plan.cellReader(name))
	}
	if len(problems) == 0 && !slices.Contains(t.header, "id") {
		problems.Add(fault.At(t.place(0), "the header has no column id").WithHint("%s", fault.Allowed("id", t.header)))
	}
	return problems.Err()
}

func (t *table) place(column int) fault.Place {
	line, col := t.reader.FieldPos(column)
	return fault.Place{File: t.name, Line: line, Col: col}
}

// passed keeps where the next row begins, for when it cannot be read.
func (t *table) passed(cells []string) {
	last := len(cells) - 1
	line, _ := t.reader.FieldPos(last)
	t.next = line + strings.Count(cells[last], "\n") + 1
}

// broken words a failure after which the file cannot be read on.
func (t *table) broken(err error) error {
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		place := fault.Place{File: t.name, Line: wrong.Line, Col: wrong.Column}
		return fault.At(place, "not valid CSV: %v", wrong.Err).
			WithHint(`a cell with a comma, a quote or a new line stands in quotes, and a quote within is written twice: "say ""hi"""`)
	}
	if errors.Is(err, errRowTooLong) {
		return fault.At(fault.Place{File: t.name, Line: t.next}, "a row has more than %d MB", maxRow>>20).WithHint("is a quote never closed?")
	}
	return fault.At(fault.Place{File: t.name}, "the file cannot be read on: %v", cause(err)).Because(err)
}

func (t *table) row(cells []string) (row, error) {
	t.passed(cells)
	place := t.place(0)
	place.Col = 0
	if len(cells) != len(t.header) {
		return row{}, fault.At(place, "the row has %d columns, the header %d", len(cells), len(t.header)).
			WithHint("a cell with a comma stands in quotes")
	}
	var problems fault.List
	r := row{columns: make(map[string]any, len(cells)), place: place}
	for i, text := range cells {
		if !utf8.ValidString(text) {
			problems.Add(fault.At(t.place(i), "the file is not UTF-8").WithHint("save it as UTF-8"))
			continue
		}
		value, given, err := t.cells[i](text, t.place(i))
		if err != nil {
			problems.Add(err)
		} else if given {
			r.columns[t.header[i]] = value
		}
	}
	return r, problems.Err()
}

// skipMark drops a byte order mark.
func skipMark(from io.Reader) io.Reader {
	buffered := bufio.NewReader(from)
	if start, _ := buffered.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		_, _ = buffered.Discard(len(byteOrderMark)) // they are in the buffer
	}
	return buffered
}

var errRowTooLong = errors.New("the row is too long")

// boundedReader gives so many bytes until it is told again how many.
type boundedReader struct {
	from io.Reader
	left int
}

func (b *boundedReader) Read(into []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := b.from.Read(into[:min(len(into), b.left)])
	b.left -= n
	return n, err
}
