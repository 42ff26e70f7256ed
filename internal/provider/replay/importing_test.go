package replay

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestParseImport(t *testing.T) {
	entries, err := ParseImport("answers.jsonl", strings.NewReader(`{"case": "a", "answer": "plain \"text\" with  spaces"}

{"case": "b", "answer": {"label": "x  y", "n": [1, 2.50]}, "model": "small", "repeat": 2, "prompt": "triage@1.0.0",`+
		` "finish": "length", "usage": {"input": 10, "output": 2}, "latency_ms": 12.5}
{"case": "b", "answer": null, "model": "small"}
{"case": "b", "answer": 42, "model": "large"}
{"case": "c", "tool_calls": [{"name": "find", "arguments": {"id": 17}}, {"id": "x", "name": "now", "arguments": "{"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Case: "a", Answer: `plain "text" with  spaces`, Finish: llm.FinishStop, Place: fault.Place{File: "answers.jsonl", Line: 1, Col: 1}},
		{
			Case: "b", Answer: `{"label":"x  y","n":[1,2.50]}`, Model: "small", Repeat: 2, Prompt: "triage@1.0.0", Finish: llm.FinishLength,
			Usage: &llm.Usage{Input: 10, Output: 2}, Latency: 12500 * time.Microsecond, Place: fault.Place{File: "answers.jsonl", Line: 3, Col: 1},
		},
		{Case: "b", Answer: "null", Model: "small", Finish: llm.FinishStop, Place: fault.Place{File: "answers.jsonl", Line: 4, Col: 1}},
		{Case: "b", Answer: "42", Model: "large", Finish: llm.FinishStop, Place: fault.Place{File: "answers.jsonl", Line: 5, Col: 1}},
		{Case: "c", Finish: llm.FinishToolCalls, Place: fault.Place{File: "answers.jsonl", Line: 6, Col: 1}, Calls: []llm.ToolCall{
			{ID: "call_1", Name: "find", Arguments: `{"id":17}`}, {ID: "x", Name: "now", Arguments: "{"},
		}},
	}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Error(diff)
	}
}

func TestParseImportTellsEverything(t *testing.T) {
	_, err := ParseImport("answers.jsonl", strings.NewReader(`{"case": "a", "answr": "x"}
{"case": 1, "answer": "x", "repeat": -1}
hello
{"case": "b", "answer": "x", "prompt": "triage", "latency_ms": -4}
{"case": "b", "answer": "x"}
{"case": "b", "answer": "y"}
{"case": ""}
`))
	want := `answers.jsonl:1:15: unknown key "answr"
  did you mean "answer"? allowed: case, turn, answer, tool_calls, model, repeat, prompt, finish, usage, latency_ms
answers.jsonl:2:10: case: want a string, got a number
answers.jsonl:2:38: repeat: want a whole number, 0 or more, got a number
answers.jsonl:3:1: not valid JSON: invalid character 'h' looking for beginning of value
answers.jsonl:4:40: prompt: "triage" names no version
  write the version too: triage@1.0.0 or triage@draft
answers.jsonl:4:64: latency_ms: want milliseconds, a number of 0 or more, got a number
answers.jsonl:6:1: case "b" has an answer already
  it stands at line 5; other draws of a case have another repeat
answers.jsonl:7:10: case: want a case's id, got an empty string`
	if err == nil {
		t.Fatal("it was read, want a refusal")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestParseImportOfNothing(t *testing.T) {
	_, err := ParseImport("answers.jsonl", strings.NewReader("\n\n"))
	if want := "answers.jsonl: there is no answer in the file\n  one line a case: {\"case\": \"…\", \"answer\": \"…\"}"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	broken := io.MultiReader(strings.NewReader("{\"case\": \"a\", \"answer\": 1}\n"), iotest.ErrReader(errors.New("unplugged")))
	if _, err := ParseImport("answers.jsonl", broken); err == nil || !strings.Contains(err.Error(), "unplugged") {
		t.Errorf("got %v, want the failure to read", err)
	}
}

// An imported answer is found by the request that it is for.
func TestImportedIsReplayed(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	counted := Entry{Case: "a", Answer: "billing", Repeat: 1, Finish: llm.FinishStop, Usage: &llm.Usage{Input: 7, Output: 1}, Latency: time.Second}
	guessed := Entry{Case: "b", Answer: "other", Finish: llm.FinishLength}
	recordings := []Recording{
		counted.Recording(caseRequest("a"), resolved, "written", clock()),
		guessed.Recording(caseRequest("b"), resolved, "written", clock()),
	}
	if _, err := r.Import(recordings); err != nil {
		t.Fatal(err)
	}
	model := Wrap(nil, Options{Mode: Replay, Resolved: resolved, Recordings: r})
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		id     string
		repeat int
		want   llm.Response
	}{
		{"a", 1, llm.Response{Text: "billing", End: llm.End{
			Finish: llm.FinishStop, Usage: llm.Usage{Input: 7, Output: 1}, Model: "written",
			Stored: &llm.Stored{By: "recording", At: day, Service: time.Second, Origin: "written"},
		}}},
		// "ticket b" and "other" have 8 and 5 characters.
		{"b", 0, llm.Response{Text: "other", End: llm.End{
			Finish: llm.FinishLength, Usage: llm.Usage{Input: 2, Output: 2, Estimated: true}, Model: "written",
			Stored: &llm.Stored{By: "recording", At: day, Origin: "written"},
		}}},
	}
	for _, test := range tests {
		req := caseRequest(test.id)
		req.Repeat = test.repeat
		got, err := llm.Collect(model.Stream(t.Context(), req))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func FuzzParseImport(f *testing.F) {
	f.Add([]byte(`{"case":"a","answer":{"x":[1]},"usage":{"input":1}}` + "\n{}\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := ParseImport("a.jsonl", strings.NewReader(string(data)))
		if err != nil && fault.ClassOf(err) != fault.Invalid {
			t.Errorf("class of %v", err)
		}
		if (len(entries) > 0) == (err != nil) {
			t.Errorf("%d entries and %v", len(entries), err)
		}
	})
}
