package scorer

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type squadArgs struct {
	Value     wanted      `yaml:"value" json:"value,omitzero"`
	Threshold threshold   `yaml:"threshold" json:"threshold"`
	Extract   *extraction `yaml:"extract" json:"extract,omitempty"`
	options   `yaml:",inline" json:"-"`
}

// parseTokenF1: token_f1 for the golden answer, {token_f1: text}, or {token_f1:
// {value: [one, another], threshold: 0.5, extract: …}}. The score is the F1 of the
// words that the answer shares with the text, after SQuAD's normalisation; of
// several texts the best counts. It is that of the official evaluation script.
func parseTokenF1(n strictyaml.Node) (rule, error) {
	args := squadArgs{Threshold: 1}
	if err := decodeOr(n, &args, args.Value.UnmarshalNode); err != nil {
		return rule{}, err
	}
	if err := args.Value.check(areTexts); err != nil {
		return rule{}, err
	}
	return rule{
		args: args, options: args.options, needs: args.Value.needs(), fits: areTexts,
		about: "shares its words with " + args.Value.about(),
		rate: func(s *eval.Subject) (float64, string, error) {
			return best(s, args.Value, args.Extract, tokenF1)
		}, threshold: args.Threshold,
	}, nil
}

// parseExactMatch: exact_match for the golden answer, {exact_match: text}, or
// {exact_match: {value: [one, another], extract: …}}: the answer is one of the
// texts, after SQuAD's normalisation.
func parseExactMatch(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   wanted      `yaml:"value" json:"value,omitzero"`
		Extract *extraction `yaml:"extract" json:"extract,omitempty"`
		options `yaml:",inline" json:"-"`
	}
	if err := decodeOr(n, &args, args.Value.UnmarshalNode); err != nil {
		return rule{}, err
	}
	if err := args.Value.check(areTexts); err != nil {
		return rule{}, err
	}
	return rule{
		args: args, options: args.options, needs: args.Value.needs(), fits: areTexts,
		about: "is " + args.Value.about() + " but for case, punctuation and articles",
		judge: func(s *eval.Subject) (bool, string, error) {
			score, reason, err := best(s, args.Value, args.Extract, exactMatch)
			return score == 1, reason, err
		},
	}, nil
}

// best is the highest score of the answer against one of the wanted texts.
func best(s *eval.Subject, want wanted, extract *extraction, score func(want, got []string) float64) (float64, string, error) {
	value, err := want.of(s, areTexts)
	if err != nil {
		return 0, "", err
	}
	got, ok, reason := extract.from(s)
	if !ok {
		return 0, reason, nil
	}
	texts, _ := textsOf(value)
	words := squadWords(got)
	highest := 0.0
	for _, text := range texts {
		highest = max(highest, score(squadWords(text), words))
	}
	if highest == 1 {
		return 1, "", nil
	}
	if len(texts) > 1 {
		return highest, "want one of " + cut(quoteAll(texts)) + ", got " + quote(got), nil
	}
	return highest, "want " + quote(texts[0]) + ", got " + quote(got), nil
}

// squadWords are the words of a text as the official evaluation script of SQuAD 2.0
// (evaluate-v2.0.py, normalize_answer) counts them: in lower case, without ASCII
// punctuation, without the words a, an and the. A word for this ends at whatever is
// no letter and no digit, so the article in "–the–" goes, too. Unlike the script,
// which takes texts as they are, this brings them to NFC first.
func squadWords(text string) []string {
	// Python writes a sigma that ends a word otherwise, Go does not: here both are one.
	text = strings.ReplaceAll(strings.ToLower(norm.NFC.String(text)), "ς", "σ")
	var b, word strings.Builder
	flush := func() {
		switch word.String() {
		case "a", "an", "the":
			b.WriteByte(' ')
		default:
			b.WriteString(word.String())
		}
		word.Reset()
	}
	for _, r := range text {
		switch {
		case isASCIIPunctuation(r):
		case unicode.IsLetter(r), unicode.IsNumber(r):
			word.WriteRune(r)
		default:
			flush()
			b.WriteRune(r)
		}
	}
	flush()
	return strings.Fields(b.String())
}

// isASCIIPunctuation tells the 32 characters of Python's string.punctuation.
func isASCIIPunctuation(r rune) bool {
	return r > ' ' && r < unicode.MaxASCII && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

func exactMatch(want, got []string) float64 {
	if strings.Join(want, " ") == strings.Join(got, " ") {
		return 1
	}
	return 0
}

// tokenF1 is 2·shared/(wanted + got), which is the harmonic mean of precision and
// recall; texts without a word are equal to each other and to nothing else.
func tokenF1(want, got []string) float64 {
	if len(want) == 0 || len(got) == 0 {
		return exactMatch(want, got)
	}
	left := map[string]int{}
	for _, word := range want {
		left[word]++
	}
	shared := 0
	for _, word := range got {
		if left[word] > 0 {
			left[word]--
			shared++
		}
	}
	return f1(shared, len(want), len(got))
}

// f1 is that of so many shared of the wanted and the given.
func f1(shared, wanted, given int) float64 {
	if wanted+given == 0 {
		return 1
	}
	return 2 * float64(shared) / float64(wanted+given)
}
