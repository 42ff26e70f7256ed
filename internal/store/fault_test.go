package store

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
)

// wantFault checks an error's class and that its text has all the parts.
func wantFault(t testing.TB, err error, class fault.Class, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s: %q", class, parts)
	}
	if got := fault.ClassOf(err); got != class {
		t.Errorf("class %s, want %s: %v", got, class, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}
