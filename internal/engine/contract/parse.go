package contract

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Parser turns an answer's text into the value that its contract promises. It
// keeps compiled schemas and is safe for concurrent use.
type Parser struct {
	mu      sync.RWMutex
	schemas map[string]compiled
}

type compiled struct {
	schema *jsonschema.Schema
	err    error
}

// maxSchemas bounds the compiled schemas that are kept.
const maxSchemas = 1024

// NewParser makes a parser that knows no schema yet.
func NewParser() *Parser { return &Parser{schemas: map[string]compiled{}} }

// number is what OutputNumber accepts: a JSON number, with a sign + besides.
var number = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// Parse gives the value of an answer, or what the contract refuses. Text has no
// value (nil) and is never refused. JSON is strict: one value, nothing around
// it, no key twice. A number stands alone, without separators or a unit.
func (p *Parser) Parse(answer string, output llm.Output) (value any, broken string) {
	switch output.Kind {
	case "", llm.OutputText:
		return nil, ""
	case llm.OutputNumber:
		text := strings.TrimSpace(answer)
		if !number.MatchString(text) {
			return nil, fmt.Sprintf("expected a number and nothing else, got %s", quote(text))
		}
		return json.Number(strings.TrimPrefix(text, "+")), ""
	}
	value, err := jsonschema.Decode([]byte(strings.TrimSpace(answer)))
	if err != nil {
		return nil, fmt.Sprintf("not JSON: %v", err)
	}
	if len(output.Schema) == 0 {
		return value, ""
	}
	schema, err := p.schema(output.Schema)
	if err != nil {
		return nil, fmt.Sprintf("the schema cannot be used: %v", err)
	}
	if violations := schema.Validate(value); len(violations) > 0 {
		return nil, describe(violations)
	}
	return value, ""
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

func (p *Parser) schema(raw json.RawMessage) (*jsonschema.Schema, error) {
	p.mu.RLock()
	known, ok := p.schemas[string(raw)]
	p.mu.RUnlock()
	if ok {
		return known.schema, known.err
	}
	schema, err := jsonschema.Compile(raw)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.schemas) >= maxSchemas {
		clear(p.schemas)
	}
	p.schemas[string(raw)] = compiled{schema, err}
	return schema, err
}

func quote(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", text)
}
