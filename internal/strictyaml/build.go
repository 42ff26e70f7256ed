package strictyaml

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/llmx-dev/llmx/internal/fault"
)

// FromJSON makes a node of a JSON value (of the Go types that Value gives, and
// maps in the order of their keys). All of it stands at one place.
func FromJSON(value any, place fault.Place) Node {
	return Node{yaml: build(value, place), file: place.File}
}

func build(value any, place fault.Place) *yaml.Node {
	y := &yaml.Node{Kind: yaml.ScalarNode, Line: place.Line, Column: place.Col}
	switch v := value.(type) {
	case nil:
		y.Tag, y.Value = "!!null", "null"
	case string:
		y.Tag, y.Value = "!!str", v
	case bool:
		y.Tag, y.Value = "!!bool", fmt.Sprint(v)
	case json.Number:
		y.Tag, y.Value = "!!int", string(v)
		if strings.ContainsAny(y.Value, ".eE") {
			y.Tag = "!!float"
		}
	case []any:
		y.Kind, y.Tag = yaml.SequenceNode, "!!seq"
		for _, item := range v {
			y.Content = append(y.Content, build(item, place))
		}
	case map[string]any:
		y.Kind, y.Tag = yaml.MappingNode, "!!map"
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			y.Content = append(y.Content, build(key, place), build(v[key], place))
		}
	default:
		panic(fmt.Sprintf("strictyaml: %T is not a JSON value", value))
	}
	return y
}

// Map makes a copy in which f has replaced every scalar; keys stay as they are.
// Each value keeps the place of the scalar that it came from. All the errors of f
// are returned together.
func (n Node) Map(f func(Node) (Node, error)) (Node, error) {
	if !n.Exists() {
		return n, nil
	}
	var problems fault.List
	copied := Node{yaml: n.mapped(f, &problems), file: n.file}
	return copied, problems.Err()
}

// mapped copies a value with lines counted from the file's first, so the copy
// needs no shift.
func (n Node) mapped(f func(Node) (Node, error), problems *fault.List) *yaml.Node {
	place := n.Place()
	switch n.Kind() {
	case Mapping:
		y := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: place.Line, Column: place.Col}
		for _, field := range n.Fields() {
			y.Content = append(y.Content, build(field.Key, field.Place), field.Value.mapped(f, problems))
		}
		return y
	case List:
		y := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: place.Line, Column: place.Col}
		for _, item := range n.Items() {
			y.Content = append(y.Content, item.mapped(f, problems))
		}
		return y
	}
	replaced, err := f(n)
	if err != nil {
		problems.Add(err)
		replaced = n
	}
	return build(replaced.Value(), place)
}
