package cli

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// clerkReply is what a model says that has tools: it looks the invoice up, says what
// came back, and then does what it is asked for. A hasty one looks nothing up.
func clerkReply(hasty bool, messages []upstream.Message) upstream.Reply {
	last := messages[len(messages)-1]
	reply := upstream.Reply{Usage: &upstream.Usage{Prompt: 10 * len(messages), Completion: 5}}
	lookUp := upstream.ToolCall{ID: "call-1", Name: "lookup_invoice", Arguments: `{"id": 17}`}
	switch {
	case last.Role == "tool":
		reply.Text = "I see: " + last.Content
	case strings.Contains(last.Content, "charged") && !hasty:
		reply.ToolCalls, reply.Finish = []upstream.ToolCall{lookUp}, "tool_calls"
	case strings.Contains(last.Content, "both") && !hasty:
		weather := upstream.ToolCall{ID: "call-2", Name: "lookup_order", Arguments: `{"id": 4}`}
		reply.ToolCalls, reply.Finish = []upstream.ToolCall{lookUp, weather}, "tool_calls"
	case strings.Contains(last.Content, "refund"):
		reply.Text = "The refund is on its way."
	default:
		reply.Text = "How can I help?"
	}
	return reply
}
