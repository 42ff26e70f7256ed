package conformance

import (
	"cmp"
	"slices"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

// testCalls wants every call whole, whatever the order of its pieces, and nothing of one
// after the end.
func testCalls(t *testing.T, s Subject) {
	for _, c := range s.Calls {
		h := listen(t.Context(), c.Model, c.Request, nil)
		if h.err != nil {
			t.Errorf("%s: the ask failed: %v", c.Name, h.err)
			continue
		}
		response, _ := llm.Collect(func(yield func(llm.Event, error) bool) {
			for _, event := range h.events {
				if !yield(event, nil) {
					return
				}
			}
		})
		if !slices.Equal(response.ToolCalls, c.Want) || response.Text != c.Text {
			t.Errorf("%s: got %q and the calls %+v, want %q and %+v", c.Name, response.Text, response.ToolCalls, c.Text, c.Want)
		}
		if want := cmp.Or(c.Finish, llm.FinishToolCalls); response.End.Finish != want {
			t.Errorf("%s: finish = %q, want %q", c.Name, response.End.Finish, want)
		}
		for i, event := range h.events {
			if event.End != nil && i < len(h.events)-1 {
				t.Errorf("%s: something came after the end", c.Name)
			}
		}
		if response.End.Usage.Output <= 0 {
			t.Errorf("%s: usage = %+v, want tokens out", c.Name, response.End.Usage)
		}
	}
}
