package scorer

import (
	"encoding/json"
	"regexp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// options are what every check may have.
type options struct {
	Metric metricName `yaml:"metric"`
	Weight weight     `yaml:"weight"`
}

// takeFrom reads the options that stand among the keys of something else, and takes
// them out of it.
func (o *options) takeFrom(n strictyaml.Node, document map[string]any) error {
	var problems fault.List
	for key, option := range map[string]strictyaml.Unmarshaler{"metric": &o.Metric, "weight": &o.Weight} {
		if value := n.Get(key); value.Exists() {
			problems.Add(option.UnmarshalNode(value))
			delete(document, key)
		}
	}
	return problems.Err()
}

// describe puts what was given into a spec.
func (o options) describe(spec map[string]any) {
	spec["metric"], spec["weight"] = string(o.Metric), o.Weight.or1()
}

// metricPattern is what a named metric looks like, so that it can stand in gates,
// file names and table heads.
var metricPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// metricName is the name under which a check's scores are averaged.
type metricName string

// UnmarshalNode refuses names that could not stand in a table or a gate.
func (m *metricName) UnmarshalNode(n strictyaml.Node) error {
	if n.Kind() != strictyaml.String || !metricPattern.MatchString(n.Text()) {
		return n.Mismatch("a metric's name").WithHint("lower-case letters, digits and _, at most 64, a letter first")
	}
	*m = metricName(n.Text())
	return nil
}

// weight is how much a check counts in a mean; 0 is none given, which is 1.
type weight float64

// maxWeight bounds a weight, so that sums of weights stay exact enough.
const maxWeight = 1000

// UnmarshalNode reads a number above 0.
func (w *weight) UnmarshalNode(n strictyaml.Node) error {
	value, ok := floatOf(n)
	if !ok || value <= 0 || value > maxWeight {
		return n.Mismatch("a weight above 0, at most 1000").
			WithHint("a check that is measured and not required has a metric, and threshold: 0 where it has a score")
	}
	*w = weight(value)
	return nil
}

func (w weight) or1() float64 {
	if w == 0 {
		return 1
	}
	return float64(w)
}

// threshold is the score, 0 to 1, from which on a check passes.
type threshold float64

// UnmarshalNode reads a number from 0 to 1.
func (t *threshold) UnmarshalNode(n strictyaml.Node) error {
	value, ok := floatOf(n)
	if !ok || value < 0 || value > 1 {
		return n.Mismatch("a threshold from 0 to 1").WithHint("the check passes where its score is at least that; write percents as a fraction: 0.8")
	}
	*t = threshold(value)
	return nil
}

// slack keeps the rounding of sums from deciding: 0.1 + 0.2 reaches 0.3.
const slack = 1e-9

func (t threshold) reached(score float64) bool { return score+slack >= float64(t) }

// floatOf reads a number, written as one or as a string, as a row of a CSV file has it.
func floatOf(n strictyaml.Node) (float64, bool) {
	var v number
	if err := v.UnmarshalNode(n); err != nil {
		return 0, false
	}
	r, ok := v.rat()
	if !ok {
		return 0, false
	}
	f, _ := r.Float64()
	return f, true
}

// specOf writes canonical JSON: keys sorted, what was not given left out.
func specOf(parts map[string]any) json.RawMessage {
	for key, part := range parts {
		if part == nil || part == "" || part == 1.0 {
			delete(parts, key)
		}
	}
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // arguments are strings, numbers and lists of them
	}
	return text
}
