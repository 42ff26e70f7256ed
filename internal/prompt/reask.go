package prompt

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// maxReask bounds how often one answer is asked for again: each costs as much as the
// first, and more, as all that was said before is sent with it.
const maxReask = 5

// readReask reads how often an answer that breaks its contract is asked for again.
func (l *loader) readReask(n strictyaml.Node, output *llm.Output, tools *llm.Tools) {
	if !n.Exists() {
		return
	}
	if output.Kind == "" {
		return // outputs has a problem of its own
	}
	if output.IsText() && !tools.Offered() {
		l.problems.Add(n.Errorf("the output is text: every answer keeps its contract, and none is asked for again").
			WithHint("remove reask, or say in outputs what the answer must be"))
		return
	}
	number, _ := n.Value().(json.Number)
	times, err := number.Int64()
	if n.Kind() != strictyaml.Number || err != nil || times < 0 || times > maxReask {
		l.problems.Add(n.Mismatch("a whole number from 0 to 5").WithHint("reask: 1 sends an answer that breaks its contract back once, with what is wrong"))
		return
	}
	output.Reask = int(times)
}
