package jsonschema

import (
	"slices"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llmx-dev/llmx/internal/fault"
)

// dialect is one draft of JSON Schema and the way to compile it.
type dialect struct {
	url     string // as $schema has it, without an empty fragment
	compile func(document any) (check, error)
}

// check lists what a value does wrong, in any order.
type check func(value any) []Violation

var (
	draft4    = dialect{"http://json-schema.org/draft-04/schema", classic(gojsonschema.Draft4, jsonschema.Draft4)}
	draft6    = dialect{"http://json-schema.org/draft-06/schema", classic(gojsonschema.Draft6, jsonschema.Draft6)}
	draft7    = dialect{"http://json-schema.org/draft-07/schema", classic(gojsonschema.Draft7, jsonschema.Draft7)}
	draft2019 = dialect{"https://json-schema.org/draft/2019-09/schema", modern(jsonschema.Draft2019)}
	draft2020 = dialect{"https://json-schema.org/draft/2020-12/schema", modern(jsonschema.Draft2020)}

	dialects = []dialect{draft4, draft6, draft7, draft2019, draft2020}
)

// dialectOf finds the dialect that a schema declares, or the one that its
// keywords belong to.
func dialectOf(document any) (dialect, error) {
	root, ok := document.(map[string]any)
	if !ok {
		if _, isBool := document.(bool); isBool {
			return draft7, nil
		}
		return dialect{}, fault.New(fault.Invalid, "a JSON Schema is an object or a boolean, this is %s", kindOf(document))
	}
	declared, ok := root["$schema"]
	if !ok {
		return recognise(root), nil
	}
	text, ok := declared.(string)
	if !ok {
		return dialect{}, fault.New(fault.Invalid, "$schema must be a string, this is %s", kindOf(declared))
	}
	bare := withoutScheme(text)
	for _, d := range dialects {
		if withoutScheme(d.url) == bare {
			return d, nil
		}
	}
	urls := make([]string, len(dialects))
	for i, d := range dialects {
		urls[i] = d.url
	}
	return dialect{}, fault.New(fault.Invalid, "$schema names a dialect that is not known: %q", clip(text)).
		WithHint("%s", fault.Allowed(text, urls))
}

// withoutScheme lets http stand for https and forgives an empty fragment.
func withoutScheme(url string) string {
	url = strings.TrimSuffix(url, "#")
	return strings.TrimPrefix(strings.TrimPrefix(url, "https:"), "http:")
}

// modernKeywords are those that no draft up to 7 has: there they would be
// passed over, and a wrong answer with them.
var modernKeywords = []string{
	"$anchor", "$defs", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef", "$vocabulary",
	"contentSchema", "dependentRequired", "dependentSchemas", "maxContains", "minContains", "prefixItems",
	"unevaluatedItems", "unevaluatedProperties",
}

// only2019 are keywords that 2020-12 has given up.
var only2019 = []string{"$recursiveAnchor", "$recursiveRef", "additionalItems"}

// besideRef may stand beside $ref without saying anything about the value.
var besideRef = []string{"$ref", "$id", "$schema", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "definitions"}

// recognise finds the dialect of a schema that declares none. A keyword beside
// $ref counts as modern, too: up to draft 7 it would be passed over.
func recognise(root map[string]any) dialect {
	isModern, is2019 := false, false
	walk(root, func(schema map[string]any, _ string) {
		_, hasRef := schema["$ref"]
		for keyword := range schema {
			if slices.Contains(modernKeywords, keyword) || hasRef && !slices.Contains(besideRef, keyword) && isKeyword(keyword) {
				isModern = true
			}
			if slices.Contains(only2019, keyword) {
				is2019 = true
			}
		}
		if _, tuple := schema["items"].([]any); tuple {
			is2019 = true
		}
	})
	switch {
	case isModern && is2019:
		return draft2019
	case isModern:
		return draft2020
	}
	return draft7
}
