package report

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	tests := map[string]string{
		"plain text":       "plain text",
		"\x1b[31mred":      `\x1b[31mred`,
		"a\r\nb\x00\x7f":   `a\r\nb\x00\x7f`,
		"a\tb":             "a→   b",
		"\u009b31m":        `\u009b31m`,
		"\u202egnp":        `\u202egnp`,
		"a\u2028b":         `a\u2028b`,
		"\U000e0041":       `\ue0041`,
		"\xff\xfe":         `\xff\xfe`,
		"שלום":             "שלום",
		"👩‍👩‍👧":            "👩‍👩‍👧",
		"e\u0301":          "e\u0301",
		"ni\u0303o \\ra":   "ni\u0303o \\ra",
		"\ufffd is itself": "\ufffd is itself",
	}
	for in, want := range tests {
		if got := clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Marks without end would draw over the lines above, and fit on any line.
func TestCleanBoundsStackedMarks(t *testing.T) {
	got := clean("e" + strings.Repeat("\u0301", 100))
	if marks := strings.Count(got, "\u0301"); marks != maxStacked || strings.Count(got, `\u0301`) != 100-maxStacked {
		t.Errorf("%d marks are left in %q", marks, got)
	}
}

func TestXMLTextHoldsOnlyWhatXMLCanSay(t *testing.T) {
	if got, want := xmlText("a\x00\x1b\xff\ufffeb <&>\"'"), "ab &lt;&amp;&gt;&#34;&#39;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		in      string
		columns int
		want    string
	}{
		{"", 20, ""},
		{"one two three four", 10, "one two |three four"},
		{"0123456789abcde fg", 10, "0123456789|abcde fg"},
		{"日本語日本語日本語", 10, "日本語日本|語日本語"},
	}
	for _, test := range tests {
		var got []string
		for _, line := range wrap([]span{text(test.in)}, test.columns) {
			joined := ""
			for _, s := range line {
				joined += s.text
			}
			got = append(got, joined)
		}
		if strings.Join(got, "|") != test.want {
			t.Errorf("%q: got %q, want %q", test.in, strings.Join(got, "|"), test.want)
		}
	}
}
