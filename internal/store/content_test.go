package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestContentLevels looks for a telltale word in the bytes of the whole file.
func TestContentLevels(t *testing.T) {
	const secret = "xyzzy-4711"
	answered := `{"label": "` + secret + `"}`
	for _, test := range []struct {
		content      Content
		call, result bool // whether the word may stand there
	}{
		{ContentFull, true, true},
		{"", true, true},
		{ContentRedacted, false, true},
		{ContentNone, false, false},
	} {
		t.Run("content "+string(test.content), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "llmx.db")
			s := openTest(t, path, Options{Content: test.content})
			run := beginRun(t, s, "run")
			broken := &llm.Failure{Class: fault.Contract, Message: "not one of …: " + secret}
			call := sampleCall(run.ID, 1)
			call.Vars = []byte(`{"ticket":"` + secret + `"}`)
			call.Answer, call.Failure = answered, broken
			turn := call.Turn()
			turn.Messages[1] = llm.Text(llm.User, secret)
			turn.Answer, turn.Violation = answered, broken.Message
			turn.ToolCalls = []llm.ToolCall{{ID: "1", Name: "refund", Arguments: answered}}
			turn.Messages = append(turn.Messages, llm.Message{Role: llm.Tool, Parts: []llm.Part{
				{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: "1", Content: secret}}}})
			turn.Attempts[0].Failure = broken
			for _, class := range []fault.Class{fault.BadRequest, fault.ContentFilter, fault.ContextLength} {
				turn.Attempts = append(turn.Attempts, llm.Attempt{Failure: &llm.Failure{Class: class, Status: 400, Message: "not allowed: " + secret}})
			}
			call.User = "user of " + secret
			s.Record(call)
			if err := s.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			if got := holds(t, path, secret); got != test.call {
				t.Errorf("the call's content is in the file: %t", got)
			}
			if call.User == "" || len(turn.ToolCalls) == 0 || call.Answer != answered || turn.Answer != answered || turn.Attempts[0].Failure != broken {
				t.Error("the caller's call was changed")
			}

			result := sampleResult(run.ID, 1)
			result.Answer, result.Failure = answered, broken
			result.Scores = []eval.Score{{Check: "equals", Reason: "got " + secret}, {Check: "schema", Pass: true}}
			if err := s.AddResult(result); err != nil {
				t.Fatal(err)
			}
			run.Verdict = &eval.Verdict{Groups: []eval.GroupVerdict{{
				Flips:      []eval.Flip{{Case: "c", Old: &answered, New: secret, Reason: secret}},
				Failed:     []eval.Failed{{Case: "c", Reason: secret}},
				Quarantine: &eval.Quarantine{Cases: 1, Failing: 1, Failed: []eval.Failed{{Case: "q", Reason: secret}}},
			}}}
			endRun(t, s, run)
			if err := s.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			if got := holds(t, path, secret); got != test.result {
				t.Errorf("the result's content is in the file: %t", got)
			}
			if result.Scores[0].Reason != "got "+secret || run.Verdict.Groups[0].Flips[0].New != secret || run.Verdict.Groups[0].Quarantine.Failed[0].Reason != secret {
				t.Error("the caller's result or verdict was changed")
			}
			stored, err := s.Call(ctx, call.ID)
			if err != nil || stored.Turns[0].Violation == "" || stored.Failure.Class != fault.Contract {
				t.Errorf("it is lost that the contract was broken: %+v, %v", stored, err)
			}
			kept := results(t, s, run.ID, ResultFilter{})
			if len(kept) != 1 || kept[0].Digest != result.Digest || kept[0].Scores[0].Reason == "" || kept[0].Scores[1].Reason != "" {
				t.Errorf("got %+v", kept)
			}
		})
	}
}

func holds(t *testing.T, path, word string) bool {
	t.Helper()
	for _, name := range []string{path, path + "-wal"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), word) {
			return true
		}
	}
	return false
}
