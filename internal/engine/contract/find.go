package contract

import (
	"regexp"
	"strings"
)

// found is a value that stands in a text.
type found struct {
	json     []byte // the value, as JSON
	changes  changes
	from, to int // where it stands
}

// maxFound bounds the values of an answer that are looked at.
const maxFound = 64

// find reads the objects and lists of a text; all else is prose. It refuses a text
// with a value that is cut, that cannot be read, or that is a piece of another one:
// nothing is looked for within what is broken. It reads every byte at most three times.
func find(text string) (values []found, broken string) {
	for at := 0; ; {
		next := strings.IndexAny(text[at:], "{[}]")
		if next < 0 {
			return values, ""
		}
		at += next
		if text[at] == '}' || text[at] == ']' {
			return nil, "a bracket is closed that was never opened"
		}
		m := &mender{text: text, at: at}
		m.value(0)
		switch {
		case m.bad == "":
			if piece := pieceOf(text, at, m.at); piece != "" {
				return nil, piece
			}
			if len(values) == maxFound {
				return nil, "too many values"
			}
			values = append(values, found{m.out, m.changes, at, m.at})
			at = m.at
		case m.cut:
			return nil, m.bad
		case likelyValue.MatchString(text[at:min(len(text), at+200)]):
			return nil, m.bad
		default:
			end := balanced(text, at)
			if end < 0 {
				return nil, "the answer is cut: a bracket is never closed"
			}
			at = max(end, m.at)
		}
	}
}

// likelyValue tells a value that somebody began to write from brackets of prose, such
// as [x], {name} and [see below].
var likelyValue = regexp.MustCompile(`^(\{\s*(["'“‘]|[\pL0-9_$][\pL0-9_$-]*\s*:)|\[\s*(["'“‘{\[0-9,-]|\.[0-9]))`)

// pieceOf says that a value is a piece of something that has no beginning or no end,
// such as {"a": 1} in: "x": {"a": 1}.
func pieceOf(text string, from, to int) string {
	before := text[max(0, from-200):from]
	if memberBefore.MatchString(before) {
		return "the value belongs to a key, whose object has no beginning"
	}
	if memberAfter.MatchString(text[to:min(len(text), to+200)]) {
		return "the value goes on behind its end"
	}
	return ""
}

var (
	memberBefore = regexp.MustCompile(`["'”’]\s*:\s*$`)
	memberAfter  = regexp.MustCompile(`^\s*,\s*(["'“‘]|[\pL_$][\pL0-9_$-]*\s*:)`)
)

// balanced is the offset behind the bracket that closes the one at from, -1 where
// none does. Quotes do not count: this is prose.
func balanced(text string, from int) int {
	depth := 0
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// around says how a value is wrapped: in a code fence, in prose, or in both.
func around(text string, from, to int) changes {
	var c changes
	before, after := strings.TrimSpace(text[:from]), strings.TrimSpace(text[to:])
	line := strings.LastIndexByte(before, '\n') + 1
	if open := openFence.FindStringIndex(before[line:]); open != nil {
		start := strings.Index(text[:from], before) + line + open[0]
		c.add(repairFence, start)
		before = strings.TrimSpace(text[:start])
		after = strings.TrimSpace(closeFence.ReplaceAllString(after, ""))
	}
	if before != "" {
		c.add(repairProse, strings.Index(text, before))
	} else if after != "" {
		c.add(repairProse, to+strings.Index(text[to:], after))
	}
	return c
}

// The marks of code: a fence, or the backticks of code within a line.
var (
	openFence  = regexp.MustCompile("(`+|~~~+)[A-Za-z0-9+#-]*$")
	closeFence = regexp.MustCompile("^(`+|~~~+)")
)
