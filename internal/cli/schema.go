package cli

import (
	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

func newSchema(w *World) *cobra.Command {
	schemas := map[string][]byte{"llmx": config.Schema, "prompt": prompt.Schema, "suite": suite.Schema}
	kinds := []string{"llmx", "prompt", "suite"}
	return &cobra.Command{
		Use:       "schema llmx|prompt|suite",
		Short:     "Print the JSON Schema of a kind of file, for editors",
		Long:      "Print the JSON Schema of llmx.yaml, of a prompt's front matter, or of a suite.",
		Example:   "  llmx schema suite > .vscode/suite.schema.json",
		Args:      takes(1, 1),
		ValidArgs: kinds,
		RunE: func(_ *cobra.Command, args []string) error {
			schema, ok := schemas[args[0]]
			if !ok {
				return fault.New(fault.Usage, "there is no schema for %q", args[0]).WithHint("%s", fault.Allowed(args[0], kinds))
			}
			_, err := w.Stdout.Write(schema)
			return err
		},
	}
}
