package price

import (
	"bytes"
	_ "embed" // the table
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

//go:embed table.json
var tableJSON []byte

// table is table.json: list prices, the day they were checked, and where.
type table struct {
	Checked string            `json:"checked"`
	Note    string            `json:"note"`
	Sources map[string]string `json:"sources"`
	Models  []struct {
		Names       []string `json:"names"`
		Source      string   `json:"source"`
		Input       string   `json:"input"`
		CachedInput string   `json:"cached_input"`
		Output      string   `json:"output"`
	} `json:"models"`
}

type listed struct {
	checked string
	prices  map[string]Price
}

var builtIn = sync.OnceValue(func() listed {
	t, prices, err := readTable(tableJSON)
	if err != nil {
		panic("price: table.json: " + err.Error()) // it is part of the program, and a test reads it
	}
	return listed{checked: t.Checked, prices: prices}
})

func readTable(data []byte) (table, map[string]Price, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var t table
	if err := decoder.Decode(&t); err != nil {
		return table{}, nil, err
	}
	prices := map[string]Price{}
	for _, model := range t.Models {
		if t.Sources[model.Source] == "" {
			return table{}, nil, fmt.Errorf("%v: the source %q is not listed", model.Names, model.Source)
		}
		price, err := Of(model.Input, model.Output, model.CachedInput)
		if err != nil {
			return table{}, nil, fmt.Errorf("%v: %w", model.Names, err)
		}
		for _, name := range model.Names {
			if _, twice := prices[name]; twice {
				return table{}, nil, fmt.Errorf("%s is listed twice", name)
			}
			prices[name] = price
		}
	}
	return t, prices, nil
}

// Lookup finds the list price of a model by the name that it has on its vendor's
// wire. Only names that stand in the table are known: a snapshot
// ("gpt-4o-2024-08-06") that is not listed may cost something else, and the same
// model behind another vendor does. A price: in llmx.yaml comes before the table.
func Lookup(wireModel string) (Price, bool) {
	price, ok := builtIn().prices[wireModel]
	return price, ok
}

// Checked is the day (YYYY-MM-DD) on which the table was compared with its sources.
func Checked() string { return builtIn().checked }

// Models lists the names in the table, sorted.
func Models() []string { return slices.Sorted(maps.Keys(builtIn().prices)) }
