package suite

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// maxRow bounds one row of a file, in bytes.
const maxRow = 8 << 20

// row is one row of a file: its columns by name, as JSON values. Columns are id,
// tags, cluster, repeats, golden, golden.*, expect, meta, meta.*; the rest are the inputs.
type row struct {
	columns map[string]any
	expect  strictyaml.Node // where the file is YAML; else the column expect
	turns   strictyaml.Node // likewise
	place   fault.Place
}

// rowReader reads the rows of a file. An error of one row is yielded, and the rows
// after it follow if yield says so; after an error of the file nothing does.
type rowReader func(p *plan, name string, from io.Reader, yield func(row, error) bool)

func readerFor(name string) rowReader {
	switch path.Ext(name) {
	case ".jsonl":
		return readJSONL
	case ".csv":
		return readCSV
	case ".yaml":
		return readYAML
	}
	return nil
}

// walkFile visits the cases of a file, and reports whether to go on.
func (p *plan) walkFile(e *entry, visit func(eval.Case, error) bool) bool {
	file, err := open(p.root, e.from, e.place)
	if err != nil {
		return visit(eval.Case{}, err)
	}
	defer file.Close()
	more := true
	memory := expectMemory{}
	readerFor(e.from)(p, e.from, file, func(r row, err error) bool {
		if err != nil {
			more = visit(eval.Case{}, err)
			return more
		}
		s, own, err := p.readRow(r, e, memory)
		if err != nil {
			more = visit(eval.Case{ID: s.id, Place: r.place}, at(r.place, err))
			return more
		}
		more = visit(p.build(s, own))
		return more
	})
	return more
}

// readRow sorts the columns of a row. Its map becomes the inputs.
func (p *plan) readRow(r row, e *entry, memory expectMemory) (*source, []expectation, error) {
	s := &source{vars: r.columns, exact: p.exact, repeats: p.repeats, place: r.place}
	var problems fault.List
	switch id := r.columns["id"].(type) {
	case nil:
	case string:
		s.id = id
	case json.Number:
		s.id = string(id)
	default:
		problems.Add(fault.New(fault.Invalid, "the id must be a string"))
	}
	s.tags = readTags(r.columns["tags"], e.tags, &problems)
	if golden, given := r.columns["golden"]; given {
		s.golden = &golden
	}
	if meta, given := r.columns["meta"]; given {
		object, ok := meta.(map[string]any)
		if !ok {
			problems.Add(fault.New(fault.Invalid, "the column meta must be an object").WithHint("or write columns meta.source, meta.author, …"))
		}
		s.meta = object
	}
	p.rowCluster(s, &problems)
	p.rowRepeats(s, &problems)
	own, err := p.rowExpect(r, memory)
	problems.Add(err)
	p.rowTurns(s, r, &problems)
	for _, column := range []string{"id", "tags", "golden", "meta", "expect"} {
		delete(r.columns, column)
	}
	s.nest(&problems)
	if _, is := p.prompt.Kinds["vars"]; !is {
		if _, given := s.vars["vars"]; given {
			problems.Add(fault.New(fault.Invalid, "a row has no vars").WithHint("write each input as a column of its own"))
		}
	}
	return s, own, problems.Err()
}

// rowCluster takes the column cluster, unless the prompt has an input of that name.
func (p *plan) rowCluster(s *source, problems *fault.List) {
	value, given := s.vars["cluster"]
	if _, is := p.prompt.Kinds["cluster"]; is || !given {
		return
	}
	delete(s.vars, "cluster")
	switch v := value.(type) {
	case nil:
	case string:
		s.cluster = strings.TrimSpace(v)
	case json.Number:
		s.cluster = string(v)
	default:
		problems.Add(fault.New(fault.Invalid, "the cluster must be a name"))
	}
}

// rowRepeats takes the column repeats, unless the prompt has an input of that name. An
// empty cell asks as often as the suite says.
func (p *plan) rowRepeats(s *source, problems *fault.List) {
	value, given := s.vars["repeats"]
	if _, is := p.prompt.Kinds["repeats"]; is || !given {
		return
	}
	delete(s.vars, "repeats")
	text := ""
	switch v := value.(type) {
	case nil:
	case string:
		text = strings.TrimSpace(v)
	case json.Number:
		text = string(v)
	default:
		text = fmt.Sprint(v)
	}
	if text == "" {
		return
	}
	repeats, err := strconv.Atoi(text)
	if err != nil || repeats < 1 || repeats > maxRepeats {
		problems.Add(fault.New(fault.Invalid, "repeats is %s; it must be a whole number from 1 to %d", text, maxRepeats))
		return
	}
	s.repeats = repeats
}

// nest moves the columns golden.a.b and meta.a.b to where they belong.
func (s *source) nest(problems *fault.List) {
	var dotted []string
	for column := range s.vars {
		if strings.HasPrefix(column, "golden.") || strings.HasPrefix(column, "meta.") {
			dotted = append(dotted, column)
		}
	}
	if dotted == nil {
		return
	}
	slices.Sort(dotted)
	for _, column := range dotted {
		value := s.vars[column]
		delete(s.vars, column)
		root, rest, _ := strings.Cut(column, ".")
		into := s.meta
		if root == "golden" {
			if s.golden == nil {
				var object any = map[string]any{}
				s.golden = &object
			}
			into, _ = (*s.golden).(map[string]any)
		} else if into == nil {
			into = map[string]any{}
			s.meta = into
		}
		if into == nil || !put(into, strings.Split(rest, "."), value) {
			problems.Add(fault.New(fault.Invalid, "the column %s has no place: another column says what stands there", column))
		}
	}
}

// put sets a value deep inside an object, and reports whether it could.
func put(into map[string]any, steps []string, value any) bool {
	for _, step := range steps[:len(steps)-1] {
		inner, there := into[step]
		if !there {
			inner = map[string]any{}
			into[step] = inner
		}
		object, ok := inner.(map[string]any)
		if !ok {
			return false
		}
		into = object
	}
	last := steps[len(steps)-1]
	if _, taken := into[last]; taken || last == "" {
		return false
	}
	into[last] = value
	return true
}

// readTags reads a list, or a text with commas or semicolons, and adds the tags
// that the suite file gives to every row.
func readTags(value any, more []string, problems *fault.List) []string {
	var tags []string
	switch v := value.(type) {
	case nil:
	case string:
		for _, tag := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ';' }) {
			if tag = strings.TrimSpace(tag); tag != "" {
				tags = append(tags, tag)
			}
		}
	case []any:
		for _, item := range v {
			tag, ok := item.(string)
			if !ok {
				problems.Add(fault.New(fault.Invalid, "a tag must be a string, not %v", item))
				continue
			}
			tags = append(tags, tag)
		}
	default:
		problems.Add(fault.New(fault.Invalid, "the tags must be a list of strings"))
	}
	for _, tag := range more {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// expectMemory keeps what rows expect by its text, since rows repeat it.
type expectMemory map[string][]expectation

// maxRemembered bounds the memory; beyond it, it starts afresh.
const maxRemembered = 1000

// rowExpect reads the column expect: a list of checks or one check, or a text that
// holds it as YAML.
func (p *plan) rowExpect(r row, memory expectMemory) ([]expectation, error) {
	if r.expect.Exists() {
		return p.oneOrMore(r.expect)
	}
	value, given := r.columns["expect"]
	if !given || value == nil {
		return nil, nil
	}
	text, isText := value.(string)
	if !isText {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		text = string(raw)
	}
	if known, ok := memory[text]; ok {
		return known, nil
	}
	list, err := p.columnExpect(value, r.place)
	if err != nil {
		return nil, err
	}
	if len(memory) >= maxRemembered {
		clear(memory)
	}
	memory[text] = list
	return list, nil
}

// columnExpect reads what a column holds. All problems stand at the row: lines and
// columns within its text are not the file's.
func (p *plan) columnExpect(value any, place fault.Place) ([]expectation, error) {
	n := strictyaml.FromJSON(value, place)
	var list []expectation
	var err error
	if text, ok := value.(string); ok {
		n, err = strictyaml.Parse(place.File, []byte(text), place.Line)
	}
	if err == nil {
		list, err = p.oneOrMore(n)
	}
	return list, moved(err, place, "the column expect: ")
}

func (p *plan) oneOrMore(n strictyaml.Node) ([]expectation, error) {
	var problems fault.List
	if n.Exists() && n.Kind() != strictyaml.List {
		one, err := p.readExpectation(n)
		return []expectation{one}, err
	}
	return p.readExpect(n, &problems), problems.Err()
}
