package suite

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// expandThreads puts the messages of a file in the place of {file: path}, so that the
// input hash, the prompt and the readers of a case all see what was said. It reports
// whether all of them could be read.
func (p *plan) expandThreads(c *eval.Case, problems *fault.List) (all bool) {
	if p.deps.ReadThread == nil {
		return true
	}
	all = true
	copied := false
	for _, name := range p.media {
		if p.prompt.Kinds[name] != "thread" || c.Vars[name] == nil {
			continue
		}
		messages, is, err := p.deps.ReadThread(c.Vars[name], path.Dir(c.Place.File))
		if err != nil {
			problems.Add(aboutInput(name, err))
			messages, is, all = []any{}, true, false // no more is said of it
		}
		if !is {
			continue
		}
		if !copied { // the case's source is read more than once
			c.Vars, copied = maps.Clone(c.Vars), true
		}
		c.Vars[name] = messages
	}
	return all
}

// aboutInput names the input in an error that stands at no place of its own.
func aboutInput(name string, err error) error {
	if e := fault.As(err); e.Place == (fault.Place{}) {
		named := *e
		named.Message = fmt.Sprintf("the input %q: %s", name, e.Message)
		return &named
	}
	return err
}

// addTurns makes the turns of a conversation: where they go, what each reply is held
// to, and that the inputs fit once the first of them are said.
func (p *plan) addTurns(c *eval.Case, s *source, own []expectation, begun bool, problems *fault.List) {
	if c.Thread = p.threadOf(s.place, problems); c.Thread == "" {
		return
	}
	if s.golden != nil {
		problems.Add(fault.At(s.place, "the case is a conversation, so its golden answer is that of a turn").WithHint("write golden: at the turn whose reply it is"))
	}
	if begun {
		p.begin(c, s, problems)
	}
	for i := range s.turns {
		t := &s.turns[i]
		made := eval.CaseTurn{
			Number: i + 1, Message: t.message, Said: t.said, Tool: t.tool, CallID: t.call, Asks: t.asks, Place: t.place,
		}
		if t.golden != nil {
			made.Golden = &eval.Golden{Value: *t.golden, Exact: t.match == "exact" || t.match == "" && s.exact}
		}
		if t.asks {
			made.Checks = p.turnChecks(c, &made, t.expect, problems)
		}
		c.Turns = append(c.Turns, made)
	}
	p.wholeChecks(c, own, problems)
	if len(*problems) == 0 && !c.HasCheck(func(eval.Check) bool { return true }) && !p.partial {
		problems.Add(nothingChecked(c.ID, "add golden: or expect: to a turn, or expect: to the suite"))
	}
}

// threadOf names the one input that a conversation goes into.
func (p *plan) threadOf(place fault.Place, problems *fault.List) string {
	if p.prompt.Kinds == nil {
		return "" // the prompt cannot be read, which is told where it stands
	}
	var names []string
	for _, name := range p.media {
		if p.prompt.Kinds[name] == "thread" {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 1:
		return names[0]
	case 0:
		problems.Add(fault.At(place, "the prompt %s has no input of kind thread, into which the turns go", p.prompt.Name).
			WithHint("add history: {kind: thread} to its inputs, and a line {{ history }} of its own where the conversation belongs"))
	default:
		problems.Add(fault.At(place, "the prompt %s has %d inputs of kind thread (%s): into which of them do the turns go?", p.prompt.Name, len(names), strings.Join(names, ", ")).
			WithHint("a case with turns needs a prompt with exactly one"))
	}
	return ""
}

// begin reads the beginning of the conversation, which an input may give, and looks
// at the inputs as they are when the model is asked for the first time.
func (p *plan) begin(c *eval.Case, s *source, problems *fault.List) {
	begun, isList := c.Vars[c.Thread].([]any)
	if c.Vars[c.Thread] == nil {
		isList = true
	}
	first := slices.Clone(begun)
	for i := range s.turns {
		t := &s.turns[i]
		if t.role == llm.Tool {
			break // its message is whole once its call is known
		}
		if first = append(first, t.message); t.asks {
			break
		}
	}
	vars := c.Vars
	if isList {
		vars = maps.Clone(c.Vars)
		vars[c.Thread] = first
	}
	before := len(*problems)
	if p.prompt.CheckVars != nil {
		problems.Add(p.prompt.CheckVars(vars))
	}
	if len(*problems) > before || p.deps.ReadMessage == nil {
		return
	}
	for _, message := range begun {
		said, err := p.deps.ReadMessage(message)
		problems.Add(err)
		c.Begun = append(c.Begun, said)
	}
	p.checkBeginning(c, s, problems)
}

// checkBeginning refuses a first turn that does not follow from the beginning.
func (p *plan) checkBeginning(c *eval.Case, s *source, problems *fault.List) {
	open := eval.OpenCalls(c.Begun)
	first := &s.turns[0]
	if first.role != llm.Tool {
		if len(open) > 0 {
			problems.Add(unanswered(first.place, fmt.Sprintf("the input %q ends with", c.Thread), open))
		}
		return
	}
	for i := range s.turns {
		t := &s.turns[i]
		if t.role != llm.Tool {
			return
		}
		if !takeCall(&open, t) {
			if len(c.Begun) == 0 {
				problems.Add(fault.At(t.place, "the turns begin with a tool's result: nobody has proposed a call of %s", t.tool).WithHint("begin with a turn {user: …}"))
			} else {
				problems.Add(fault.At(t.place, "the turns begin with a tool's result, and the input %q does not end with a call of %s", c.Thread, t.tool).WithHint("begin with a turn {user: …}"))
			}
			return
		}
		if t.asks && len(open) > 0 {
			problems.Add(unanswered(t.place, fmt.Sprintf("the input %q ends with", c.Thread), open))
		}
	}
}

// turnChecks are what one reply is held to: by the turn, and by the suite, which
// speaks of every reply. A check of cost, time or attempts looks at the whole case.
func (p *plan) turnChecks(c *eval.Case, turn *eval.CaseTurn, own []expectation, problems *fault.List) []eval.Check {
	seen := c.At(turn)
	var found fault.List
	mine, _ := p.checks(&seen, own, &found)
	for _, check := range mine {
		if check.Operational() {
			found.Add(fault.At(placeOf(check, &seen), "the check %s looks at the whole case, and not at a turn", check.Name()).WithHint("write it into expect: of the case"))
		}
	}
	suites, _ := p.checks(&seen, p.expect, &found)
	checks := p.effective(&seen, mine, slices.DeleteFunc(suites, eval.Check.Operational), &found)
	if len(found) > 0 {
		problems.Add(at(turn.Place, found))
	}
	return checks
}

// wholeChecks are those that look at the whole conversation, once: the suite's and the
// case's own checks of cost, time and attempts.
func (p *plan) wholeChecks(c *eval.Case, own []expectation, problems *fault.List) {
	var told fault.List // with the turns
	suites, _ := p.checks(c, p.expect, &told)
	mine, _ := p.checks(c, own, problems)
	for _, check := range mine {
		if !check.Operational() {
			problems.Add(fault.At(placeOf(check, c), "the case is a conversation, so the check %s is that of a turn", check.Name()).WithHint("write it into expect: of the turn whose reply it looks at"))
		}
	}
	for _, check := range suites {
		if check.Operational() {
			c.Checks = append(c.Checks, check)
		}
	}
	c.Checks = append(c.Checks, mine...)
}
