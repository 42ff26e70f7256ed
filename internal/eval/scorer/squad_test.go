package scorer

import (
	"context"
	"math"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

// The figures are those of the official evaluation script of SQuAD 2.0
// (evaluate-v2.0.py, https://rajpurkar.github.io/SQuAD-explorer/): compute_exact and
// compute_f1 of the pair, run under Python 3.11. A random comparison of 3,000 pairs of
// words, articles, punctuation and white space found no other difference than those
// in TestSQuADDiffers.
func TestSQuADReference(t *testing.T) {
	for _, test := range []struct {
		want, got string
		exact     float64
		f1        float64
	}{
		{"Denver Broncos", "The Denver Broncos!", 1, 1.0},
		{"Denver Broncos", "Carolina Panthers", 0, 0},
		{"Denver Broncos", "the Broncos of Denver", 0, 0.8},
		{"1976", "in 1976", 0, 0.6666666666666666},
		{"Saint Bernadette Soubirous", "St. Bernadette Soubirous", 0, 0.6666666666666666},
		{"a copper statue of Christ", "copper statue", 0, 0.6666666666666666},
		{"Santa Clara, California", "Levi's Stadium in the San Francisco Bay Area at Santa Clara, California.", 0, 0.42857142857142855},
		{"the the cat", "cat the cat", 0, 0.6666666666666666},
		{"cat cat dog", "cat dog dog", 0, 0.6666666666666666},
		{"", "  ", 1, 1},
		{"", "the", 1, 1},
		{"the", "a", 1, 1},
		{"no", "No.", 1, 1.0},
		{"10,000", "10000", 1, 1.0},
		{"$5.2 million", "5.2 million", 1, 1.0},
		{"don't", "dont", 1, 1.0},
		{"well-known", "wellknown", 1, 1.0},
		{"well–known", "well known", 0, 0},
		{"–the–cat", "cat", 0, 0},
		{"naïve approach", "NAÏVE approach", 1, 1.0},
		{"éa the", "éa", 1, 1.0},
		{"theé", "theé an", 1, 1.0},
		{"été à la plage", "à la plage", 0, 0.8571428571428571},
		{"北京 大学", "北京", 0, 0.6666666666666666},
		{"x_the_y", "xthey", 1, 1.0},
		{"A²", "a²", 1, 1.0},
		{"the\u00a0Alps", "Alps", 1, 1.0},
		{"one two three four", "four three two one", 0, 1.0},
		{"20 October 2011", "October 20, 2011", 0, 1.0},
		{"an apple a day", "apple day", 1, 1.0},
		{"ÀB", "àb", 1, 1.0},
		{"ΣΑΣ", "σας", 1, 1.0},
	} {
		want, got := squadWords(test.want), squadWords(test.got)
		if exact := exactMatch(want, got); exact != test.exact {
			t.Errorf("%q, %q: exact match %v, want %v", test.want, test.got, exact, test.exact)
		}
		if f1 := tokenF1(want, got); math.Abs(f1-test.f1) > 1e-12 {
			t.Errorf("%q, %q: F1 %v, want %v", test.want, test.got, f1, test.f1)
		}
	}
}

// Unlike the script, texts are brought to NFC, and the two forms of sigma are one.
func TestSQuADDiffers(t *testing.T) {
	for want, got := range map[string]string{"caf\u00e9": "cafe\u0301", "σας": "σασ"} {
		if tokenF1(squadWords(want), squadWords(got)) != 1 {
			t.Errorf("%q is not %q", want, got)
		}
	}
}

// The best of several texts counts, as in the script; the golden answer may be a list.
func TestTheBestOfSeveralTexts(t *testing.T) {
	golden := eval.Subject{Answer: "Broncos", Golden: &eval.Golden{Value: []any{"Denver Broncos", "the Broncos", "Denver"}}}
	if got := scored(t, "exact_match", golden); !got.Pass {
		t.Errorf("%+v", got)
	}
	golden.Answer = "Broncos of Denver"
	if got := scored(t, "{token_f1: {threshold: 0.8}}", golden); !got.Pass || got.Value != 0.8 {
		t.Errorf("%+v", got)
	}
	got := scored(t, "exact_match: {value: [1976, 'in 1976'], metric: em}", says("1977"))
	if got.Pass || got.Value != 0 || got.Reason != `want one of "1976", "in 1976", got "1977"` || got.Metric != "em" {
		t.Errorf("%+v", got)
	}
	if _, err := parse(t, "exact_match").Score(context.Background(), says("x")); err == nil {
		t.Error("a case without a golden answer is scored")
	}
}
