package cli

import (
	"cmp"
	"slices"

	"github.com/llmx-dev/llmx/internal/engine/contract"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/turns"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// recordTalk records the replies of a conversation: each one is the reply to all that
// was said before it, so that those before must be in the file, too.
func (p *project) recordTalk(one *loaded, c *eval.Case, entries []replay.Entry, origin string, known map[string]bool) ([]replay.Recording, error) {
	type draw struct {
		model  string
		repeat int
	}
	var order []draw
	byDraw := map[draw][]replay.Entry{}
	for _, entry := range entries {
		d := draw{entry.Model, entry.Repeat}
		if !slices.Contains(order, d) {
			order = append(order, d)
		}
		byDraw[d] = append(byDraw[d], entry)
	}
	var made []replay.Recording
	var problems fault.List
	for _, d := range order {
		some, err := p.recordReplies(one, c, byDraw[d], origin, known)
		problems.Add(err)
		made = append(made, some...)
	}
	return made, problems.Err()
}

func (p *project) recordReplies(one *loaded, c *eval.Case, entries []replay.Entry, origin string, known map[string]bool) ([]replay.Recording, error) {
	slices.SortFunc(entries, func(a, b replay.Entry) int { return cmp.Compare(a.Turn, b.Turn) })
	var made []replay.Recording
	talk, read := turns.Begin(c), newAnswerReader()
	for len(entries) > 0 {
		entry := entries[0]
		if entry.Turn == 0 {
			return nil, fault.At(entry.Place, "the case %q is a conversation: to which turn is this the reply?", c.ID).WithHint(`write "turn": 1 for the first one`)
		}
		at, stuck, more := talk.Next()
		switch {
		case stuck != nil:
			return nil, fault.At(entry.Place, "the conversation does not come to turn %d of case %q: turn %d: %s", entry.Turn, c.ID, stuck.Turn, stuck.Reason).WithHint("give the reply before its tool_calls")
		case !more || talk.Turn().Number > entry.Turn:
			return nil, fault.At(entry.Place, "nobody is asked after turn %d of case %q", entry.Turn, c.ID).WithHint("a user's turn is answered, and the last of tools' results that follow each other")
		case talk.Turn().Number < entry.Turn:
			return nil, fault.At(entry.Place, "the reply to turn %d of case %q is missing, without which turn %d cannot be asked", talk.Turn().Number, c.ID, entry.Turn).WithHint("every reply of a conversation is a line of the file")
		}
		some, err := p.recordEntry(one, &at, entry, origin, known)
		if err != nil {
			return nil, err
		}
		made = append(made, some...)
		said := eval.Said{Answer: entry.Answer, ToolCalls: entry.Calls, Finish: entry.Finish}
		talk.Reply(entry.Answer, passedOn(read(said, contractOf(one.prompt)), entry.Calls))
		entries = entries[1:]
	}
	return made, nil
}

// passedOn are the tool calls of a reply as the conversation goes on with them: put
// right where they may be.
func passedOn(read eval.Reading, calls []llm.ToolCall) []llm.ToolCall {
	if read.Broken != "" {
		return calls
	}
	return read.ToolCalls
}

// recordedDraws are the models and repeats that recordings name, and the keys that
// could be asked for with them.
type recordedDraws struct {
	file    *replay.Recordings
	models  map[string]bool
	repeats int // the highest
	used    map[string]bool
	judged  *judgedKeys
}

// mark marks what could be asked for a case, for each draw.
func (d recordedDraws) mark(c *eval.Case, request llm.Request) error {
	for model := range d.models {
		for request.Repeat = range d.repeats + 1 {
			if _, _, err := d.follow(c, request, model); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow marks a request and what follows from its recorded reply: one that breaks its
// contract is sent back, and what checks ask is about the last. It gives that; false
// where it was not recorded.
func (d recordedDraws) follow(c *eval.Case, request llm.Request, model string) (replay.Recording, bool, error) {
	for left := request.Output.Reask; ; left-- {
		key := replay.Key(request, model)
		d.used[key] = true
		recording, there, err := d.file.Lookup(key)
		if !there || err != nil {
			return replay.Recording{}, false, err
		}
		said := eval.Said{Answer: recording.Text, ToolCalls: recording.ToolCalls, Finish: recording.Finish}
		broken := d.judged.read(said, eval.Contract{Output: request.Output, Tools: request.Tools}).Broken
		if broken == "" || left <= 0 {
			return recording, true, d.judged.add(c, request, said)
		}
		request = contract.Again(request, llm.Response{Text: said.Answer, ToolCalls: said.ToolCalls}, broken)
	}
}

// markTalk follows each conversation through its recorded replies.
func (d recordedDraws) markTalk(found *prompt.Prompt, c *eval.Case) error {
	for model := range d.models {
		for repeat := range d.repeats + 1 {
			talk := turns.Begin(c)
			for {
				at, _, more := talk.Next()
				if !more {
					break
				}
				request, err := requestOf(found, &at)
				if err != nil {
					return nil // the version wants other inputs: nothing of it is asked
				}
				request.Repeat = repeat
				recording, there, err := d.follow(&at, request, model)
				if err != nil {
					return err
				}
				if !there {
					break
				}
				said := eval.Said{Answer: recording.Text, ToolCalls: recording.ToolCalls, Finish: recording.Finish}
				talk.Reply(recording.Text, passedOn(d.judged.read(said, contractOf(found)), recording.ToolCalls))
			}
		}
	}
	return nil
}
