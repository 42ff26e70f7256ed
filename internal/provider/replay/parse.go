package replay

import (
	"math"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var finishReasons = []string{
	string(llm.FinishStop), string(llm.FinishLength), string(llm.FinishContentFilter), string(llm.FinishToolCalls), string(llm.FinishOther),
}

// The members of a line, in the order in which they are written.
var recordingMembers = []string{
	"key", "case", "check", "suite", "prompt", "model", "repeat", "answered", "response_id", "origin", "date", "finish",
	"usage", "service_ms", "first_token_ms", "text", "tool_calls",
}

var requiredMembers = []string{"key", "model", "origin", "date", "finish", "text"}

// parseRecording reads a line, and tells everything that is wrong with it.
func parseRecording(line []byte) (Recording, []flaw) {
	var r Recording
	var o object
	var seen memberSet
	o.walk(line, recordingMembers, func(m member) {
		if seen.first(&o, m, recordingMembers) {
			r.set(&o, line, m)
		}
	})
	if len(o.flaws) == 0 {
		seen.require(&o, requiredMembers, recordingMembers)
	}
	return r, o.flaws
}

func (r *Recording) set(o *object, line []byte, m member) {
	switch m.name {
	case "key":
		r.Key = o.text(m)
		if _, ok := idOf(r.Key); !ok {
			o.add(m.valueAt, "write the answers into a file and let `llmx fixtures import` make the keys", "key: want 64 hex digits")
		}
	case "case":
		r.Case = o.text(m)
	case "check":
		r.Check = o.text(m)
	case "suite":
		r.Suite = o.text(m)
	case "prompt":
		r.Prompt = o.text(m)
	case "model":
		r.Model = o.text(m)
	case "repeat":
		r.Repeat = int(min(o.whole(m), math.MaxInt32))
	case "answered":
		r.Answered = o.text(m)
	case "response_id":
		r.ResponseID = o.text(m)
	case "origin":
		r.Origin = o.text(m)
	case "date":
		r.Date = o.date(m)
	case "finish":
		r.Finish = o.finish(m)
	case "usage":
		r.Usage = o.usage(line, m)
	case "service_ms":
		r.Service = o.millis(m)
	case "first_token_ms":
		r.FirstToken = o.millis(m)
	case "text":
		r.Text = o.text(m)
	case "tool_calls":
		r.ToolCalls = o.toolCalls(line, m, (*object).text)
	}
}

func (o *object) finish(m member) llm.FinishReason {
	finish := o.text(m)
	if m.value[0] == '"' && !slices.Contains(finishReasons, finish) {
		o.add(m.valueAt, fault.Allowed(finish, finishReasons), "finish: %q is not known here", finish)
	}
	return llm.FinishReason(finish)
}

var usageMembers = []string{"input", "output", "cached_input", "reasoning", "estimated"}

func (o *object) usage(line []byte, m member) llm.Usage {
	var usage llm.Usage
	if m.value[0] != '{' {
		o.wrong(m, "an object")
		return usage
	}
	var seen memberSet
	members(line, m.valueAt, usageMembers, func(m member) {
		if !seen.first(o, m, usageMembers) {
			return
		}
		switch m.name {
		case "input":
			usage.Input = o.whole(m)
		case "output":
			usage.Output = o.whole(m)
		case "cached_input":
			usage.CachedInput = o.whole(m)
		case "reasoning":
			usage.Reasoning = o.whole(m)
		case "estimated":
			usage.Estimated = o.boolean(m)
		}
	})
	return usage
}

var toolCallMembers = []string{"id", "name", "arguments"}

// toolCalls reads a list of calls; arguments reads theirs.
func (o *object) toolCalls(line []byte, m member, arguments func(*object, member) string) []llm.ToolCall {
	if m.value[0] != '[' {
		o.wrong(m, "a list")
		return nil
	}
	var calls []llm.ToolCall
	for at := skipSpace(line, m.valueAt+1); line[at] != ']'; at = skipSpace(line, at) {
		if line[at] == ',' {
			at++
			continue
		}
		if line[at] != '{' {
			o.add(at, "", "tool_calls: want objects, got %s", kindOf(line[at]))
			return nil
		}
		var call llm.ToolCall
		var seen memberSet
		members(line, at, toolCallMembers, func(m member) {
			if !seen.first(o, m, toolCallMembers) {
				return
			}
			switch m.name {
			case "id":
				call.ID = o.text(m)
			case "name":
				call.Name = o.text(m)
			case "arguments":
				call.Arguments = arguments(o, m)
			}
		})
		calls = append(calls, call)
		at = skipValue(line, at)
	}
	return calls
}

// memberSet has a bit for each member that was seen, by its index in a list.
type memberSet uint32

// first reports whether a member is known and was not seen before.
func (s *memberSet) first(o *object, m member, known []string) bool {
	if m.index < 0 {
		o.add(m.nameAt, fault.Allowed(m.name, known), "unknown key %q", m.name)
		return false
	}
	if *s&(1<<m.index) != 0 {
		o.add(m.nameAt, "", "the key %q is given twice", m.name)
		return false
	}
	*s |= 1 << m.index
	return true
}

func (s memberSet) require(o *object, required, known []string) {
	for _, name := range required {
		if s&(1<<slices.Index(known, name)) == 0 {
			o.add(0, "", "the key %q is missing", name)
		}
	}
}
