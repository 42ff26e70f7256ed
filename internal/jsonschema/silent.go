package jsonschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Silent lists what a schema says and no value can break, though its author seems to
// have meant so: formats that nobody knows, keywords of a newer dialect than the one that
// $schema names, and words that are nearly keywords. Each names its JSON pointer.
func Silent(raw json.RawMessage) []string {
	document, err := Decode(raw)
	if err != nil {
		return nil
	}
	var older bool
	if root, ok := document.(map[string]any); ok && root["$schema"] != nil {
		d, err := dialectOf(document)
		older = err == nil && d.url != draft2019.url && d.url != draft2020.url
	}
	var said []string
	odd := 0
	walk(document, func(schema map[string]any, pointer string) {
		if name, ok := schema["format"].(string); ok && !slices.Contains(formats, name) {
			said = append(said, fmt.Sprintf("#%s/format: no format is called %q, so it holds nothing; %s", pointer, clip(name), fault.Allowed(name, formats)))
		}
		for _, name := range slices.Sorted(maps.Keys(schema)) {
			switch {
			case older && slices.Contains(modernKeywords, name) && name != "$defs":
				said = append(said, fmt.Sprintf("#%s/%s: the dialect of $schema does not know the keyword, so it holds nothing", pointer, escapePointer(name)))
			case odd < maxOdd && !isKeyword(name) && !slices.Contains(annotations, name) && !slices.Contains(modernKeywords, name):
				odd++
				if meant := fault.Suggest(name, allKeywords()); meant != "" {
					said = append(said, fmt.Sprintf("#%s/%s: no keyword is called so, so it holds nothing; did you mean %q?", pointer, escapePointer(name), meant))
				}
			}
		}
	})
	slices.Sort(said)
	return said
}

// maxOdd bounds the words of one schema that are compared with all keywords.
const maxOdd = 1000

// annotations are keywords that say nothing which a value could break.
var annotations = []string{
	"$id", "id", "$schema", "$ref", "$comment", "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly",
	"contentEncoding", "contentMediaType", "discriminator", "nullable", "xml", "externalDocs",
}

func allKeywords() []string {
	return slices.Concat(slices.Sorted(maps.Keys(subschemas)), assertions, modernKeywords)
}
