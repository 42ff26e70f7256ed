package baseline

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// The ids of calls are drawn anew every time: with them no line would stay as it was.
func TestALineHasWhatWasCalledAndHowItStoodAtFirst(t *testing.T) {
	called := result("small", "a", 0, "")
	called.ToolCalls = []llm.ToolCall{{ID: "call_x81", Name: "find", Arguments: `{"id":1}`}}
	called.Digest = eval.DigestOfAnswer("", called.ToolCalls)
	called.Finish, called.FirstTry = llm.FinishToolCalls, eval.Violated
	long := called
	long.Case, long.ToolCalls = "b", []llm.ToolCall{{Name: "find", Arguments: strings.Repeat("x", maxText+1)}}
	plain := result("small", "c", 0, "right")
	made, err := FromResults(stream(called, long, plain), []eval.Group{groupOf("small", 3)}, complete)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lines := strings.Split(write(t, dir, made), "\n")[1:]
	if !strings.Contains(lines[0], `"tool_calls":[{"name":"find","arguments":"{\"id\":1}"}]`) || !strings.Contains(lines[0], `"valid":1,"first_try":0`) {
		t.Errorf("a line: %s", lines[0])
	}
	if strings.Contains(lines[1], "tool_calls\":[") || strings.Contains(lines[1], `"text"`) {
		t.Errorf("a long one is kept: %s", lines[1])
	}
	if strings.Contains(lines[2], "tool_calls") || strings.Contains(lines[2], "first_try") {
		t.Errorf("a line without a call: %s", lines[2])
	}
	got, err := Read(os.DirFS(dir), file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made.Lines, got.Lines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]llm.ToolCall{{Name: "find", Arguments: `{"id":1}`}}, got.Lines[0].Answers[0].Calls()); diff != "" {
		t.Error(diff)
	}
}
