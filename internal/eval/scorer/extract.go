package scorer

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// extraction takes the part of an answer that a check looks at: the last match of
// a regex (its first group, if it has one), a field of a JSON answer, or the last
// number.
type extraction struct {
	regex *pattern
	path  *fieldPath
	drop  string // these characters are removed, here and from what it is compared with
}

// UnmarshalNode reads final_number, {regex: …, drop: …} or {path: …, drop: …}.
func (e *extraction) UnmarshalNode(n strictyaml.Node) error {
	const hint = "write final_number, {regex: 'A: (.*)'} or {path: customer.name}, and drop: ',' to remove thousands separators"
	if n.Kind() == strictyaml.String && n.Text() == "final_number" {
		return nil
	}
	if n.Kind() != strictyaml.Mapping {
		return n.Mismatch("what to extract").WithHint(hint)
	}
	var args struct {
		Regex *pattern   `yaml:"regex"`
		Path  *fieldPath `yaml:"path"`
		Drop  string     `yaml:"drop"`
	}
	if err := n.Decode(&args); err != nil {
		return err
	}
	switch {
	case args.Regex == nil && args.Path == nil:
		return n.Errorf("the key \"regex\" is missing, or \"path\"").WithHint(hint)
	case args.Regex != nil && args.Path != nil:
		return n.Get("path").Errorf("regex and path do not stand together").WithHint(hint)
	}
	e.regex, e.path, e.drop = args.Regex, args.Path, args.Drop
	return nil
}

// MarshalJSON writes what was read.
func (e *extraction) MarshalJSON() ([]byte, error) {
	if e.finalNumber() {
		return []byte(`"final_number"`), nil
	}
	parts := map[string]string{}
	if e.path != nil {
		parts["path"] = e.path.text
	} else {
		parts["regex"] = e.regex.String()
	}
	if e.drop != "" {
		parts["drop"] = e.drop
	}
	return json.Marshal(parts)
}

func (e *extraction) finalNumber() bool { return e.regex == nil && e.path == nil }

// from takes the part as text; the reason says why there is none. A nil extraction
// takes everything.
func (e *extraction) from(s *eval.Subject) (text string, ok bool, reason string) {
	switch {
	case e == nil:
		return s.Answer, true, ""
	case e.path != nil:
		value, ok, reason := e.field(s)
		if !ok {
			return "", false, reason
		}
		return e.without(strings.TrimSpace(textOf(value))), true, ""
	case e.finalNumber():
		if text, ok = finalNumber(s.Answer); !ok {
			return "", false, "no number in " + quoteEnd(s.Answer)
		}
		return text, true, ""
	}
	if text, ok = e.regex.last(s.Answer); !ok {
		return "", false, "nothing matches " + e.regex.String() + " in " + quoteEnd(s.Answer)
	}
	return e.without(strings.TrimSpace(text)), true, ""
}

// value takes the part as a JSON value: of the field, of the text that a regex
// found, or of the whole answer.
func (e *extraction) value(s *eval.Subject) (value any, ok bool, reason string) {
	switch {
	case e == nil:
		value, ok = valueOf(s)
		return value, ok, notJSON(ok, s)
	case e.path != nil:
		return e.field(s)
	}
	text, ok, reason := e.from(s)
	if !ok {
		return nil, false, reason
	}
	value, err := parseJSON(text)
	if err != nil {
		return nil, false, "what was extracted is not JSON: " + quote(text)
	}
	return value, true, ""
}

func (e *extraction) field(s *eval.Subject) (value any, ok bool, reason string) {
	root, ok := valueOf(s)
	if !ok {
		return nil, false, notJSON(ok, s)
	}
	if value, ok = e.path.in(root); !ok {
		return nil, false, e.path.text + ": no such field in " + show(root)
	}
	return value, true, ""
}

// textOf is a JSON value as text: a string as it is, anything else as JSON.
func textOf(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// without removes the characters to drop.
func (e *extraction) without(text string) string {
	if e == nil || e.drop == "" || !strings.ContainsAny(text, e.drop) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(e.drop, r) {
			return -1
		}
		return r
	}, text)
}

// quoteEnd shows the end of an answer, where the thing to extract should have been.
func quoteEnd(answer string) string {
	if len(answer) <= maxShown {
		return quote(answer)
	}
	return quote("…" + strings.ToValidUTF8(answer[len(answer)-maxShown/2:], ""))
}

var numberPattern = regexp.MustCompile(`-?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?`)

// finalNumber finds the last number of a text and takes its thousands separators
// out. A minus counts where it is no operator or hyphen: in "-5" and "-$5", not in
// "10-5".
func finalNumber(text string) (string, bool) {
	end := strings.LastIndexAny(text, "0123456789") + 1
	if end == 0 {
		return "", false
	}
	text = strings.ReplaceAll(text[:end], "−", "-")
	end = len(text)
	start := end
	for start > 0 && strings.IndexByte("0123456789.,eE+-", text[start-1]) >= 0 {
		start--
	}
	matches := numberPattern.FindAllStringIndex(text[start:end], -1)
	last := matches[len(matches)-1] // the digit at the end is part of one
	from := start + last[0]
	found := strings.ReplaceAll(text[from:start+last[1]], ",", "")
	before := text[:from]
	if digits, signed := strings.CutPrefix(found, "-"); signed {
		if isOperand(before) {
			found = digits
		}
		return found, true
	}
	for _, currency := range []string{"$", "€", "£"} {
		if amount, ok := strings.CutSuffix(before, currency); ok {
			if left, minus := strings.CutSuffix(amount, "-"); minus && !isOperand(left) {
				found = "-" + found
			}
		}
	}
	return found, true
}

// isOperand reports whether text ends in something that a number is subtracted
// from, or hyphened to: a digit, a closing bracket, or a letter right before it.
func isOperand(text string) bool {
	near := strings.TrimRight(text, " ")
	if near == "" {
		return false
	}
	c := near[len(near)-1]
	if c == ')' || c >= '0' && c <= '9' {
		return true
	}
	isLetter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	return isLetter && len(near) == len(text)
}
