package suite

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// editYAMLRows edits a file that is a list of rows.
func editYAMLRows(g *goldenEdit, f *goldenFile) error {
	document, err := strictyaml.Parse(f.name, f.data, 1)
	if err != nil {
		return err
	}
	text := newYAMLText(f.name, f.data)
	for _, item := range document.Items() {
		g.editMapping(f, text, item, true)
	}
	return nil
}

// mapping is a case in a YAML file, whose golden answer is edited.
type mapping struct {
	*yamlText
	fields []strictyaml.Field
	flow   bool
	column int // of its keys, from 0
	edits  []byteEdit
}

// editMapping edits one case of a YAML file. A row may have dotted columns.
func (g *goldenEdit) editMapping(f *goldenFile, text *yamlText, item strictyaml.Node, isRow bool) {
	c := g.want(mappingID(item, isRow), item.Place(), isRow)
	if c == nil {
		return
	}
	if talk, ok := c.after.(TurnGoldens); ok {
		g.editTurns(f, text, item, c.id, talk)
		return
	}
	g.edit(f, text, item, c, isRow)
}

// edit makes the edits of a case, or of a turn.
func (g *goldenEdit) edit(f *goldenFile, text *yamlText, item strictyaml.Node, c *goldenChange, isRow bool) {
	columns := map[string]any{}
	for _, field := range item.Fields() {
		if field.Key == "golden" || isRow && isGoldenColumn(field.Key) {
			columns[field.Key] = field.Value.Value()
		}
	}
	var err error
	if c.before, c.had, err = goldenOf(columns); err != nil {
		g.problems.Add(at(item.Place(), err))
	}
	if err != nil || c.unchanged() {
		return
	}
	start := text.offset(item.Place())
	if strings.IndexByte("*&!", text.char(start)) >= 0 {
		g.problems.Add(refused(item, c.id, "the case stands in an anchor, an alias or under a tag"))
		return
	}
	m := &mapping{yamlText: text, fields: item.Fields(), flow: text.inBrackets(item, start), column: text.column(start)}
	have := slices.Sorted(maps.Keys(columns))
	if why := m.set(spread(c.after, have), columns); why != "" {
		g.problems.Add(refused(item, c.id, why))
		return
	}
	f.edits = append(f.edits, m.edits...)
}

// mappingID is a case's id as it is read: of a row the value, of a case in the suite
// file the text as it is written.
func mappingID(item strictyaml.Node, isRow bool) string {
	id := item.Get("id")
	switch {
	case isRow:
		return rowID(map[string]any{"id": id.Value()})
	case id.Kind() == strictyaml.String || id.Kind() == strictyaml.Number:
		return id.Text()
	}
	return ""
}

func refused(n strictyaml.Node, id, why string) error {
	return n.Errorf("the golden answer of %s cannot be set here: %s", strconv.Quote(id), why).WithHint("edit the file by hand")
}

// set makes the edits; columns are the golden ones that are there. It says why
// where it cannot.
func (m *mapping) set(cells, columns map[string]any) (why string) {
	for _, name := range slices.Sorted(maps.Keys(cells)) {
		if _, there := columns[name]; !there {
			m.insert(name, encodeGolden(cells[name], true))
		}
	}
	removed := 0 // leading ones
	for i, field := range m.fields {
		before, there := columns[field.Key]
		if !there {
			continue
		}
		value, stays := cells[field.Key]
		switch {
		case !stays:
			m.remove(i, removed == i)
			if removed == i {
				removed++
			}
		case !reflect.DeepEqual(before, value):
			if why := m.replace(field, encodeGolden(value, true)); why != "" {
				return why
			}
		}
	}
	return ""
}

// replace puts a text of one line in the place of a value.
func (m *mapping) replace(field strictyaml.Field, text string) (why string) {
	n := field.Value
	at := m.offset(n.Place())
	c := m.char(at)
	if isEmptyScalar(n) && strings.IndexByte("&!*\"'|>", c) < 0 {
		return m.fill(field, text)
	}
	if c == '&' || c == '!' {
		return "its golden answer has an anchor or a tag"
	}
	end := m.end(n, m.column, m.flow)
	isScalar := n.Kind() != strictyaml.Mapping && n.Kind() != strictyaml.List
	switch {
	case isScalar && !m.flow && (c == '|' || c == '>'):
		// A comment after the header stays.
		header := m.word(at)
		m.edits = append(m.edits, byteEdit{at, header, text}, byteEdit{from: m.lineEnd(header), to: max(end, m.lineEnd(header))})
	case isScalar || c == '*' || m.inBrackets(n, at):
		m.edits = append(m.edits, byteEdit{at, end, text})
	default:
		// Comments between the key and the first line of the value stay.
		before := m.lineStart(at)
		if before <= m.offset(field.Place) {
			return "its golden answer begins on the line of the key"
		}
		before = m.lineEnd(m.previousLine(before))
		m.edits = append(m.edits, byteEdit{from: before, to: end})
		return m.fill(field, text)
	}
	return ""
}

// previousLine is the offset of the line before the one that begins at an offset.
func (m *mapping) previousLine(start int) int {
	i, _ := slices.BinarySearch(m.lines, start)
	return m.lines[i-1]
}

// fill puts a value after a key that has none on its line.
func (m *mapping) fill(field strictyaml.Field, text string) (why string) {
	at := m.offset(field.Place)
	if c := m.char(at); c == '"' || c == '\'' {
		at = m.quoted(at)
	} else if bytes.HasPrefix(m.data[at:], []byte(field.Key)) {
		at += len(field.Key)
	} else {
		return "its key golden has an anchor or a tag"
	}
	colon := at
	for m.char(colon) == ' ' || m.char(colon) == '\t' {
		colon++
	}
	switch {
	case m.char(colon) == ':':
		m.edits = append(m.edits, byteEdit{colon + 1, colon + 1, " " + text})
	case m.flow:
		m.edits = append(m.edits, byteEdit{at, at, ": " + text})
	default:
		return "its key golden has no colon on its line"
	}
	return ""
}

// afterwards are the keys that stand behind a golden answer.
var afterwards = []string{"tags", "expect", "meta", "golden_match", "repeats"}

// insert adds a field: behind the inputs, or behind the id where it comes later.
func (m *mapping) insert(name, text string) {
	last := 0
	for i, field := range m.fields {
		isMeta := strings.HasPrefix(field.Key, "meta.")
		if !slices.Contains(afterwards, field.Key) && !isMeta && !isGoldenColumn(field.Key) {
			last = i
		}
	}
	before := m.fields[last]
	end := m.end(before.Value, m.column, m.flow)
	if m.flow {
		if m.char(m.offset(before.Place)) == '"' {
			name = encodeGolden(name, false)
		}
		m.edits = append(m.edits, byteEdit{end, end, ", " + plainKey(name) + ": " + text})
		return
	}
	lineBreak := m.breakOf(end)
	indent := strings.Repeat(" ", m.column)
	if end = m.lineEnd(end); end == len(m.data) && m.endsInBlock(before.Value) {
		// A block scalar that ends with the file would get a line break more.
		key := m.offset(before.Place)
		m.edits = append(m.edits, byteEdit{key, key, plainKey(name) + ": " + text + lineBreak + indent})
		return
	}
	m.edits = append(m.edits, byteEdit{end, end, lineBreak + indent + plainKey(name) + ": " + text})
}

// endsInBlock reports whether a block scalar ends a value.
func (m *mapping) endsInBlock(n strictyaml.Node) bool {
	for last, there := lastOf(n); there; last, there = lastOf(n) {
		n = last
	}
	at := m.offset(n.Place())
	for strings.IndexByte("&!", m.char(at)) >= 0 {
		at = m.skip(m.word(at), "")
	}
	return strings.IndexByte("|>", m.char(at)) >= 0
}

// plainKey quotes a key that YAML might take for something else.
func plainKey(name string) string {
	if strings.HasPrefix(name, `"`) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == "" {
		return name
	}
	return encodeGolden(name, false)
}

// breakOf is the break that ends the line, else the one that the file uses.
func (m *mapping) breakOf(at int) string {
	at = m.lineEnd(at)
	if n := breakLength(m.data[at:]); n > 0 {
		return string(m.data[at : at+n])
	}
	first := m.lineEnd(0)
	if n := breakLength(m.data[first:]); n > 0 {
		return string(m.data[first : first+n])
	}
	return "\n"
}

// remove takes a field out; leading says that no field before it stays.
func (m *mapping) remove(i int, leading bool) {
	key := m.offset(m.fields[i].Place)
	end := m.end(m.fields[i].Value, m.column, m.flow)
	switch {
	case leading:
		m.edits = append(m.edits, byteEdit{from: key, to: m.offset(m.fields[i+1].Place)}) // the id stays, so there is one
	case m.flow:
		m.edits = append(m.edits, byteEdit{from: m.end(m.fields[i-1].Value, m.column, true), to: end})
	case m.lineEnd(end) == len(m.data):
		m.edits = append(m.edits, byteEdit{from: m.lineEnd(m.previousLine(m.lineStart(key))), to: len(m.data)})
	default:
		m.edits = append(m.edits, byteEdit{from: m.lineStart(key), to: m.nextLine(end)})
	}
}
