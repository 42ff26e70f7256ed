package scorer

import (
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// inputsText shows a judge what was asked: the one input alone, or each with its
// name before it, in the order of the alphabet.
func inputsText(vars map[string]any) string {
	names := sortedKeys(vars)
	if len(names) == 1 {
		return inputText(vars[names[0]])
	}
	var b strings.Builder
	for _, name := range names {
		if vars[name] == nil {
			continue
		}
		text := inputText(vars[name])
		b.WriteString(name + ":")
		if strings.Contains(text, "\n") {
			b.WriteString("\n" + text + "\n")
		} else {
			b.WriteString(" " + text + "\n")
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// inputText is a text as it is, a conversation as one speaker a line, anything else
// as JSON.
func inputText(value any) string {
	messages, ok := value.([]any)
	if !ok || len(messages) == 0 {
		return textOf(value)
	}
	lines := make([]string, len(messages))
	for i, item := range messages {
		message, _ := item.(map[string]any)
		role, isMessage := message["role"].(string)
		if !isMessage {
			return textOf(value)
		}
		said, isText := message["content"].(string)
		calls, plain := callsText(message["tool_calls"])
		if !isText && message["content"] != nil || !plain {
			rest, err := json.Marshal(message)
			if err != nil {
				return textOf(value)
			}
			said, calls = string(rest), ""
		}
		lines[i] = role + ": " + strings.Trim(said+"\n"+calls, "\n")
	}
	return strings.Join(lines, "\n")
}

// callsText shows the tool calls of a message of a thread, a line for each; not plain is
// what has another form.
func callsText(value any) (text string, plain bool) {
	list, ok := value.([]any)
	if !ok {
		return "", value == nil
	}
	var lines []string
	for _, item := range list {
		call, _ := item.(map[string]any)
		function, _ := call["function"].(map[string]any)
		name, isName := function["name"].(string)
		arguments, isText := function["arguments"].(string)
		if !isName || !isText {
			return "", false
		}
		lines = append(lines, llm.ToolCall{Name: name, Arguments: arguments}.String())
	}
	return strings.Join(lines, "\n"), true
}
