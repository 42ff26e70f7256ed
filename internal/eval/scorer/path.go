package scorer

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// fieldPath leads to a value inside an answer: a.b[0].c, or $.a.b[0].c.
type fieldPath struct {
	text  string // without $.
	steps []step
}

type step struct {
	key   string
	index int // of a list's item, where key is ""; from the end where it is negative
}

// UnmarshalNode reads a path.
func (p *fieldPath) UnmarshalNode(n strictyaml.Node) error {
	if n.Kind() != strictyaml.String {
		return n.Mismatch("a path")
	}
	parsed, err := parsePath(n.Text())
	if err != nil {
		return n.Errorf("the path %q %v", n.Text(), err).WithHint("write urgency, customer.name or items[0].sku; [-1] is the last item")
	}
	*p = parsed
	return nil
}

func parsePath(text string) (fieldPath, error) {
	rest := strings.TrimPrefix(text, "$")
	if rest != text && !strings.HasPrefix(rest, "[") {
		if !strings.HasPrefix(rest, ".") {
			return fieldPath{}, fmt.Errorf("needs a field after $")
		}
		rest = rest[1:]
	}
	p := fieldPath{text: rest}
	needsKey := !strings.HasPrefix(rest, "[")
	for needsKey || rest != "" {
		if !needsKey && rest[0] == '[' {
			inside, after, closed := strings.Cut(rest[1:], "]")
			index, err := strconv.Atoi(inside)
			if !closed || err != nil {
				return fieldPath{}, fmt.Errorf("has no whole number between [ and ]")
			}
			p.steps = append(p.steps, step{index: index})
			rest = after
			continue
		}
		if !needsKey {
			if rest[0] != '.' {
				return fieldPath{}, fmt.Errorf("has %q where a point or [ must be", rest[:1])
			}
			rest = rest[1:]
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return fieldPath{}, fmt.Errorf("has an empty step")
		}
		if strings.ContainsAny(rest[:end], "]*?@") {
			return fieldPath{}, fmt.Errorf("has a step that is no field's name: %s", rest[:end])
		}
		p.steps = append(p.steps, step{key: rest[:end]})
		rest, needsKey = rest[end:], false
	}
	return p, nil
}

// in follows the path.
func (p fieldPath) in(value any) (any, bool) {
	for _, step := range p.steps {
		if step.key != "" {
			object, ok := value.(map[string]any)
			if !ok {
				return nil, false
			}
			if value, ok = object[step.key]; !ok {
				return nil, false
			}
			continue
		}
		list, ok := value.([]any)
		index := step.index
		if index < 0 {
			index += len(list)
		}
		if !ok || index < 0 || index >= len(list) {
			return nil, false
		}
		value = list[index]
	}
	return value, true
}

// fieldsIn finds the paths in a check's arguments, which have been read: its own, and that
// of extract. One to a field that must not exist leads nowhere on purpose.
func fieldsIn(check string, args strictyaml.Node) []eval.FieldPath {
	if args.Kind() != strictyaml.Mapping {
		return nil
	}
	nodes := []strictyaml.Node{args.Get("extract").Get("path")}
	if exists := args.Get("exists"); check == "label" || check == "field" && !(exists.Exists() && exists.Value() == false) {
		nodes = append(nodes, args.Get("path"))
	}
	var fields []eval.FieldPath
	for _, n := range nodes {
		if n.Kind() != strictyaml.String {
			continue
		}
		parsed, err := parsePath(n.Text())
		if err != nil {
			continue // refused where it was read
		}
		one := eval.FieldPath{Text: parsed.text, Place: n.Place()}
		for _, step := range parsed.steps {
			if step.key != "" {
				one.Steps = append(one.Steps, step.key)
			} else {
				one.Steps = append(one.Steps, step.index)
			}
		}
		fields = append(fields, one)
	}
	return fields
}
