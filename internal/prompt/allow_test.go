package prompt

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmx-dev/llmx/internal/jsonschema"
)

const allowing = `---
name: t
outputs: {kind: number}
llmx: {stream: optimistic, allow: [temperature, tools, temperatur]}
---
user:
hi
`

func drafted(t *testing.T, text string) *Prompt {
	t.Helper()
	p, err := NewLibrary(fstest.MapFS{"prompts/t/draft.prompty": {Data: []byte(text)}}).Resolve("t", Develop)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What a prompt allows is part of its content; a name that nobody knows is remarked on,
// and goes on to the vendor all the same.
func TestWhatAPromptAllows(t *testing.T) {
	p := drafted(t, allowing)
	if !p.Output.Optimistic || !p.Allows("temperature") || !p.Allows(AllowTools) || !p.Allows("temperatur") || p.Allows(AllowModel) || p.Allows("top_p") {
		t.Errorf("%+v allows %v", p.Output, p.Allow)
	}
	const remark = "prompts/t/draft.prompty:4:56: no option is known by the name \"temperatur\"\n  did you mean \"temperature\"?"
	if len(p.Warnings) != 1 || !strings.HasPrefix(p.Warnings[0].Error(), remark) {
		t.Errorf("remarks %v", p.Warnings)
	}
	for _, other := range []string{strings.Replace(allowing, ", tools", "", 1), strings.Replace(allowing, "optimistic", "buffered", 1)} {
		if drafted(t, other).Hash == p.Hash {
			t.Errorf("another prompt has the same hash:\n%s", other)
		}
	}
	schema, err := jsonschema.Compile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	if violations := schema.Validate(frontMatterOf(t, allowing)); len(violations) > 0 {
		t.Errorf("the editor's schema refuses it: %v", violations)
	}
	// With tools of the request's own even a text may be streamed in two ways.
	if p := drafted(t, "---\nname: t\nllmx: {stream: optimistic, allow: [tools]}\n---\nuser:\nhi\n"); !p.Output.Optimistic {
		t.Error("it is not optimistic")
	}
}
