package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// offered are the tools that the faulty upstream calls; the order's type is what it is
// given.
func offered(order string) llm.Tools {
	return llm.Tools{List: []llm.ToolSpec{
		{Name: "weather", Parameters: json.RawMessage(`{"type":"object","required":["city"],"properties":{"city":{"type":"string"}}}`)},
		{Name: "refund", Parameters: json.RawMessage(`{"type":"object","properties":{"order":{"type":"` + order + `"}}}`)},
	}}
}

// Calls reach the caller whole and valid or not at all, from whoever answers in the
// end, live or not, and are kept like any other answer.
func TestCallsReachTheCallerWholeAndValid(t *testing.T) {
	for _, live := range []bool{false, true} {
		for _, model := range []string{"tools", "tools-repeated"} {
			inHouse(t, plan{policy: usual(model)}, func(t *testing.T, h *house) {
				for i := range 2 { // the second one from the cache
					got, err := llm.Collect(h.engine.Stream(t.Context(), llm.Request{Model: "r", Messages: question, Live: live, Tools: offered("integer")}))
					if (got.End.Stored != nil) != (i == 1) {
						t.Errorf("%s, live %v: answer %d is stored: %v", model, live, i, got.End.Stored)
					}
					if diff := cmp.Diff(faults.Calls, got.ToolCalls); err != nil || diff != "" {
						t.Errorf("%s, live %v: %v %s", model, live, err, diff)
					}
				}
				if asked := h.server.Count(""); asked != 1 {
					t.Errorf("asked %d times", asked)
				}
				got, err := llm.Collect(h.engine.Stream(t.Context(), llm.Request{Model: "r", Messages: question, Live: live, Tools: offered("string")}))
				if fault.ClassOf(err) != fault.Contract || len(got.ToolCalls) > 0 || len(h.kept.entries) != 1 {
					t.Errorf("%s, live %v: %v with the calls %v", model, live, err, got.ToolCalls)
				}
			})
		}
		inHouse(t, plan{policy: usual("tools-cut", "tools")}, func(t *testing.T, h *house) {
			got, err := h.ask(llm.Request{Live: live, Tools: offered("integer")})
			if live { // a piece was on its way: nobody may answer in its place
				if fault.ClassOf(err) != fault.Cut || len(got.ToolCalls) > 0 {
					t.Errorf("live: %v with the calls %v", err, got.ToolCalls)
				}
				return
			}
			if diff := cmp.Diff(faults.Calls, got.ToolCalls); err != nil || diff != "" || !got.End.Fallback {
				t.Errorf("after a cut one: %v %s", err, diff)
			}
		})
	}
}
