package openapitest

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Troubles lists what is wrong with the document itself, that its own schema does not
// see: schemas that cannot be used, examples that are none, names that stand twice.
func (d *Document) Troubles() (wrong []string) {
	seen := map[string]string{}
	for _, route := range d.Routes() {
		operation := d.Operation(route)
		if before := seen[operation.ID]; before != "" || operation.ID == "" {
			wrong = append(wrong, fmt.Sprintf("%s: the operationId %q is that of %q", route, operation.ID, before))
		}
		seen[operation.ID] = route
		if operation.Body != nil {
			wrong = append(wrong, prefixed(route+": ", d.unusable(operation.Body.Content))...)
		}
		for status, one := range operation.Answers {
			at := route + ": " + status + ": "
			wrong = append(wrong, prefixed(at, d.unusable(one.Content))...)
			for name, header := range one.Headers {
				if _, err := d.compile(header.Schema, false); err != nil {
					wrong = append(wrong, at+name+": "+err.Error())
				}
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

func (d *Document) unusable(content map[string]media) (wrong []string) {
	for kind, one := range content {
		for _, closed := range []bool{false, true} {
			if _, err := d.compile(one.Schema, closed); err != nil {
				wrong = append(wrong, kind+": "+err.Error())
			}
		}
		for name, example := range one.Examples {
			text, err := json.Marshal(example.Value)
			if err != nil {
				return append(wrong, err.Error())
			}
			wrong = append(wrong, prefixed("the example "+name+": ", d.check(one.Schema, text, false))...)
		}
	}
	return wrong
}
