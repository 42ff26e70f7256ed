package prompt

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// readExamples renders the few-shot examples: the sections from the user's turn on
// with the example's inputs, and its output as the assistant's answer.
func (l *loader) readExamples(p *Prompt, blocks []exampleBlock) {
	for i, block := range blocks {
		if p.turn == len(p.sections) {
			l.problems.Add(fault.At(block.Place, "there are examples, but no section user:").WithHint("an example is a user's turn and its answer"))
			return
		}
		if block.Inputs.Kind() != strictyaml.Mapping {
			l.problems.Add(block.Inputs.Mismatch("a mapping of inputs"))
			continue
		}
		if block.Output.Kind() == strictyaml.Absent {
			continue
		}
		vars, _ := block.Inputs.Value().(map[string]any)
		inputs, err := p.bind(vars)
		if err != nil {
			l.exampleProblems(i, block.Inputs, err)
			continue
		}
		messages, err := p.renderSections(nil, p.turn, len(p.sections), inputs)
		if err != nil {
			l.exampleProblems(i, block.Inputs, err)
			continue
		}
		answer, err := p.exampleAnswer(block.Output)
		if err != nil {
			l.exampleProblems(i, block.Output, err)
			continue
		}
		p.examples = append(append(p.examples, messages...), llm.Text(llm.Assistant, answer))
	}
}

// exampleProblems gives what is wrong with an example its place.
func (l *loader) exampleProblems(i int, n strictyaml.Node, err error) {
	var problems fault.List
	problems.Add(err)
	for _, problem := range problems {
		placed := *problem
		placed.Message = fmt.Sprintf("example %d: %s", i+1, problem.Message)
		if placed.Place.File == "" {
			placed.Place = n.Place()
		}
		l.problems.Add(&placed)
	}
}

// exampleAnswer is the text of an example's output, which must keep the contract.
func (p *Prompt) exampleAnswer(n strictyaml.Node) (string, error) {
	switch p.Output.Kind {
	case llm.OutputJSON:
		return jsonExample(n, p.schema)
	case llm.OutputList:
		schema, err := jsonschema.Compile(p.Output.ValueSchema())
		if err != nil {
			return "", err
		}
		return jsonExample(n, schema)
	case llm.OutputNumber:
		if n.Kind() != strictyaml.Number {
			return "", n.Mismatch("a number")
		}
		return n.Text(), nil
	case llm.OutputBoolean:
		if value, ok := n.Value().(bool); ok {
			return strconv.FormatBool(value), nil
		}
		return "", n.Mismatch("true or false")
	}
	if n.Kind() != strictyaml.String {
		return "", n.Mismatch("a string")
	}
	return p.textExample(n)
}

func jsonExample(n strictyaml.Node, schema *jsonschema.Schema) (string, error) {
	raw, err := jsonOf(n)
	if err != nil {
		return "", err
	}
	if violations := schema.Validate(n.Value()); len(violations) > 0 {
		words := make([]string, len(violations))
		for i, v := range violations {
			words[i] = v.String()
		}
		return "", n.Errorf("the output breaks the schema: %s", strings.Join(words, "; "))
	}
	return string(raw), nil
}

// textExample is an example that stands in the prompt as it is written; code gets its
// fence.
func (p *Prompt) textExample(n strictyaml.Node) (string, error) {
	text := n.Text()
	switch p.Output.Kind {
	case llm.OutputLabel:
		if !slices.Contains(p.Output.Enum, text) {
			return "", n.Errorf("the output %q is no label of the prompt", text).WithHint("%s", fault.Allowed(text, p.Output.Enum))
		}
	case llm.OutputCode:
		if strings.TrimSpace(text) == "" || strings.Contains(text, "```") {
			return "", n.Errorf("the output of an example is the code without its fence")
		}
		return "```" + p.Output.Language + "\n" + strings.TrimRight(text, "\r\n") + "\n```", nil
	case llm.OutputRegex:
		if whole := regexp.MustCompile(`\A(?:` + p.Output.Pattern + `)\z`); !whole.MatchString(strings.TrimSpace(text)) {
			return "", n.Errorf("the output does not match the pattern %s", p.Output.Pattern)
		}
	}
	return text, nil
}

// Examples tells which of the messages that Render makes are the examples: from..to.
func (p *Prompt) Examples() (from, to int) { return p.turn, p.turn + len(p.examples) }
