package jsonschema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/xeipuuv/gojsonschema"

	"github.com/llmx-dev/llmx/internal/fault"
)

// classic validates drafts 4, 6 and 7 with gojsonschema. The schema itself is
// checked by the other library first: gojsonschema forgets who may load
// references once it has read a meta-schema, and would fetch them from the
// network; and it never comes back from a schema that loops.
func classic(draft gojsonschema.Draft, same *jsonschema.Draft) func(any) (check, error) {
	return func(document any) (check, error) {
		_, rules, err := resolve(same, document)
		if err != nil {
			return nil, err
		}
		sameFormats()
		wholeCounts(document)
		loader := gojsonschema.NewSchemaLoader()
		loader.AutoDetect, loader.Draft = false, draft
		schema, err := loader.Compile(sealed{gojsonschema.NewRawLoader(document)})
		if err != nil {
			if remote, ok := errors.AsType[remoteError](err); ok {
				return nil, remoteRef(remote.url, document)
			}
			return nil, fault.New(fault.Invalid, "not a valid JSON Schema: %s", clipLong(err.Error()))
		}
		return bounded(rules, classicCheck(schema)), nil
	}
}

// counts are the keywords whose number gojsonschema reads as digits only, so that
// 2.0 would not compile.
var counts = []string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}

func wholeCounts(document any) {
	walk(document, func(schema map[string]any, _ string) {
		for _, keyword := range counts {
			number, ok := schema[keyword].(json.Number)
			if !ok {
				continue
			}
			if r, ok := new(big.Rat).SetString(string(number)); ok && r.IsInt() {
				schema[keyword] = json.Number(r.Num().String())
			}
		}
	})
}

func classicCheck(schema *gojsonschema.Schema) check {
	return func(value any) []Violation {
		result, err := schema.Validate(gojsonschema.NewRawLoader(value))
		if err != nil {
			return []Violation{{Keyword: "schema", Expected: "a value that can be validated", Got: clip(err.Error())}}
		}
		if result.Valid() {
			return nil
		}
		var all []Violation
		for _, e := range result.Errors() {
			all = append(all, classicWords(e)...)
		}
		return all
	}
}

// sealed loads a document, and nothing that it refers to but the meta-schemas
// that the library carries.
type sealed struct{ gojsonschema.JSONLoader }

func (sealed) LoaderFactory() gojsonschema.JSONLoaderFactory { return sealedFactory{} }

type sealedFactory struct{}

func (sealedFactory) New(source string) gojsonschema.JSONLoader {
	bare, _, _ := strings.Cut(source, "#")
	for _, known := range []dialect{draft4, draft6, draft7} {
		if bare == known.url {
			return gojsonschema.NewReferenceLoader(source)
		}
	}
	return refused{gojsonschema.NewRawLoader(nil), source}
}

type refused struct {
	gojsonschema.JSONLoader
	url string
}

func (r refused) LoadJSON() (any, error) { return nil, remoteError{r.url} }

type remoteError struct{ url string }

func (e remoteError) Error() string { return fmt.Sprintf("%s is not loaded", e.url) }
