package scorer

import (
	"encoding/json"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// wanted is what an answer is compared with: a value that stands in the check, or
// where none does the case's golden answer.
type wanted struct {
	node strictyaml.Node
}

// UnmarshalNode keeps the value.
func (w *wanted) UnmarshalNode(n strictyaml.Node) error {
	w.node = n
	return nil
}

// MarshalJSON writes the value.
func (w wanted) MarshalJSON() ([]byte, error) { return json.Marshal(w.node.Value()) }

// IsZero leaves it out of a spec where the golden answer is meant.
func (w wanted) IsZero() bool { return !w.node.Exists() }

// needs is the golden answer, where no value stands in the check.
func (w wanted) needs() eval.Need {
	if w.IsZero() {
		return eval.NeedGolden
	}
	return 0
}

// about says what is wanted.
func (w wanted) about() string {
	if w.IsZero() {
		return "the golden answer"
	}
	return show(w.node.Value())
}

// check refuses a value that stands in the check and does not fit.
func (w wanted) check(fits func(value any) error) error {
	if w.IsZero() {
		return nil
	}
	if err := fits(w.node.Value()); err != nil {
		return w.node.Errorf("%s", fault.As(err).Message).WithHint("%s", fault.As(err).Hint)
	}
	return nil
}

// of is what a subject's answer is compared with.
func (w wanted) of(s *eval.Subject, fits func(value any) error) (any, error) {
	if !w.IsZero() {
		return w.node.Value(), nil
	}
	if s.Golden == nil {
		return nil, noGolden()
	}
	return s.Golden.Value, fits(s.Golden.Value)
}

func noGolden() error {
	return fault.New(fault.Invalid, "the case has no golden answer to compare with").WithHint("add golden:, or give the check a value")
}

// decodeOr reads a check's arguments: none, a mapping of them, or in short the
// value alone.
func decodeOr(n strictyaml.Node, args any, short func(strictyaml.Node) error) error {
	switch n.Kind() {
	case strictyaml.Absent:
		return nil
	case strictyaml.Mapping:
		return n.Decode(args)
	}
	return short(n)
}

// textsOf are a text or a list of texts; a number is the text it was written as.
func textsOf(value any) ([]string, bool) {
	switch v := value.(type) {
	case string:
		return []string{v}, true
	case json.Number:
		return []string{string(v)}, true
	case []any:
		var all []string
		for _, item := range v {
			one, ok := textsOf(item)
			if _, list := item.([]any); !ok || list {
				return nil, false
			}
			all = append(all, one...)
		}
		return all, len(all) > 0
	}
	return nil, false
}

// areTexts refuses what is no text and no list of texts.
func areTexts(value any) error {
	if _, ok := textsOf(value); ok {
		return nil
	}
	return fault.New(fault.Invalid, "want a text, or a list of texts of which one must match, got %s %s", typeName(value), show(value)).
		WithHint("look at a field of a JSON answer by extract: {path: …}, and give its text as value")
}

// plain brings a text to Unicode's NFC, so that é is é however it was typed, and
// makes any white space one space, none at the ends.
func plain(text string) string { return strings.Join(strings.Fields(norm.NFC.String(text)), " ") }
