package report

import (
	"bytes"
	"math/rand/v2"
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
		{"one two three four", 10, "one two|three four"},
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

// A line that filled the width exactly lost its last letter to the mark of a cut.
func TestNoWordIsLostByWrapping(t *testing.T) {
	pieces := []string{"a", "of", "nothing", "differs", "  ", " ", "日本語", "é", "e\u0301", "👩‍👩‍👧", "answer,", "(p = 0.0078)", strings.Repeat("x", 97), "\u00a0", "\n", "…"}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 4000 {
		columns := 40 + i%101
		var spans []span
		in := ""
		for range 1 + random.IntN(40) {
			s := pieces[random.IntN(len(pieces))] + strings.Repeat(" ", random.IntN(3))
			spans = append(spans, span{s, role(random.IntN(3))})
			in += clean(s)
		}
		page := render(t, func(w *bytes.Buffer) error {
			p := newPage(w, Style{Width: columns})
			p.hang("  ", "    ", spans...)
			return p.end()
		})
		checkPage(t, page, columns)
		letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if letters(page) != letters(in) {
			t.Fatalf("%d columns: %q\nbecame:\n%s", columns, in, page)
		}
	}
	exact := strings.Repeat("word ", 7) + "nothing" // a whole number of words fills a line
	for columns := 40; columns <= 140; columns++ {
		page := render(t, func(w *bytes.Buffer) error {
			p := newPage(w, Style{Width: columns})
			p.flow("", text(strings.Repeat(exact+" ", 10)))
			return p.end()
		})
		if got := strings.Fields(page); len(got) != 80 || strings.Contains(page, "…") {
			t.Errorf("%d columns: %d words in:\n%s", columns, len(got), page)
		}
	}
}
