package suite

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// NewCase is a case to append. Its values are JSON values as jsonschema.Decode gives
// them (numbers as json.Number).
type NewCase struct {
	ID     string
	Tags   []string
	Vars   map[string]any
	Golden *any     // nil: none
	Expect []string // checks that take nothing, by name
	Meta   map[string]any
}

// AppendCases adds cases behind those of a suite: to the suite file, or to a file of
// rows that it names in from:, which is into, as it stands there. What was in the file
// stays as it is, byte by byte, and the whole is read again before it is written: check
// is given the project with the file as it would be. It returns the text that is added.
//
// rootDir is the project's directory, file the suite's path in it, with slashes. dryRun
// does everything but write. A file that cannot be read, or added to, is fault.Invalid,
// an into that the suite does not name fault.Usage, one that cannot be written
// fault.Store.
func AppendCases(rootDir, file, into string, cases []NewCase, check func(fs.FS) error, dryRun bool) (added string, err error) {
	for _, c := range cases {
		for _, value := range []any{c.Vars, c.Meta, c.goldenValue()} {
			if err := checkGolden(c.ID, value); err != nil {
				return "", err
			}
		}
	}
	root := os.DirFS(rootDir)
	data, err := readWhole(root, file, fault.Place{File: file})
	if err != nil {
		return "", err
	}
	document, err := strictyaml.Parse(file, data, 1)
	if err != nil {
		return "", err
	}
	f := &goldenFile{name: file, data: data}
	if into == "" {
		added, err = appendYAML(f, document.Get("cases"), cases, false)
	} else if err = f.rowsFile(root, document, into); err == nil {
		added, err = appendRows(f, cases)
	}
	if err != nil {
		return "", err
	}
	f.after = apply(f.data, f.edits)
	if err := f.onlyAdded(into != "", cases); err != nil {
		return "", err
	}
	if err := check(over{root, f.name, f.after}); err != nil || dryRun {
		return added, err
	}
	return added, writeAll(rootDir, []*goldenFile{f})
}

func (c *NewCase) goldenValue() any {
	if c.Golden == nil {
		return nil
	}
	return *c.Golden
}

// rowsFile reads the file of rows that a suite names so.
func (f *goldenFile) rowsFile(root fs.FS, document strictyaml.Node, into string) error {
	p := &plan{root: root, file: f.name}
	var problems fault.List
	var known []string
	for _, item := range document.Get("cases").Items() {
		from := item.Get("from")
		if !from.Exists() {
			continue
		}
		known = append(known, from.Text())
		if from.Text() == into {
			p.readFrom(item, &problems)
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	if len(p.entries) == 0 {
		hint := fault.Allowed(into, known)
		if len(known) == 0 {
			hint = fmt.Sprintf("add - from: %s to its cases, and make the file", into)
		}
		return fault.New(fault.Usage, "the suite %s has no file of cases %q", nameOf(f.name), into).WithHint("%s", hint)
	}
	e := p.entries[0]
	rows, err := fs.ReadFile(root, e.from)
	if err != nil {
		return fault.At(e.place, "%s cannot be read: %v", e.from, cause(err)).Because(err)
	}
	if len(rows) > maxEdited {
		return fault.At(fault.Place{File: e.from}, "the file has more than %d MB, too many to edit", maxEdited>>20).
			WithHint("put the cases into several files")
	}
	f.name, f.data = e.from, rows
	return nil
}

// appendRows adds rows at the end of a file of them.
func appendRows(f *goldenFile, cases []NewCase) (string, error) {
	for _, c := range cases {
		for name := range c.Vars {
			if isRowColumn(name) {
				return "", fault.At(fault.Place{File: f.name}, "the input %q cannot stand in a row: its column means something else there", name).
					WithHint("append to the suite file itself")
			}
		}
	}
	switch path.Ext(f.name) {
	case ".jsonl":
		return appendJSONL(f, cases), nil
	case ".yaml":
		document, err := strictyaml.Parse(f.name, f.data, 1)
		if err != nil {
			return "", err
		}
		return appendYAML(f, document, cases, true)
	}
	return "", fault.At(fault.Place{File: f.name}, "cases are not appended to a %s file: its cells have no types", strings.TrimPrefix(path.Ext(f.name), ".")).
		WithHint("append to the suite file itself, or to a .jsonl file that it names")
}

// isRowColumn tells the columns of a row that are no inputs.
func isRowColumn(name string) bool {
	return slices.Contains([]string{"id", "tags", "expect", "meta", "cluster", "turns", "vars"}, name) || isGoldenColumn(name) || strings.HasPrefix(name, "meta.")
}

func appendJSONL(f *goldenFile, cases []NewCase) string {
	lineBreak := "\n"
	if strings.Contains(string(f.data), "\r\n") {
		lineBreak = "\r\n"
	}
	var b strings.Builder
	for _, c := range cases {
		b.WriteString("{")
		for i, field := range c.fields(true) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(encodeGolden(field.name, false) + ": " + encodeGolden(field.value, true))
		}
		b.WriteString("}" + lineBreak)
	}
	lead := ""
	if n := len(f.data); n > 0 && f.data[n-1] != '\n' {
		lead = lineBreak
	}
	f.edits = append(f.edits, byteEdit{len(f.data), len(f.data), lead + b.String()})
	return b.String()
}

// onlyAdded holds the edited file against what it was: the same, and then the new cases.
func (f *goldenFile) onlyAdded(rows bool, cases []NewCase) error {
	wrong := func(why string) error {
		return fault.At(fault.Place{File: f.name}, "no case can be added behind its last one without changing something else: %s", why).
			WithHint("nothing was written; end the file with a line break, or put another case behind the last one by hand")
	}
	if path.Ext(f.name) == ".jsonl" {
		return nil // whole lines were added
	}
	before, err := strictyaml.Parse(f.name, f.data, 1)
	if err != nil {
		return err
	}
	after, err := strictyaml.Parse(f.name, f.after, 1)
	if err != nil {
		return wrong("it would no longer be valid: " + fault.As(err).Message)
	}
	was, is := before.Items(), after.Items()
	if !rows {
		isCases := func(key string) bool { return key == "cases" }
		if !sameFields(before, after, isCases) {
			return wrong("another part of it would change")
		}
		was, is = before.Get("cases").Items(), after.Get("cases").Items()
	}
	if len(is) != len(was)+len(cases) || !slices.EqualFunc(was, is[:len(was)], same) {
		return wrong("a case would change")
	}
	for i, c := range cases {
		if id := mappingID(is[len(was)+i], rows); id != c.ID || !rows && len(c.Vars) > 0 && !reflect.DeepEqual(is[len(was)+i].Get("vars").Value(), any(c.Vars)) {
			return wrong("the case " + strconv.Quote(c.ID) + " would not be read as it should be")
		}
	}
	return nil
}
