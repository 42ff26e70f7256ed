// Package strictyaml reads the YAML that users write: positions are kept, and an
// unknown key, a wrong type or a key given twice is an error with its place. It
// is the only place that imports a YAML library; it imports fault besides.
package strictyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/llmx-dev/llmx/internal/fault"
)

// MaxSize bounds a YAML file, in bytes.
const MaxSize = 8 << 20

// maxNodes bounds a document after its aliases are followed, so that a small file
// cannot stand for a huge one.
const maxNodes = 1_000_000

// Node is a value in a YAML document, with its place. The zero Node is absent.
type Node struct {
	yaml  *yaml.Node
	file  string
	shift int // lines that stand before the document in its file
}

// Field is one entry of a mapping.
type Field struct {
	Key   string
	Place fault.Place
	Value Node
}

// Parse reads one document. firstLine is the line of the file at which data
// begins, 1 for a whole file. An empty document gives the zero Node.
func Parse(file string, data []byte, firstLine int) (Node, error) {
	shift := firstLine - 1
	if err := CheckText(file, data, firstLine); err != nil {
		return Node{}, err
	}
	if len(data) > MaxSize {
		return Node{}, fault.At(fault.Place{File: file}, "the file has %d MB; at most %d MB are read", len(data)>>20, MaxSize>>20).
			WithHint("put many cases into a JSON lines file and name it with from:")
	}
	var document yaml.Node
	err := yaml.Load([]byte(strings.TrimPrefix(string(data), "\ufeff")), &document)
	if err != nil {
		return Node{}, syntaxError(file, data, shift, err)
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) == 0 {
		return Node{}, nil
	}
	root := Node{yaml: document.Content[0], file: file, shift: shift}
	var problems fault.List
	budget := maxNodes
	root.check(&problems, &budget, 0)
	if err := problems.Err(); err != nil {
		return Node{}, err
	}
	if root.Kind() == Null {
		return Node{}, nil
	}
	return root, nil
}

// CheckText refuses bytes that are not UTF-8, at their line.
func CheckText(file string, data []byte, firstLine int) error {
	if utf8.Valid(data) {
		return nil
	}
	line, col := firstLine, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size <= 1 {
			break
		}
		if col++; r == '\n' {
			line, col = line+1, 1
		}
		data = data[size:]
	}
	return fault.At(fault.Place{File: file, Line: line, Col: col}, "the file is not UTF-8").
		WithHint("save it as UTF-8")
}

func syntaxError(file string, data []byte, shift int, err error) error {
	place := fault.Place{File: file}
	message := err.Error()
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	if errors.As(err, &many) && len(many.Errors) > 0 {
		one = many.Errors[0]
	}
	if one != nil || errors.As(err, &one) {
		message = strings.TrimPrefix(one.Message, "yaml: ")
		if one.Mark.Line > 0 {
			place.Line, place.Col = one.Mark.Line+shift, one.Mark.Column
		}
	}
	switch {
	case strings.Contains(message, "no documents"):
		return nil
	case strings.Contains(message, "multiple"):
		return fault.At(place, "the file holds more than one YAML document").WithHint("one document a file: remove the line ---")
	case strings.Contains(message, "tab character"), indentedByTab(data, place.Line-shift):
		return fault.At(place, "a tab where YAML allows only spaces").WithHint("indent with spaces")
	case strings.Contains(message, "cannot start any token"):
		return fault.At(place, "not valid YAML: %s", message).WithHint("put quotes around a value that begins with a special character")
	}
	return fault.At(place, "not valid YAML: %s", message)
}

// indentedByTab reports whether white space with a tab in it begins the line.
func indentedByTab(data []byte, line int) bool {
	for range line - 1 {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	indent := data[:len(data)-len(bytes.TrimLeft(data, " \t"))]
	return bytes.ContainsRune(indent, '\t')
}

// check walks the document once: keys given twice, merge keys, its size.
func (n Node) check(problems *fault.List, budget *int, depth int) {
	if *budget--; *budget < 0 || depth > 200 {
		if *budget != math.MinInt {
			problems.Add(fault.At(n.Place(), "the document is too large or too deep").WithHint("it may have %d values and 200 levels, aliases included", maxNodes))
			*budget = math.MinInt + 1
		}
		return
	}
	switch n.Kind() {
	case Mapping:
		seen := map[string]fault.Place{}
		for _, field := range n.Fields() {
			if field.Key == "<<" {
				problems.Add(fault.At(field.Place, "merge keys (<<) are not supported").WithHint("write the keys out"))
			}
			if first, twice := seen[field.Key]; twice {
				problems.Add(fault.At(field.Place, "the key %q is given twice", field.Key).WithHint("it stands at line %d already", first.Line))
			}
			seen[field.Key] = field.Place
			field.Value.check(problems, budget, depth+1)
			if *budget < 0 {
				return
			}
		}
	case List:
		for _, item := range n.Items() {
			item.check(problems, budget, depth+1)
			if *budget < 0 {
				return
			}
		}
	}
}

// Kind is the type of a node's value, in the words of messages.
type Kind string

// The kinds of values.
const (
	Absent  Kind = "nothing"
	Mapping Kind = "a mapping"
	List    Kind = "a list"
	String  Kind = "a string"
	Number  Kind = "a number"
	Boolean Kind = "a boolean"
	Null    Kind = "null"
)

// target follows an alias.
func (n Node) target() *yaml.Node {
	y := n.yaml
	for i := 0; y != nil && y.Kind == yaml.AliasNode && i < 10; i++ {
		y = y.Alias
	}
	return y
}

// Exists reports whether the node is there at all.
func (n Node) Exists() bool { return n.yaml != nil }

// Kind tells what the node's value is.
func (n Node) Kind() Kind {
	y := n.target()
	if y == nil {
		return Absent
	}
	switch y.Kind {
	case yaml.MappingNode:
		return Mapping
	case yaml.SequenceNode:
		return List
	case yaml.ScalarNode:
		switch y.ShortTag() {
		case "!!int", "!!float":
			return Number
		case "!!bool":
			return Boolean
		case "!!null":
			return Null
		}
		return String
	}
	return Null
}

// Place is where the node stands.
func (n Node) Place() fault.Place {
	if n.yaml == nil {
		return fault.Place{File: n.file}
	}
	return fault.Place{File: n.file, Line: n.yaml.Line + n.shift, Col: n.yaml.Column}
}

// Errorf makes an error at the node's place.
func (n Node) Errorf(format string, args ...any) *fault.Error {
	return fault.At(n.Place(), format, args...)
}

// Text is a scalar as it was written (without quotes).
func (n Node) Text() string {
	if y := n.target(); y != nil && y.Kind == yaml.ScalarNode {
		return y.Value
	}
	return ""
}

// Fields are a mapping's entries in order; nil for anything else.
func (n Node) Fields() []Field {
	y := n.target()
	if y == nil || y.Kind != yaml.MappingNode {
		return nil
	}
	fields := make([]Field, 0, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := Node{yaml: y.Content[i], file: n.file, shift: n.shift}
		fields = append(fields, Field{
			Key: key.Text(), Place: key.Place(),
			Value: Node{yaml: y.Content[i+1], file: n.file, shift: n.shift},
		})
	}
	return fields
}

// Get finds an entry of a mapping; the zero Node if it is not there.
func (n Node) Get(key string) Node {
	for _, field := range n.Fields() {
		if field.Key == key {
			return field.Value
		}
	}
	return Node{}
}

// Items are a list's entries in order; nil for anything else.
func (n Node) Items() []Node {
	y := n.target()
	if y == nil || y.Kind != yaml.SequenceNode {
		return nil
	}
	items := make([]Node, len(y.Content))
	for i, item := range y.Content {
		items[i] = Node{yaml: item, file: n.file, shift: n.shift}
	}
	return items
}

// Value is the node as a JSON value: string, bool, json.Number, nil, []any,
// map[string]any. A number keeps the text it was written in where JSON allows that.
func (n Node) Value() any {
	switch n.Kind() {
	case Mapping:
		object := map[string]any{}
		for _, field := range n.Fields() {
			object[field.Key] = field.Value.Value()
		}
		return object
	case List:
		list := []any{}
		for _, item := range n.Items() {
			list = append(list, item.Value())
		}
		return list
	case String:
		return n.Text()
	case Boolean:
		return strings.EqualFold(n.Text(), "true")
	case Number:
		return numberValue(n.Text())
	}
	return nil
}

func numberValue(text string) any {
	if json.Valid([]byte(text)) {
		return json.Number(text)
	}
	plain := strings.ReplaceAll(text, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return json.Number(strconv.FormatInt(i, 10))
	}
	if f, err := strconv.ParseFloat(plain, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return text // .inf and .nan: JSON has no word for them
}
