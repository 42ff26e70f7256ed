package scorer

import (
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// proposal is what a proposed tool call must be: of a name, and with arguments that
// match. What is not given does not matter.
type proposal struct {
	name      string
	arguments *any // nil where none are given
	exact     bool
	schema    *jsonschema.Schema
	written   json.RawMessage
}

// proposalArgs: lookup_invoice, or {name: lookup_invoice, arguments: {id: 17}, match:
// subset|exact, schema: {…}}. An object of arguments matches as a subset: more keys
// may be there, also further in, and white space in text does not count; exact is to
// the letter, and numbers count by their value in both.
type proposalArgs struct {
	Name      *string         `yaml:"name"`
	Arguments strictyaml.Node `yaml:"arguments"`
	Match     string          `yaml:"match" oneof:"subset exact"`
	Schema    strictyaml.Node `yaml:"schema"`
}

// UnmarshalNode reads a name, or a mapping.
func (p *proposal) UnmarshalNode(n strictyaml.Node) error {
	var args proposalArgs
	switch n.Kind() {
	case strictyaml.String:
		name := n.Text()
		args.Name = &name
	case strictyaml.Mapping:
		if err := n.Decode(&args); err != nil {
			return err
		}
	default:
		return n.Mismatch("a tool's name, or a mapping").WithHint("write lookup_invoice, or {name: lookup_invoice, arguments: {id: 17}}")
	}
	return p.settle(n, args)
}

func (p *proposal) settle(n strictyaml.Node, args proposalArgs) error {
	spec := map[string]any{}
	if args.Name != nil {
		if strings.TrimSpace(*args.Name) == "" {
			return n.Errorf("a tool has a name")
		}
		p.name = *args.Name
		spec["name"] = p.name
	}
	if args.Match != "" && !args.Arguments.Exists() {
		return n.Get("match").Errorf("match says how arguments are compared, and there are none").WithHint("add arguments: {…}")
	}
	if args.Arguments.Exists() {
		if args.Arguments.Kind() != strictyaml.Mapping {
			return args.Arguments.Mismatch("a mapping of arguments")
		}
		value := args.Arguments.Value()
		p.arguments, p.exact = &value, args.Match == "exact"
		spec["arguments"] = value
		if p.exact {
			spec["match"] = "exact"
		}
	}
	if args.Schema.Exists() {
		if args.Schema.Kind() != strictyaml.Mapping {
			return args.Schema.Mismatch("a JSON Schema").WithHint("write schema: {type: object, …}")
		}
		raw, compiled, err := new(Parser).compileSchema(args.Schema, args.Schema.Value())
		if err != nil {
			return err
		}
		p.schema = compiled
		spec["schema"] = raw
	}
	p.written = specOf(spec)
	return nil
}

// MarshalJSON writes what was read.
func (p proposal) MarshalJSON() ([]byte, error) { return p.written, nil }

// about says what is wanted: "lookup_invoice with {"id":17}".
func (p *proposal) about() string {
	about := p.name
	if about == "" {
		about = "any tool"
	}
	if p.arguments != nil {
		about += " with " + show(*p.arguments)
	}
	if p.schema != nil {
		about += " with arguments of the schema"
	}
	return about
}

// names is the tool's, if it is named.
func (p *proposal) names() []string {
	if p.name == "" {
		return nil
	}
	return []string{p.name}
}

// differs says why a call is not what is wanted, "" where it is.
func (p *proposal) differs(call llm.ToolCall) string {
	if p.name != "" && call.Name != p.name {
		return "want " + p.name + ", got " + quote(call.Name)
	}
	if p.arguments == nil && p.schema == nil {
		return ""
	}
	// Of a tool without arguments some models write none at all.
	written := call.Arguments
	if strings.TrimSpace(written) == "" {
		written = "{}"
	}
	value, err := parseJSON(written)
	if err != nil {
		return call.Name + ": the arguments are not JSON: " + quote(call.Arguments)
	}
	if p.arguments != nil {
		how := subset
		if p.exact {
			how = exact
		}
		if ok, reason := match(*p.arguments, value, how); !ok {
			return call.Name + ": " + reason
		}
	}
	if p.schema != nil {
		if violations := p.schema.Validate(value); len(violations) > 0 {
			return call.Name + ": " + cutReason(violations[0].String())
		}
	}
	return ""
}

// parseToolCalled: tool_called for any tool, {tool_called: lookup_invoice}, or
// {tool_called: {name: …, arguments: {…}, match: exact, schema: {…}}}: the model
// proposed such a call, among others or alone. {not: {tool_called: refund}} forbids it.
func parseToolCalled(n strictyaml.Node) (rule, error) {
	var want proposal
	var given struct {
		proposalArgs `yaml:",inline"`
		options      `yaml:",inline"`
	}
	var err error
	switch n.Kind() {
	case strictyaml.Absent:
		want.written = json.RawMessage("{}")
	case strictyaml.Mapping:
		if err = n.Decode(&given); err == nil {
			err = want.settle(n, given.proposalArgs)
		}
	default:
		err = want.UnmarshalNode(n)
	}
	if err != nil {
		return rule{}, err
	}
	return rule{args: want, options: given.options, needs: eval.NeedToolCalls, tools: want.names(), about: "calls " + want.about(), judge: func(s *eval.Subject) (bool, string, error) {
		reason := ""
		for _, call := range s.ToolCalls {
			why := want.differs(call)
			if why == "" {
				return true, "", nil
			}
			if call.Name == want.name || want.name == "" {
				reason = why // of the right tool, with other arguments
			}
		}
		if reason == "" {
			reason = "want a call of " + want.about() + ", got " + namesOf(s.ToolCalls)
		}
		return false, reason, nil
	}}, nil
}

// namesOf lists the tools that were called.
func namesOf(calls []llm.ToolCall) string {
	if len(calls) == 0 {
		return "no call"
	}
	names := make([]string, len(calls))
	for i, call := range calls {
		names[i] = call.Name
	}
	return cut(strings.Join(names, ", "))
}
