package contract

import (
	"regexp"
	"strings"
)

// Prose beside a value can take it back, or say that there is more of it. What is meant
// is then for no repair to say. The words are English: prose in other languages is
// taken for prose.
var (
	denial   = regexp.MustCompile(`(?i)\b(not|never|neither|nor|wrong|incorrect)\b|n['’]t\b`)
	leftOut  = regexp.MustCompile(`^[\s,;]*(\.\.\.|…)`)
	sentence = regexp.MustCompile(`[.!?;](\s|$)`)
)

// takenBack says why the prose around a value at from..to takes it back; "" where it
// does not. Only what belongs to the value is looked at: the sentence that leads to it,
// and the rest of its own line.
func takenBack(text string, from, to int) string {
	behind := text[to:]
	if leftOut.MatchString(behind) {
		return "something is left out behind the value"
	}
	behind, _, _ = strings.Cut(behind, "\n")
	if end := sentence.FindStringIndex(behind); end != nil {
		behind = behind[:end[0]]
	}
	if denial.MatchString(behind) || denial.MatchString(leading(text[:from])) {
		return "the text around takes the value back"
	}
	return ""
}

// leading is the sentence that a text ends with and that goes on in what follows: "" where
// the text ends with a whole one.
func leading(text string) string {
	text = strings.TrimSpace(openFence.ReplaceAllString(strings.TrimSpace(text), ""))
	text = text[strings.LastIndexByte(text, '\n')+1:]
	if ends := sentence.FindAllStringIndex(text, -1); ends != nil {
		text = text[ends[len(ends)-1][1]:]
	}
	return text
}
