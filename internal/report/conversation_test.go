package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// talkOf is a conversation in which everybody says the same.
func talkOf(text string) *eval.Talk {
	calls := []llm.ToolCall{{ID: "1", Name: "lookup" + text, Arguments: text}}
	said := []llm.Message{
		{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: "1", Name: text, Content: text}}}},
		{Role: llm.User, Parts: []llm.Part{{Kind: llm.PartText, Text: text}, {Kind: llm.PartImage, Media: &llm.Media{Name: text}}}},
	}
	r := eval.Result{Steps: []eval.Step{
		{Turn: 1, Said: said, Answer: text, ToolCalls: calls, Failure: &llm.Failure{Class: "contract", Message: text}},
	}, Scores: []eval.Score{{Check: "contains", Reason: text, Turn: 1}, {Check: "conversation", Reason: text, Turn: 2}}}
	return r.Talk()
}

// Whatever is said in a conversation, it stands within its code block and commands no
// terminal.
func TestConversationsOfHostileTexts(t *testing.T) {
	run := regressed()
	g := &run.Verdict.Groups[1]
	g.Flips, g.Failed = nil, nil
	old := "x"
	for _, key := range sortedKeys(hostile) {
		bad := hostile[key][:min(len(hostile[key]), 1<<12)]
		g.Flips = append(g.Flips, eval.Flip{Suite: "triage", Model: "small", Case: key, Worse: true, Old: &old, New: bad, Talk: talkOf(bad)})
		g.Failed = append(g.Failed, eval.Failed{Case: "f" + key, Passes: "0/1", Talk: talkOf(bad)})
	}
	document := render(t, func(w *bytes.Buffer) error { return Markdown(w, run, 1000) })
	fence, blocks := "", 0
	for i, line := range strings.Split(document, "\n") {
		bare := strings.TrimPrefix(line, "  ")
		ticks := len(bare) - len(strings.TrimLeft(bare, "`"))
		switch {
		case fence == "" && ticks >= 3 && (strings.HasSuffix(bare, "diff") || strings.HasSuffix(bare, "text")):
			fence, blocks = bare[:ticks], blocks+1
			continue
		case fence != "":
			if ticks >= len(fence) && strings.Trim(bare, "`") == "" {
				fence = ""
			}
			continue
		}
		outside := withoutCode(htmlCode.ReplaceAllString(line, ""))
		for _, never := range []string{"<script", "@octocat", "\x1b", "<a href"} {
			if strings.Contains(outside, never) {
				t.Errorf("line %d: %q outside of code: %s", i+1, never, line)
			}
		}
	}
	if fence != "" || blocks < 4 || len(document) >= 60_000 {
		t.Errorf("%d blocks, %d bytes, the last closed: %v", blocks, len(document), fence == "")
	}
	for _, columns := range []int{60, 120} {
		page := render(t, func(w *bytes.Buffer) error { return Terminal(w, run, Style{Width: columns}) })
		checkPage(t, page, columns)
	}
}

// A long conversation is cut in the middle, with a word; a long text in its place.
func TestLongConversationsAreCut(t *testing.T) {
	r := eval.Result{}
	for i := range 100 {
		r.Steps = append(r.Steps, eval.Step{Turn: i + 1, Said: []llm.Message{llm.Text(llm.User, "question")}, Answer: fmt.Sprint("answer ", i+1)})
	}
	r.Steps[0].Answer = strings.Repeat("word ", 10_000)
	lines := talkLines(r.Talk(), maxTalkLines)
	if len(lines) != maxTalkLines+1 {
		t.Fatalf("%d lines", len(lines))
	}
	if i := slices.IndexFunc(lines, func(l talkLine) bool { return l.said == "… 160 lines of the conversation left out" }); i != maxTalkLines/2 {
		t.Errorf("what was left out is said at %d: %+v", i, lines)
	}
	if last := lines[len(lines)-1]; last.text() != "assistant, turn 100: answer 100" {
		t.Errorf("the last line is %q", last.text())
	}
	if len(lines[1].said) > maxTalkLine+40 {
		t.Errorf("a line has %d bytes", len(lines[1].said))
	}
}

// A call's page says of which turn it is, and shows the whole conversation.
func TestExplainShowsTheConversation(t *testing.T) {
	result := &eval.Result{
		Status: eval.Fail, CallID: "c-2", Answer: "two",
		Steps: []eval.Step{
			{Turn: 1, Said: []llm.Message{llm.Text(llm.User, "first?")}, Answer: "one", Call: "c-1"},
			{Turn: 4, Said: []llm.Message{llm.Text(llm.User, "second?")}, Answer: "two", Call: "c-2"},
		},
		Scores: []eval.Score{{Check: "contains", Reason: `"x" not in "two"`, Turn: 4}},
	}
	call := &llm.Call{ID: "c-1", Answer: "one", Finish: llm.FinishStop, Turns: []llm.Turn{{Kind: "ask", Answer: "one", Messages: []llm.Message{llm.Text(llm.User, "first?")}}}}
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, result, "", Style{Width: 100}) })
	for _, want := range []string{
		"turn      1 of the conversation, reply 1 of 2\n", "Answer: finish reason stop\n  one\n",
		"  assistant, turn 4: two\n    ✗ contains: \"x\" not in \"two\"\n", "the call of turn 4: llmx explain c-2\n", "fail  turn 4: contains\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
}
