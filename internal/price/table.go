package price

import (
	"bytes"
	_ "embed" // the table
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

//go:embed table.json
var tableJSON []byte

// table is table.json: list prices by vendor, and which sources they were compared
// with on which day.
type table struct {
	Checked string            `json:"checked"`
	Note    string            `json:"note"`
	Sources map[string]source `json:"sources"`
	Vendors []vendor          `json:"vendors"`
}

type source struct {
	What     string `json:"what"`
	URL      string `json:"url"`
	Compared string `json:"compared"` // YYYY-MM-DD
}

type vendor struct {
	Name    string   `json:"name"`
	Hosts   []string `json:"hosts"` // of its own servers, in lower case
	Sources []string `json:"sources"`
	Models  []struct {
		Names []string `json:"names"` // on its wire
		tariff
		Batch *tariff `json:"batch"`
	} `json:"models"`
}

// tariff is a price as it is written. Without cached_input, cached tokens cost what
// others do.
type tariff struct {
	dollars
	LongContext *struct {
		Above int64 `json:"above"`
		dollars
	} `json:"long_context"`
}

type dollars struct {
	Input       string `json:"input"`
	CachedInput string `json:"cached_input"`
	Output      string `json:"output"`
}

// listing is the table, ready to be asked.
type listing struct {
	checked         string
	standard, batch map[product]Price
}

type product struct{ host, model string }

var builtIn = sync.OnceValue(func() listing {
	list, err := readTable(tableJSON)
	if err != nil {
		panic("price: table.json: " + err.Error()) // it is part of the program, and a test reads it
	}
	return list
})

func readTable(data []byte) (listing, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var t table
	if err := decoder.Decode(&t); err != nil {
		return listing{}, err
	}
	list := listing{checked: t.Checked, standard: map[product]Price{}, batch: map[product]Price{}}
	for _, v := range t.Vendors {
		if err := t.checkSources(v); err != nil {
			return listing{}, fmt.Errorf("%s: %w", v.Name, err)
		}
		if err := list.add(v); err != nil {
			return listing{}, fmt.Errorf("%s: %w", v.Name, err)
		}
	}
	return list, nil
}

func (t table) checkSources(v vendor) error {
	if len(v.Sources) == 0 {
		return errors.New("no source is named")
	}
	for _, name := range v.Sources {
		if t.Sources[name] == (source{}) {
			return fmt.Errorf("the source %q is not listed", name)
		}
	}
	return nil
}

func (l listing) add(v vendor) error {
	for _, model := range v.Models {
		standard, err := model.price()
		if err != nil {
			return fmt.Errorf("%v: %w", model.Names, err)
		}
		var batch Price
		if model.Batch != nil {
			if batch, err = model.Batch.price(); err != nil {
				return fmt.Errorf("%v: batch: %w", model.Names, err)
			}
		}
		for _, host := range v.Hosts {
			for _, name := range model.Names {
				key := product{host, name}
				if l.standard[key].Known {
					return fmt.Errorf("%s is listed twice at %s", name, host)
				}
				l.standard[key] = standard
				if batch.Known {
					l.batch[key] = batch
				}
			}
		}
	}
	return nil
}

func (t tariff) price() (Price, error) {
	price, err := Of(t.Input, t.Output, t.CachedInput)
	if long := t.LongContext; err == nil && long != nil {
		price, err = price.WithLongContext(long.Above, long.Input, long.Output, long.CachedInput)
	}
	return price, err
}
