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
// keeps compiled schemas and patterns and is safe for concurrent use.
type Parser struct {
	mu       sync.RWMutex
	schemas  map[string]compiled
	held     int // bytes of the schemas' texts
	patterns map[string]pattern
}

type compiled struct {
	schema *jsonschema.Schema
	err    error
}

type pattern struct {
	regexp *regexp.Regexp
	err    error
}

// maxCompiled bounds the compiled schemas, and the patterns, that are kept, and maxHeld
// the bytes of the schemas' texts: requests bring schemas of their own.
const (
	maxCompiled = 1024
	maxHeld     = 8 << 20
)

// NewParser makes a parser that knows no schema yet.
func NewParser() *Parser {
	return &Parser{schemas: map[string]compiled{}, patterns: map[string]pattern{}}
}

// Parsed is an answer that keeps its contract.
type Parsed struct {
	Value   any          // see package jsonschema for its Go types; nil for text
	Text    string       // the answer as it came, or where it was repaired its value written anew
	Repairs []llm.Repair // in the order of the answer
	Score   float64      // llm.RepairScore of them
}

// Parse is Read for who needs the value alone.
func (p *Parser) Parse(answer string, output llm.Output) (value any, broken string) {
	parsed, broken := p.Read(answer, output)
	return parsed.Value, broken
}

// Read gives what an answer holds, or what the contract refuses. White space around
// an answer never counts. Where the contract repairs nothing it accepts exactly:
//
//   - text: everything; it has no value.
//   - json: one JSON value and nothing around it, no key twice, valid under the schema.
//   - number: a JSON number alone, with a sign + besides; no separators, no unit.
//   - boolean: true or false.
//   - label: one of the enum, letter by letter.
//   - list: a JSON array whose items are of the kind; or, where items are strings or
//     numbers, lines that each begin with the same bullet (-, *, + or •) or with the
//     numbers 1., 2., … or 1), 2), …, none of them indented or empty.
//   - code: one fenced block (``` or ~~~) that names the language; its lines are the value.
//   - embedding: the base64 of at least one float32, all of them finite and not all 0.
//   - regex: what the pattern matches from end to end; its named groups are the value,
//     null for one that took no part.
//
// Repairs are tried when that has failed, and put right the form alone: see the list
// in repairs.go. A cut value is refused, and so is what can be read in two ways.
func (p *Parser) Read(answer string, output llm.Output) (Parsed, string) {
	switch output.Kind {
	case "", llm.OutputText:
		return asItCame(answer, nil), ""
	case llm.OutputNumber, llm.OutputBoolean, llm.OutputLabel:
		return readScalar(answer, output)
	case llm.OutputList:
		return p.readList(answer, output)
	case llm.OutputCode:
		return readCode(answer, output)
	case llm.OutputRegex:
		return p.readRegex(answer, output)
	case llm.OutputEmbedding:
		return readEmbedding(answer)
	}
	return p.readJSON(answer, output)
}

func asItCame(answer string, value any) Parsed { return Parsed{Value: value, Text: answer, Score: 1} }

// mended is an answer that was put right.
func mended(answer string, value any, text string, c changes) Parsed {
	repairs := c.repairs(answer)
	return Parsed{Value: value, Text: text, Repairs: repairs, Score: llm.RepairScore(repairs)}
}

func repairs(output llm.Output) bool { return output.Repair == llm.RepairSyntax || coerces(output) }

func coerces(output llm.Output) bool { return output.Repair == llm.RepairCoerce }

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
	if len(p.schemas) >= maxCompiled || p.held+len(raw) > maxHeld {
		clear(p.schemas)
		p.held = 0
	}
	p.held += len(raw)
	p.schemas[string(raw)] = compiled{schema, err}
	return schema, err
}

// Usable gives what is wrong with a schema, nil where answers can be held to it.
func (p *Parser) Usable(raw json.RawMessage) error {
	_, err := p.schema(raw)
	return err
}

func (p *Parser) pattern(text string) (*regexp.Regexp, error) {
	p.mu.RLock()
	known, ok := p.patterns[text]
	p.mu.RUnlock()
	if ok {
		return known.regexp, known.err
	}
	compiled, err := regexp.Compile(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.patterns) >= maxCompiled {
		clear(p.patterns)
	}
	p.patterns[text] = pattern{compiled, err}
	return compiled, err
}

func quote(text string) string {
	const most = 60
	if runes := []rune(text[:min(len(text), 4*most+4)]); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", strings.ToValidUTF8(text, "\ufffd"))
}
