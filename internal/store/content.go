package store

import (
	"bytes"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// withheld stands where a text that may quote an answer was left out.
const withheld = "(content is not stored)"

// callWithoutContent is a copy without inputs, messages and answers, and without whom
// it was asked for and what else may be the caller's words: tools, the schema of a request
// that is no prompt's, and options that are texts.
func callWithoutContent(c *llm.Call) *llm.Call {
	kept := *c
	kept.Vars, kept.Answer, kept.User = nil, "", ""
	kept.Failure = failureWithoutContent(c.Failure)
	kept.Turns = slices.Clone(c.Turns)
	for i := range kept.Turns {
		turn := &kept.Turns[i]
		turn.Messages, turn.Answer, turn.ToolCalls = nil, "", nil
		turn.Tools, turn.Options = llm.Tools{}, figuresOf(turn.Options)
		if c.Prompt.Name == "" {
			turn.Output.Schema = nil
		}
		if turn.Violation != "" {
			turn.Violation = withheld
		}
		turn.Attempts = slices.Clone(turn.Attempts)
		for j := range turn.Attempts {
			turn.Attempts[j].Failure = failureWithoutContent(turn.Attempts[j].Failure)
		}
	}
	return &kept
}

// figuresOf are the options that are numbers, true or false: they have no words.
func figuresOf(options llm.Options) llm.Options {
	var figures llm.Options
	for name, value := range options {
		if value = bytes.TrimSpace(value); len(value) == 0 || bytes.IndexByte([]byte(`"[{`), value[0]) >= 0 {
			continue
		}
		if figures == nil {
			figures = llm.Options{}
		}
		figures[name] = value
	}
	return figures
}

// failureWithoutContent withholds a message that may quote what was asked or answered:
// that of a broken contract, and that of a provider who refused the request for what
// stands in it. Other messages speak of transport.
func failureWithoutContent(f *llm.Failure) *llm.Failure {
	if f == nil {
		return nil
	}
	kept := *f
	switch {
	case f.Class == fault.Contract:
		kept.Message = "the answer breaks the output contract " + withheld
	case f.Status != 0 && (f.Class == fault.BadRequest || f.Class == fault.ContentFilter || f.Class == fault.ContextLength):
		kept.Message = "the provider refused the request " + withheld
	default:
		return f
	}
	return &kept
}

// resultWithoutContent keeps what was judged, and not what was said.
func resultWithoutContent(r eval.Result) eval.Result {
	r.Answer, r.ToolCalls = "", nil
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		step := &r.Steps[i]
		step.Said, step.Answer, step.ToolCalls = nil, "", nil
		step.Failure = failureWithoutContent(step.Failure)
	}
	r.Failure = failureWithoutContent(r.Failure)
	r.Scores = slices.Clone(r.Scores)
	for i := range r.Scores {
		score := &r.Scores[i]
		score.Want, score.Got = "", ""
		if score.Reason != "" {
			score.Reason = withheld
		}
	}
	return r
}

// withoutContent is a copy of a verdict without answers and what may quote them.
func withoutContent(v *eval.Verdict) *eval.Verdict {
	if v == nil {
		return nil
	}
	kept := *v
	kept.Groups = slices.Clone(v.Groups)
	for i := range kept.Groups {
		group := &kept.Groups[i]
		group.Flips = slices.Clone(group.Flips)
		for j := range group.Flips {
			flip := &group.Flips[j]
			flip.Old, flip.New, flip.Reason, flip.Talk = nil, "", withheld, nil
		}
		group.Failed = slices.Clone(group.Failed)
		for j := range group.Failed {
			group.Failed[j].Reason, group.Failed[j].Talk = withheld, nil
		}
		group.Quarantine = quarantineWithoutContent(group.Quarantine)
	}
	return &kept
}

func quarantineWithoutContent(q *eval.Quarantine) *eval.Quarantine {
	if q == nil {
		return nil
	}
	kept := *q
	kept.Failed = slices.Clone(q.Failed)
	for i := range kept.Failed {
		kept.Failed[i].Reason, kept.Failed[i].Talk = withheld, nil
	}
	return &kept
}
