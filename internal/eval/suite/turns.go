package suite

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// maxTurns bounds the turns of one case.
const maxTurns = 1000

// turn is one entry of turns, as it is written.
type turn struct {
	role    llm.Role
	message map[string]any // in the chat format
	said    llm.Message    // the same, read
	tool    string         // of a result: its tool …
	call    string         // … and the call's id, "" where the file says none
	golden  *any
	match   string
	expect  []expectation
	asks    bool
	place   fault.Place
}

// writtenTurn is a turn in the file: exactly one of user, assistant and tool.
type writtenTurn struct {
	User        strictyaml.Node `yaml:"user"`
	Assistant   strictyaml.Node `yaml:"assistant"`
	Tool        strictyaml.Node `yaml:"tool"`
	Golden      strictyaml.Node `yaml:"golden"`
	GoldenMatch string          `yaml:"golden_match" oneof:"subset exact"`
	Expect      strictyaml.Node `yaml:"expect"`
}

// readTurns reads turns. What is wrong with them by themselves is found here, once;
// what depends on the case's inputs is found where the case is built.
func (p *plan) readTurns(n strictyaml.Node, problems *fault.List) []turn {
	if !n.Exists() {
		return nil
	}
	const hint = "write turns: [{user: …, expect: […]}, {tool: {name: …, result: …}}, {assistant: …}]"
	if n.Kind() != strictyaml.List {
		problems.Add(n.Mismatch("a list of turns").WithHint(hint))
		return nil
	}
	items := n.Items()
	switch {
	case len(items) == 0:
		problems.Add(n.Errorf("the conversation has no turn").WithHint(hint))
		return nil
	case len(items) > maxTurns:
		problems.Add(n.Errorf("the conversation has %d turns, at most %d are allowed", len(items), maxTurns))
		return nil
	}
	turns := make([]turn, 0, len(items))
	before := len(*problems)
	for _, item := range items {
		turns = append(turns, p.readTurn(item, problems))
	}
	if len(*problems) == before { // else more of it would be said of what is no turn
		checkTurns(turns, problems)
	}
	return turns
}

func (p *plan) readTurn(n strictyaml.Node, problems *fault.List) turn {
	t := turn{place: n.Place()}
	var w writtenTurn
	if n.Kind() != strictyaml.Mapping {
		problems.Add(n.Mismatch("a turn").WithHint("write {user: …}, {tool: {name: …, result: …}} or {assistant: …}"))
		return t
	}
	before := len(*problems)
	problems.Add(n.Decode(&w))
	if len(*problems) > before {
		return t
	}
	speakers := 0
	for _, speaker := range []strictyaml.Node{w.User, w.Assistant, w.Tool} {
		if speaker.Exists() {
			speakers++
		}
	}
	switch {
	case speakers == 0:
		problems.Add(n.Errorf("nobody speaks in this turn").WithHint("a turn is exactly one of user, assistant and tool"))
		return t
	case speakers > 1:
		problems.Add(n.Errorf("%d speak in this turn", speakers).WithHint("a turn is exactly one of user, assistant and tool"))
		return t
	case w.User.Exists():
		t.role = llm.User
		t.message = map[string]any{"role": "user", "content": w.User.Value()}
	case w.Assistant.Exists():
		t.role = llm.Assistant
		t.message = assistantMessage(w.Assistant.Value())
	default:
		t.role = llm.Tool
		p.readToolTurn(w.Tool, &t, problems)
	}
	p.readMessage(&t, problems)
	t.match = w.GoldenMatch
	if w.Golden.Exists() {
		value := w.Golden.Value()
		t.golden = &value
	}
	t.expect = p.readExpect(w.Expect, problems)
	return t
}

// assistantMessage takes a text, a list of parts, or a whole message without its role.
func assistantMessage(value any) map[string]any {
	message := map[string]any{"role": "assistant"}
	object, whole := value.(map[string]any)
	if !whole {
		message["content"] = value
		return message
	}
	for key, inner := range object {
		message[key] = inner
	}
	message["role"] = "assistant"
	return message
}

func (p *plan) readToolTurn(n strictyaml.Node, t *turn, problems *fault.List) {
	var w struct {
		Name   string          `yaml:"name,required"`
		Result strictyaml.Node `yaml:"result,required"`
		ID     string          `yaml:"id"`
	}
	if n.Kind() != strictyaml.Mapping {
		problems.Add(n.Mismatch("a tool's result").WithHint("write tool: {name: lookup_invoice, result: {invoices: 2}}"))
		return
	}
	before := len(*problems)
	problems.Add(n.Decode(&w))
	if len(*problems) > before {
		return
	}
	if strings.TrimSpace(w.Name) == "" {
		problems.Add(n.Get("name").Mismatch("a tool's name"))
		return
	}
	content, isText := w.Result.Value().(string)
	if !isText {
		raw, err := json.Marshal(w.Result.Value())
		if err != nil {
			problems.Add(w.Result.Errorf("the result cannot be written as JSON: %v", err))
			return
		}
		content = string(raw)
	}
	t.tool, t.call = w.Name, w.ID
	t.message = map[string]any{"role": "tool", "name": w.Name, "content": content}
}

// readMessage reads what is said, with the rules for messages of a thread.
func (p *plan) readMessage(t *turn, problems *fault.List) {
	if t.message == nil || p.deps.ReadMessage == nil {
		return
	}
	message := t.message
	if t.role == llm.Tool { // whose call it answers is only known when it is proposed
		message = map[string]any{"role": "tool", "name": t.tool, "content": t.message["content"], "tool_call_id": "unknown"}
	}
	said, err := p.deps.ReadMessage(message)
	if err != nil {
		problems.Add(at(t.place, err))
		return
	}
	t.said = said
}

// checkTurns settles which turns ask, and refuses turns in an order in which nobody
// talks. The model is asked after every turn of the user and after the last of tools'
// results that follow each other, but for one that the case's own assistant answers.
func checkTurns(turns []turn, problems *fault.List) {
	var open []llm.ToolCall // of the case's own assistant, without a result
	scripted := false       // the assistant that spoke last is the case's own
	for i := range turns {
		t, next := &turns[i], llm.Role("")
		if i+1 < len(turns) {
			next = turns[i+1].role
		}
		t.asks = t.role == llm.User && next != llm.Assistant || t.role == llm.Tool && next != llm.Assistant && next != llm.Tool
		if t.role == llm.Tool && scripted && !takeCall(&open, t) {
			problems.Add(fault.At(t.place, "the assistant before proposes no call of %s", t.tool).WithHint("a result answers a call: add it to the assistant's tool_calls"))
			open = nil
		}
		if len(open) > 0 && (t.role != llm.Tool || next != llm.Tool) {
			problems.Add(unanswered(t.place, "the assistant before proposes", open))
			open = nil
		}
		switch {
		case t.role == llm.Assistant:
			open, scripted = eval.OpenCalls([]llm.Message{t.said}), true
		case t.asks:
			open, scripted = nil, false
		}
		switch {
		case t.role == llm.Assistant && next == "":
			problems.Add(fault.At(t.place, "the conversation ends with the case's own assistant: nobody is asked after it").WithHint("end it with a turn of the user, or of a tool"))
		case !t.asks && (t.golden != nil || len(t.expect) > 0 || t.match != ""):
			problems.Add(fault.At(t.place, "nobody is asked after this turn, so it has no reply to check").WithHint("%s", whyUnasked(t.role)))
		}
	}
}

// unanswered is the error of a call that has no result where it must have one.
func unanswered(place fault.Place, who string, open []llm.ToolCall) *fault.Error {
	return fault.At(place, "%s a call of %s, which has no result", who, open[0].Name).WithHint("add a turn {tool: {name: %s, result: …}} for it", open[0].Name)
}

func takeCall(open *[]llm.ToolCall, t *turn) bool {
	i := slices.IndexFunc(*open, func(call llm.ToolCall) bool { return call.Name == t.tool && (t.call == "" || call.ID == t.call) })
	if i < 0 {
		return false
	}
	*open = slices.Delete(slices.Clone(*open), i, i+1)
	return true
}

func whyUnasked(role llm.Role) string {
	if role == llm.Tool {
		return "of results that follow each other, the model is asked after the last; put the check there"
	}
	return "the model is asked after a user's turn and after tools' results, unless an assistant's turn follows; put the check at the turn that it replies to"
}

// rowTurns reads the column turns, unless the prompt has an input of this name.
func (p *plan) rowTurns(s *source, r row, problems *fault.List) {
	value, given := r.columns["turns"]
	if _, isInput := p.prompt.Kinds["turns"]; isInput || !given {
		return
	}
	delete(r.columns, "turns")
	n := r.turns
	if !n.Exists() {
		if _, isText := value.(string); isText {
			problems.Add(fault.New(fault.Invalid, "the column turns must be a list of turns").WithHint("conversations stand in JSON lines or YAML, not in CSV"))
			return
		}
		n = strictyaml.FromJSON(value, r.place)
	}
	s.turns = p.readTurns(n, problems)
}
