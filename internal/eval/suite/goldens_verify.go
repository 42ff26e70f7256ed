package suite

import (
	"bytes"
	"fmt"
	"iter"
	"path"
	"reflect"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// inconsistent refuses an edit that would say more than was asked. That is a bug,
// or YAML that shares values in a way that the edit would break.
func inconsistent(file, why string) error {
	return fault.New(fault.Internal, "the golden answers cannot be set in %s without changing something else: %s", file, why).
		WithHint("nothing was written; edit the file by hand")
}

// verifySuite holds the edited suite file against what it was.
func verifySuite(g *goldenEdit, f *goldenFile) error {
	before, err := strictyaml.Parse(f.name, f.data, 1)
	if err != nil {
		return err
	}
	after, err := strictyaml.Parse(f.name, f.after, 1)
	if err != nil {
		return inconsistent(f.name, "it would no longer be valid: "+fault.As(err).Message)
	}
	isCases := func(key string) bool { return key == "cases" }
	was, is := before.Get("cases").Items(), after.Get("cases").Items()
	if !sameFields(before, after, isCases) || len(was) != len(is) {
		return inconsistent(f.name, "another part of it would change")
	}
	isGolden := func(key string) bool { return key == "golden" }
	for i := range is {
		id := mappingID(was[i], false)
		golden, wanted := g.wanted[id]
		if was[i].Get("from").Exists() || !wanted {
			if !same(was[i], is[i]) {
				return inconsistent(f.name, fmt.Sprintf("the case %q would change", shorten(id)))
			}
			continue
		}
		if talk, ok := golden.(TurnGoldens); ok {
			if !saysTurns(was[i], is[i], talk) {
				return inconsistent(f.name, fmt.Sprintf("the conversation %q would not be read as it should be", shorten(id)))
			}
			g.placeTurns(id, is[i])
			continue
		}
		now := is[i].Get("golden")
		if !sameFields(was[i], is[i], isGolden) || !now.Exists() || !reflect.DeepEqual(now.Value(), golden) {
			return inconsistent(f.name, fmt.Sprintf("the case %q would not be read as it should be", shorten(id)))
		}
		g.seen[id].place = is[i].Place()
	}
	return nil
}

// same compares what two nodes say, texts as they are written.
func same(a, b strictyaml.Node) bool {
	if a.Kind() != b.Kind() || a.Text() != b.Text() {
		return false
	}
	none := func(string) bool { return false }
	return sameFields(a, b, none) && slices.EqualFunc(a.Items(), b.Items(), same)
}

// sameFields compares the entries of mappings, but for some keys.
func sameFields(a, b strictyaml.Node, but func(key string) bool) bool {
	skip := func(field strictyaml.Field) bool { return but(field.Key) }
	return slices.EqualFunc(slices.DeleteFunc(a.Fields(), skip), slices.DeleteFunc(b.Fields(), skip),
		func(a, b strictyaml.Field) bool { return a.Key == b.Key && same(a.Value, b.Value) })
}

// verifyRows holds an edited file of rows against what it was, read as suites read
// it.
func verifyRows(g *goldenEdit, f *goldenFile) error {
	next, stop := iter.Pull2(rowsOf(f.name, f.after))
	defer stop()
	for was, err := range rowsOf(f.name, f.data) {
		if err != nil {
			return err
		}
		is, err, more := next()
		if err != nil || !more {
			return inconsistent(f.name, "a row would be lost")
		}
		id := rowID(was.columns)
		golden, wanted := g.wanted[id]
		if wanted {
			g.seen[id].place = is.place
			if !saysGolden(f.name, is.columns, golden) {
				return inconsistent(f.name, fmt.Sprintf("the case %q would not be read as it should be", shorten(id)))
			}
			dropGolden(was.columns)
			dropGolden(is.columns)
		}
		if !reflect.DeepEqual(was.columns, is.columns) {
			return inconsistent(f.name, fmt.Sprintf("the case %q would change", shorten(id)))
		}
	}
	if _, _, more := next(); more {
		return inconsistent(f.name, "a row would be added")
	}
	return nil
}

func rowsOf(name string, data []byte) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		readerFor(name)(&plan{}, name, bytes.NewReader(data), yield)
	}
}

func dropGolden(columns map[string]any) {
	for name := range columns {
		if isGoldenColumn(name) {
			delete(columns, name)
		}
	}
}

// saysGolden reports whether a row's golden answer is the one that was asked. The
// cells of a CSV file are texts here, and may stand for themselves or for JSON.
func saysGolden(name string, columns map[string]any, golden any) bool {
	if path.Ext(name) == ".csv" {
		have := []string{}
		for column := range columns {
			if isGoldenColumn(column) {
				have = append(have, column)
			}
		}
		cells := spread(golden, have)
		if len(cells) != len(have) {
			return false
		}
		read := map[string]any{}
		for column, value := range cells {
			text, _ := columns[column].(string)
			read[column] = text
			if text == value {
				continue
			}
			decoded, err := jsonschema.Decode([]byte(text))
			if err != nil {
				return false
			}
			read[column] = decoded
		}
		columns = read
	}
	said, had, err := goldenOf(columns)
	return err == nil && had && reflect.DeepEqual(said, golden)
}
