package jsonschema

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Node is one value of a JSON text. Objects keep the order in which they were written,
// because models answer in it.
type Node struct {
	Members []Member        // of an object
	Items   []*Node         // of an array
	Scalar  json.RawMessage // of anything else: its text
	object  bool
}

// Member is one property of an object.
type Member struct {
	Name  string
	Value *Node
}

// Parse reads one JSON text as Decode does, and keeps its order.
func Parse(raw []byte) (*Node, error) {
	if _, err := Decode(raw); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return parseNode(decoder)
}

// parseNode reads the value at a decoder. Decode has bounded how deep it nests.
func parseNode(decoder *json.Decoder) (*Node, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, fault.New(fault.Invalid, "not valid JSON: %v", err)
	}
	switch token := token.(type) {
	case json.Delim:
		return parseInner(decoder, token == '{')
	case string:
		return Text(token), nil
	case json.Number:
		return &Node{Scalar: json.RawMessage(token)}, nil
	case bool:
		return &Node{Scalar: strconv.AppendBool(nil, token)}, nil
	}
	return &Node{Scalar: json.RawMessage("null")}, nil
}

func parseInner(decoder *json.Decoder, object bool) (*Node, error) {
	n := &Node{object: object}
	for decoder.More() {
		name := ""
		if object {
			key, err := decoder.Token()
			if err != nil {
				return nil, fault.New(fault.Invalid, "not valid JSON: %v", err)
			}
			name, _ = key.(string)
		}
		value, err := parseNode(decoder)
		if err != nil {
			return nil, err
		}
		if object {
			n.Members = append(n.Members, Member{name, value})
		} else {
			n.Items = append(n.Items, value)
		}
	}
	_, err := decoder.Token() // what closes it
	return n, err
}

// Text makes a string.
func Text(text string) *Node {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string in memory always encodes
	return &Node{Scalar: bytes.TrimRight(b.Bytes(), "\n")}
}

// Object makes an object of its members.
func Object(members ...Member) *Node { return &Node{Members: members, object: true} }

// List makes an array of its items.
func List(items ...*Node) *Node { return &Node{Items: items} }

// IsObject reports an object.
func (n *Node) IsObject() bool { return n != nil && n.object }

// IsArray reports an array.
func (n *Node) IsArray() bool { return n != nil && !n.object && n.Scalar == nil }

// String is the text of a string; false for any other value.
func (n *Node) String() (string, bool) {
	if n == nil || len(n.Scalar) == 0 || n.Scalar[0] != '"' {
		return "", false
	}
	var text string
	err := json.Unmarshal(n.Scalar, &text)
	return text, err == nil
}

// Get finds a member of an object; nil where there is none.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, member := range n.Members {
		if member.Name == name {
			return member.Value
		}
	}
	return nil
}

// Set puts a member in place, or at the end.
func (n *Node) Set(name string, value *Node) {
	for i := range n.Members {
		if n.Members[i].Name == name {
			n.Members[i].Value = value
			return
		}
	}
	n.Members = append(n.Members, Member{name, value})
}

// Delete takes a member out.
func (n *Node) Delete(name string) {
	for i := range n.Members {
		if n.Members[i].Name == name {
			n.Members = append(n.Members[:i:i], n.Members[i+1:]...)
			return
		}
	}
}

// At follows a JSON pointer; nil where it leads nowhere.
func (n *Node) At(pointer string) *Node {
	if pointer == "" {
		return n
	}
	if !strings.HasPrefix(pointer, "/") {
		return nil
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch {
		case n.IsObject():
			n = n.Get(token)
		case n.IsArray():
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.Items) {
				return nil
			}
			n = n.Items[i]
		default:
			return nil
		}
	}
	return n
}

// value is what Decode makes of the text, with json.RawMessage for what is neither an
// object, an array nor a boolean.
func (n *Node) value() any {
	switch {
	case n.object:
		object := make(map[string]any, len(n.Members))
		for _, member := range n.Members {
			object[member.Name] = member.Value.value()
		}
		return object
	case n.Scalar == nil:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.value()
		}
		return list
	case n.Scalar[0] == 't', n.Scalar[0] == 'f':
		return n.Scalar[0] == 't'
	}
	return n.Scalar
}

// JSON is the value as compact text.
func (n *Node) JSON() json.RawMessage { return n.appendTo(nil) }

func (n *Node) appendTo(b []byte) []byte {
	switch {
	case n.object:
		b = append(b, '{')
		for i, member := range n.Members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, Text(member.Name).Scalar...), ':')
			b = member.Value.appendTo(b)
		}
		return append(b, '}')
	case n.Scalar == nil:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendTo(b)
		}
		return append(b, ']')
	}
	return append(b, n.Scalar...)
}

// Schemas visits every object that stands where a schema stands, with its pointer, in
// the order of the text.
func (n *Node) Schemas(visit func(schema *Node, pointer string)) { n.schemas("", visit) }

func (n *Node) schemas(pointer string, visit func(*Node, string)) {
	if !n.IsObject() {
		return
	}
	visit(n, pointer)
	for _, member := range n.Members {
		shape := subschemas[member.Name]
		at := pointer + "/" + escapePointer(member.Name)
		switch {
		case shape&many != 0 && member.Value.IsArray():
			for i, item := range member.Value.Items {
				item.schemas(at+"/"+strconv.Itoa(i), visit)
			}
		case shape&one != 0:
			member.Value.schemas(at, visit)
		case shape&named != 0 && member.Value.IsObject():
			for _, inner := range member.Value.Members {
				inner.Value.schemas(at+"/"+escapePointer(inner.Name), visit)
			}
		}
	}
}

// PointerToken writes a name as a token of a JSON pointer.
func PointerToken(name string) string { return escapePointer(name) }
