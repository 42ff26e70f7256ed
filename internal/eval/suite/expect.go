package suite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// expectation is one entry of expect: a check, or the pattern of one whose strings
// use the case's row.
type expectation struct {
	fixed eval.Check
	node  strictyaml.Node
	texts map[string]rowText // by the text as it is written; empty for a fixed one
}

// rowText renders one string of an expectation.
type rowText func(row map[string]any) (any, error)

// readExpect reads a list of checks. Templates are compiled here, once.
func (p *plan) readExpect(n strictyaml.Node, problems *fault.List) []expectation {
	if !n.Exists() {
		return nil
	}
	if n.Kind() != strictyaml.List {
		problems.Add(n.Mismatch("a list of checks").WithHint("write expect: [schema, {contains: refund}]"))
		return nil
	}
	var list []expectation
	for _, item := range n.Items() {
		if e, err := p.readExpectation(item); err != nil {
			problems.Add(err)
		} else {
			list = append(list, e)
		}
	}
	return list
}

func (p *plan) readExpectation(n strictyaml.Node) (expectation, error) {
	texts := map[string]rowText{}
	_, err := n.Map(func(scalar strictyaml.Node) (strictyaml.Node, error) {
		text := scalar.Text()
		if scalar.Kind() != strictyaml.String || !isTemplate(text) || texts[text] != nil {
			return scalar, nil
		}
		compiled, err := p.compile(scalar)
		texts[text] = compiled
		return scalar, err
	})
	if err != nil {
		return expectation{}, err
	}
	if len(texts) > 0 {
		return expectation{node: n, texts: texts}, nil
	}
	check, err := p.parse(n)
	return expectation{fixed: check}, err
}

// parse reads a check, and refuses a metric's name that has a meaning already.
func (p *plan) parse(n strictyaml.Node) (eval.Check, error) {
	check, err := p.deps.ParseCheck(n)
	if err != nil {
		return nil, err
	}
	if _, taken := unitOf(check.Metric()); taken {
		return nil, n.Errorf("the metric %q is there already, and is no check's", check.Metric()).WithHint("name this one otherwise")
	}
	return check, nil
}

func isTemplate(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "{%")
}

// compile makes a string that is nothing but {{ row.a.b }} into the value itself,
// type and all, so that a row's number stays one; any other template gives text.
func (p *plan) compile(n strictyaml.Node) (rowText, error) {
	if steps := rowPath(n.Text()); steps != nil {
		return func(row map[string]any) (any, error) { return follow(row, steps) }, nil
	}
	if p.deps.CompileText == nil {
		return nil, n.Errorf("templates are not allowed here")
	}
	place := n.Place()
	render, err := p.deps.CompileText(place.File, place.Line, n.Text())
	if err != nil {
		return nil, at(place, err)
	}
	return func(row map[string]any) (any, error) { return render(map[string]any{"row": row}) }, nil
}

// rowPath reads {{ row.a.b }}; nil for anything else.
func rowPath(text string) []string {
	inner, opened := strings.CutPrefix(strings.TrimSpace(text), "{{")
	inner, closed := strings.CutSuffix(inner, "}}")
	inner, isRow := strings.CutPrefix(strings.TrimSpace(inner), "row.")
	if !opened || !closed || !isRow {
		return nil
	}
	steps := strings.Split(inner, ".")
	for _, step := range steps {
		if step == "" || strings.Trim(step, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return nil
		}
	}
	return steps
}

func follow(row map[string]any, steps []string) (any, error) {
	var value any = row
	for i, step := range steps {
		object, ok := value.(map[string]any)
		next, there := object[step]
		if !ok || !there {
			path := "row." + strings.Join(steps[:i+1], ".")
			return nil, fault.New(fault.Invalid, "%s is not there", path).WithHint("%s", fault.Allowed(step, keys(object)))
		}
		value = next
	}
	return value, nil
}

func keys(object map[string]any) []string {
	list := make([]string, 0, len(object))
	for key := range object {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// check is the expectation's check for a case. The row is made only where it is
// used. An error stands at the case, since there the row is, and names the check.
func (p *plan) check(e expectation, c *eval.Case) (eval.Check, error) {
	if e.fixed != nil {
		return e.fixed, nil
	}
	row := rowOf(c)
	rendered, err := e.node.Map(func(scalar strictyaml.Node) (strictyaml.Node, error) {
		text, ok := e.texts[scalar.Text()]
		if !ok || scalar.Kind() != strictyaml.String {
			return scalar, nil
		}
		value, err := text(row)
		if err != nil {
			return scalar, err
		}
		return strictyaml.FromJSON(value, scalar.Place()), nil
	})
	var check eval.Check
	if err == nil {
		check, err = p.parse(rendered)
	}
	if err == nil {
		return check, nil
	}
	return nil, moved(err, c.Place, fmt.Sprintf("with this case's row, the check at %s: ", e.node.Place()))
}

// moved puts problems at another place, and says before each what it is about.
func moved(err error, place fault.Place, about string) error {
	var problems fault.List
	problems.Add(err)
	for i, problem := range problems {
		copied := *problem
		copied.Place, copied.Message = place, about+problem.Message
		problems[i] = &copied
	}
	return problems.Err()
}

// rowOf is what templates see: the inputs by name, and the case's own words, which
// win over inputs of the same name.
func rowOf(c *eval.Case) map[string]any {
	row := make(map[string]any, len(c.Vars)+4)
	for name, value := range c.Vars {
		row[name] = value
	}
	tags := make([]any, len(c.Tags))
	for i, tag := range c.Tags {
		tags[i] = tag
	}
	meta := c.Meta
	if meta == nil {
		meta = map[string]any{}
	}
	row["id"], row["tags"], row["meta"] = c.ID, tags, meta
	if c.Golden != nil {
		row["golden"] = c.Golden.Value
	}
	return row
}
