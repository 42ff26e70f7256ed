package llm

import "testing"

func TestWhatWasTried(t *testing.T) {
	of := func(model string) Failed { return Failed{Model: model, Class: "overloaded"} }
	cut := Failed{Model: "small", Class: "cut"}
	for want, failed := range map[string][]Failed{
		"2 attempts": {of("small"), of("small")},
		"3 attempts: overloaded, cut, overloaded":               {of("small"), cut, of("small")},
		"tried small (2 × overloaded, cut), large (overloaded)": {of("small"), of("small"), of("large"), cut},
	} {
		if got := Tried(failed); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := ByModel([]Failed{of("small")}); got != "small (overloaded)" {
		t.Errorf("of one: %q", got)
	}
}
