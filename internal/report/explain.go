package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Explain writes why a model said what it said: the prompt, what was asked, every
// attempt with its time and price and what lay between them, the answer, what the
// contract made of it, and the checks of the result that the call belongs to (nil
// where it has none), what was said of it since, and what to do next: the call can become a case of a suite
// ("" where there is none for its prompt).
func Explain(w io.Writer, call *llm.Call, result *eval.Result, suite string, s Style) error {
	p := newPage(w, s)
	if call == nil {
		return fault.New(fault.Internal, "there is no call to explain")
	}
	p.callHeadline(call, result)
	p.space()
	p.callFacts(call, result, s)
	story := newStory(p, call)
	for i := range call.Turns {
		p.turn(call, i, story)
	}
	if len(call.Turns) == 0 {
		p.space()
		p.line(text("nothing was asked: the call ended before its first turn"))
	}
	story.end()
	p.callAnswer(call, replyIn(call, result))
	p.conversation(call, result)
	p.checks(result)
	p.feedback(call, s)
	p.steps(callSteps(call, suite))
	return p.end()
}

func (p *page) callHeadline(call *llm.Call, result *eval.Result) {
	switch {
	case call.Failure != nil:
		p.hang("", "  ", span{"FAILED", bad}, text("  "+string(call.Failure.Class)+": "+call.Failure.Message))
	case result != nil && result.Status != eval.Pass:
		p.hang("", "  ", span{strings.ToUpper(string(result.Status)), statusRole[result.Status]}, text("  "+result.Reason()))
	case result != nil:
		p.line(span{"PASS", good}, text("  every check holds"))
	default:
		p.line(span{"ANSWERED", good}, text("  "+string(call.Finish)))
	}
}

func (p *page) callFacts(call *llm.Call, result *eval.Result, s Style) {
	p.fact("call", call.ID)
	p.fact("started", call.Started.In(s.zone()).Format("2006-01-02 15:04:05 MST"))
	p.fact("key", call.Key)
	p.fact("user", call.User)
	p.fact("prompt", call.Prompt.String())
	p.fact("hash", call.Prompt.Hash)
	if origin := call.Origin; origin.Case != "" || origin.Run != "" {
		p.fact("case", fmt.Sprintf("%s of suite %s, draw %d, run %s", origin.Case, origin.Suite, call.Repeat+1, origin.Run))
	}
	if at := stepOf(call, result); at >= 0 {
		p.fact("turn", turnOf(result, at))
	}
	if call.Origin.Check != "" {
		p.fact("asked by", "the check "+call.Origin.Check+" of that case's answer")
	}
	model := call.Model
	if by := answeredBy(call); by != "" {
		model += ", answered by " + by
	}
	p.fact("model", model)
	p.sentence("answer by", storedBy(call))
	if call.Failure == nil { // else its message says so
		p.sentence("before", llm.ByModel(failuresOf(call)))
	}
	p.fact("cost", strings.TrimPrefix(priced(call.Cost(), call.Paid()), "cost "))
	usage := call.Usage()
	p.fact("tokens", tokensOf(usage))
	p.sentence("time", timesOf(call))
	inputs := clip(string(call.Vars), 2000)
	if len(call.Vars) == 0 && call.Unstored() {
		inputs = notStored
	}
	p.fact("inputs", inputs)
}

// notStored stands where the store was told to leave content out.
const notStored = "not stored (store.content in llmx.yaml)"

// withheld reports whether an answer was left out rather than empty: its digest is
// kept in any case.
func withheld(answer, digest string) bool {
	return answer == "" && digest != "" && digest != eval.DigestOf("")
}

// answeredBy names who answered: the alias where another one was asked for, and the
// model in the provider's words where they differ from it. "" is nobody.
func answeredBy(call *llm.Call) string {
	alias := aliasOf(call)
	switch {
	case alias == "" || alias == call.Answered:
		return call.Answered
	case call.Answered == "":
		return alias
	}
	return alias + " (" + call.Answered + ")"
}

// aliasOf is the alias of the model that answered, where another name was asked for;
// of an answer from the cache nobody knows it.
func aliasOf(call *llm.Call) string {
	turn := call.Turn()
	if turn == nil || len(turn.Attempts) == 0 {
		return ""
	}
	last := turn.Attempts[len(turn.Attempts)-1]
	if last.Failure != nil || last.Model == call.Model {
		return ""
	}
	return last.Model
}

// failuresOf are the attempts that came to nothing, in their order.
func failuresOf(call *llm.Call) []llm.Failed {
	var failed []llm.Failed
	for _, turn := range call.Turns {
		for _, a := range turn.Attempts {
			if a.Failure != nil {
				failed = append(failed, llm.Failed{Model: a.Model, Class: a.Failure.Class, Message: a.Failure.Message})
			}
		}
	}
	return failed
}

func tokensOf(u llm.Usage) string {
	s := fmt.Sprintf("%s in, %s out", number(int(u.Input)), number(int(u.Output)))
	if u.CachedInput > 0 {
		s += fmt.Sprintf(" (%s of the input cached)", number(int(u.CachedInput)))
	}
	if u.Reasoning > 0 {
		s += fmt.Sprintf(" (%s of the output reasoning)", number(int(u.Reasoning)))
	}
	if u.Estimated {
		s += ", estimated"
	}
	return s
}

func (p *page) callAnswer(call *llm.Call, result *eval.Result) {
	answer := saidBy(call)
	if answer == "" && result != nil {
		answer = result.Shown() // kept with the result where the call keeps no content
	}
	lost := call.Unstored() && (call.Failure == nil || begun(call))
	if result != nil && result.Digest != "" {
		lost = withheld(answer, result.Digest)
	}
	p.space()
	title := "Answer"
	switch {
	case call.Failure == nil:
	case answer == "" && !lost:
		p.line(text("Nothing had come of the answer"))
		return
	case call.Failure.Class.CountsAsFail():
		title = "The answer, which was not passed on"
	default:
		title = "What had come of the answer"
	}
	p.line(span{title, strong}, text(": finish reason "+orNone(string(call.Finish))))
	if answer == "" && lost {
		p.flow("  ", text(notStored))
		return
	}
	p.answer("  ", laidOut(answer))
}

// saidBy is what the model said in the last turn, valid or not.
func saidBy(call *llm.Call) string {
	if turn := call.Turn(); turn != nil {
		return llm.Shown(call.Answer, turn.ToolCalls)
	}
	return call.Answer
}

// begun reports whether the model had begun to answer when a call failed.
func begun(call *llm.Call) bool { return call.FirstToken > 0 }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// whomOf says whom a check asked, "" for nobody.
func whomOf(asked *eval.Asked) string {
	if asked == nil {
		return ""
	}
	whom := asked.Model
	if asked.Prompt != "" {
		whom = asked.Prompt + " on " + whom
	}
	return fmt.Sprintf("asked %s, %s: %s", whom, priced(asked.Cost, asked.Paid), strings.Join(asked.Calls, ", "))
}

func (p *page) checks(result *eval.Result) {
	if result == nil || len(result.Scores) == 0 {
		return
	}
	p.space()
	p.line(span{"Checks", strong})
	for _, score := range result.Scores {
		word, look := "pass", good
		if !score.Pass {
			word, look = "fail", bad
		}
		line := "  " + score.Check
		if score.Turn > 0 {
			line = "  " + eval.AtTurn(score.Turn, score.Check)
		}
		if score.Metric != "" {
			line += fmt.Sprintf("  (%s %.3f)", score.Metric, score.Value)
		}
		if score.Operational {
			line += "  operational: not in accuracy"
		}
		p.line(text("  "), span{word, look}, text(line))
		if whom := whomOf(score.Asked); whom != "" {
			p.flow("        ", span{whom, faint})
		}
		if score.Reason != "" {
			p.flow("        ", span{clip(score.Reason, 2000), faint})
		}
	}
}
