package prompt

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Who tells a model the form of its answer in words: llmx, where the model is not told
// natively, or the prompt's own text.
const (
	instructionsAuto = "auto"
	instructionsOff  = "off"
)

func (l *loader) readInstructions(n strictyaml.Node, output *llm.Output) {
	if !n.Exists() {
		return
	}
	allowed := []string{instructionsAuto, instructionsOff}
	switch {
	case n.Kind() != strictyaml.String || !slices.Contains(allowed, n.Text()):
		l.problems.Add(n.Errorf("unknown instructions %q", n.Text()).WithHint("%s", fault.Allowed(n.Text(), allowed)))
	case output.IsText() && output.Kind != "": // else outputs has a problem of its own
		l.problems.Add(n.Errorf("the output is text: there are no instructions on its form").WithHint("remove it, or say in outputs what the answer must be"))
	default:
		output.Told = n.Text() == instructionsOff
	}
}
