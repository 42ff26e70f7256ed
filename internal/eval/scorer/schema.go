package scorer

import (
	"encoding/json"
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseSchema: schema, the prompt's own output contract; or {schema: {type: object,
// …}}, a JSON Schema besides. The keys metric and weight beside the schema's keywords
// are the check's; with nothing else there it is the contract that is meant.
func parseSchema(n strictyaml.Node) (rule, error) {
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
	raw, compiled, err := compileSchema(n, document)
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

// compileSchema reads a JSON Schema that stands in a check.
func compileSchema(n strictyaml.Node, document any) (json.RawMessage, *jsonschema.Schema, error) {
	raw, err := json.Marshal(document)
	if err != nil {
		return nil, nil, n.Errorf("the schema is not JSON: %v", err)
	}
	compiled, err := jsonschema.Compile(raw)
	if err != nil {
		return nil, nil, n.Errorf("invalid JSON Schema: %v", err)
	}
	return raw, compiled, nil
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
