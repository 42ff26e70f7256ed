package suite

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// caseField is a field of a case, or a column of a row.
type caseField struct {
	name  string
	value any
}

// fields are what a new case says, in the order in which people write them. In a row
// each input is a column.
func (c *NewCase) fields(row bool) []caseField {
	list := []caseField{{"id", c.ID}}
	add := func(name string, value any, given bool) {
		if given {
			list = append(list, caseField{name, value})
		}
	}
	add("tags", listOf(c.Tags), len(c.Tags) > 0)
	if row {
		for _, name := range slices.Sorted(maps.Keys(c.Vars)) {
			add(name, c.Vars[name], true)
		}
	} else {
		add("vars", c.Vars, len(c.Vars) > 0)
	}
	add("golden", c.goldenValue(), c.Golden != nil)
	add("expect", listOf(c.Expect), len(c.Expect) > 0)
	add("meta", c.Meta, len(c.Meta) > 0)
	return list
}

func listOf(words []string) []any {
	list := make([]any, len(words))
	for i, word := range words {
		list[i] = word
	}
	return list
}

// appendYAML adds cases behind the last one of a list, written as their neighbours are:
// as deep, and with an empty line between them where there is one.
func appendYAML(f *goldenFile, list strictyaml.Node, cases []NewCase, rows bool) (string, error) {
	text := newYAMLText(f.name, f.data)
	items := list.Items()
	if len(items) == 0 {
		return appendFirst(f, list, cases, rows)
	}
	start := text.offset(list.Place())
	if text.char(start) != '-' {
		return "", list.Errorf("cases are appended to a list with dashes, and this one is written in brackets, or has an anchor").
			WithHint("write each case on lines of its own, after a dash")
	}
	column := text.column(start)
	last := items[len(items)-1]
	end := text.lineEnd(text.end(last, column, false))
	lineBreak := (&mapping{yamlText: text}).breakOf(end)
	between := ""
	if dash := text.lineStart(text.offset(last.Place())); len(items) > 1 && dash > 0 {
		if above := text.lineStart(dash - 1); len(bytes.TrimSpace(f.data[above:dash])) == 0 {
			between = lineBreak
		}
	}
	var b strings.Builder
	for _, c := range cases {
		b.WriteString(lineBreak + between + c.yaml(strings.Repeat(" ", column), lineBreak, rows))
	}
	f.edits = append(f.edits, byteEdit{end, end, b.String()})
	return strings.TrimPrefix(b.String(), lineBreak) + lineBreak, nil
}

// appendFirst writes the first cases of a file that has none.
func appendFirst(f *goldenFile, list strictyaml.Node, cases []NewCase, rows bool) (string, error) {
	if list.Exists() && list.Kind() != strictyaml.Null {
		return "", list.Errorf("cases are appended to a list with dashes").WithHint("take it out where it is empty, or write its cases after dashes")
	}
	var b strings.Builder
	indent := "  "
	if rows {
		indent = ""
	}
	for _, c := range cases {
		b.WriteString(c.yaml(indent, "\n", rows) + "\n")
	}
	head := ""
	if n := len(f.data); n > 0 && f.data[n-1] != '\n' {
		head = "\n"
	}
	switch {
	case rows || !list.Exists():
		if !rows {
			head += "cases:\n"
		}
		f.edits = append(f.edits, byteEdit{len(f.data), len(f.data), head + b.String()})
	default: // the key alone
		text := newYAMLText(f.name, f.data)
		at := text.lineEnd(text.offset(list.Place()))
		f.edits = append(f.edits, byteEdit{at, at, "\n" + strings.TrimSuffix(b.String(), "\n")})
	}
	return b.String(), nil
}

// yaml is the case as an item of a list, its lines from the second on as deep as its
// first field. Values stand on one line, as JSON, but for inputs, which have one each.
func (c *NewCase) yaml(indent, lineBreak string, row bool) string {
	var b strings.Builder
	deeper := indent + "  "
	for i, field := range c.fields(row) {
		lead := deeper
		if i == 0 {
			lead = indent + "- "
		} else {
			b.WriteString(lineBreak)
		}
		b.WriteString(lead + plainKey(field.name) + ":")
		vars, isVars := field.value.(map[string]any)
		if field.name != "vars" || !isVars || row {
			b.WriteString(" " + c.scalar(field))
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			b.WriteString(lineBreak + deeper + "  " + plainKey(name) + ": " + encodeGolden(vars[name], true))
		}
	}
	return b.String()
}

// scalar writes an id, tags and names of checks without quotes where they need none.
func (c *NewCase) scalar(field caseField) string {
	plain := func(text string) string {
		first := strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
		if first != "" || text == "" || !strings.Contains("abcdefghijklmnopqrstuvwxyz", text[:1]) ||
			slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, text) {
			return encodeGolden(text, false)
		}
		return text
	}
	switch value := field.value.(type) {
	case string:
		if field.name == "id" {
			return plain(value)
		}
	case []any:
		if field.name == "tags" || field.name == "expect" {
			words := make([]string, len(value))
			for i, item := range value {
				word, _ := item.(string)
				words[i] = plain(word)
			}
			return "[" + strings.Join(words, ", ") + "]"
		}
	}
	return encodeGolden(field.value, true)
}

// ChecksEvery reports whether the suite checks a case that has no golden answer and
// expects nothing of its own.
func (s *Suite) ChecksEvery() bool {
	return slices.ContainsFunc(s.plan.expect, func(e expectation) bool { return e.fixed == nil || !usesGolden(e.fixed) })
}
