package prompt

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// How an answer under a contract is streamed to who wants it so: once it is whole and
// valid, or as it comes, with an error at its end where it was not.
const (
	streamBuffered   = "buffered"
	streamOptimistic = "optimistic"
)

// readStream reads how the prompt is streamed. What is sent cannot be taken back, so an
// optimistic prompt has no re-asks.
func (l *loader) readStream(n strictyaml.Node, output *llm.Output, tools bool) {
	if !n.Exists() {
		return
	}
	allowed := []string{streamBuffered, streamOptimistic}
	switch {
	case n.Kind() != strictyaml.String || !slices.Contains(allowed, n.Text()):
		l.problems.Add(n.Errorf("unknown stream %q", n.Text()).WithHint("%s", fault.Allowed(n.Text(), allowed)))
	case output.Kind == "": // outputs has a problem of its own
	case output.IsText() && !tools:
		l.problems.Add(n.Errorf("the output is text: it is streamed as it comes").WithHint("remove stream, or say in outputs what the answer must be"))
	case n.Text() == streamOptimistic && output.Reask > 0:
		l.problems.Add(n.Errorf("stream: optimistic stands beside reask: what was sent cannot be asked for again").
			WithHint("remove one of them"))
	default:
		output.Optimistic = n.Text() == streamOptimistic
	}
}
