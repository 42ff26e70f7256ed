package scorer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// The bounds of a comparison, in characters: its time grows with the product of
// both lengths, to about a second at the bounds.
const (
	maxWantedText   = 5_000
	maxComparedText = 50_000
)

// similarEnough is the threshold of levenshtein where none is given.
const similarEnough = 0.8

type levenshteinArgs struct {
	Value      wanted      `yaml:"value" json:"value,omitzero"`
	IgnoreCase bool        `yaml:"ignore_case" json:"ignore_case,omitempty"`
	Threshold  threshold   `yaml:"threshold" json:"threshold"`
	Extract    *extraction `yaml:"extract" json:"extract,omitempty"`
	options    `yaml:",inline" json:"-"`
}

// parseLevenshtein: levenshtein for the golden answer, {levenshtein: text}, or
// {levenshtein: {value: …, threshold: 0.9, ignore_case: true, extract: …}}. The
// score is 1 − distance / length of the longer text, where the distance counts
// characters (code points) to insert, delete or replace; of several texts the most
// alike counts. Texts are compared in NFC, any white space as one space.
func parseLevenshtein(n strictyaml.Node) (rule, error) {
	args := levenshteinArgs{Threshold: similarEnough}
	if err := decodeOr(n, &args, args.Value.UnmarshalNode); err != nil {
		return rule{}, err
	}
	if err := args.Value.check(areComparable); err != nil {
		return rule{}, err
	}
	return rule{
		args: args, options: args.options, needs: args.Value.needs(), fits: areComparable,
		about: fmt.Sprintf("is like %s to %.3g", args.Value.about(), float64(args.Threshold)),
		rate:  args.rate, threshold: args.Threshold,
	}, nil
}

// areComparable refuses what is too long to compare in any time.
func areComparable(value any) error {
	if err := areTexts(value); err != nil {
		return err
	}
	texts, _ := textsOf(value)
	for _, text := range texts {
		if n := utf8.RuneCountInString(text); n > maxWantedText {
			return fault.New(fault.Invalid, "levenshtein compares with at most %d characters, this has %d", maxWantedText, n).
				WithHint("token_f1 compares long texts by their words")
		}
	}
	return nil
}

func (a *levenshteinArgs) rate(s *eval.Subject) (float64, string, error) {
	value, err := a.Value.of(s, areComparable)
	if err != nil {
		return 0, "", err
	}
	got, ok, reason := a.Extract.from(s)
	if !ok {
		return 0, reason, nil
	}
	if n := utf8.RuneCountInString(got); n > maxComparedText {
		return 0, fmt.Sprintf("the answer has %d characters; more than %d are not compared", n, maxComparedText), nil
	}
	texts, _ := textsOf(value)
	best, nearest := -1.0, ""
	got = a.fold(got)
	for _, text := range texts {
		if score := similarity(a.fold(text), got); score > best {
			best, nearest = score, text
		}
	}
	if best == 1 {
		return 1, "", nil
	}
	return best, "want " + quote(nearest) + ", got " + quote(got), nil
}

func (a *levenshteinArgs) fold(text string) string {
	text = plain(text)
	if a.IgnoreCase {
		return strings.ToLower(text)
	}
	return text
}

// similarity is 1 for equal texts and 0 for those that share nothing.
func similarity(a, b string) float64 {
	longer := max(utf8.RuneCountInString(a), utf8.RuneCountInString(b))
	if longer == 0 {
		return 1
	}
	return float64(longer-levenshtein.ComputeDistance(a, b)) / float64(longer)
}
