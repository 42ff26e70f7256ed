package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/engine/structured"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

func newPromptRender(w *World) *cobra.Command {
	var vars []string
	var fromCase, model string
	cmd := &cobra.Command{
		Use:   "render PROMPT[@VERSION]",
		Short: "The messages that a prompt makes of its inputs; no model is called",
		Long: `Show the messages as they are sent to the prompt's model, or to that of --model (of a
route: to the one that comes first), with the instructions on the form of the answer
that the model gets; and about how many tokens they are, item by item.`,
		Example:           "  llmx prompt render triage -v ticket=\"I was charged twice\"\n  llmx prompt render triage@1.0.0 --case triage/refund-angry\n  llmx prompt render triage --case triage/refund-angry --model llama",
		Args:              takes(1, 1),
		ValidArgsFunction: completePrompts(w),
		RunE: inProject(w, func(_ *cobra.Command, p *project, args []string) error {
			found, err := p.prompts.Resolve(args[0], prompt.Develop)
			if err != nil {
				return asUsage(err)
			}
			values, err := p.readVars(found, vars)
			if err == nil && fromCase != "" {
				values, err = p.varsOfCase(fromCase, args[0], values)
			}
			if err != nil {
				return err
			}
			return p.render(found, values, model)
		}),
	}
	cmd.Flags().StringArrayVarP(&vars, "var", "v", nil, "an input, `NAME=VALUE`; VALUE may be @FILE, or @- for stdin (repeatable)")
	cmd.Flags().StringVar(&model, "model", "", "show what this model or route is sent in place of the prompt's")
	cmd.Flags().StringVar(&fromCase, "case", "", "take the inputs of a case, `SUITE/CASE`")
	return cmd
}

// render shows what a prompt sends to a model, and about how many tokens that is.
func (p *project) render(found *prompt.Prompt, values map[string]any, model string) error {
	messages, err := found.Render(values)
	if err != nil {
		return asUsage(err)
	}
	req := llm.Request{Prompt: found.Ref(), Vars: values, Messages: messages, Options: found.Options, Output: found.Output, Tools: found.Tools}
	alias, err := p.sentTo(found, req, model)
	if err != nil {
		return err
	}
	sent, told := p.teller(alias).Tell(req)
	if err := printMessages(p.world, sent.Messages); err != nil {
		return err
	}
	if err := printTools(p.world, &found.Tools); err != nil {
		return err
	}
	return p.printTokens(alias, found, req, told)
}

// sentTo is the model that a rendering is for: "" where neither the prompt nor a flag
// names one. Of a route it is the one that is asked first.
func (p *project) sentTo(found *prompt.Prompt, req llm.Request, model string) (string, error) {
	place := fault.Place{}
	if model == "" {
		model, place = found.Model, fault.Place{File: found.File}
	}
	if model == "" {
		return "", nil
	}
	target, err := p.lookup(model, place)
	if err != nil {
		return "", err
	}
	return p.policy(target).First(req), nil
}

// item is a line of the token count.
type item struct {
	tokens int64
	name   string
}

// itemsOf count a request before anything was added, and what was added.
func itemsOf(found *prompt.Prompt, req llm.Request, told structured.Told) []item {
	var items []item
	from, to := found.Examples()
	for i, message := range req.Messages {
		if i == from && to > from {
			items = append(items, item{llm.EstimateInput(req.Messages[from:to]), fmt.Sprintf("examples (%s)", counted(to-from, "message"))})
		}
		if i < from || i >= to {
			items = append(items, item{llm.EstimateInput([]llm.Message{message}), string(message.Role)})
		}
	}
	for _, added := range []struct {
		text []byte
		name string
	}{
		{[]byte(told.Instructions), "instructions"}, {told.Format, "response_format"},
		{req.Options["response_format"], "response_format"}, {req.Tools.Text(), "tools"},
	} {
		if len(added.text) > 0 {
			items = append(items, item{llm.EstimateTokens(len(added.text)), added.name})
		}
	}
	return items
}

func (p *project) printTokens(alias string, found *prompt.Prompt, req llm.Request, told structured.Told) error {
	items := itemsOf(found, req, told)
	sum := item{name: "in all"}
	for _, one := range items {
		sum.tokens += one.tokens
	}
	title := "tokens, estimated:"
	if alias != "" {
		title = fmt.Sprintf("tokens for %s (%s), estimated:", alias, p.resolved(alias))
	}
	lines := []string{title}
	width := len(fmt.Sprint(sum.tokens))
	for _, one := range append(items, sum) {
		lines = append(lines, fmt.Sprintf("  %*d  %s", width, one.tokens, one.name))
	}
	if said := p.tellingInWords(alias, found, told); said != "" {
		lines = append(lines, "form of the answer: "+said)
	}
	_, err := fmt.Fprintln(p.world.Stdout, strings.Join(lines, "\n"))
	return err
}

// varsOfCase reads the inputs of a case; those that were given go over them.
func (p *project) varsOfCase(name, ref string, over map[string]any) (map[string]any, error) {
	suiteName, caseID, ok := strings.Cut(name, "/")
	if !ok {
		return nil, fault.New(fault.Usage, "--case %s names no case", name).WithHint("write SUITE/CASE")
	}
	suites, err := p.loadSuites(selection{names: []string{suiteName}, prompts: onePrompt(ref)})
	if err != nil {
		return nil, err
	}
	var ids []string
	for c, err := range suites[0].Cases() {
		if err != nil {
			return nil, err
		}
		if c.ID == caseID {
			vars := firstVars(&c)
			for input, value := range over {
				vars[input] = value
			}
			return vars, nil
		}
		ids = append(ids, c.ID)
	}
	return nil, fault.New(fault.Usage, "the suite %s has no case %q", suiteName, caseID).WithHint("%s", fault.Allowed(caseID, ids))
}

func printMessages(w *World, messages []llm.Message) error {
	for _, message := range messages {
		if _, err := fmt.Fprintf(w.Stdout, "%s:\n", message.Role); err != nil {
			return err
		}
		for _, part := range message.Parts {
			switch part.Kind {
			case llm.PartText:
				fmt.Fprintln(w.Stdout, w.forPeople(part.Text))
			case llm.PartImage, llm.PartFile:
				fmt.Fprintf(w.Stdout, "[%s %s %s%s, %d bytes]\n", part.Kind, part.Media.Type, part.Media.Name, part.Media.URL, len(part.Media.Data))
			case llm.PartToolCall:
				fmt.Fprintf(w.Stdout, "[calls %s(%s)]\n", part.ToolCall.Name, part.ToolCall.Arguments)
			case llm.PartToolResult:
				fmt.Fprintf(w.Stdout, "[result of %s] %s\n", part.ToolResult.ID, part.ToolResult.Content)
			}
		}
		fmt.Fprintln(w.Stdout)
	}
	return nil
}
