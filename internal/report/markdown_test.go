package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

func TestMarkdownGolden(t *testing.T) {
	for name, run := range map[string]eval.Run{"regressed": regressed(), "broken": broken()} {
		golden(t, name+".md", render(t, func(w *bytes.Buffer) error { return Markdown(w, run, 0) }))
	}
}

func TestMarkdownStaysSmall(t *testing.T) {
	for name, run := range map[string]eval.Run{"huge": huge(), "hostile": hostileRun()} {
		for _, limit := range []int{0, 10, 100_000} {
			got := render(t, func(w *bytes.Buffer) error { return Markdown(w, run, limit) })
			if len(got) >= 60_000 {
				t.Errorf("%s, limit %d: %d bytes", name, limit, len(got))
			}
			if open, shut := strings.Count(got, "<details>"), strings.Count(got, "\n</details>\n"); open == 0 || shut < open {
				t.Errorf("%s, limit %d: %d details opened, %d closed", name, limit, open, shut)
			}
			if !strings.Contains(got, " more") {
				t.Errorf("%s, limit %d: what was left out is not said", name, limit)
			}
		}
	}
}

func TestMarkdownListsAsManyFlipsAsAsked(t *testing.T) {
	got := render(t, func(w *bytes.Buffer) error { return Markdown(w, regressed(), 2) })
	if n := strings.Count(got, "```diff"); n != 2 || !strings.Contains(got, "… and 5 more: `llmx runs show r7k2m9`") {
		t.Errorf("%d flips in:\n%s", n, got)
	}
}

// Outside of fences and code spans nothing of an answer is markup.
func TestMarkdownOfHostileAnswers(t *testing.T) {
	got := render(t, func(w *bytes.Buffer) error { return Markdown(w, hostileRun(), 1000) })
	fence := ""
	for i, line := range strings.Split(got, "\n") {
		ticks := len(line) - len(strings.TrimLeft(line, "`"))
		switch {
		case fence == "" && ticks >= 3 && strings.HasSuffix(line, "diff"):
			fence = line[:ticks]
			continue
		case fence != "":
			if ticks >= len(fence) && strings.Trim(line, "`") == "" {
				fence = ""
			}
			continue
		}
		outside := withoutCode(htmlCode.ReplaceAllString(line, ""))
		for _, never := range []string{"<script", "@octocat", "\x1b", "<a href"} {
			if strings.Contains(outside, never) {
				t.Errorf("line %d has %q outside of code: %.200q", i+1, never, line)
			}
		}
	}
	if fence != "" {
		t.Error("a fence is left open")
	}
}

// htmlCode is code in HTML; what is in it was escaped, so that it ends where it ends.
var htmlCode = regexp.MustCompile(`<code>[^<]*</code>`)

// withoutCode takes code spans out of a line.
func withoutCode(line string) string {
	var b strings.Builder
	for line != "" {
		start := strings.IndexByte(line, '`')
		if start < 0 {
			break
		}
		b.WriteString(line[:start])
		line = line[start:]
		n := len(line) - len(strings.TrimLeft(line, "`"))
		end := -1
		for i := n; i < len(line); i++ {
			if line[i] != '`' {
				continue
			}
			run := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
			if run == n {
				end = i + run
				break
			}
			i += run - 1
		}
		if end < 0 {
			b.WriteString(line[:n])
			line = line[n:]
			continue
		}
		line = line[end:]
	}
	return b.String() + line
}

func TestMarkdownEscapes(t *testing.T) {
	tests := []struct{ got, want string }{
		{mdCode("plain"), "`plain`"},
		{mdCode("a `b` c"), "``a `b` c``"},
		{mdCode("`x"), "`` `x ``"},
		{mdCode(""), ""},
		{mdCode("a\nb\tc"), "`a b c`"},
		{mdCell("a|b"), "`a\\|b`"},
		{mdText("<b>@bob #1 *x* a|b"), `&lt;b&gt;@<!-- -->bob #<!-- -->1 \*x\* a\|b`},
		{mdText("see https://x.y www.z"), "see https:<!-- -->//x.y www<!-- -->.z"},
		{mdText("$x$ costs $0.05, or $$y$$"), "&#36;x&#36; costs $0.05, or &#36;&#36;y&#36;&#36;"},
		{mdResult(row{word: eval.Inconclusive, figures: "p = 0.250", notes: []string{"a|b <x>", "y"}}), `**inconclusive**<br>p = 0.250<br>a\|b &lt;x&gt;<br>y`},
		{mdResult(row{word: eval.Met, pass: true}), "met"},
		{mdPlain("~ -33.3 pt"), "~ -33.3 pt"},
		{fenced("diff", "a\n````\n"), "`````diff\na\n````\n`````\n"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
}
