package replay

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// A reply that no budget allows to be asked for is missing where recordings count, and
// keeps the reason and what to do. Every other failure stays what it is.
func TestWhatABudgetForbidsIsMissing(t *testing.T) {
	spent := fault.New(fault.Budget, "all is spent").WithHint("raise usd:")
	for name, test := range map[string]struct {
		mode  Mode
		fails error
		class fault.Class
		said  string
	}{
		"auto":   {Auto, spent, fault.Missing, "no recorded reply for case \"a\" of triage@draft on openai/gpt-4o-mini, and it cannot be asked for: all is spent\n  raise usd:"},
		"record": {Record, spent, fault.Missing, "no recorded reply for case \"a\" of triage@draft on openai/gpt-4o-mini, and it cannot be asked for: all is spent\n  raise usd:"},
		"live":   {Live, spent, fault.Budget, "all is spent\n  raise usd:"},
		"down":   {Auto, fault.New(fault.Overloaded, "down"), fault.Overloaded, "down"},
		"downed": {Record, fault.New(fault.Overloaded, "down"), fault.Overloaded, "down"},
	} {
		s := wrapped(t, Options{Mode: test.mode}, &vendor{fails: func(int64) error { return test.fails }})
		_, err := llm.Collect(s.model.Stream(t.Context(), caseRequest("a")))
		if fault.ClassOf(err) != test.class || err.Error() != test.said {
			t.Errorf("%s: %s: %v", name, fault.ClassOf(err), err)
		}
		// The route finds the budget behind what is missing, and stops.
		if e := fault.As(err); test.class == fault.Missing && fault.ClassOf(e.Err) != fault.Budget {
			t.Errorf("%s: the reason is lost", name)
		}
	}
}
