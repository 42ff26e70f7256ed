package suite

import (
	"io"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// readYAML reads a list of mappings, each a row.
func readYAML(_ *plan, name string, from io.Reader, yield func(row, error) bool) {
	data, err := io.ReadAll(io.LimitReader(from, strictyaml.MaxSize+1))
	if err != nil {
		yield(row{}, fault.At(fault.Place{File: name}, "the file cannot be read: %v", cause(err)).Because(err))
		return
	}
	if len(data) > strictyaml.MaxSize {
		yield(row{}, fault.At(fault.Place{File: name}, "the file has more than %d MB", strictyaml.MaxSize>>20).WithHint("write many rows as JSON lines"))
		return
	}
	document, err := strictyaml.Parse(name, data, 1)
	if err != nil {
		yield(row{}, err)
		return
	}
	if document.Exists() && document.Kind() != strictyaml.List {
		yield(row{}, document.Mismatch("a list of rows").WithHint("write - {id: …, golden: …}, with the inputs as keys"))
		return
	}
	for _, item := range document.Items() {
		r := row{expect: item.Get("expect"), turns: item.Get("turns"), place: item.Place()}
		var err error
		if columns, ok := item.Value().(map[string]any); ok {
			r.columns = columns
		} else {
			err = item.Mismatch("a row").WithHint("write - {id: …, golden: …}, with the inputs as keys")
		}
		if !yield(r, err) {
			return
		}
	}
}
