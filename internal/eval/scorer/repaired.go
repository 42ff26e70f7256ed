package scorer

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseRepaired: repaired, {repaired: false} or {repaired: {value: false, metric: …}}:
// whether a valid answer had to be put right before it was one. Of an answer that its
// contract refused nothing was put right.
func parseRepaired(n strictyaml.Node) (rule, error) {
	return parseWhether(n, "an answer that was repaired", "an answer that needed no repair", func(s *eval.Subject) (bool, string) {
		if len(s.Repairs) == 0 {
			return false, "; nothing was put right"
		}
		names := make([]string, len(s.Repairs))
		for i, repair := range s.Repairs {
			names[i] = repair.Name
		}
		return true, "; put right: " + strings.Join(names, ", ")
	})
}
