package jsonschema

import (
	"errors"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llmx-dev/llmx/internal/fault"
)

// here is the base that references are resolved against. It is no address.
const here = "llmx:///schema.json"

// modern validates with santhosh-tekuri/jsonschema.
func modern(draft *jsonschema.Draft) func(any) (check, error) {
	return func(document any) (check, error) {
		schema, rules, err := resolve(draft, document)
		if err != nil {
			return nil, err
		}
		return bounded(rules, modernCheck(schema)), nil
	}
}

func modernCheck(schema *jsonschema.Schema) check {
	return func(value any) []Violation {
		err := schema.Validate(value)
		if err == nil {
			return nil
		}
		if failed, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
			return flatten(failed, value)
		}
		return []Violation{{Keyword: "schema", Expected: "a value that can be validated", Got: clip(err.Error())}}
	}
}

// resolve compiles a schema of any draft with santhosh-tekuri/jsonschema: the
// schema is checked under its meta-schema, and every reference is followed. The rules are
// those that bounded needs.
func resolve(draft *jsonschema.Draft, document any) (*jsonschema.Schema, *graph, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(draft)
	compiler.AssertFormat()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(here, document); err != nil {
		return nil, nil, modernFault(err, document)
	}
	schema, err := compiler.Compile(here)
	if err != nil {
		return nil, nil, modernFault(err, document)
	}
	if err := refuseLoops(schema); err != nil {
		return nil, nil, err
	}
	return schema, newGraph(schema, anchored(compiler, document)), nil
}

// anchored finds the schemas that a dynamic reference may lead to, where no other does.
func anchored(compiler *jsonschema.Compiler, document any) (found []*jsonschema.Schema) {
	walk(document, func(schema map[string]any, pointer string) {
		_, byName := schema["$dynamicAnchor"]
		if _, byResource := schema["$recursiveAnchor"]; !byName && !byResource {
			return
		}
		if s, err := compiler.Compile(here + "#" + (&url.URL{Path: pointer}).EscapedPath()); err == nil {
			found = append(found, s)
		}
	})
	return found
}

// noLoader stands where the library would read a file or ask the network.
type noLoader struct{}

var errRemote = errors.New("references may not leave the schema")

func (noLoader) Load(string) (any, error) { return nil, errRemote }

// modernFault puts a failure to compile into our words.
func modernFault(err error, document any) error {
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) && errors.Is(load.Err, errRemote) {
		return remoteRef(load.URL, document)
	}
	if invalid, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if failed, ok := errors.AsType[*jsonschema.ValidationError](invalid.Err); ok {
			return invalidSchema(sorted(flatten(failed, document)))
		}
	}
	if regex, ok := errors.AsType[*jsonschema.InvalidRegexError](err); ok {
		return badPattern(fragmentOf(regex.URL), regex.Regex)
	}
	return fault.New(fault.Invalid, "not a valid JSON Schema: %s", clipLong(strings.ReplaceAll(err.Error(), here, "")))
}

func fragmentOf(address string) string {
	_, fragment, _ := strings.Cut(address, "#")
	return fragment
}

// remoteRef refuses a reference that leads out of the schema, and says where it stands.
func remoteRef(address string, document any) error {
	address = strings.TrimPrefix(address, "llmx:///")
	at := ""
	walk(document, func(schema map[string]any, pointer string) {
		for _, keyword := range []string{"$ref", "$dynamicRef", "$recursiveRef"} {
			text, _ := schema[keyword].(string)
			bare := withoutFragment(text)
			if bare == "" || !strings.HasSuffix(address, bare) {
				continue
			}
			if found := "#" + pointer + "/" + keyword + ": "; at == "" || found < at {
				at = found
			}
		}
	})
	return fault.New(fault.Invalid, "%sthe schema refers to %q, which is not in it", at, clip(address)).WithHint("%s", hintRemote)
}

// invalidSchema says what a schema does wrong under its own meta-schema.
func invalidSchema(violations []Violation) error {
	const most = 5
	lines := make([]string, 0, most)
	for _, v := range violations {
		if len(lines) == most {
			lines = append(lines, "…")
			break
		}
		v.Pointer = "#" + v.Pointer
		lines = append(lines, v.String())
	}
	return fault.New(fault.Invalid, "not a valid JSON Schema: %s", strings.Join(lines, "; "))
}

func badPattern(pointer, pattern string) error {
	return fault.New(fault.Invalid, "not a valid JSON Schema: #%s: %q is not a regular expression", pointer, clip(pattern)).
		WithHint("patterns are RE2: there is no lookahead and no back reference")
}

// clipLong bounds a library's text.
func clipLong(text string) string {
	if runes := []rune(text); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return text
}
