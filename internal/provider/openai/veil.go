package openai

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// minVeiled is the length from which a secret is taken out of answers, too: a
// shorter one may be a word that a model says by right.
const minVeiled = 12

// veiled keeps secrets out of an answer on its way: a server that repeats the key
// must not bring it into a row, a recording or a report.
func (r redactor) veiled(yield func(llm.Event, error) bool) func(llm.Event, error) bool {
	if len(r.long) == 0 {
		return yield
	}
	var text, thought veil
	var calls callVeils
	return func(event llm.Event, err error) bool {
		event.Text, event.Reasoning = text.pass(event.Text, r.long), thought.pass(event.Reasoning, r.long)
		if event.End != nil || err != nil { // nothing follows: what was held back is none
			event.Text += text.rest()
			event.Reasoning += thought.rest()
		}
		if event.ToolCall != nil {
			event.ToolCall = calls.pass(*event.ToolCall, r)
		}
		if event.End != nil {
			end := *event.End
			end.Model, end.ResponseID = r.replace.Replace(end.Model), r.replace.Replace(end.ResponseID)
			event.End = &end
			for _, rest := range calls.rest() {
				if !yield(llm.Event{ToolCall: &rest}, nil) {
					return false
				}
			}
		}
		if event == (llm.Event{}) && err == nil {
			return true // all of it is held back
		}
		if err != nil {
			if held := (llm.Event{Text: event.Text, Reasoning: event.Reasoning}); held != (llm.Event{}) && !yield(held, nil) {
				return false
			}
			return yield(llm.Event{}, err)
		}
		return yield(event, nil)
	}
}

// callVeils are those of tool calls, by their index.
type callVeils []*struct{ name, arguments veil }

// pass takes secrets out of a piece of a call, and gives nil where all of it is held
// back. Also a name can come in pieces; an id is whole, see toolCalls.add.
func (v *callVeils) pass(piece llm.ToolCallDelta, r redactor) *llm.ToolCallDelta {
	for len(*v) <= piece.Index {
		*v = append(*v, &struct{ name, arguments veil }{})
	}
	call := (*v)[piece.Index]
	piece.ID = r.replace.Replace(piece.ID)
	piece.Name = call.name.pass(piece.Name, r.long)
	piece.Arguments = call.arguments.pass(piece.Arguments, r.long)
	if piece == (llm.ToolCallDelta{Index: piece.Index}) {
		return nil
	}
	return &piece
}

// rest is what was held back.
func (v callVeils) rest() (pieces []llm.ToolCallDelta) {
	for index, call := range v {
		rest := llm.ToolCallDelta{Index: index, Name: call.name.rest(), Arguments: call.arguments.rest()}
		if rest != (llm.ToolCallDelta{Index: index}) {
			pieces = append(pieces, rest)
		}
	}
	return pieces
}

// veil takes secrets out of a text that comes in pieces, also one that lies across
// their borders: what may be the beginning of a secret is held back.
type veil struct{ held string }

func (v *veil) pass(piece string, secrets []string) string {
	if piece == "" {
		return ""
	}
	text := v.held + piece
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	keep := 0
	for _, secret := range secrets {
		for n := min(len(secret)-1, len(text)); n > keep; n-- {
			if strings.HasSuffix(text, secret[:n]) {
				keep = n
			}
		}
	}
	v.held = text[len(text)-keep:]
	return text[:len(text)-keep]
}

func (v *veil) rest() string {
	rest := v.held
	v.held = ""
	return rest
}
