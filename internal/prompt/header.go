package prompt

import (
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// headerRoles are the roles that have a header, a line such as "user:".
var headerRoles = []llm.Role{llm.System, llm.User, llm.Assistant}

// headerLine is a role header in source; end is behind its line end.
type headerLine struct {
	role       llm.Role
	start, end int
}

// headerLines finds the role headers: whole lines of text, at the margin, outside
// comments, raw blocks and tags.
func headerLines(s string, tokens []token) []headerLine {
	var found []headerLine
	eachTextLine(s, tokens, func(start, end int) {
		if role, ok := headerRole(s[start:end]); ok {
			found = append(found, headerLine{role, start, min(end+1, len(s))})
		}
	})
	return found
}

// eachTextLine calls visit for every line that is wholly text; end is before its line end.
func eachTextLine(s string, tokens []token, visit func(start, end int)) {
	for _, t := range tokens {
		if t.kind != tokenData {
			continue
		}
		for start := t.start; start < t.end; {
			end := len(s)
			if next := strings.IndexByte(s[start:], '\n'); next >= 0 {
				end = start + next
			}
			if (start == 0 || s[start-1] == '\n') && end <= t.end {
				visit(start, end)
			}
			start = end + 1
		}
	}
}

func headerRole(line string) (llm.Role, bool) {
	word, ok := strings.CutSuffix(strings.TrimRight(line, " \t\r"), ":")
	for _, role := range headerRoles {
		if ok && word == string(role) {
			return role, true
		}
	}
	return "", false
}

// nearHeader reports whether a line looks like a role header, but is none.
func nearHeader(line string) (llm.Role, bool) {
	line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#"))
	word, ok := strings.CutSuffix(line, ":")
	for _, role := range headerRoles {
		if ok && strings.EqualFold(strings.TrimSpace(word), string(role)) {
			return role, true
		}
	}
	return "", false
}

// unescapeHeaders drops one backslash from every line such as "\user:".
func unescapeHeaders(t source) source {
	tokens, bad := scan(t.s)
	if bad != nil || !strings.Contains(t.s, "\\") {
		return t
	}
	var out sourceBuilder
	done := 0
	eachTextLine(t.s, tokens, func(start, end int) {
		line := t.s[start:end]
		bare := strings.TrimLeft(line, "\\")
		if _, header := headerRole(bare); header && bare != line {
			out.add(t.slice(done, start))
			done = start + 1
		}
	})
	if done == 0 {
		return t
	}
	out.add(t.slice(done, len(t.s)))
	return out.source(t.place(0))
}

func quote(s string) string { return strconv.Quote(s) }
