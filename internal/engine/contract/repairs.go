package contract

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/llm"
)

// The repairs. Each keeps what was meant; where two readings are possible the
// answer is refused.
const (
	repairBOM           = "byte_order_mark"  // before the answer
	repairSpace         = "white_space"      // between tokens, that JSON does not know
	repairFence         = "code_fence"       // around the value
	repairMarkup        = "markup"           // emphasis, backticks or a final period around a scalar
	repairCase          = "letter_case"      // of a label
	repairProse         = "prose"            // around the value
	repairSeveral       = "several_values"   // of which one satisfies the schema
	repairHTML          = "html_escapes"     // of the whole answer: &quot; for every quote
	repairQuotes        = "quotes"           // single or typographic ones, or quotes around a label
	repairKey           = "unquoted_key"     // {label: …}
	repairTrailingComma = "trailing_comma"   // [1, 2,]
	repairMissingComma  = "missing_comma"    // between members, or between objects of a list
	repairComment       = "comment"          // //, /* */ and #
	repairEscape        = "bad_escape"       // \d is a backslash and a d, \' an apostrophe
	repairControl       = "raw_line_break"   // or tab, within a string
	repairLiteral       = "literal"          // True, False, None, or in capitals
	repairNumber        = "number_form"      // +1, .5 and 5.
	repairNaN           = "nan"              // null, where the schema takes it
	repairLanguage      = "missing_language" // of the only fenced block

	coerceNumber  = "coerced_number"
	coerceBoolean = "coerced_boolean"
	coerceList    = "coerced_list"
)

// weights say how far a repair takes an answer from what was asked for: hardly
// (0.01), wrapping (0.05), another notation (0.1), a guess that only one reading
// survives (0.2). The score of an answer is the product of 1 − weight, each repair
// counted once.
var weights = map[string]float64{
	repairBOM: 0.01, repairSpace: 0.01,
	repairFence: 0.05, repairMarkup: 0.05, repairCase: 0.05, repairTrailingComma: 0.05, repairComment: 0.05,
	repairControl: 0.05, repairLiteral: 0.05, repairNumber: 0.05, repairLanguage: 0.05,
	repairProse: 0.1, repairQuotes: 0.1, repairKey: 0.1, repairEscape: 0.1,
	repairMissingComma: 0.2, repairSeveral: 0.2, repairHTML: 0.2, repairNaN: 0.2,
	coerceNumber: 0.2, coerceBoolean: 0.2, coerceList: 0.2,
}

// change is a repair at its first offset in the text.
type change struct {
	name  string
	at    int
	times int
}

// changes are repairs by name; there are few names, and so few changes.
type changes []change

func (c *changes) add(name string, at int) { c.take(change{name, at, 1}) }

func (c *changes) take(more change) {
	for i := range *c {
		if one := &(*c)[i]; one.name == more.name {
			one.at, one.times = min(one.at, more.at), one.times+more.times
			return
		}
	}
	*c = append(*c, more)
}

func (c *changes) takeAll(more changes) {
	for _, one := range more {
		c.take(one)
	}
}

// repairs gives the changes with their places in the text, in the order of the text.
func (c changes) repairs(text string) []llm.Repair {
	if len(c) == 0 {
		return nil
	}
	sorted := slices.Clone(c)
	slices.SortFunc(sorted, func(a, b change) int { return cmp.Or(a.at-b.at, strings.Compare(a.name, b.name)) })
	all := make([]llm.Repair, len(sorted))
	for i, one := range sorted {
		before := text[:min(one.at, len(text))]
		all[i] = llm.Repair{
			Name: one.name, Weight: weights[one.name], Times: one.times,
			Line: strings.Count(before, "\n") + 1,
			Col:  utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1,
		}
	}
	return all
}
