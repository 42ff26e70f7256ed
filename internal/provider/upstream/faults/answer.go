package faults

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// Used is the usage that a right answer reports.
var Used = llm.Usage{Input: 21, Output: 12, CachedInput: 5, Reasoning: 2}

// pieces is into how many pieces of a stream a right answer is cut.
const pieces = 8

// Answer is the right answer to the messages: a JSON object, so that it may stand
// under a contract (Schema), which begins and ends with a checksum of them, so that a
// truncated one and one to another prompt are recognised.
func Answer(messages []llm.Message) string {
	asked := make([]upstream.Message, len(messages))
	for i, m := range messages {
		asked[i] = upstream.Message{Role: string(m.Role), Content: m.Text()}
	}
	return right(asked)
}

// right is the right answer to messages as they came. Results of tools are not
// looked at: their text is no part of llm.Message.Text.
func right(messages []upstream.Message) string {
	h := sha256.New()
	for _, m := range messages {
		if m.Role != string(llm.Tool) {
			fmt.Fprintf(h, "%s %d %s\n", m.Role, len(m.Content), m.Content)
		}
	}
	sum := hex.EncodeToString(h.Sum(nil)[:8])
	return `{"sum":"` + sum + `","says":"` + strings.Repeat(" and so on", 3*pieces) + `","again":"` + sum + `"}`
}

// Schema is a contract that right answers keep.
const Schema = `{"type":"object","required":["sum","says","again"],"additionalProperties":false,` +
	`"properties":{"sum":{"type":"string","minLength":16},"says":{"type":"string"},"again":{"type":"string","minLength":16}}}`

// Answered is the name under which a model answers.
func Answered(model string) string { return model + "-2026-01-01" }

// right is the right answer to the exchange, for a behaviour to spoil.
func (x *Exchange) right() upstream.Reply {
	return upstream.Reply{
		Text: right(x.Messages), Pieces: pieces, Model: Answered(x.Model), ID: fmt.Sprintf("faults-%s-%d", x.Model, x.N),
		Usage: &upstream.Usage{Prompt: int(Used.Input), Completion: int(Used.Output), Cached: int(Used.CachedInput), Reasoning: int(Used.Reasoning)},
	}
}

// OK answers right.
func OK() Behaviour {
	return func(x *Exchange) { x.say("ok", x.right()) }
}

// Says answers with a reply of the test's own: text, usage, model, finish reason.
// Its Delay, Headers, Status and Body count; CutAfter does not (see Cut).
func Says(reply upstream.Reply) Behaviour {
	return func(x *Exchange) { x.say("says", reply) }
}

func (x *Exchange) say(what string, reply upstream.Reply) {
	x.Note("%s", what)
	if reply.Delay > 0 && !x.Sleep(reply.Delay) {
		return
	}
	if reply.Status != 0 || reply.Body != "" {
		x.refuse(max(reply.Status, 200), reply.Body, reply.Headers)
		return
	}
	x.Head(200, reply.Headers)
	x.SendAll(reply.Events(x.Model))
}

// spoiled answers with the right reply, changed.
func spoiled(what string, change func(*upstream.Reply)) Behaviour {
	return func(x *Exchange) {
		reply := x.right()
		change(&reply)
		x.say(what, reply)
	}
}

// NoUsage answers right and does not say what it counted.
func NoUsage() Behaviour {
	return spoiled("ok without usage", func(r *upstream.Reply) { r.Usage = nil })
}

// Empty answers with no text at all.
func Empty() Behaviour { return spoiled("an empty answer", func(r *upstream.Reply) { r.Text = "" }) }

// Reasons thinks aloud before it answers right.
func Reasons() Behaviour {
	return spoiled("ok after reasoning", func(r *upstream.Reply) { r.Reasoning = "let me think" })
}

// Finishes answers right and gives another reason for its end: "length", "content_filter".
func Finishes(reason string) Behaviour {
	return spoiled("finishes for "+reason, func(r *upstream.Reply) { r.Finish = reason })
}

// NoMarker answers right and ends with the finish reason, without [DONE].
func NoMarker() Behaviour {
	return spoiled("no end marker", func(r *upstream.Reply) { r.NoDone = true })
}

// Limits answers right and says that one request remains until d has passed.
func Limits(d time.Duration) Behaviour {
	return spoiled("ok with limits", func(r *upstream.Reply) { r.Headers = limits(1, d) })
}

// After lets some time pass before it behaves as b: the whole answer is late, its
// head too.
func After(d time.Duration, b Behaviour) Behaviour {
	return func(x *Exchange) {
		x.Note("after %v", d)
		if x.Sleep(d) {
			b(x)
		}
	}
}
