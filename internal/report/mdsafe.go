package report

import "strings"

// mdPlain escapes a short text that llmx itself made, figures and words, for a
// table's cell.
func mdPlain(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(clean(s))
}

// mdCell is mdCode for a table's cell, where a pipe is escaped within code too.
func mdCell(s string) string { return strings.ReplaceAll(mdCode(s), "|", `\|`) }

// mdCode puts a text of anybody's into a code span, where HTML, mentions, links
// and Markdown mean nothing. The span's fence is longer than any in the text.
func mdCode(s string) string {
	s = strings.TrimSpace(strings.Join(strings.Fields(strings.ReplaceAll(clean(oneLine(s)), "→   ", " ")), " "))
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	if s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// oneLine turns breaks into spaces.
func oneLine(s string) string { return strings.NewReplacer("\r\n", " ", "\n", " ").Replace(s) }

// mdText escapes running text: what could be markup, HTML, a mention, a
// reference or a link shows as it was written.
func mdText(s string) string {
	var b strings.Builder
	all := clean(oneLine(s))
	for i, r := range all {
		switch {
		case r == '$' && !strings.ContainsAny(all[i+1:min(i+2, len(all))], "0123456789"):
			// Two dollars are a formula, unless a digit follows the second.
			b.WriteString("&#36;")
		case r == '@' || r == '#':
			// An empty comment keeps a mention or a reference from being one.
			b.WriteString(string(r) + "<!-- -->")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]|~!", r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return strings.NewReplacer("://", ":<!-- -->//", "www.", "www<!-- -->.").Replace(b.String())
}

// fenced puts a text of many lines into a code block that it cannot end.
func fenced(language, s string) string {
	fence := strings.Repeat("`", max(3, longestRun(s)+1))
	return fence + language + "\n" + strings.TrimSuffix(s, "\n") + "\n" + fence + "\n"
}

// longestRun counts the backticks of the longest run.
func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}
