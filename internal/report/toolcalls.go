package report

import "github.com/llmx-dev/llmx/internal/llm"

// toolCallLine is a tool call that a model proposed, as it stands in every report.
func toolCallLine(call llm.ToolCall) string { return "→ " + call.Name + "(" + call.Arguments + ")" }
