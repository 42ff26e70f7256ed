package sim

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/llmx-dev/llmx/internal/llm"
)

// wish is a tool that the model calls, with the arguments that it knows of.
type wish struct {
	tool      *llm.ToolSpec
	arguments any
	known     bool
}

// wishes decides which tools are called; none for an answer in text.
//
// Where tool_choice is required, or a tool's name, a tool is always called. Else the
// model answers once it has a tool's result. Before that the hint decides where there
// is one: {name: lookup, arguments: {…}} with the name of a tool that is offered asks
// for this call, every other hint is an answer. Without a hint those tools are called of
// whose name a word stands in the last message of the user.
func (m *model) wishes(d draw, req *llm.Request) []wish {
	tools := &req.Tools
	if !tools.Offered() || tools.Choice == llm.ToolsNone || len(req.Messages) == 0 {
		return nil
	}
	demanded := tools.Demanded()
	if req.Messages[len(req.Messages)-1].Role == llm.Tool && !demanded {
		return nil
	}
	if hinted, ok := wishOf(req.Hint, tools); ok {
		return []wish{hinted}
	}
	if named := tools.Find(tools.Choice); named != nil {
		return []wish{{tool: named}}
	}
	if req.Hint != nil && !demanded {
		return nil
	}
	list := namedIn(lastOfUser(req.Messages), tools)
	if len(list) == 0 && demanded {
		list = []wish{{tool: &tools.List[d.of("tool").below(len(tools.List))]}}
	}
	if tools.OneAtATime && len(list) > 1 {
		list = list[:1]
	}
	return list
}

// wishOf reads a call from a hint.
func wishOf(hint any, tools *llm.Tools) (wish, bool) {
	object, _ := hint.(map[string]any)
	name, _ := object["name"].(string)
	tool := tools.Find(name)
	demandsOther := tools.Demanded() && tools.Choice != llm.ToolsRequired && tools.Choice != name
	if tool == nil || demandsOther {
		return wish{}, false
	}
	arguments, known := object["arguments"].(map[string]any)
	for key := range object {
		if key != "name" && key != "arguments" {
			return wish{}, false
		}
	}
	return wish{tool: tool, arguments: arguments, known: known}, true
}

func lastOfUser(messages []llm.Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == llm.User {
			return messages[i].Text()
		}
	}
	return ""
}

// weakWords are those that stand in many names and in many texts.
var weakWords = []string{"get", "set", "the", "and", "for", "with", "from"}

// namedIn finds the tools of whose name a word of three letters or more stands in a text.
func namedIn(text string, tools *llm.Tools) []wish {
	said := wordsOf(text)
	var list []wish
	for i := range tools.List {
		named := slices.ContainsFunc(wordsOf(tools.List[i].Name), func(word string) bool {
			return len(word) >= 3 && !slices.Contains(weakWords, word) && slices.Contains(said, word)
		})
		if named {
			list = append(list, wish{tool: &tools.List[i]})
		}
	}
	return list
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// calls makes the calls that are wished for, with arguments under the schemas of
// their tools; what a hint has of them stays, unless the answer is to be wrong.
func (m *model) calls(d draw, wishes []wish) ([]llm.ToolCall, error) {
	right := d.of("right").share() < m.accuracy
	malformed := d.of("malformed").share() < m.o.Malformed
	calls := make([]llm.ToolCall, len(wishes))
	for i, one := range wishes {
		d := d.of("call").of(strconv.Itoa(i))
		arguments, err := m.arguments(d, one, right, malformed)
		if err != nil {
			return nil, err
		}
		id := d.of("id")
		calls[i] = llm.ToolCall{
			ID: "call_" + hex.EncodeToString([]byte{byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24)}), Name: one.tool.Name, Arguments: arguments,
		}
	}
	return calls, nil
}

func (m *model) arguments(d draw, one wish, right, malformed bool) (string, error) {
	schema := one.tool.Parameters
	if schema == nil {
		schema = json.RawMessage(`{"type":"object"}`)
	}
	root, err := m.schemas.get(schema)
	if err != nil {
		return "", err
	}
	s := newMaker(root)
	value := s.example(s.root, one.arguments, one.known, d.of("example"), 0)
	if one.known && !right {
		value = s.spoil(value, one.arguments, d.of("wrong"))
	}
	text := marshal(value)
	if malformed {
		fields, _ := value.(map[string]any)
		text = breakForm(text, fields, s.resolve(s.root, one.arguments, one.known).required(), d.of("form"))
	}
	return text, nil
}
