package scorer

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type jsonArgs struct {
	Value     wanted      `yaml:"value" json:"value,omitzero"`
	Exact     bool        `yaml:"exact" json:"exact,omitempty"`
	Threshold threshold   `yaml:"threshold" json:"threshold"`
	Extract   *extraction `yaml:"extract" json:"extract,omitempty"`
	options   `yaml:",inline" json:"-"`
}

// parseJSONDiff: json for the golden answer, or {json: {value: {…}, exact: true,
// threshold: 0.8, extract: {path: …}}}. The score is the share of fields that are as
// wanted, where a field is whatever is neither an object nor a list, at any depth;
// an empty object or list is one, too. Fields that were not asked for count as wrong
// with exact, or golden_match: exact, and items of a list always. White space in
// text does not count but for golden_match: exact.
func parseJSONDiff(n strictyaml.Node) (rule, error) {
	args := jsonArgs{Threshold: 1}
	err := decodeOr(n, &args, func(strictyaml.Node) error {
		return n.Mismatch("a mapping").WithHint("write {json: {value: {label: billing}, threshold: 0.8}}, or json alone for the golden answer")
	})
	if err != nil {
		return rule{}, err
	}
	return rule{
		args: args, options: args.options, needs: args.Value.needs(), about: "has the fields of " + args.Value.about(),
		rate: args.rate, threshold: args.Threshold,
	}, nil
}

func (a *jsonArgs) rate(s *eval.Subject) (float64, string, error) {
	want, err := a.Value.of(s, func(any) error { return nil })
	if err != nil {
		return 0, "", err
	}
	got, ok, reason := a.Extract.value(s)
	if !ok {
		return 0, reason, nil
	}
	diff := jsonDiff{how: subset}
	if a.Exact {
		diff.how = equal
	}
	if a.Value.IsZero() && s.Golden.Exact {
		diff.how = exact
	}
	diff.compare("", want, got)
	return diff.score(), diff.report(), nil
}

// maxDiffs is how many differing fields a reason lists.
const maxDiffs = 8

// jsonDiff counts fields that are as wanted.
type jsonDiff struct {
	how           strictness
	fields, right int
	wrong         []string // "label: want …", the first maxDiffs
	unlisted      int      // wrong fields that are not among them
}

func (d *jsonDiff) score() float64 { return float64(d.right) / float64(d.fields) }

// report says which fields are wrong; "" where none is.
func (d *jsonDiff) report() string {
	if d.right == d.fields {
		return ""
	}
	report := fmt.Sprintf("%d of %d fields are right: %s", d.right, d.fields, strings.Join(d.wrong, "; "))
	if d.unlisted > 0 {
		report += fmt.Sprintf("; and %d more", d.unlisted)
	}
	return report
}

func (d *jsonDiff) compare(at string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok && len(w) > 0 {
			d.compareObject(at, w, g)
			return
		}
	case []any:
		if g, ok := got.([]any); ok && len(w) > 0 {
			d.compareList(at, w, g)
			return
		}
	}
	// Of a whole part that is not there, every field is wrong.
	n := leaves(want)
	d.fields += n
	if ok, reason := matchAt(at, want, got, d.how); ok {
		d.right += n
	} else {
		d.note(reason, n)
	}
}

func (d *jsonDiff) compareObject(at string, want, got map[string]any) {
	for _, key := range sortedKeys(want) {
		value, there := got[key]
		if !there {
			d.miss(inside(at, key)+"want "+show(want[key])+", got nothing", want[key])
			continue
		}
		d.compare(inside(at, key), want[key], value)
	}
	if d.how == subset {
		return
	}
	for _, key := range sortedKeys(got) {
		if _, wanted := want[key]; !wanted {
			d.miss(inside(at, key)+"want nothing, got "+show(got[key]), got[key])
		}
	}
}

func (d *jsonDiff) compareList(at string, want, got []any) {
	for i := range max(len(want), len(got)) {
		here := inside(at, fmt.Sprintf("[%d]", i))
		switch {
		case i >= len(got):
			d.miss(here+"want "+show(want[i])+", got nothing", want[i])
		case i >= len(want):
			d.miss(here+"want nothing, got "+show(got[i]), got[i])
		default:
			d.compare(here, want[i], got[i])
		}
	}
}

// miss counts every field of a part that is there on one side only.
func (d *jsonDiff) miss(reason string, part any) {
	n := leaves(part)
	d.fields += n
	d.note(reason, n)
}

// note keeps a reason for n wrong fields; the first stands for all of them.
func (d *jsonDiff) note(reason string, n int) {
	if len(d.wrong) == maxDiffs {
		d.unlisted += n
		return
	}
	if n > 1 {
		reason += fmt.Sprintf(" (%d fields)", n)
	}
	d.wrong = append(d.wrong, reason)
}

// leaves counts the fields of a value.
func leaves(value any) int {
	n := 0
	switch v := value.(type) {
	case map[string]any:
		for _, part := range v {
			n += leaves(part)
		}
	case []any:
		for _, part := range v {
			n += leaves(part)
		}
	}
	return max(n, 1)
}
