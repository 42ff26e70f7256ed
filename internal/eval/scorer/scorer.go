// Package scorer has the checks: it reads an entry of a suite's expect list into
// an eval.Check, and scores answers by it. Everything is parsed and compiled
// once; scoring reads the answer and nothing else. It imports the words, the
// strict YAML and the JSON Schema door.
package scorer

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// kind is one kind of check, as a suite file names it. The version is raised when
// the same arguments begin to judge differently, so that criteria hashes move.
type kind struct {
	name        string
	version     int
	bare        bool // may stand without arguments
	operational bool
	parse       func(args strictyaml.Node) (rule, error)
}

// rule is what a kind makes of its arguments.
type rule struct {
	args   any    // canonical, for the spec
	metric string // "" for none
	about  string // what is asked, in a few words: `contains "refund"`
	judge  judge
}

// judge tells whether a subject passes, and why not. An error means that it
// cannot be judged.
type judge func(s *eval.Subject) (pass bool, reason string, err error)

func kinds() []kind {
	return []kind{
		{name: "golden", version: 1, bare: true, parse: parseGolden},
		{name: "schema", version: 1, bare: true, parse: parseSchema},
		{name: "equals", version: 1, parse: parseEquals},
		{name: "contains", version: 1, parse: parseContains},
		{name: "regex", version: 1, parse: parseRegex},
		{name: "field", version: 1, parse: parseField},
		{name: "numeric", version: 1, parse: parseNumeric},
		{name: "length", version: 1, parse: parseLength},
		{name: "finish_reason", version: 1, parse: parseFinish},
		{name: "max_cost", version: 1, operational: true, parse: parseMaxCost},
		{name: "max_latency", version: 1, operational: true, parse: parseMaxLatency},
		{name: "max_attempts", version: 1, operational: true, parse: parseMaxAttempts},
	}
}

const not = "not"

// Names lists what an entry of expect may be called, "not" last.
func Names() []string {
	var names []string
	for _, kind := range kinds() {
		names = append(names, kind.name)
	}
	return append(names, not)
}

// Golden is the check that a case with a golden answer has without asking.
func Golden() eval.Check {
	r, err := parseGolden(strictyaml.Node{})
	if err != nil {
		panic(err) // no arguments: nothing can be wrong with them
	}
	return newCheck(kinds()[0], r)
}

// ParseList reads a list of entries, and returns all their problems at once.
func ParseList(n strictyaml.Node) ([]eval.Check, error) {
	if !n.Exists() {
		return nil, nil
	}
	if n.Kind() != strictyaml.List {
		return nil, n.Mismatch("a list of checks")
	}
	var checks []eval.Check
	var problems fault.List
	for _, item := range n.Items() {
		check, err := Parse(item)
		problems.Add(err)
		checks = append(checks, check)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return checks, nil
}

// Parse reads one entry: a bare word (schema), a mapping of one key to its
// arguments ({contains: refund}), or either within {not: …}.
func Parse(n strictyaml.Node) (eval.Check, error) {
	switch n.Kind() {
	case strictyaml.String:
		return parseBare(n)
	case strictyaml.Mapping:
		fields := n.Fields()
		if len(fields) != 1 {
			return nil, n.Errorf("a check has one name, this has %d", len(fields)).
				WithHint("options stand inside it, {contains: {value: refund, ignore_case: true}}; more checks are more entries of the list")
		}
		return parseNamed(fields[0])
	}
	return nil, n.Mismatch("a check").WithHint("a check is a name, or a name with arguments: %s", strings.Join(Names(), ", "))
}

func parseBare(n strictyaml.Node) (eval.Check, error) {
	kind, err := find(n.Text(), n.Place())
	if err != nil {
		return nil, err
	}
	if !kind.bare {
		return nil, n.Errorf("the check %s needs arguments", kind.name).WithHint("write {%s: …}", kind.name)
	}
	r, err := kind.parse(strictyaml.Node{})
	if err != nil {
		return nil, err
	}
	return newCheck(kind, r), nil
}

func parseNamed(field strictyaml.Field) (eval.Check, error) {
	if field.Key == not {
		return parseNot(field)
	}
	kind, err := find(field.Key, field.Place)
	if err != nil {
		return nil, err
	}
	args := field.Value
	if kind.bare && args.Kind() == strictyaml.Null { // "golden:" is golden
		args = strictyaml.Node{}
	}
	r, err := kind.parse(args)
	if err != nil {
		return nil, err
	}
	return newCheck(kind, r), nil
}

func find(name string, place fault.Place) (kind, error) {
	if name == not {
		return kind{}, fault.At(place, "not needs a check").WithHint("write {not: {contains: refund}}")
	}
	for _, kind := range kinds() {
		if kind.name == name {
			return kind, nil
		}
	}
	return kind{}, fault.At(place, "unknown check %q", name).WithHint("%s", fault.Allowed(name, Names()))
}

// metricPattern is what a named metric looks like, so that it can stand in gates,
// file names and table heads.
var metricPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// metricName is an option of every check.
type metricName string

// UnmarshalNode refuses names that could not stand in a table or a gate.
func (m *metricName) UnmarshalNode(n strictyaml.Node) error {
	if n.Kind() != strictyaml.String || !metricPattern.MatchString(n.Text()) {
		return n.Mismatch("a metric's name").WithHint("lower-case letters, digits and _, at most 64, a letter first")
	}
	*m = metricName(n.Text())
	return nil
}

// check is every check there is: a rule with its name.
type check struct {
	kind kind
	rule rule
	spec json.RawMessage
}

func newCheck(k kind, r rule) *check {
	return &check{kind: k, rule: r, spec: specOf(map[string]any{
		"check": k.name, "version": k.version, "args": r.args, "metric": r.metric,
	})}
}

// specOf writes canonical JSON: keys sorted, nothing escaped for HTML's sake.
func specOf(parts map[string]any) json.RawMessage {
	for key, part := range parts {
		if part == nil || part == "" {
			delete(parts, key)
		}
	}
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // arguments are strings, numbers and lists of them
	}
	return text
}

func (c *check) Name() string          { return c.kind.name }
func (c *check) Metric() string        { return c.rule.metric }
func (c *check) Spec() json.RawMessage { return c.spec }
func (c *check) Operational() bool     { return c.kind.operational }
func (c *check) Deterministic() bool   { return true }

func (c *check) Score(_ context.Context, subject eval.Subject) (eval.Score, error) {
	pass, reason, err := c.rule.judge(&subject)
	if err != nil {
		return eval.Score{}, err
	}
	return score(c, pass, reason), nil
}

func score(c eval.Check, pass bool, reason string) eval.Score {
	s := eval.Score{Check: c.Name(), Metric: c.Metric(), Pass: pass, Reason: reason, Operational: c.Operational()}
	if pass {
		s.Value = 1
	}
	return s
}
