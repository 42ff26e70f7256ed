package contract

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// readJSON reads strictly, and repairs only what cannot be read so. An answer that
// is JSON and breaks the schema has nothing wrong with its form: at most the types
// that the prompt names are converted.
func (p *Parser) readJSON(answer string, output llm.Output) (Parsed, string) {
	value, strict := jsonschema.Decode([]byte(strings.TrimSpace(answer)))
	if strict == nil {
		broken := p.check(value, output.Schema)
		if broken == "" {
			return asItCame(answer, value), ""
		}
		if coerces(output) {
			if coerced, c := p.coerce(value, output); len(c) > 0 {
				return mended(answer, coerced, written(coerced), c), ""
			}
		}
		return Parsed{}, broken
	}
	if !repairs(output) {
		return Parsed{}, fmt.Sprintf("not JSON: %v", strict)
	}
	parsed, broken, readable := p.mendJSON(answer, output)
	if broken != "" && !readable {
		broken = fmt.Sprintf("not JSON: %v; not repaired: %s", strict, broken)
	}
	return parsed, broken
}

// check gives what a schema refuses of a value; without a schema nothing.
func (p *Parser) check(value any, raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	schema, err := p.schema(raw)
	if err != nil {
		return fmt.Sprintf("the schema cannot be used: %v", err)
	}
	if violations := schema.Validate(value); len(violations) > 0 {
		return describe(violations)
	}
	return ""
}

// describe lists what is wrong, at most three things of it.
func describe(violations []jsonschema.Violation) string {
	const most = 3
	words := make([]string, 0, most)
	for _, v := range violations[:min(most, len(violations))] {
		words = append(words, v.String())
	}
	text := strings.Join(words, "; ")
	if more := len(violations) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// mendJSON finds the one value of an answer that satisfies the schema. readable says
// that a value could be read, so that what is wrong with it is no matter of syntax.
func (p *Parser) mendJSON(answer string, output llm.Output) (parsed Parsed, broken string, readable bool) {
	text, c := unwrap(answer)
	values, broken := candidates(text)
	if broken != "" {
		return Parsed{}, broken, false
	}
	chosen, value, more, broken := p.choose(values, output)
	if broken != "" {
		return Parsed{}, broken, true
	}
	if broken := takenBack(text, chosen.from, chosen.to); broken != "" {
		return Parsed{}, broken, false
	}
	c.takeAll(around(text, chosen.from, chosen.to))
	c.takeAll(chosen.changes)
	if len(values) > 1 {
		c.add(repairSeveral, chosen.from)
	}
	again := string(chosen.json)
	if len(more) > 0 {
		c.takeAll(more)
		again = written(value)
	}
	return mended(text, value, again, c), "", true
}

const bom = "\ufeff"

// unwrap takes a byte order mark from the whole answer, and undoes escaping for HTML.
// Offsets count in what is left.
func unwrap(answer string) (string, changes) {
	var c changes
	if rest, ok := strings.CutPrefix(answer, bom); ok {
		answer = rest
		c.add(repairBOM, 0)
	}
	if strings.Contains(answer, "&quot;") && !strings.ContainsAny(answer, `"<>`) &&
		strings.Count(answer, "&") == len(htmlEscape.FindAllStringIndex(answer, -1)) {
		answer = html.UnescapeString(answer)
		c.add(repairHTML, 0)
	}
	return answer, c
}

// htmlEscape is what escaping a text for HTML makes, and nothing else.
var htmlEscape = regexp.MustCompile(`&(quot|amp|lt|gt|apos|#34|#39|#x27);`)

// candidates are the values of a text: objects and lists wherever they stand, or one
// scalar that is all of it.
func candidates(text string) ([]found, string) {
	values, broken := find(text)
	if broken != "" || len(values) > 0 {
		return values, broken
	}
	m := &mender{text: text}
	inner, from := unfence(text)
	m.text, m.at = text[:from+len(inner)], from
	m.space()
	start := m.at
	m.value(0)
	end := m.at
	m.space()
	if m.bad != "" || !m.ended() {
		return nil, "there is no JSON value"
	}
	return []found{{m.out, m.changes, start, end}}, ""
}

// choose takes the one value that satisfies the schema; where none does, the one
// that does when its types are converted.
func (p *Parser) choose(values []found, output llm.Output) (chosen found, value any, more changes, broken string) {
	decoded := make([]any, len(values))
	good, refused := 0, ""
	for i, one := range values {
		v, err := jsonschema.Decode(one.json)
		if err != nil {
			return found{}, nil, nil, "not JSON: " + withoutPlace(err)
		}
		decoded[i] = v
		problem := p.check(v, output.Schema)
		if problem != "" {
			refused = first(refused, problem)
			continue
		}
		chosen, value = one, v
		good++
	}
	if good == 0 && coerces(output) {
		for i, one := range values {
			if v, c := p.coerce(decoded[i], output); len(c) > 0 {
				chosen, value, more = one, v, c
				for j := range more {
					more[j].at = one.from
				}
				good++
			}
		}
	}
	switch {
	case good == 1:
		return chosen, value, more, ""
	case good > 1:
		return found{}, nil, nil, fmt.Sprintf("ambiguous: %d values keep the contract", good)
	case len(values) > 1:
		return found{}, nil, nil, fmt.Sprintf("none of %d values keeps the contract; the first: %s", len(values), refused)
	}
	return found{}, nil, nil, refused
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// withoutPlace is an error about a mended text, whose lines nobody knows.
func withoutPlace(err error) string {
	_, what, ok := strings.Cut(fault.As(err).Message, ": ")
	if !ok {
		return fault.As(err).Message
	}
	return what
}

// written is a value as JSON text, its keys in order.
func written(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "" // a value that was decoded always marshals
	}
	return strings.TrimSuffix(b.String(), "\n")
}
