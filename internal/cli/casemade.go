package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/redact"
)

// nothingWouldCheck is why a call is left out of a suite that would take any answer to it.
const nothingWouldCheck = "which nothing would check: there is no correction, and the suite has no expect: for every case"

// fromCallTag is the tag of cases that were calls.
const fromCallTag = "from-call"

// add makes a case of a call, or counts why not. Of calls that ask the same the newest
// counts, unless the answer of another one was put right.
func (g *gathered) add(call *llm.Call) {
	c := madeCase{NewCase: suite.NewCase{ID: "call-" + call.ID, Tags: []string{fromCallTag}}}
	why := g.make(&c, call)
	if why == "" {
		inputs := inputsOf(c.Vars)
		at, twice := g.asked[inputs]
		switch {
		case !twice:
			g.asked[inputs] = len(g.made)
			g.made = append(g.made, c)
			return
		case at >= 0 && c.Golden != nil && !c.said && (g.made[at].Golden == nil || g.made[at].said):
			g.made[at] = c
		}
		why = "asking what a case asks already"
	}
	g.left[why]++
}

func (g *gathered) make(c *madeCase, call *llm.Call) (why string) {
	switch {
	case g.ids[c.ID]:
		return "in the suite already"
	case call.Unstored():
		return "stored without contents (store.content in llmx.yaml)"
	}
	vars, err := varsOf(call)
	if err != nil {
		return "stored without all inputs"
	}
	take := newTaker(g, call)
	c.Vars = take.vars(vars)
	if err := g.prompt.CheckVars(c.Vars); err != nil {
		return "whose inputs do not fit the prompt " + g.prompt.Name + ": " + fault.As(err).Message
	}
	golden, said, why := g.goldenFor(call)
	if why != "" {
		return why
	}
	if golden != nil {
		value := take.value(*golden)
		c.Golden = &value
	} else if !g.checked {
		if g.prompt.Output.IsText() {
			return nothingWouldCheck
		}
		c.Expect = []string{"schema"}
	}
	c.Meta = map[string]any{"call": call.ID, "date": call.Started.UTC().Format(time.DateOnly), "prompt": call.Prompt.String()}
	if word := call.FeedbackWord(); word != "" {
		c.Meta["feedback"] = word
	}
	if said {
		c.Meta["golden"] = "as answered"
	}
	c.said, c.taken = said, take.counts()
	return ""
}

// taker takes secrets and personal data out of one case.
type taker struct {
	*redact.Redactor // nil: all stays
	of               *gathered
}

func newTaker(g *gathered, call *llm.Call) taker {
	if g.options.redact == "off" {
		return taker{of: g}
	}
	return taker{redact.New(call.User), g}
}

func (t taker) counts() map[redact.Kind]int {
	if t.Redactor == nil {
		return nil
	}
	return t.Counts()
}

func (t taker) value(value any) any {
	if t.Redactor == nil {
		return value
	}
	return t.Value(value)
}

// vars goes through inputs in the order of their names; images and files stay.
func (t taker) vars(vars map[string]any) map[string]any {
	made := make(map[string]any, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		kind := prompt.KindString
		for _, input := range t.of.prompt.Inputs {
			if input.Name == name {
				kind = input.Kind
			}
		}
		if kind == prompt.KindImage || kind == prompt.KindFile {
			made[name] = vars[name]
			t.of.media = true
			continue
		}
		made[name] = t.value(vars[name])
	}
	return made
}

// goldenFor is the golden answer of a call: what somebody said would have been right,
// or with --golden answers what the model said.
func (g *gathered) goldenFor(call *llm.Call) (golden *any, said bool, why string) {
	if g.options.golden == "none" {
		return nil, false, ""
	}
	if correction := call.Correction(); correction != nil {
		value, err := jsonschema.Decode(correction)
		if err != nil {
			return nil, false, "whose correction cannot be read"
		}
		text, isText := value.(string)
		if !isText {
			text = string(correction)
		} else if g.prompt.Output.IsText() || !json.Valid([]byte(text)) && g.prompt.Output.Kind != llm.OutputJSON {
			return &value, false, ""
		}
		read := newAnswerReader()(eval.Said{Answer: text, Finish: llm.FinishStop}, contractOf(g.prompt))
		if read.Broken != "" {
			return nil, false, "whose correction breaks the prompt's contract: " + strings.SplitN(read.Broken, "\n", 2)[0]
		}
		return &read.Value, false, ""
	}
	turn := call.Turn()
	if g.options.golden != "answers" || call.Failure != nil || turn == nil || len(turn.ToolCalls) > 0 {
		return nil, false, ""
	}
	if g.prompt.Output.IsText() {
		var value any = call.Answer
		return &value, true, ""
	}
	read := newAnswerReader()(eval.Said{Answer: call.Answer, Finish: call.Finish}, contractOf(g.prompt))
	if read.Broken != "" {
		return nil, false, ""
	}
	return &read.Value, true, ""
}
