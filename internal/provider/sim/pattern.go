package sim

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// matching makes a text that a pattern matches, or reports that it cannot.
func matching(pattern string, d draw) (string, bool) {
	expression, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	writeMatch(&b, expression.Simplify(), d)
	compiled, err := regexp.Compile(pattern)
	return b.String(), err == nil && compiled.MatchString(b.String())
}

func writeMatch(b *strings.Builder, e *syntax.Regexp, d draw) {
	const most = 1 << 12 // bytes; a counted pattern of counted patterns could be huge
	if b.Len() > most {
		return
	}
	switch e.Op {
	case syntax.OpLiteral:
		b.WriteString(string(e.Rune))
	case syntax.OpCharClass:
		if len(e.Rune) >= 2 {
			pair := 2 * d.of("range").below(len(e.Rune)/2)
			low, high := e.Rune[pair], e.Rune[pair+1]
			b.WriteRune(low + rune(d.of("rune").below(int(min(high-low, 25)+1))))
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteRune('a' + rune(d.below(26)))
	case syntax.OpCapture, syntax.OpPlus:
		writeMatch(b, e.Sub[0], d.of("sub"))
	case syntax.OpAlternate:
		writeMatch(b, e.Sub[d.of("branch").below(len(e.Sub))], d.of("sub"))
	case syntax.OpConcat:
		for i, sub := range e.Sub {
			writeMatch(b, sub, d.of(strconv.Itoa(i)))
		}
	}
	// What may be left out (*, ?) is left out; anchors and the like have no text.
}
