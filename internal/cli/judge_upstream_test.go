package cli

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// judgeReply is what the provider says to a check: a vector for embed, a verdict for
// judge, and nonsense for wild. A judge finds right what names billing, and prefers
// what it sees first where neither does.
func judgeReply(model string, messages []upstream.Message, body map[string]any) (upstream.Reply, bool) {
	if text, ok := body["input"].(string); ok {
		vector := fmt.Sprintf("[%d, %d, 0.5]", 2*strings.Count(text, "billing"), strings.Count(text, "bug"))
		return upstream.Reply{Body: `{"data": [{"embedding": ` + vector + `}], "model": "` + model + `", "usage": {"prompt_tokens": 3}}`}, true
	}
	switch model {
	case "wild":
		return upstream.Reply{Text: "I like it!", Usage: &upstream.Usage{Prompt: 90, Completion: 4}}, true
	case "judge":
	default:
		return upstream.Reply{}, false
	}
	task, shown := messages[0].Content, messages[1].Content
	_, answer, _ := strings.Cut(shown, "<answer>")
	good := strings.Contains(answer, "billing")
	verdict := fmt.Sprintf(`{"reasons": "as it says", "score": %v}`, map[bool]float64{true: 0.9, false: 0.2}[good])
	switch {
	case strings.Contains(task, "some criteria"):
		verdict = fmt.Sprintf(`{"verdicts": [{"criterion": 1, "reason": "there", "met": true}, {"criterion": 2, "reason": "here", "met": %v}]}`, good)
	case strings.Contains(task, "compare two answers"):
		_, second, _ := strings.Cut(shown, "<second_answer>")
		verdict = `{"reasons": "read first", "preferred": "first"}`
		if strings.Contains(second, "billing") {
			verdict = `{"reasons": "it bills", "preferred": "second"}`
		}
	}
	return upstream.Reply{Text: verdict, Usage: &upstream.Usage{Prompt: 100, Completion: 20}}, true
}
