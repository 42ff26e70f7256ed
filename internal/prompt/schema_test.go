package prompt

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// frontMatterOf parses the head of a prompt file as any editor would see it.
func frontMatterOf(t *testing.T, text string) any {
	t.Helper()
	front, _, bad := splitFile("x", text)
	if bad != nil {
		t.Fatal(bad)
	}
	node, err := strictyaml.Parse("x", []byte(front), 2)
	if err != nil {
		t.Fatal(err)
	}
	return node.Value()
}

func TestSchemaAcceptsAndRefuses(t *testing.T) {
	schema, err := jsonschema.Compile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	good := []string{
		triage, everyKind, string(resolve(t, triageProject(), "triage").Flat()),
		"---\nname: a-b_1\nauthors: [x]\ntags: [y]\nmodel: {}\noutputs: {kind: number}\n---\n",
		"---\nname: t\ninputs: {a: {kind: string, default: x}, b: {kind: array, default: [1]}, c: {kind: string, required: true, default: null}}\noutputs: {enum: [a, b]}\n---\n",
	}
	for _, one := range goodOutputs {
		good = append(good, "---\nname: t\n"+one.head+"\n---\n")
	}
	for _, text := range good {
		if violations := schema.Validate(frontMatterOf(t, text)); len(violations) > 0 {
			t.Errorf("refused: %v\n%s", violations, text)
		}
	}
	for _, bad := range badFrontMatters {
		if violations := schema.Validate(frontMatterOf(t, bad.file())); (len(violations) == 0) != bad.valid {
			t.Errorf("%s: violations %v", bad.name, violations)
		}
	}
}
