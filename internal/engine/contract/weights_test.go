package contract

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Scores are kept with results, and gates rest on them: another weight for the same
// repair makes yesterday's figures those of another rule.
func TestWeightsStay(t *testing.T) {
	want := map[string]float64{
		"byte_order_mark": 0.01, "white_space": 0.01,
		"code_fence": 0.05, "markup": 0.05, "letter_case": 0.05, "trailing_comma": 0.05, "comment": 0.05,
		"raw_line_break": 0.05, "literal": 0.05, "number_form": 0.05, "missing_language": 0.05,
		"prose": 0.1, "quotes": 0.1, "unquoted_key": 0.1, "bad_escape": 0.1,
		"missing_comma": 0.2, "several_values": 0.2, "html_escapes": 0.2, "nan": 0.2,
		"coerced_number": 0.2, "coerced_boolean": 0.2, "coerced_list": 0.2,
	}
	if diff := cmp.Diff(want, weights); diff != "" {
		t.Error(diff)
	}
}
