package scorer

import (
	"encoding/json"
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseSchema: schema, the prompt's own output contract; or {schema: {type: object,
// …}}, a JSON Schema besides, which may refer to files of the project. The keys metric and weight beside the schema's keywords
// are the check's; with nothing else there it is the contract that is meant.
func (p *Parser) parseSchema(n strictyaml.Node) (rule, error) {
	var given options
	document := map[string]any{}
	if n.Exists() {
		object, ok := n.Value().(map[string]any)
		if !ok {
			return rule{}, n.Mismatch("a JSON Schema").WithHint("write {schema: {type: object, …}}, or schema alone for the prompt's own")
		}
		document = object
		if err := given.takeFrom(n, document); err != nil {
			return rule{}, err
		}
	}
	if len(document) == 0 {
		return rule{options: given, about: "keeps the prompt's output contract", judge: judgeContract}, nil
	}
	raw, compiled, err := p.compileSchema(n, document)
	if err != nil {
		return rule{}, err
	}
	return rule{args: raw, options: given, about: "is valid under the schema", judge: func(s *eval.Subject) (bool, string, error) {
		value, ok := valueOf(s)
		if !ok {
			return false, "the answer is not JSON: " + quote(s.Answer), nil
		}
		violations := compiled.Validate(value)
		switch len(violations) {
		case 0:
			return true, "", nil
		case 1:
			return false, cutReason(violations[0].String()), nil
		}
		return false, fmt.Sprintf("%s (and %d more)", cutReason(violations[0].String()), len(violations)-1), nil
	}}, nil
}

// compileSchema reads a JSON Schema that stands in a check, and takes into it the files
// that it refers to: they are criteria, too.
func (p *Parser) compileSchema(n strictyaml.Node, document any) (json.RawMessage, *jsonschema.Schema, error) {
	raw, err := json.Marshal(document)
	if err != nil {
		return nil, nil, n.Errorf("the schema is not JSON: %v", err)
	}
	if raw, err = jsonschema.Bundle(raw, n.Place().File, p.readSchema); err != nil {
		return nil, nil, invalidSchema(n, err)
	}
	compiled, err := jsonschema.Compile(raw)
	if err != nil {
		return nil, nil, invalidSchema(n, err)
	}
	return raw, compiled, nil
}

// invalidSchema gives what is wrong with a schema the check's place, unless it is
// wrong in another file.
func invalidSchema(n strictyaml.Node, err error) error {
	e := *fault.As(err)
	if list, ok := err.(fault.List); ok && len(list) > 0 {
		e = *list[0]
	}
	if e.Place != (fault.Place{}) {
		return &e
	}
	return n.Errorf("invalid JSON Schema: %s", e.Message).WithHint("%s", e.Hint)
}

func (p *Parser) readSchema(file string) ([]byte, error) {
	if p.deps.ReadFile == nil {
		return nil, fault.New(fault.Invalid, "a schema that stands here cannot refer to the file %q", file).WithHint("copy it into $defs and refer to it as #/$defs/name")
	}
	return p.deps.ReadFile(file)
}

func judgeContract(s *eval.Subject) (bool, string, error) {
	return s.Broken == "", cutReason(s.Broken), nil
}

// cutReason bounds a sentence that others made.
func cutReason(text string) string { return cutTo(3*maxShown, text) }

// valueOf is the answer as a JSON value: the contract's, else the text if it is JSON.
func valueOf(s *eval.Subject) (any, bool) {
	if s.Value != nil {
		return s.Value, true
	}
	value, err := parseJSON(s.Answer)
	return value, err == nil
}
