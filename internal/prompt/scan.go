package prompt

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// tokenKind says what a stretch of template source is.
type tokenKind int

const (
	tokenData    tokenKind = iota // text, as it will be sent
	tokenPrint                    // {{ … }}
	tokenTag                      // {% … %}
	tokenComment                  // {# … #}
	tokenRaw                      // {% raw %} … {% endraw %}, whole
)

// token is a stretch of template source. The tokens of a source cover it without a gap.
type token struct {
	kind       tokenKind
	start, end int
	words      []word // of a print or a tag
	trimLeft   bool   // it begins with {%-
	trimRight  bool   // it ends with -%}
}

// word is one lexical piece within {{ }} or {% %}.
type word struct {
	kind wordKind
	text string // of a string: without its quotes, escapes untouched
	at   int    // offset in the source
}

type wordKind int

const (
	wordName wordKind = iota
	wordString
	wordNumber
	wordSign
)

// is reports whether the word is this name or sign.
func (w word) is(text string) bool {
	return (w.kind == wordName || w.kind == wordSign) && w.text == text
}

// scanError is a lexical error at an offset.
type scanError struct {
	at      int
	message string
}

// scan cuts template source into tokens. It follows the template library's lexer;
// what it lets through, the library's parser still judges.
func scan(s string) ([]token, *scanError) {
	var tokens []token
	pos := 0
	for pos < len(s) {
		open := nextOpening(s, pos)
		if open > pos {
			tokens = append(tokens, token{kind: tokenData, start: pos, end: open})
		}
		if open == len(s) {
			break
		}
		next, err := scanMarked(s, open)
		if err != nil {
			return tokens, err
		}
		tokens = append(tokens, next)
		pos = next.end
	}
	return tokens, nil
}

// nextOpening finds the next {{, {% or {#, or the end.
func nextOpening(s string, pos int) int {
	for {
		brace := strings.IndexByte(s[pos:], '{')
		if brace < 0 || pos+brace+1 >= len(s) {
			return len(s)
		}
		pos += brace
		if c := s[pos+1]; c == '{' || c == '%' || c == '#' {
			return pos
		}
		pos++
	}
}

func scanMarked(s string, open int) (token, *scanError) {
	body := open + 2
	trimLeft := body < len(s) && s[body] == '-'
	if body < len(s) && (s[body] == '-' || s[body] == '+') {
		body++
	}
	switch s[open+1] {
	case '#':
		end := strings.Index(s[body:], "#}")
		if end < 0 {
			return token{}, &scanError{open, "the comment {# is not closed"}
		}
		return token{kind: tokenComment, start: open, end: body + end + 2, trimLeft: trimLeft}, nil
	case '%':
		if end, ok := basicTag(s, body, "raw"); ok {
			return scanRaw(s, open, end)
		}
		return scanWords(s, token{kind: tokenTag, start: open, trimLeft: trimLeft}, body, "%}")
	}
	return scanWords(s, token{kind: tokenPrint, start: open, trimLeft: trimLeft}, body, "}}")
}

// basicTag matches the rest of a tag that is nothing but its name.
func basicTag(s string, pos int, name string) (end int, ok bool) {
	rest := strings.TrimLeft(s[pos:], jinjaSpace)
	rest, ok = strings.CutPrefix(rest, name)
	if !ok {
		return 0, false
	}
	rest = strings.TrimLeft(rest, jinjaSpace)
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		rest = rest[1:]
	}
	rest, ok = strings.CutPrefix(rest, "%}")
	return len(s) - len(rest), ok
}

func scanRaw(s string, open, pos int) (token, *scanError) {
	for {
		next := strings.Index(s[pos:], "{%")
		if next < 0 {
			return token{}, &scanError{open, "{% raw %} is not closed"}
		}
		pos += next + 2
		body := pos
		if body < len(s) && (s[body] == '-' || s[body] == '+') {
			body++
		}
		if end, ok := basicTag(s, body, "endraw"); ok {
			return token{kind: tokenRaw, start: open, end: end}, nil
		}
	}
}

// scanWords reads the inside of {{ }} or {% %}. The end mark counts only where no
// bracket is open, as in the library.
func scanWords(s string, t token, pos int, closing string) (token, *scanError) {
	depth := 0
	for {
		for pos < len(s) && strings.IndexByte(jinjaSpace, s[pos]) >= 0 {
			pos++
		}
		if pos >= len(s) {
			return t, &scanError{t.start, s[t.start:t.start+2] + " is not closed"}
		}
		if depth == 0 {
			rest := s[pos:]
			if (rest[0] == '-' || rest[0] == '+') && strings.HasPrefix(rest[1:], closing) {
				t.trimRight, t.end = rest[0] == '-', pos+3
				return t, nil
			}
			if strings.HasPrefix(rest, closing) {
				t.end = pos + 2
				return t, nil
			}
		}
		next, end := scanWord(s, pos)
		if end < 0 {
			return t, &scanError{pos, "the string is not closed"}
		}
		if next.kind == wordSign && len(next.text) == 1 && strings.IndexByte("+-*/%~<>=.,:|()[]{}", next.text[0]) < 0 {
			r, _ := utf8.DecodeRuneInString(s[pos:])
			return t, &scanError{pos, fmt.Sprintf("unexpected character %q in a template tag", r)}
		}
		switch next.text {
		case "(", "[", "{":
			if next.kind == wordSign {
				depth++
			}
		case ")", "]", "}":
			if next.kind == wordSign {
				depth--
			}
		}
		t.words = append(t.words, next)
		pos = end
	}
}

func scanWord(s string, pos int) (word, int) {
	c := s[pos]
	switch {
	case c == '"' || c == '\'':
		for end := pos + 1; end < len(s); end++ {
			switch s[end] {
			case '\\':
				end++
			case c:
				return word{wordString, s[pos+1 : end], pos}, end + 1
			}
		}
		return word{}, -1
	case isNameByte(c) && !isDigit(c):
		end := pos
		for end < len(s) && isNameByte(s[end]) {
			end++
		}
		return word{wordName, s[pos:end], pos}, end
	case isDigit(c):
		end := pos
		for end < len(s) && isNameByte(s[end]) {
			end++
		}
		return word{wordNumber, s[pos:end], pos}, end
	}
	if pos+2 <= len(s) {
		switch two := s[pos : pos+2]; two {
		case "==", "!=", "<=", ">=", "//", "**":
			return word{wordSign, two, pos}, pos + 2
		}
	}
	return word{wordSign, s[pos : pos+1], pos}, pos + 1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameByte(c byte) bool {
	return c == '_' || isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
