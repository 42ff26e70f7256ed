package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// What llmx schema prints must accept every file that the repository shows as an
// example: its own project, that of llmx init, and that of the sessions.
func TestSchemasAcceptEveryExampleFile(t *testing.T) {
	kinds := []struct {
		schema   []byte
		patterns []string
	}{
		{config.Schema, []string{"llmx.yaml"}},
		{suite.Schema, []string{"suites/*.yaml"}},
		{prompt.Schema, []string{"prompts/*/*.prompty"}},
	}
	for _, kind := range kinds {
		schema, err := jsonschema.Compile(kind.schema)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, root := range []string{"../..", "template", "testdata/shop"} {
			for _, pattern := range kind.patterns {
				files, err := filepath.Glob(filepath.Join(root, pattern))
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range files {
					seen++
					for _, violation := range schema.Validate(valueOf(t, file)) {
						t.Errorf("%s: %s", file, violation)
					}
				}
			}
		}
		if seen < 2 {
			t.Errorf("only %d files match %v", seen, kind.patterns)
		}
	}
}

// valueOf is a YAML file, or the front matter of a prompt, as a JSON value.
func valueOf(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first := 1
	if strings.HasSuffix(file, ".prompty") {
		_, rest, _ := bytes.Cut(data, []byte("---\n"))
		data, _, _ = bytes.Cut(rest, []byte("\n---\n"))
		first = 2
	}
	// Placeholders of the sessions stand for addresses.
	node, err := strictyaml.Parse(file, data, first)
	if err != nil {
		t.Fatal(err)
	}
	return node.Value()
}
