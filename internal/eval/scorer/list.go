package scorer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type listArgs struct {
	Items     wanted      `yaml:"items" json:"items,omitzero"`
	As        string      `yaml:"as" json:"as" oneof:"ordered unordered set"`
	Measure   string      `yaml:"measure" json:"measure" oneof:"f1 precision recall"`
	Split     string      `yaml:"split" json:"split,omitempty"`
	Threshold threshold   `yaml:"threshold" json:"threshold"`
	Extract   *extraction `yaml:"extract" json:"extract,omitempty"`
	options   `yaml:",inline" json:"-"`
}

// maxItems bounds lists that are compared in order: the time grows with the product
// of both lengths.
const maxItems = 5000

// parseList: list for the golden answer, {list: [a, b]}, or {list: {items: [a, b],
// as: ordered|unordered|set, measure: f1|precision|recall, split: ',', threshold: 0.8,
// extract: {path: tags}}}. The score is the measure over the items that both lists
// have: in the same order (their longest common subsequence), in any order, or in any
// order and each counted once. split cuts a plain text into items, without white
// space around them and empty ones. Items are alike as in golden: numbers by value,
// white space in text aside, objects with the same keys.
func parseList(n strictyaml.Node) (rule, error) {
	args := listArgs{As: "ordered", Measure: "f1", Threshold: 1}
	if err := decodeOr(n, &args, args.Items.UnmarshalNode); err != nil {
		return rule{}, err
	}
	if n.Get("split").Exists() && args.Split == "" {
		return rule{}, n.Get("split").Errorf("the separator is empty").WithHint(`write split: ',' or split: "\n"`)
	}
	if err := args.Items.check(args.fits); err != nil {
		return rule{}, err
	}
	return rule{
		args: args, options: args.options, needs: args.Items.needs(), fits: args.fits,
		about: "has the items of " + args.Items.about(), rate: args.rate, threshold: args.Threshold,
	}, nil
}

func (a *listArgs) fits(value any) error {
	list, ok := value.([]any)
	if !ok {
		return fault.New(fault.Invalid, "want a list of items, got %s %s", typeName(value), show(value)).
			WithHint("write {list: {items: [a, b], as: set}}")
	}
	if a.As == "ordered" && len(list) > maxItems {
		return fault.New(fault.Invalid, "lists are compared in order up to %d items, this has %d", maxItems, len(list)).WithHint("write as: unordered")
	}
	return nil
}

func (a *listArgs) rate(s *eval.Subject) (float64, string, error) {
	value, err := a.Items.of(s, a.fits)
	if err != nil {
		return 0, "", err
	}
	given, ok, reason := a.items(s)
	if !ok {
		return 0, reason, nil
	}
	want, got := a.keys(value.([]any)), a.keys(given)
	if a.As == "ordered" && len(got) > maxItems {
		return 0, fmt.Sprintf("the answer has %d items; lists are compared in order up to %d", len(got), maxItems), nil
	}
	shared := 0
	if a.As == "ordered" {
		shared = commonInOrder(want, got)
	} else {
		shared = len(want) - len(without(want, got))
	}
	score := a.measure(shared, len(want), len(got))
	if score == 1 {
		return 1, "", nil
	}
	return score, a.report(want, got, shared), nil
}

// items is the answer's list.
func (a *listArgs) items(s *eval.Subject) (list []any, ok bool, reason string) {
	if a.Split != "" {
		text, ok, reason := a.Extract.from(s)
		if !ok {
			return nil, false, reason
		}
		for part := range strings.SplitSeq(text, a.Split) {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return list, true, ""
	}
	value, ok, reason := a.Extract.value(s)
	if !ok {
		return nil, false, reason
	}
	if list, ok = value.([]any); !ok {
		return nil, false, "want a list, got " + typeName(value) + " " + show(value)
	}
	return list, true, ""
}

// keys are texts that are equal where the items are alike; of a set, each once.
func (a *listArgs) keys(list []any) []string {
	keys := make([]string, 0, len(list))
	seen := map[string]bool{}
	for _, item := range list {
		if text, ok := textsOf(item); ok && a.Split != "" && len(text) == 1 {
			item = text[0] // what was split off is text
		}
		key := keyOf(item)
		if a.As == "set" && seen[key] {
			continue
		}
		seen[key] = true
		keys = append(keys, key)
	}
	return keys
}

func (a *listArgs) measure(shared, wanted, given int) float64 {
	of := map[string]int{"precision": given, "recall": wanted}
	switch n, one := of[a.Measure]; {
	case !one:
		return f1(shared, wanted, given)
	case n == 0: // nothing is wrong with nothing
		return 1
	default:
		return float64(shared) / float64(n)
	}
}

func (a *listArgs) report(want, got []string, shared int) string {
	var parts []string
	if missing := without(want, got); len(missing) > 0 {
		parts = append(parts, "missing "+cut(strings.Join(missing, ", ")))
	}
	if extra := without(got, want); len(extra) > 0 {
		parts = append(parts, "more than wanted "+cut(strings.Join(extra, ", ")))
	}
	if len(parts) == 0 {
		parts = append(parts, "the same items in another order: "+cut(strings.Join(got, ", ")))
	}
	figures := listArgs{Measure: "precision"}.figure(shared, want, got) + ", " + listArgs{Measure: "recall"}.figure(shared, want, got)
	return strings.Join(parts, "; ") + " (" + figures + ")"
}

func (a listArgs) figure(shared int, want, got []string) string {
	return fmt.Sprintf("%s %.3g", a.Measure, a.measure(shared, len(want), len(got)))
}

// without are the items of a that b has not, each as often as it is missing.
func without(a, b []string) []string {
	left := map[string]int{}
	for _, key := range b {
		left[key]++
	}
	var missing []string
	for _, key := range a {
		if left[key]--; left[key] < 0 {
			missing = append(missing, key)
		}
	}
	return missing
}

// commonInOrder is the length of the longest common subsequence.
func commonInOrder(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, key := range a {
		diagonal := 0
		for j := range b {
			above := row[j+1]
			if key == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// keyOf writes a value so that two texts are equal where match takes the values as
// equal, and as JSON as far as people read it.
func keyOf(value any) string {
	switch v := value.(type) {
	case string:
		return quoteWhole(strings.Join(strings.Fields(v), " "))
	case json.Number:
		if d, ok := parseDecimal(string(v)); ok {
			return d.String()
		}
		return string(v)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = keyOf(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for key, item := range v {
			parts = append(parts, quoteWhole(key)+":"+keyOf(item))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return show(value) // true, false, null
}

func quoteWhole(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return string(quoted)
}
