package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Three things of what is wrong are said, and the others are counted.
func TestParseCountsWhatItDoesNotSay(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","properties":{` +
		`"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"string"},"d":{"type":"string"},"e":{"type":"string"}}}`)
	for answer, want := range map[string]struct {
		said int
		more string
	}{
		`{"a":1}`:                         {1, ""},
		`{"a":1,"b":1,"c":1}`:             {3, ""},
		`{"a":1,"b":1,"c":1,"d":1}`:       {3, "; and 1 more"},
		`{"a":1,"b":1,"c":1,"d":1,"e":1}`: {3, "; and 2 more"},
	} {
		_, broken := NewParser().Parse(answer, llm.Output{Kind: llm.OutputJSON, Schema: schema})
		said, more := broken, ""
		if at := strings.Index(broken, "; and "); at >= 0 {
			said, more = broken[:at], broken[at:]
		}
		if strings.Count(said, "string") != want.said || strings.Count(said, "; ") != want.said-1 || more != want.more {
			t.Errorf("%s: %q; want %d things and %q", answer, broken, want.said, want.more)
		}
	}
}
