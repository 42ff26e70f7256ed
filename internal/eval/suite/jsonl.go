package suite

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

var byteOrderMark = []byte("\ufeff")

// readJSONL reads one JSON object a line. Blank lines are skipped.
func readJSONL(_ *plan, name string, from io.Reader, yield func(row, error) bool) {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 64<<10), maxRow)
	place := fault.Place{File: name}
	for lines.Scan() {
		place.Line++
		line := lines.Bytes()
		if place.Line == 1 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r, err := readLine(line, place)
		if !yield(r, err) {
			return
		}
	}
	if err := lines.Err(); err != nil {
		place.Line++
		if errors.Is(err, bufio.ErrTooLong) {
			err = fault.At(place, "the line has more than %d MB", maxRow>>20).WithHint("one row a line; large inputs are kept in files of their own")
		} else {
			err = fault.At(place, "the file cannot be read on: %v", cause(err)).Because(err)
		}
		yield(row{}, err)
	}
}

func readLine(line []byte, place fault.Place) (row, error) {
	if err := strictyaml.CheckText(place.File, line, place.Line); err != nil {
		return row{}, err
	}
	value, err := jsonschema.DecodeAt(line, place)
	if err != nil {
		return row{}, err
	}
	columns, ok := value.(map[string]any)
	if !ok {
		return row{}, fault.At(place, "a row must be an object").WithHint(`write {"id": "…", …}, one a line`)
	}
	return row{columns: columns, place: place}, nil
}
