package jsonschema

import (
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// libraryDrafts are the drafts as the library that the judge borrows its words from has them.
var libraryDrafts = map[string]*jsonschema.Draft{
	"draft4": jsonschema.Draft4, "draft6": jsonschema.Draft6, "draft7": jsonschema.Draft7,
	"draft2019-09": jsonschema.Draft2019, "draft2020-12": jsonschema.Draft2020,
}

// TestJudgeAgreesWithLibrary gives the judge the JSON Schema Test Suite: what it is sure of
// must be what the library says, and it must be sure of nearly all.
func TestJudgeAgreesWithLibrary(t *testing.T) {
	root := suiteRoot(t)
	sure, open := 0, 0
	for _, draft := range drafts {
		for _, file := range suiteFiles(t, root, draft.folder) {
			for _, group := range readSuite(t, file) {
				document, err := Decode(group.Schema)
				if err != nil || fetches(group) {
					continue
				}
				schema, rules, err := resolve(libraryDrafts[draft.folder], document)
				if err != nil {
					continue // refused, as TestSuite knows
				}
				for _, test := range group.Tests {
					value, err := Decode(test.Data)
					if err != nil || foreign(value, nil, 0) != nil {
						continue
					}
					place := newPlace(value, "", 0)
					j := newJudge(place.size)
					verdict := j.at(rules.root, place).verdict
					if verdict == unsure {
						open++
						continue
					}
					sure++
					valid := schema.Validate(value) == nil
					if (verdict == accepts) != valid {
						t.Errorf("%s: the library says %v", nameOf(draft.folder, file, group.Description, test.Description), valid)
					}
					if told := judged(rules.root, place); (len(told) == 0) != valid {
						t.Errorf("%s: the library says %v, and told is %v", nameOf(draft.folder, file, group.Description, test.Description), valid, told)
					}
				}
			}
		}
	}
	t.Logf("%d decided, %d left open", sure, open)
	if sure < 5000 || open > sure/10 {
		t.Errorf("%d decided, %d left open", sure, open)
	}
}

// deep is a term of a depth: {"op":"neg","l":{"op":"neg","l": … end}}.
func deep(depth int, op, end string) json.RawMessage {
	text := ""
	for range depth {
		text += `{"op":"` + op + `","l":`
	}
	text += end
	for range depth {
		text += "}"
	}
	return json.RawMessage(text)
}
