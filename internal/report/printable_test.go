package report

import "testing"

func TestPrintableKeepsLinesAndDisarmsTheRest(t *testing.T) {
	got := Printable("a\tb\nred \x1b[31m and \u202e back\r\n")
	want := "a\tb\nred " + clean("\x1b[31m") + " and " + clean("\u202e") + " back" + clean("\r") + "\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, r := range got {
		if r == 0x1b || r == 0x202e || r == '\r' {
			t.Errorf("%q is left in %q", r, got)
		}
	}
}
