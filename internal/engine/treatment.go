package engine

import "github.com/llmx-dev/llmx/internal/eval"

// treatmentVersion changes whenever what enters the hash changes.
const treatmentVersion = "llmx-treatment-1"

// Treatment names all that decides an answer besides the input: the prompt's
// content (contract and options included), and what the model or route that is
// asked stands for. Re-pointing an alias is another treatment; renaming it is not.
func Treatment(promptHash string, resolved []string) string {
	parts := [][]byte{[]byte(treatmentVersion), []byte(promptHash)}
	for _, model := range resolved {
		parts = append(parts, []byte(model))
	}
	return eval.HashOf(parts...)
}
