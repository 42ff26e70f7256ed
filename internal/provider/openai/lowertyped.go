package openai

import (
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// Keywords that strict mode has, by the type that they speak of. What it has no word for
// may be left out; what is no assertion is left out without a word.
var (
	numberWords = []string{"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
	arrayWords  = []string{"minItems", "maxItems"}
	formatWords = []string{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)

// typed lowers a schema that names its types, or its values.
func (l *lowering) typed(s *jsonschema.Node, at string, types []string, level int) *jsonschema.Node {
	lowered := jsonschema.Object()
	if kind := s.Get("type"); kind != nil {
		lowered.Set("type", kind)
	}
	keepWords(s, lowered)
	l.enum(s, at, lowered)
	for _, member := range s.Members {
		l.keyword(member, at, types, lowered)
	}
	if has(types, "object") {
		l.object(s, at, lowered, level)
	}
	if has(types, "array") {
		l.array(s, at, lowered, level)
	}
	return lowered
}

// keyword keeps a keyword or loses it, but for those that are read as a whole.
func (l *lowering) keyword(m jsonschema.Member, at string, types []string, lowered *jsonschema.Node) {
	name := m.Name
	switch {
	case slices.Contains(wholeWords, name), !jsonschema.Asserts(name):
	case slices.Contains(numberWords, name) && (has(types, "number") || has(types, "integer")) && isNumber(m.Value),
		slices.Contains(arrayWords, name) && has(types, "array"):
		lowered.Set(name, m.Value)
	case name == "format" && has(types, "string") && isOneOf(m.Value, formatWords),
		name == "pattern" && has(types, "string") && isPlainPattern(m.Value):
		lowered.Set(name, m.Value)
	default:
		l.lose(at, name)
	}
}

// wholeWords are read together, by object, array and enum.
var wholeWords = []string{
	"type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "items", "prefixItems", "additionalItems",
	"$defs", "definitions", "contentSchema",
}

func isNumber(n *jsonschema.Node) bool {
	return n != nil && len(n.Scalar) > 0 && (n.Scalar[0] == '-' || n.Scalar[0] >= '0' && n.Scalar[0] <= '9') // in draft 4 some are true or false
}

func isOneOf(n *jsonschema.Node, words []string) bool {
	text, ok := n.String()
	return ok && slices.Contains(words, text)
}

// isPlainPattern reports a regular expression that means the same to all who read it:
// anchored at both ends, as some match the whole text and some find a part of it, and
// of nothing but the signs that every syntax has.
func isPlainPattern(n *jsonschema.Node) bool {
	text, _ := n.String()
	for _, special := range []string{"(?", `\p`, `\P`, `\b`, `\B`, `\A`, `\z`, `\Q`, `\x`, `\C`, `\a`, "[:", `\D`, `\W`, `\S`} {
		if strings.Contains(text, special) {
			return false
		}
	}
	if strings.Contains(text, "[^") && strings.Contains(text, `\`) { // elsewhere \d may be more than 0 to 9, and then [^\d] less
		return false
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil || parsed.Op != syntax.OpConcat {
		return false
	}
	first, last := parsed.Sub[0], parsed.Sub[len(parsed.Sub)-1]
	return first.Op == syntax.OpBeginText && last.Op == syntax.OpEndText
}

// enum keeps the values, as far as they are no lists or objects. A schema that names
// its values and no type gets theirs.
func (l *lowering) enum(s *jsonschema.Node, at string, lowered *jsonschema.Node) {
	keyword, values := "enum", s.Get("enum")
	if only := s.Get("const"); only != nil {
		if values != nil {
			l.lose(at, keyword)
		}
		keyword, values = "const", jsonschema.List(only)
	}
	if values == nil {
		return
	}
	if len(values.Items) == 0 {
		l.bar(at, keyword, "it has no value")
	}
	var types []string
	letters := 0
	for _, value := range values.Items {
		kind := scalarType(value)
		if kind == "" {
			if s.Get("type") == nil {
				l.bar(at, keyword, "a value is a list or an object")
			} else {
				l.lose(at, keyword)
			}
			return
		}
		if !has(types, kind) {
			types = append(types, kind)
		}
		letters += len(value.Scalar)
	}
	l.values += len(values.Items)
	l.letters += letters
	if len(values.Items) > manyValues && letters > maxEnum {
		l.bar(at, keyword, "it has %d letters, and strict mode takes %d of more than %d values", letters, maxEnum, manyValues)
	}
	if s.Get("type") == nil {
		lowered.Set("type", typeNode(types))
	}
	lowered.Set("enum", values)
}

func typeNode(types []string) *jsonschema.Node {
	if len(types) == 1 {
		return jsonschema.Text(types[0])
	}
	list := jsonschema.List()
	for _, kind := range types {
		list.Items = append(list.Items, jsonschema.Text(kind))
	}
	return list
}

// scalarType is the type of a value, "" for a list or an object.
func scalarType(n *jsonschema.Node) string {
	switch {
	case n.Scalar == nil:
		return ""
	case n.Scalar[0] == '"':
		return "string"
	case n.Scalar[0] == 'n':
		return "null"
	case n.Scalar[0] == 't' || n.Scalar[0] == 'f':
		return "boolean"
	}
	return "number"
}

// object lowers the properties: all of them have to be required, and no others
// allowed.
func (l *lowering) object(s *jsonschema.Node, at string, lowered *jsonschema.Node, level int) {
	if closed := s.Get("additionalProperties"); closed == nil || string(closed.Scalar) != "false" {
		l.bar(at, "additionalProperties", "strict mode allows no further properties, and the schema does: write additionalProperties: false")
	}
	if others := s.Get("patternProperties"); others != nil && len(others.Members) > 0 {
		l.bar(at, "patternProperties", "strict mode wants every property by its name")
	}
	var required []string
	if list := s.Get("required"); list.IsArray() {
		for _, item := range list.Items {
			name, _ := item.String()
			required = append(required, name)
		}
	}
	properties, names := jsonschema.Object(), jsonschema.List()
	if given := s.Get("properties"); given.IsObject() {
		for _, member := range given.Members {
			inner := at + "/properties/" + jsonschema.PointerToken(member.Name)
			if !has(required, member.Name) {
				l.bar(inner, "", "it is optional, and strict mode wants every property: name it in required")
			}
			l.properties++
			l.letters += len(member.Name)
			properties.Set(member.Name, l.schema(member.Value, inner, level+1))
			names.Items = append(names.Items, jsonschema.Text(member.Name))
		}
	}
	for _, name := range required {
		if properties.Get(name) == nil {
			l.bar(at, "required", "the property %s is not among properties", strconv.Quote(name))
		}
	}
	lowered.Set("properties", properties)
	lowered.Set("required", names)
	lowered.Set("additionalProperties", s.Get("additionalProperties"))
}

func (l *lowering) array(s *jsonschema.Node, at string, lowered *jsonschema.Node, level int) {
	for _, name := range []string{"prefixItems", "additionalItems"} {
		if s.Get(name) != nil {
			l.bar(at, name, "strict mode has one schema for all items")
		}
	}
	items := s.Get("items")
	switch {
	case items.IsArray():
		l.bar(at, "items", "strict mode has one schema for all items")
	case items == nil:
		l.bar(at, "items", "strict mode wants a schema of the items")
	default:
		lowered.Set("items", l.schema(items, at+"/items", level+1))
	}
}
