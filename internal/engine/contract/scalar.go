package contract

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/llm"
)

// number is what OutputNumber accepts: a JSON number, with a sign + besides.
var number = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// scalar is a kind whose answer is one short text.
type scalar struct {
	want     string
	exact    func(text string) (any, bool)                // as the contract has it
	loose    func(text string) (value any, repair string) // with a repair, "" for none
	mentions func(text string) []any                      // what a reader could take for the value, up to maxMentions
	quotes   bool                                         // quotes around are no other type
}

const maxMentions = 64

// readScalar reads a number, a boolean or a label. In prose it is taken where it stands
// alone on a line, or ends the text behind a colon, an equals sign or "the answer is", and where
// nothing else in the text could be meant. "Not 18", "18 %" and "$18" are not 18.
func readScalar(answer string, output llm.Output) (Parsed, string) {
	kind := scalarOf(output)
	text := strings.TrimSpace(answer)
	if value, ok := kind.exact(text); ok {
		return asItCame(answer, value), ""
	}
	refused := fmt.Sprintf("expected %s and nothing else, got %s", kind.want, quote(text))
	if !repairs(output) || !utf8.ValidString(answer) {
		return Parsed{}, refused
	}
	var c changes
	inner, _ := unfence(answer)
	if inner != answer {
		c.add(repairFence, 0)
	}
	if rest, ok := strings.CutPrefix(inner, bom); ok {
		inner = rest
		c.add(repairBOM, 0)
	}
	if value, more, ok := kind.bare(inner); ok {
		c.takeAll(more)
		return mended(answer, value, plain(value), c), ""
	}
	value, more, ok := kind.inProse(inner)
	if !ok {
		return Parsed{}, refused
	}
	c.takeAll(more)
	c.add(repairProse, 0)
	return mended(answer, value, plain(value), c), ""
}

// plain is a scalar as its contract has it.
func plain(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return written(value)
}

// bare reads a text that is the value but for its wrapping.
func (s scalar) bare(text string) (value any, c changes, ok bool) {
	text = strings.TrimSpace(text)
	inner, quoted := stripMarkup(text, s.quotes)
	switch {
	case quoted:
		c.add(repairQuotes, 0)
	case inner != text:
		c.add(repairMarkup, 0)
	}
	if value, ok := s.exact(inner); ok {
		return value, c, true
	}
	value, repair := s.loose(inner)
	if repair == "" {
		return nil, nil, false
	}
	c.add(repair, 0)
	return value, c, true
}

// inProse reads the one value of a text, which nothing else in the text contradicts.
func (s scalar) inProse(text string) (value any, c changes, ok bool) {
	text = strings.TrimSpace(text)
	at := 0
	for line := range strings.Lines(text) {
		from := at // where the value begins, about
		at += len(line)
		one, more, found := s.bare(line)
		if !found && strings.HasSuffix(text, line) {
			ending := behindColon(line)
			if ending == "" {
				ending = behindAnswer(line)
			}
			from += strings.LastIndex(line, ending)
			one, more, found = s.bare(ending)
		}
		if found && denial.MatchString(leading(text[:from])) {
			return nil, nil, false
		}
		if found && ok && one != value {
			return nil, nil, false
		}
		if found {
			value, ok = one, true
			c.takeAll(more)
		}
	}
	if !ok {
		return nil, nil, false
	}
	mentions := s.mentions(text)
	if len(mentions) >= maxMentions || slices.ContainsFunc(mentions, func(other any) bool { return other != value }) {
		return nil, nil, false
	}
	return value, c, true
}

// behindColon is what a line ends with, behind a colon or an equals sign that is no
// comparison.
func behindColon(line string) string {
	at := strings.LastIndexAny(line, ":=：")
	if at < 0 || line[at] == '=' && at > 0 && strings.IndexByte("!<>~=", line[at-1]) >= 0 {
		return ""
	}
	_, size := utf8.DecodeRuneInString(line[at:])
	return strings.Trim(line[at+size:], "*_` \t\r\n")
}

// theAnswer is a line that says so.
var theAnswer = regexp.MustCompile(`(?i)^(?:so|thus|therefore|hence|sure)?[,!]? ?(?:the|my) (?:final |correct |right )?(?:answer|result|label|category|total|value) (?:is|would be) (\S+(?: \S+)?)$`)

// behindAnswer is what a line says that the answer is.
func behindAnswer(line string) string {
	parts := theAnswer.FindStringSubmatch(strings.TrimSpace(line))
	if parts == nil {
		return ""
	}
	return parts[1]
}

// stripMarkup takes emphasis, backticks and a final period away, and quotes where
// they say no type.
func stripMarkup(text string, quotes bool) (inner string, quoted bool) {
	for {
		before := text
		if rest, ok := strings.CutSuffix(text, "."); ok && !strings.HasSuffix(rest, ".") {
			text = rest
		}
		for _, mark := range []string{"**", "__", "*", "_", "`"} {
			if inner, ok := strings.CutPrefix(text, mark); ok && len(inner) > len(mark) && strings.HasSuffix(inner, mark) {
				text = strings.TrimSuffix(inner, mark)
			}
		}
		if first, size := utf8.DecodeRuneInString(text); quotes && closing(first) != 0 {
			if inner, ok := strings.CutSuffix(text[size:], string(closing(first))); ok {
				text, quoted = inner, true
			}
		}
		if text == before {
			return text, quoted
		}
	}
}

func scalarOf(output llm.Output) scalar {
	switch output.Kind {
	case llm.OutputNumber:
		return numberScalar(coercesTo(output, llm.CoerceNumber))
	case llm.OutputBoolean:
		return booleanScalar(coercesTo(output, llm.CoerceBoolean))
	}
	return labelScalar(output.Enum)
}

func coercesTo(output llm.Output, to llm.Coercion) bool {
	return coerces(output) && slices.Contains(output.Coerce, to)
}

var numerals = regexp.MustCompile(`[+-]?[.,]?\p{Nd}[\p{Nd}.,]*([eE][+-]?\p{Nd}+)?`)

func numberScalar(coerce bool) scalar {
	exact := func(text string) (any, bool) {
		if !number.MatchString(text) {
			return nil, false
		}
		return json.Number(strings.TrimPrefix(text, "+")), true
	}
	return scalar{
		want: "a number", exact: exact,
		loose: func(text string) (any, string) {
			if form, ok := numberForm(text); ok {
				return json.Number(form), repairNumber
			}
			if coerce {
				inner, _ := stripMarkup(text, true)
				if value, ok := exact(inner); ok {
					return value, coerceNumber
				}
			}
			return nil, ""
		},
		mentions: func(text string) (all []any) {
			for _, numeral := range numerals.FindAllString(text, maxMentions) {
				form, _ := numberForm(strings.TrimRight(numeral, ".,"))
				all = append(all, json.Number(form)) // "" for one that cannot be read: not the value
			}
			return all
		},
	}
}

var truths = regexp.MustCompile(`(?i)\b(true|false|yes|no)\b`)

func booleanScalar(coerce bool) scalar {
	return scalar{
		want:  "true or false",
		exact: func(text string) (any, bool) { return text == "true", text == "true" || text == "false" },
		loose: func(text string) (any, string) {
			switch word := literals[text]; {
			case word == "true" || word == "false":
				return word == "true", repairLiteral
			case coerce:
				inner, _ := stripMarkup(text, true)
				if value, ok := toBoolean(inner); ok {
					return value.(bool), coerceBoolean
				}
			}
			return nil, ""
		},
		mentions: func(text string) (all []any) {
			for _, word := range truths.FindAllString(text, maxMentions) {
				value, _ := toBoolean(word)
				all = append(all, value)
			}
			return all
		},
	}
}

func labelScalar(labels []string) scalar {
	return scalar{
		want: "one of " + listed(labels), quotes: true,
		exact: func(text string) (any, bool) { return text, slices.Contains(labels, text) },
		loose: func(text string) (any, string) {
			for _, label := range labels {
				if strings.EqualFold(label, text) {
					return label, repairCase // no two labels differ in case alone
				}
			}
			return nil, ""
		},
		mentions: func(text string) []any { return labelsIn(text, labels) },
	}
}

func listed(labels []string) string {
	const most = 20
	if len(labels) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(labels[:most], ", "), len(labels)-most)
	}
	return strings.Join(labels, ", ")
}

// labelsIn finds the labels that a text names in any case, the longest at each place.
func labelsIn(text string, labels []string) (all []any) {
	folded := strings.ToLower(text)
	type spot struct{ from, to int }
	var taken []spot
	byLength := slices.Clone(labels)
	slices.SortStableFunc(byLength, func(a, b string) int { return len(b) - len(a) })
	for _, label := range byLength {
		word := strings.ToLower(label)
		for at := 0; word != "" && len(taken) < maxMentions; {
			next := strings.Index(folded[at:], word)
			if next < 0 {
				break
			}
			from, to := at+next, at+next+len(word)
			at = to
			within := slices.ContainsFunc(taken, func(s spot) bool { return from < s.to && to > s.from })
			if within || !apart(folded, from, to) {
				continue
			}
			taken = append(taken, spot{from, to})
			all = append(all, label)
		}
	}
	return all
}

// apart reports whether neither end of from..to is within a word.
func apart(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	within := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
	return !within(before) && !within(after)
}
