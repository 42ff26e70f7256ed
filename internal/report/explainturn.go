package report

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// turn writes the i-th turn of a call: what was asked, the attempts, and what was
// made of the answer. What is the same as in the turn before is not written again.
func (p *page) turn(call *llm.Call, i int, s *story) {
	turn, before := call.Turns[i], llm.Turn{}
	if i > 0 {
		before = call.Turns[i-1]
	}
	p.space()
	kind := turn.Kind
	if kind == "cascade" && before.Violation != "" {
		kind += ", as the answer before was not accepted"
	}
	if kind == llm.TurnReask && before.Violation != "" {
		kind += ", as the answer before broke its contract"
	}
	p.flow("", span{fmt.Sprintf("Turn %d of %d", i+1, len(call.Turns)), strong}, text(": "+kind))
	p.asked(turn, before)
	s.tell(turn)
	if said := llm.Shown(turn.Answer, turn.ToolCalls); i < len(call.Turns)-1 && said != "" {
		p.line(span{"  answer of this turn", faint})
		p.answer("    ", said)
	}
	if len(turn.Repairs) > 0 {
		p.hang("  ", "    ", span{"repaired: ", doubtful}, text(repairsOf(turn.Repairs)))
	}
	if turn.Violation != "" {
		why, byCheck := strings.CutPrefix(turn.Violation, "not accepted: ")
		label := "contract refused: "
		if byCheck {
			label = "not accepted: "
		}
		p.hang("  ", "    ", span{label, bad}, text(clip(why, 2000)))
	}
}

func (p *page) asked(turn, before llm.Turn) {
	if len(turn.Options) > 0 && !reflect.DeepEqual(turn.Options, before.Options) {
		var options []string
		for _, key := range slices.Sorted(maps.Keys(turn.Options)) {
			options = append(options, key+" "+string(turn.Options[key]))
		}
		p.flow("  ", span{"options: ", faint}, text(strings.Join(options, ", ")))
	}
	if turn.Output.Kind != "" && !reflect.DeepEqual(turn.Output, before.Output) {
		p.flow("  ", span{"contract: ", faint}, text(string(turn.Output.Kind)))
	}
	if turn.Tools.Offered() && !reflect.DeepEqual(turn.Tools, before.Tools) {
		p.flow("  ", span{"tools: ", faint}, text(offered(turn.Tools)))
	}
	switch {
	case len(turn.Messages) == 0:
		p.flow("  ", span{"messages: ", faint}, text(notStored))
	case reflect.DeepEqual(turn.Messages, before.Messages):
		p.line(span{"  messages: ", faint}, text("the same as in the turn before"))
	default:
		p.messages(turn.Messages)
	}
}

// offered lists the tools that a model may call, and what is said of calling them.
func offered(tools llm.Tools) string {
	var names []string
	for _, tool := range tools.List {
		names = append(names, tool.Name)
	}
	s := strings.Join(names, ", ")
	if tools.Choice != "" {
		s += "; tool_choice " + tools.Choice
	}
	if tools.OneAtATime {
		s += "; one at a time"
	}
	return s
}

// maxMessages bounds the messages of one turn on a page, and maxAttempts its
// attempts: the first and the last.
const (
	maxMessages = 12
	maxAttempts = 20
)

func (p *page) messages(all []llm.Message) {
	for i, message := range all {
		if left := leftOut(i, len(all), maxMessages); left > 0 {
			p.line(span{"  … " + count(left, "message", "messages") + " left out", faint})
		} else if left == 0 {
			p.message(message)
		}
	}
}

// leftOut says what becomes of the i-th of n things of which at most so many are
// written: 0 writes it, and below 0 it is left out; the first that is left out
// gives how many are.
func leftOut(i, n, most int) int {
	switch hidden := n - most; {
	case hidden <= 0, i < most/2, i >= n-most/2:
		return 0
	case i == most/2:
		return hidden
	}
	return -1
}

func (p *page) message(m llm.Message) {
	title := string(m.Role)
	if m.Name != "" {
		title += " (" + m.Name + ")"
	}
	p.line(text("  "), span{title, strong})
	for _, part := range m.Parts {
		p.part(part)
	}
}

func (p *page) part(part llm.Part) {
	const indent = "    "
	switch {
	case part.Media != nil:
		m := part.Media
		where := m.URL
		if len(m.Data) > 0 {
			where = number(len(m.Data)) + " bytes"
		}
		p.flow(indent, span{"[" + string(part.Kind) + "] ", faint}, text(strings.Join(slices.DeleteFunc([]string{m.Name, m.Type, clip(where, 300)}, func(s string) bool { return s == "" }), ", ")))
	case part.ToolCall != nil:
		p.flow(indent, span{"[tool call] ", faint}, text(part.ToolCall.Name+"("+clip(part.ToolCall.Arguments, 2000)+")"))
	case part.ToolResult != nil:
		p.flow(indent, span{"[tool result] ", faint}, text(clip(part.ToolResult.Content, 2000)))
	default:
		p.answer(indent, part.Text)
	}
}

// repairsOf lists what was put right of an answer, with the first place of each.
func repairsOf(repairs []llm.Repair) string {
	var words []string
	for _, r := range repairs {
		word := fmt.Sprintf("%s (line %d, column %d", r.Name, r.Line, r.Col)
		if r.Times > 1 {
			word += fmt.Sprintf(", %d times", r.Times)
		}
		words = append(words, word+")")
	}
	return fmt.Sprintf("%s; score %.3f", strings.Join(words, ", "), llm.RepairScore(repairs))
}
