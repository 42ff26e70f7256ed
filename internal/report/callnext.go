package report

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// callSteps are what to do with a call: ask the same again with the draft, make a case
// of it, and see whether it is alone.
func callSteps(call *llm.Call, suite string) []step {
	var steps []step
	if name := call.Prompt.Name; name != "" && call.Origin.Check == "" {
		if !call.Unstored() {
			steps = append(steps, step{"llmx ask --from-call " + ShellWord(call.ID) + " --prompt " + ShellWord(name+"@draft"), "the same, asked of the draft"})
			if suite != "" && call.Origin.Case == "" {
				steps = append(steps, step{"llmx cases from-calls " + ShellWord(suite) + " --call " + ShellWord(call.ID) + " --dry-run", "make it a case of the suite"})
			}
		}
		return append(steps, step{"llmx calls --prompt " + ShellWord(name) + " --since 1h", "is it alone?"})
	}
	if call.Prompt.Name == "" && !call.Unstored() {
		steps = append(steps, step{"llmx ask --from-call " + ShellWord(call.ID), "the same, asked again"})
	}
	return steps
}

// feedback writes what was said of the answer since.
func (p *page) feedback(call *llm.Call, s Style) {
	if len(call.Feedback) == 0 {
		return
	}
	p.space()
	p.line(span{"Feedback", strong})
	for _, f := range call.Feedback {
		look := plain
		switch f.Word() {
		case llm.FeedbackGood:
			look = good
		case llm.FeedbackBad:
			look = bad
		}
		words := []string{f.At.In(s.zone()).Format("2006-01-02 15:04:05 MST")}
		if f.Score != nil {
			words = append(words, fmt.Sprintf("score %g", *f.Score))
		}
		if f.Key != "" {
			words = append(words, "by the key "+f.Key)
		}
		word := f.Word()
		if word == "" {
			word = "said"
		}
		p.line(text("  "), span{pad(word, 4, false), look}, text("  "+strings.Join(words, ", ")))
		if f.Correction != nil {
			p.flow("        ", span{"right is ", faint}, text(clip(string(f.Correction), 2000)))
		}
		if f.Comment != "" {
			p.flow("        ", span{clip(f.Comment, 2000), faint})
		}
	}
}
