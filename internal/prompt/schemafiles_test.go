package prompt

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
)

const priced = "---\nname: t\noutputs:\n  type: object\n  properties:\n    price: {$ref: \"../common/money.schema.json#/$defs/money\"}\n---\nuser:\nhi\n"

const moneySchema = `{"$defs": {"money": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}}}`

// A schema may refer to files, from the front matter and from a file of its own: what it
// refers to is a part of the contract, of the prompt's hash and of a release.
func TestSchemaRefersToFiles(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"inline": {"prompts/t/draft.prompty": priced},
		"by file": {
			"prompts/t/draft.prompty": "---\nname: t\noutputs: {file: t.schema.json}\n---\nuser:\nhi\n",
			"prompts/t/t.schema.json": `{"type": "object", "properties": {"price": {"$ref": "../common/money.schema.json#/$defs/money"}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range files {
				write(t, root, file, text)
			}
			write(t, root, "prompts/common/money.schema.json", moneySchema)
			before, err := NewLibrary(dirFS(root)).Resolve("t", Develop)
			if err != nil {
				t.Fatal(err)
			}
			edit(t, root, "prompts/common/money.schema.json", `"number"`, `"integer"`)
			draft, err := NewLibrary(dirFS(root)).Resolve("t", Develop)
			if err != nil || draft.Hash == before.Hash {
				t.Fatalf("the file that the schema refers to is not in the hash: %v", err)
			}
			version, err := Release(root, "t", Major)
			if err != nil {
				t.Fatal(err)
			}
			if text := read(t, root, "prompts/t/1.0.0.prompty"); strings.Contains(text, "money.schema.json") {
				t.Errorf("the release is not flat:\n%s", text)
			}
			edit(t, root, "prompts/common/money.schema.json", `"integer"`, `"null"`)
			released, err := NewLibrary(dirFS(root)).Resolve("t@"+version, Develop)
			if err != nil || released.Hash != draft.Hash || string(released.Output.Schema) != string(draft.Output.Schema) {
				t.Fatalf("the release is another prompt than the draft was: %v\n%s\n%s", err, released.Output.Schema, draft.Output.Schema)
			}
			value, err := jsonschema.Decode([]byte(`{"price": {"amount": 1.5}}`))
			if err != nil {
				t.Fatal(err)
			}
			if wrong := released.schema.Validate(value); len(wrong) != 1 || wrong[0].Pointer != "/price/amount" {
				t.Errorf("under the release: %v", wrong)
			}
		})
	}
}

func TestSchemaFilesStayWithinPrompts(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"out of prompts": {map[string]string{"prompts/t/draft.prompty": strings.Replace(priced, "../common/", "../../", 1), "money.schema.json": moneySchema},
			`prompts/t/draft.prompty:4:3: #/properties/price/$ref: the file "money.schema.json" leads out of the directory prompts/`},
		"gone": {map[string]string{"prompts/t/draft.prompty": priced},
			`prompts/t/draft.prompty:4:3: #/properties/price/$ref: the file "prompts/common/money.schema.json" does not exist`},
		"wrong in the other file": {map[string]string{"prompts/t/draft.prompty": priced, "prompts/common/money.schema.json": `{"$defs": {"money": {"type": "nmber"}}}`},
			`prompts/common/money.schema.json: not a valid JSON Schema: #/$defs/money/type: expected`},
		"a release": {map[string]string{"prompts/t/1.0.0.prompty": priced, "prompts/common/money.schema.json": moneySchema},
			`prompts/t/1.0.0.prompty:4:3: #/properties/price/$ref: the schema of a release refers to a file`},
	} {
		t.Run(name, func(t *testing.T) {
			version := draftName
			if name == "a release" {
				version = "1.0.0"
			}
			_, err := load(project(test.files), "t", version)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || fault.ClassOf(err) != fault.Invalid {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}
