package replay

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Entry is an answer to a case, as a person or another tool has written it down.
type Entry struct {
	Case    string
	Turn    int              // of a conversation, from 1; 0 for another case
	Answer  string           // a JSON answer that is no string stands as its text
	Calls   []llm.ToolCall   // that the model proposes; without an id they get one
	Model   string           // alias or resolved name; "" for every model of the suite
	Repeat  int              // from 0
	Prompt  string           // "triage@1.0.0", "" for the suite's
	Finish  llm.FinishReason // where the file has none "stop", or "tool_calls" where some are proposed
	Usage   *llm.Usage       // nil where nobody counted
	Latency time.Duration    // 0 where nobody measured
	Place   fault.Place
}

var entryMembers = []string{"case", "turn", "answer", "tool_calls", "model", "repeat", "prompt", "finish", "usage", "latency_ms"}

// ParseImport reads a file of answers: one JSON object a line,
//
//	{"case": "refund-angry", "answer": {"label": "billing"}, "model": "small", "repeat": 0,
//	 "prompt": "triage@1.0.0", "finish": "stop", "usage": {"input": 120, "output": 8}, "latency_ms": 412}
//
// of which only case and answer are required, or in place of an answer what is called,
// and for a reply within a conversation the turn that it answers:
//
//	{"case": "which", "turn": 1, "tool_calls": [{"name": "lookup_invoice", "arguments": {"id": 17}}]}
//
// Everything that is wrong is told at once.
func ParseImport(file string, source io.Reader) ([]Entry, error) {
	var entries []Entry
	var wrong problems
	first := map[string]int{}
	err := eachLine(file, source, func(l fileLine) error {
		entry, flaws := parseEntry(l.text)
		for _, f := range flaws {
			wrong.add(f.fault(file, l.n, l.text))
		}
		if len(flaws) > 0 {
			return nil
		}
		entry.Place = fault.Place{File: file, Line: l.n, Col: 1}
		name := fmt.Sprintf("%s\x00%s\x00%s\x00%d\x00%d", entry.Case, entry.Model, entry.Prompt, entry.Repeat, entry.Turn)
		if line, twice := first[name]; twice {
			wrong.add(fault.At(entry.Place, "case %q has an answer already", entry.Case).
				WithHint("it stands at line %d; other draws of a case have another repeat", line))
			return nil
		}
		first[name] = l.n
		entries = append(entries, entry)
		return nil
	})
	if err != nil {
		wrong.list.Add(err)
	}
	if len(entries) == 0 && len(wrong.list) == 0 {
		wrong.add(fault.At(fault.Place{File: file}, "there is no answer in the file").
			WithHint(`one line a case: {"case": "…", "answer": "…"}`))
	}
	if err := wrong.err(file); err != nil {
		return nil, err
	}
	return entries, nil
}

func parseEntry(line []byte) (Entry, []flaw) {
	var e Entry
	var o object
	var seen memberSet
	o.walk(line, entryMembers, func(m member) {
		if !seen.first(&o, m, entryMembers) {
			return
		}
		switch m.name {
		case "case":
			if e.Case = o.text(m); e.Case == "" && m.value[0] == '"' {
				o.add(m.valueAt, "", "case: want a case's id, got an empty string")
			}
		case "turn":
			e.Turn = int(min(o.whole(m), math.MaxInt32))
		case "answer":
			e.Answer = answerText(m.value)
		case "tool_calls":
			e.Calls = o.toolCalls(line, m, func(_ *object, m member) string { return answerText(m.value) })
		case "model":
			e.Model = o.text(m)
		case "repeat":
			e.Repeat = int(min(o.whole(m), math.MaxInt32))
		case "prompt":
			e.Prompt = o.promptRef(m)
		case "finish":
			e.Finish = o.finish(m)
		case "usage":
			usage := o.usage(line, m)
			e.Usage = &usage
		case "latency_ms":
			e.Latency = o.millis(m)
		}
	})
	required := []string{"case", "answer"}
	if len(e.Calls) > 0 {
		required = required[:1]
	}
	if len(o.flaws) == 0 {
		seen.require(&o, required, entryMembers)
	}
	e.complete()
	return e, o.flaws
}

// complete adds what is not written where it goes without saying.
func (e *Entry) complete() {
	if e.Finish == "" {
		e.Finish = llm.FinishStop
		if len(e.Calls) > 0 {
			e.Finish = llm.FinishToolCalls
		}
	}
	for i := range e.Calls {
		if call := &e.Calls[i]; call.ID == "" {
			call.ID = fmt.Sprintf("call_%d", i+1)
		}
	}
}

func (o *object) promptRef(m member) string {
	ref := o.text(m)
	name, version, exact := strings.Cut(ref, "@")
	if m.value[0] == '"' && (!exact || name == "" || version == "") {
		o.add(m.valueAt, "write the version too: triage@1.0.0 or triage@draft", "prompt: %q names no version", ref)
	}
	return ref
}

// answerText is a string itself, and any other value as compact JSON text.
func answerText(raw []byte) string {
	if raw[0] == '"' {
		return unquote(raw)
	}
	if bytes.ContainsAny(raw, " \t\r\n") {
		return string(appendTokens(nil, raw))
	}
	return string(raw)
}

// Recording makes the recording of an answer. req is the rendered request of the
// entry's case, resolved the model that it is a reply of ("openai/gpt-4o-mini"),
// origin says who wrote it ("written"), and now gives the day. Where nobody counted
// the tokens they are estimated and marked. It is the
// origin that answered: an imported answer is not passed off as a vendor's.
func (e Entry) Recording(req llm.Request, resolved, origin string, now time.Time) Recording {
	req.Repeat = e.Repeat
	said := len(e.Answer)
	for _, call := range e.Calls {
		said += len(call.Name) + len(call.Arguments)
	}
	usage := llm.Usage{Input: llm.EstimateRequest(&req), Output: llm.EstimateTokens(said), Estimated: true}
	if e.Usage != nil {
		usage = *e.Usage
	}
	return Recording{
		Key: Key(req, resolved), Case: e.Case, Prompt: req.Prompt.String(), Model: resolved, Repeat: e.Repeat,
		Answered: origin, Origin: origin, Date: day(now), Finish: e.Finish, Usage: usage,
		Service: e.Latency, Text: e.Answer, ToolCalls: e.Calls,
	}
}

func day(t time.Time) time.Time {
	year, month, date := t.UTC().Date()
	return time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
}
