package contract

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// maxProblem bounds what is said of an answer that goes back, in bytes.
const maxProblem = 2000

// Again is the request that sends an answer back with what is wrong with it. What was
// said before goes with it; no cache may answer, as a cache would give the same again.
func Again(req llm.Request, said llm.Response, broken string) llm.Request {
	messages := slices.Clip(req.Messages)
	answer := llm.Message{Role: llm.Assistant}
	if said.Text != "" {
		answer.Parts = append(answer.Parts, llm.Part{Kind: llm.PartText, Text: said.Text})
	}
	var results []llm.Message
	taken := map[string]bool{"": true}
	for i, call := range said.ToolCalls {
		if taken[call.ID] { // a result belongs to one call
			call.ID = fmt.Sprintf("call_%d", i+1)
		}
		taken[call.ID] = true
		call.Name = wireName(call.Name)
		answer.Parts = append(answer.Parts, llm.Part{Kind: llm.PartToolCall, ToolCall: &call})
		results = append(results, llm.Message{Role: llm.Tool, Parts: []llm.Part{{
			Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: call.ID, Name: call.Name, Content: "not called: the calls were refused"},
		}}})
	}
	if len(answer.Parts) > 0 {
		messages = append(messages, answer)
	}
	messages = append(messages, results...)
	req.Messages = append(messages, llm.Text(llm.User, complaint(broken, len(said.ToolCalls) > 0)))
	req.Reask++
	return req
}

// complaint is what the model is told. It is part of the keys of recordings: to change
// it is to ask anew.
func complaint(broken string, called bool) string {
	if len(broken) > maxProblem {
		broken = strings.ToValidUTF8(broken[:maxProblem], "") + "…"
	}
	if called {
		return "None of these calls was made, as they cannot be accepted: " + broken + "\nAnswer again, with calls that can."
	}
	return "This answer cannot be accepted: " + broken + "\nAnswer again, the whole answer, in the form that was asked for and with nothing around it."
}

var notOfNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// wireName is a name that vendors take back: they refuse others, also where it was
// their model that made it up.
func wireName(name string) string {
	name = notOfNames.ReplaceAllString(name, "_")
	return cmp.Or(name[:min(len(name), 64)], "unknown")
}
