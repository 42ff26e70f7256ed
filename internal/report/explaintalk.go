package report

import (
	"fmt"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// stepOf is the index of the step of a conversation that a call made, −1 for none.
func stepOf(call *llm.Call, result *eval.Result) int {
	if result == nil {
		return -1
	}
	return slices.IndexFunc(result.Steps, func(s eval.Step) bool { return s.Call == call.ID })
}

// turnOf says which turn of the case a step of its conversation is.
func turnOf(result *eval.Result, step int) string {
	return fmt.Sprintf("%d of the conversation, reply %d of %d", result.Steps[step].Turn, step+1, len(result.Steps))
}

// replyIn is the result as far as it speaks of this call alone: of a conversation the
// reply that the call gave.
func replyIn(call *llm.Call, result *eval.Result) *eval.Result {
	at := stepOf(call, result)
	if at < 0 {
		return result
	}
	step := &result.Steps[at]
	reply := &eval.Result{Answer: step.Answer, ToolCalls: step.ToolCalls, Digest: eval.DigestOf(step.Answer), Status: result.Status}
	if result.Talk() == nil {
		reply.Digest = result.Digest // of what was not kept
	}
	return reply
}

// conversation writes the whole of the conversation that a call is part of.
func (p *page) conversation(call *llm.Call, result *eval.Result) {
	if stepOf(call, result) < 0 {
		return
	}
	p.space()
	p.line(span{"Conversation", strong}, text(": the whole of it, with the checks that failed"))
	talk := result.Talk()
	if p.talk("  ", talk, maxTalkAlone); talk == nil {
		p.flow("  ", text(notStored))
	}
	for _, step := range result.Steps {
		if step.Call != "" && step.Call != call.ID {
			p.long(span{fmt.Sprintf("  the call of turn %d: ", step.Turn), faint}, text("llmx explain "+step.Call))
		}
	}
}
