package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Answer is all that a model said: text, and the tool calls that it proposes.
type Answer struct {
	Text      string
	ToolCalls []llm.ToolCall
	Finish    llm.FinishReason
}

// proposes reports whether the model stopped to have tools called.
func (a *Answer) proposes() bool { return len(a.ToolCalls) > 0 || a.Finish == llm.FinishToolCalls }

// Read is an answer that keeps its contract, as it is passed on.
type Read struct {
	Parsed
	ToolCalls []llm.ToolCall
}

// ReadAnswer gives what an answer holds, or what the contract refuses. To an answer
// that proposes tool calls the output's form does not apply: its calls must be those
// of tools that are offered, their arguments one JSON object that is valid under the
// tool's schema (no arguments are an empty one), and as many as the prompt allows.
// Where no tools are offered calls are passed over.
func (p *Parser) ReadAnswer(answer Answer, output llm.Output, tools llm.Tools) (Read, string) {
	if tools.Offered() && answer.proposes() {
		return p.readCalls(answer, output, &tools)
	}
	if tools.Demanded() {
		return Read{}, "no tool is called: " + demand(tools.Choice)
	}
	parsed, broken := p.Read(answer.Text, output)
	return Read{Parsed: parsed, ToolCalls: answer.ToolCalls}, broken
}

func demand(choice string) string {
	if choice == llm.ToolsRequired {
		return "tool_choice is required"
	}
	return "tool_choice is " + choice
}

func (p *Parser) readCalls(answer Answer, output llm.Output, tools *llm.Tools) (Read, string) {
	calls := answer.ToolCalls
	switch {
	case len(calls) == 0:
		return Read{}, "the answer ends to have tools called, and names none"
	case tools.Choice == llm.ToolsNone:
		return Read{}, fmt.Sprintf("a tool is called (%s): tool_choice is none", quote(calls[0].Name))
	case tools.OneAtATime && len(calls) > 1:
		return Read{}, fmt.Sprintf("%d tools are called at once: parallel_tool_calls is false", len(calls))
	}
	read := Read{Parsed: asItCame(answer.Text, nil), ToolCalls: slices.Clone(calls)}
	var refused []string
	for i := range read.ToolCalls {
		call := &read.ToolCalls[i]
		repairs, broken := p.readCall(call, output, tools)
		if broken != "" && len(calls) > 1 {
			broken = fmt.Sprintf("call %d: %s", i+1, broken)
		}
		if broken != "" {
			refused = append(refused, broken)
		}
		read.Repairs = alsoRepaired(read.Repairs, repairs)
	}
	if len(refused) > 0 {
		return Read{}, someOf(refused)
	}
	read.Score = llm.RepairScore(read.Repairs)
	return read, ""
}

// someOf joins at most three problems.
func someOf(problems []string) string {
	const most = 3
	text := strings.Join(problems[:min(most, len(problems))], "; ")
	if more := len(problems) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// noArguments is the schema of a tool that takes none.
var noArguments = json.RawMessage(`{"type":"object","additionalProperties":false}`)

// readCall validates a call, and puts its arguments right as far as the prompt lets
// answers be repaired.
func (p *Parser) readCall(call *llm.ToolCall, output llm.Output, tools *llm.Tools) (repairs []llm.Repair, broken string) {
	tool := tools.Find(call.Name)
	if tool == nil {
		return nil, fmt.Sprintf("no tool is called %s; %s", quote(call.Name), fault.Allowed(call.Name, toolNames(tools)))
	}
	if tools.Choice != "" && tools.Choice != llm.ToolsAuto && tools.Choice != llm.ToolsRequired && tools.Choice != call.Name {
		return nil, fmt.Sprintf("%s is called: tool_choice is %s", call.Name, tools.Choice)
	}
	if strings.TrimSpace(call.Arguments) == "" {
		call.Arguments = "{}"
	}
	schema := tool.Parameters
	if schema == nil {
		schema = noArguments
	}
	parsed, broken := p.readJSON(call.Arguments, llm.Output{
		Kind: llm.OutputJSON, Schema: schema, Repair: output.Repair, Coerce: output.Coerce,
	})
	if broken != "" {
		return nil, call.Name + ": " + broken
	}
	call.Arguments = parsed.Text
	return parsed.Repairs, ""
}

func toolNames(tools *llm.Tools) []string {
	names := make([]string, len(tools.List))
	for i, tool := range tools.List {
		names[i] = tool.Name
	}
	return names
}

// alsoRepaired counts the same repair of several calls as one that was made more often.
func alsoRepaired(all, more []llm.Repair) []llm.Repair {
	for _, one := range more {
		i := slices.IndexFunc(all, func(r llm.Repair) bool { return r.Name == one.Name })
		if i < 0 {
			all = append(all, one)
		} else {
			all[i].Times += one.Times
		}
	}
	return all
}
