// Package scorer has the checks: it reads an entry of a suite's expect list into
// an eval.Check, and scores answers by it. Everything is parsed and compiled
// once; scoring reads the answer and nothing else. It imports the words, the
// strict YAML and the JSON Schema door.
package scorer

import (
	"context"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
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
	with        func(p *Parser, args strictyaml.Node) (rule, error) // in place of parse
}

// Deps are what some checks need of other rooms. Without it they are refused.
type Deps struct {
	// ReadFile reads a file of the project, by its path from there, that a schema refers to.
	ReadFile func(file string) ([]byte, error)
	// Judge finds who judges: a judge prompt, by the name that a check gives it, on a
	// model or a route, for a check at a place.
	Judge func(prompt, model string, place fault.Place) (Judge, error)
	// DefaultJudge is the model or route that judges where a check names none; "" for
	// nobody.
	DefaultJudge func() string
	// Embedder finds who makes vectors of texts.
	Embedder func(model string, place fault.Place) (Embedder, error)
	Programs Programs // of program
	SQL      SQL      // of is_sql
}

// Parser reads checks. The zero value reads those that look at the answer alone.
type Parser struct{ deps Deps }

// NewParser makes a parser of every check there is.
func NewParser(d Deps) *Parser { return &Parser{deps: d} }

// Parse reads an entry by a Parser without deps.
func Parse(n strictyaml.Node) (eval.Check, error) { return new(Parser).Parse(n) }

// ParseList reads a list of entries by a Parser without deps.
func ParseList(n strictyaml.Node) ([]eval.Check, error) { return new(Parser).ParseList(n) }

// rule is what a kind makes of its arguments.
type rule struct {
	args    any // canonical, for the spec
	options options
	about   string // what is asked, in a few words: `contains "refund"`
	needs   eval.Need
	tools   []string               // that it names
	aside   bool                   // it looks at the golden answer, and holds no answer against it
	fits    func(golden any) error // nil where any golden answer will do, or none is looked at
	judge   judge

	// A check that holds by degrees has, in place of judge:
	rate      rate
	threshold threshold

	// A check that takes its time, as it asks a model or runs a program, has in place
	// of both:
	ask       ask
	asksModel bool // so that nobody runs it again without a call
	questions func(s *eval.Subject) ([]llm.Request, error)

	// A check that says more of a subject than a value and a reason has, in place of
	// all of them:
	whole whole
	// labels says what the label check tells apart; nil for every other.
	labels func(output llm.Output) eval.Labels
}

// judge tells whether a subject passes, and why not. An error means that it
// cannot be judged.
type judge func(s *eval.Subject) (pass bool, reason string, err error)

// rate gives a score from 0 to 1, and says what is missing from it.
type rate func(s *eval.Subject) (value float64, reason string, err error)

// ask is a rate that can be cancelled, and says whom it asked: also beside an error.
type ask func(ctx context.Context, s *eval.Subject) (value float64, reason string, asked *eval.Asked, err error)

// whole gives the value, whether it passes, and what else is in a score; the names and
// the weight are the check's.
type whole func(ctx context.Context, s *eval.Subject) (eval.Score, error)

func kinds() []kind {
	return []kind{
		{name: "golden", version: 1, bare: true, parse: parseGolden},
		{name: "schema", version: 1, bare: true, with: (*Parser).parseSchema},
		{name: "equals", version: 1, parse: parseEquals},
		{name: "contains", version: 1, parse: parseContains},
		{name: "regex", version: 1, parse: parseRegex},
		{name: "starts_with", version: 1, parse: parseStartsWith},
		{name: "ends_with", version: 1, parse: parseEndsWith},
		{name: "length", version: 1, parse: parseLength},
		{name: "exact_match", version: 1, bare: true, parse: parseExactMatch},
		{name: "token_f1", version: 1, bare: true, parse: parseTokenF1},
		{name: "levenshtein", version: 1, bare: true, parse: parseLevenshtein},
		{name: "refusal", version: 1, bare: true, parse: parseRefusal},
		{name: "field", version: 1, parse: parseField},
		{name: "numeric", version: 1, parse: parseNumeric},
		{name: "date", version: 1, bare: true, parse: parseDate},
		{name: "json", version: 1, bare: true, parse: parseJSONDiff},
		{name: "list", version: 1, bare: true, parse: parseList},
		{name: "is_json", version: 1, bare: true, parse: form("JSON", notJSONText)},
		{name: "is_yaml", version: 1, bare: true, parse: form("YAML", notYAML)},
		{name: "is_xml", version: 1, bare: true, parse: form("XML", notXML)},
		{name: "is_html", version: 1, bare: true, parse: form("HTML", notHTML)},
		{name: "is_sql", version: 1, bare: true, with: parseIsSQL},
		{name: "label", version: 1, bare: true, parse: parseLabel},
		{name: "program", version: 1, with: parseProgram},
		{name: "tool_called", version: 1, bare: true, parse: parseToolCalled},
		{name: "tool_sequence", version: 1, parse: parseToolSequence},
		{name: "finish_reason", version: 1, parse: parseFinish},
		{name: "similarity", version: 1, with: parseSimilarity},
		{name: "rubric", version: 1, with: parseRubric},
		{name: "criteria", version: 1, with: parseCriteria},
		{name: "factuality", version: 1, bare: true, with: parseFactuality},
		{name: "faithfulness", version: 1, with: parseFaithfulness},
		{name: "relevance", version: 1, bare: true, with: parseRelevance},
		{name: "context_precision", version: 1, with: parseContextPrecision},
		{name: "context_recall", version: 1, with: parseContextRecall},
		{name: "preferred", version: 1, bare: true, with: parsePreferred},
		{name: "max_cost", version: 1, operational: true, parse: parseMaxCost},
		{name: "max_latency", version: 1, operational: true, parse: parseMaxLatency},
		{name: "max_attempts", version: 1, operational: true, parse: parseMaxAttempts},
		{name: "max_turns", version: 1, operational: true, parse: parseMaxTurns},
		{name: "repaired", version: 1, operational: true, bare: true, parse: parseRepaired},
		{name: "max_tokens", version: 1, operational: true, parse: parseMaxTokens},
		{name: "cached", version: 1, operational: true, bare: true, parse: parseCached},
	}
}

// The checks that stand around others.
const (
	not   = "not"
	anyOf = "any_of"
	allOf = "all_of"
)

// Names lists what an entry of expect may be called, those around others last.
func Names() []string {
	var names []string
	for _, kind := range kinds() {
		names = append(names, kind.name)
	}
	return append(names, anyOf, allOf, not)
}

// Golden is the check that a case with a golden answer has without asking.
func Golden() eval.Check {
	r, err := parseGolden(strictyaml.Node{})
	if err != nil {
		panic(err) // no arguments: nothing can be wrong with them
	}
	return newCheck(kinds()[0], r, fault.Place{})
}

// ParseList reads a list of entries, and returns all their problems at once.
func (p *Parser) ParseList(n strictyaml.Node) ([]eval.Check, error) {
	if !n.Exists() {
		return nil, nil
	}
	if n.Kind() != strictyaml.List {
		return nil, n.Mismatch("a list of checks")
	}
	var checks []eval.Check
	var problems fault.List
	for _, item := range n.Items() {
		check, err := p.Parse(item)
		problems.Add(err)
		checks = append(checks, check)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return checks, nil
}

// Parse reads one entry: a bare word (schema), a mapping of one key to its
// arguments ({contains: refund}), or such within {not: …}, {any_of: […]} or {all_of: […]}.
func (p *Parser) Parse(n strictyaml.Node) (eval.Check, error) {
	c, err := p.parseEntry(n)
	if err != nil {
		return nil, err
	}
	if c.Weight() != 1 && c.Metric() == "" {
		return nil, fault.At(c.Place(), "the weight of %s weighs nothing: it counts in the mean of a metric, or of an all_of", c.Name()).
			WithHint("add metric: NAME, or put the checks into {all_of: {checks: […], threshold: 0.8}}")
	}
	return c, nil
}

func (p *Parser) parseEntry(n strictyaml.Node) (asked, error) {
	switch n.Kind() {
	case strictyaml.String:
		return p.parseBare(n)
	case strictyaml.Mapping:
		fields := n.Fields()
		if len(fields) != 1 {
			return nil, n.Errorf("a check has one name, this has %d", len(fields)).
				WithHint("options stand inside it, {contains: {value: refund, ignore_case: true}}; more checks are more entries of the list")
		}
		return p.parseNamed(fields[0])
	}
	return nil, n.Mismatch("a check").WithHint("a check is a name, or a name with arguments: %s", strings.Join(Names(), ", "))
}

func (p *Parser) parseBare(n strictyaml.Node) (asked, error) {
	kind, err := find(n.Text(), n.Place())
	if err != nil {
		return nil, err
	}
	if !kind.bare {
		return nil, n.Errorf("the check %s needs arguments", kind.name).WithHint("write {%s: …}", kind.name)
	}
	r, err := kind.read(p, strictyaml.Node{})
	if err != nil {
		return nil, placed(err, n.Place())
	}
	return newCheck(kind, r, n.Place()), nil
}

func (p *Parser) parseNamed(field strictyaml.Field) (asked, error) {
	switch field.Key {
	case not:
		return p.parseNot(field)
	case anyOf, allOf:
		return p.parseGroup(field)
	}
	kind, err := find(field.Key, field.Place)
	if err != nil {
		return nil, err
	}
	args := field.Value
	if kind.bare && args.Kind() == strictyaml.Null { // "golden:" is golden
		args = strictyaml.Node{}
	}
	r, err := kind.read(p, args)
	if err != nil {
		return nil, placed(err, field.Place)
	}
	c := newCheck(kind, r, field.Place)
	c.fields = fieldsIn(kind.name, args)
	return c, nil
}

func (k kind) read(p *Parser, args strictyaml.Node) (rule, error) {
	if k.with != nil {
		return k.with(p, args)
	}
	return k.parse(args)
}

func find(name string, place fault.Place) (kind, error) {
	switch name {
	case not:
		return kind{}, fault.At(place, "not needs a check").WithHint("write {not: {contains: refund}}")
	case anyOf, allOf:
		return kind{}, fault.At(place, "%s needs checks", name).WithHint("write {%s: [{contains: refund}, {contains: money}]}", name)
	}
	for _, kind := range kinds() {
		if kind.name == name {
			return kind, nil
		}
	}
	return kind{}, fault.At(place, "unknown check %q", name).WithHint("%s; llmx help checks shows them", fault.Allowed(name, Names()))
}
