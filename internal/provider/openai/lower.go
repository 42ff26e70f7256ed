package openai

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// lowering makes a schema of strict mode. What that cannot say goes to lost; what it
// must not be sent for goes to barred, and then nothing else counts.
type lowering struct {
	document *jsonschema.Node
	names    map[string]string // of definitions, by the pointer to what they define
	taken    map[string]bool
	waiting  []string // pointers to what is still to be defined

	lost, barred []Loss

	properties, values, letters, level int // counted against the limits
}

func (l *lowering) lose(at, keyword string) {
	l.lost = append(l.lost, Loss{Pointer: at, Keyword: keyword})
}

func (l *lowering) bar(at, keyword, format string, args ...any) {
	l.barred = append(l.barred, Loss{Pointer: at, Keyword: keyword, Why: fmt.Sprintf(format, args...)})
}

// whole lowers the schema of the answer, with what it refers to under $defs.
func (l *lowering) whole(root *jsonschema.Node, at string) *jsonschema.Node {
	lowered := l.schema(root, at, 1)
	definitions := jsonschema.Object()
	for len(l.waiting) > 0 {
		pointer := l.waiting[0]
		l.waiting = l.waiting[1:]
		definitions.Set(l.names[pointer], l.schema(l.document.At(pointer), pointer, 1))
	}
	if len(definitions.Members) > 0 {
		lowered.Set("$defs", definitions)
	}
	return lowered
}

// target follows a reference within the document.
func (l *lowering) target(ref *jsonschema.Node) (target *jsonschema.Node, pointer string) {
	text, ok := ref.String()
	fragment, local := strings.CutPrefix(text, "#")
	if !ok || !local {
		return nil, ""
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, ""
	}
	return l.document.At(pointer), pointer
}

func (l *lowering) ref(s *jsonschema.Node, at string) *jsonschema.Node {
	target, pointer := l.target(s.Get("$ref"))
	if target == nil {
		l.bar(at, "$ref", "it is no pointer into the schema")
		return s
	}
	l.beside(s, at, "$ref")
	to := "#"
	if pointer != "" {
		name, known := l.names[pointer]
		if !known {
			name = l.name(pointer)
			l.names[pointer] = name
			l.waiting = append(l.waiting, pointer)
		}
		to = "#/$defs/" + name
	}
	return jsonschema.Object(jsonschema.Member{Name: "$ref", Value: jsonschema.Text(to)})
}

// name makes a name of the last token of a pointer, of letters that every server takes.
func (l *lowering) name(pointer string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, pointer[strings.LastIndexByte(pointer, '/')+1:])
	name := plain
	for i := 2; l.taken[name] || name == ""; i++ {
		name = plain + "_" + strconv.Itoa(i)
	}
	l.taken[name] = true
	l.letters += len(name)
	return name
}

// beside loses what stands beside a keyword that cannot be sent with others.
func (l *lowering) beside(s *jsonschema.Node, at, keyword string) {
	for _, member := range s.Members {
		if member.Name != keyword && jsonschema.Asserts(member.Name) {
			l.lose(at, member.Name)
		}
	}
}

// schema lowers a schema that stands so many levels deep.
func (l *lowering) schema(s *jsonschema.Node, at string, level int) *jsonschema.Node {
	l.level = max(l.level, level)
	if !s.IsObject() {
		l.bar(at, "", "it says nothing of the type")
		return s
	}
	for _, name := range []string{"$dynamicRef", "$recursiveRef"} {
		if s.Get(name) != nil {
			l.bar(at, name, "it is no pointer into the schema")
		}
	}
	if at != "" && s.Get("$id") != nil {
		l.bar(at, "$id", "references within it have another base")
	}
	types, typed := typesOf(s)
	branches := s.Get("anyOf")
	if branches == nil {
		branches = s.Get("oneOf")
	}
	switch {
	case s.Get("$ref") != nil:
		return l.ref(s, at)
	case typed:
		return l.typed(s, at, types, level)
	case s.Get("enum") != nil || s.Get("const") != nil:
		return l.typed(s, at, nil, level)
	case branches.IsArray():
		return l.anyOf(s, at, level)
	case s.Get("allOf").IsArray() && len(s.Get("allOf").Items) == 1: // as generators wrap a reference
		l.beside(s, at, "allOf")
		return l.schema(s.Get("allOf").Items[0], at+"/allOf/0", level)
	}
	l.bar(at, "", "it says nothing of the type: write type")
	return s
}

// typesOf are the types of a schema; false where it names none.
func typesOf(s *jsonschema.Node) ([]string, bool) {
	if one, ok := s.Get("type").String(); ok {
		return []string{one}, true
	}
	var all []string
	list := s.Get("type")
	if !list.IsArray() {
		return nil, false
	}
	for _, item := range list.Items {
		text, _ := item.String()
		all = append(all, text)
	}
	return all, true
}

// anyOf lowers alternatives. That exactly one of them fits is lost.
func (l *lowering) anyOf(s *jsonschema.Node, at string, level int) *jsonschema.Node {
	keyword := "anyOf"
	if s.Get(keyword) == nil {
		keyword = "oneOf"
		l.lose(at, keyword)
	}
	l.beside(s, at, keyword)
	branches := jsonschema.List()
	for i, branch := range s.Get(keyword).Items {
		branches.Items = append(branches.Items, l.schema(branch, at+"/"+keyword+"/"+strconv.Itoa(i), level))
	}
	lowered := jsonschema.Object()
	keepWords(s, lowered)
	lowered.Set("anyOf", branches)
	return lowered
}

// keepWords takes over what a model may read of a schema.
func keepWords(from, to *jsonschema.Node) {
	for _, name := range []string{"title", "description"} {
		if text := from.Get(name); text != nil {
			to.Set(name, text)
		}
	}
}

// The limits of strict mode, as they are documented (February 2026).
const (
	maxProperties = 5000
	maxLevels     = 10
	maxValues     = 1000   // of all enums
	maxLetters    = 120000 // of the names of properties and definitions, and of enums
	manyValues    = 250    // of one enum of strings, from which on …
	maxEnum       = 15000  // … its letters are bounded
)

func (l *lowering) withinLimits() {
	for _, bound := range []struct {
		what        string
		found, most int
	}{
		{"properties", l.properties, maxProperties}, {"levels of nesting", l.level, maxLevels},
		{"values in its enums", l.values, maxValues}, {"letters in its names and enums", l.letters, maxLetters},
	} {
		if bound.found > bound.most {
			l.bar("", "", "it has %d %s, and strict mode takes %d", bound.found, bound.what, bound.most)
		}
	}
}

func has(types []string, kind string) bool { return slices.Contains(types, kind) }
