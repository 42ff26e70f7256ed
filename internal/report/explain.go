package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Explain writes why a model said what it said: the prompt, what was asked, every
// attempt with its time and price, the answer, what the contract made of it, and
// the checks of the result that the call belongs to (nil where it has none).
func Explain(w io.Writer, call *llm.Call, result *eval.Result, s Style) error {
	p := newPage(w, s)
	if call == nil {
		return fault.New(fault.Internal, "there is no call to explain")
	}
	p.callHeadline(call, result)
	p.space()
	p.callFacts(call, s)
	for i, turn := range call.Turns {
		p.turn(call, i, turn)
	}
	if len(call.Turns) == 0 {
		p.space()
		p.line(text("nothing was asked: the call ended before its first turn"))
	}
	p.callAnswer(call, result)
	p.checks(result)
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

func (p *page) callFacts(call *llm.Call, s Style) {
	p.fact("call", call.ID)
	p.fact("started", call.Started.In(s.zone()).Format("2006-01-02 15:04:05 MST"))
	p.fact("prompt", call.Prompt.String())
	p.fact("hash", call.Prompt.Hash)
	if origin := call.Origin; origin.Case != "" || origin.Run != "" {
		p.fact("case", fmt.Sprintf("%s of suite %s, draw %d, run %s", origin.Case, origin.Suite, call.Repeat+1, origin.Run))
	}
	model := call.Model
	if call.Answered != "" {
		model += ", answered by " + call.Answered
	}
	p.fact("model", model)
	p.fact("answer by", storedBy(call.Stored))
	p.fact("cost", strings.TrimPrefix(priced(call.Cost(), call.Paid()), "cost "))
	usage := call.Usage()
	p.fact("tokens", tokensOf(usage))
	p.fact("time", timesOf(call))
	inputs := clip(string(call.Vars), 2000)
	if len(call.Vars) == 0 && unstored(call) {
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

// unstored reports whether a call's messages were left out: nothing is asked
// without any.
func unstored(call *llm.Call) bool {
	return slices.ContainsFunc(call.Turns, func(t llm.Turn) bool { return len(t.Messages) == 0 })
}

// timesOf says how long a call took; a stored answer took its time then, not now.
func timesOf(call *llm.Call) string {
	if call.Stored != nil {
		return given(call.Stored, call.Service)
	}
	return fmt.Sprintf("%s in all: %s waiting, %s served, first token after %s",
		latency(call.Total), latency(call.Queue), latency(call.Service), latency(call.FirstToken))
}

// given says where a stored answer came from, of when it is, and what it took then.
func given(stored *llm.Stored, service time.Duration) string {
	s := "from " + source(stored)
	if service = cmp.Or(stored.Service, service); service > 0 {
		s += " (" + latency(service) + " then)"
	}
	return s
}

// source names what keeps a stored answer, with its date.
func source(stored *llm.Stored) string {
	s := "a " + stored.By
	if stored.By == "cache" {
		s = "the cache"
	}
	if !stored.At.IsZero() {
		s += " of " + stored.At.UTC().Format("2006-01-02")
	}
	return s
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

// storedBy says where an answer came from that was not asked for now.
func storedBy(stored *llm.Stored) string {
	if stored == nil {
		return ""
	}
	s := source(stored)
	if stored.Origin != "" {
		s += ", origin: " + stored.Origin
	}
	return s + "; no model was asked now"
}

// maxMessages bounds the messages of one turn on a page: the first and the last.
const maxMessages = 12

func (p *page) turn(call *llm.Call, i int, turn llm.Turn) {
	p.space()
	p.line(span{fmt.Sprintf("Turn %d of %d", i+1, len(call.Turns)), strong}, text(": "+turn.Kind))
	if len(turn.Options) > 0 {
		var options []string
		for _, key := range slices.Sorted(maps.Keys(turn.Options)) {
			options = append(options, key+" "+string(turn.Options[key]))
		}
		p.flow("  ", span{"options: ", faint}, text(strings.Join(options, ", ")))
	}
	if turn.Output.Kind != "" {
		p.flow("  ", span{"contract: ", faint}, text(string(turn.Output.Kind)))
	}
	if len(turn.Messages) == 0 {
		p.flow("  ", span{"messages: ", faint}, text(notStored))
	}
	for j, message := range turn.Messages {
		if hidden := len(turn.Messages) - maxMessages; hidden > 0 && j >= maxMessages/2 && j < len(turn.Messages)-maxMessages/2 {
			if j == maxMessages/2 {
				p.line(span{"  … " + count(hidden, "message", "messages") + " left out", faint})
			}
			continue
		}
		p.message(message)
	}
	for j, attempt := range turn.Attempts {
		p.attempt(j, attempt)
	}
	if i < len(call.Turns)-1 && turn.Answer != "" {
		p.line(span{"  answer of this turn", faint})
		p.answer("    ", turn.Answer)
	}
	if len(turn.Repairs) > 0 {
		p.hang("  ", "    ", span{"repaired: ", doubtful}, text(repairsOf(turn.Repairs)))
	}
	if turn.Violation != "" {
		p.hang("  ", "    ", span{"contract refused: ", bad}, text(clip(turn.Violation, 2000)))
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

func (p *page) attempt(j int, a llm.Attempt) {
	outcome, look := "answered", good
	times := fmt.Sprintf("%s served, %s waiting  ", latency(a.Service), latency(a.Queue))
	price := a.Cost.String()
	if !a.Cost.Known {
		price = "price unknown"
	}
	if a.Failure != nil {
		outcome, look = string(a.Failure.Class), bad
		if a.Failure.Status > 0 {
			outcome += fmt.Sprintf(" (HTTP %d)", a.Failure.Status)
		}
	} else if a.Stored != nil {
		outcome, times = given(a.Stored, a.Service), ""
	} else if a.Finish != "" && a.Finish != llm.FinishStop {
		outcome, look = string(a.Finish), doubtful
	}
	p.hang("  ", "    ", span{fmt.Sprintf("attempt %d: ", j+1), faint}, span{outcome, look},
		text(fmt.Sprintf("  %s/%s  %s%s  %s", a.Provider, a.Wire, times, tokensOf(a.Usage), price)))
	if a.Failure != nil {
		p.flow("    ", text(clip(a.Failure.Message, 2000)))
	}
	if a.ResponseID != "" {
		p.line(span{"    response " + a.ResponseID, faint})
	}
}

func (p *page) callAnswer(call *llm.Call, result *eval.Result) {
	p.space()
	title := "Answer"
	if call.Failure != nil {
		title = "What had come of the answer"
	}
	p.line(span{title, strong}, text(": finish reason "+orNone(string(call.Finish))))
	answer := call.Answer
	if answer == "" && result != nil {
		answer = result.Answer // kept with the result where the call keeps no content
	}
	lost := unstored(call) && call.Failure == nil
	if result != nil && result.Digest != "" {
		lost = withheld(answer, result.Digest)
	}
	if answer == "" && lost {
		p.flow("  ", text(notStored))
		return
	}
	if pretty, ok := prettyJSON(answer); ok {
		answer = pretty
	}
	p.answer("  ", answer)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
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
		if score.Metric != "" {
			line += fmt.Sprintf("  (%s %.3f)", score.Metric, score.Value)
		}
		if score.Operational {
			line += "  operational: not in accuracy"
		}
		p.line(text("  "), span{word, look}, text(line))
		if score.Reason != "" {
			p.flow("        ", span{clip(score.Reason, 2000), faint})
		}
	}
}
