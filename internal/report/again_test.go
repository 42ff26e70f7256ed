package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestAgainGolden(t *testing.T) {
	now := aCall()
	now.ID, now.Prompt.Version, now.Answer, now.Started = "c3", "1.2.0", `{"label":"billing"}`, noon.Add(time.Minute)
	now.Turns = now.Turns[1:]
	for file, change := range map[string]func(before *llm.Call){
		"again.differs.txt": func(*llm.Call) {},
		"again.same.txt":    func(before *llm.Call) { before.Answer = now.Answer },
		"again.failed.txt": func(before *llm.Call) {
			before.Answer, before.Turns, before.Failure = "", before.Turns[:1], &llm.Failure{Class: fault.TimeoutTotal, Message: "no answer within 60 s"}
		},
	} {
		before := aCall()
		change(before)
		goldenPage(t, file, func(w *bytes.Buffer) error { return Again(w, before, now, Style{Now: noon.Add(time.Hour)}) })
	}
}

func TestFeedbackIsShownAndCannotCommandTheTerminal(t *testing.T) {
	call := aCall()
	half, none := 0.5, 0.0
	call.Feedback = []llm.Feedback{
		{At: noon, Key: "shop", Score: &none, Correction: json.RawMessage(`{"label":"billing"}`), Comment: "wrong\x1b[2J team"},
		{At: noon, Comment: "thanks"}, {At: noon, Score: &half},
	}
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, "", Style{}) })
	const want = `Feedback
  bad   2026-11-12 12:00:00 UTC, score 0, by the key shop
        right is {"label":"billing"}
        wrong\x1b[2J team
  said  2026-11-12 12:00:00 UTC
        thanks
  good  2026-11-12 12:00:00 UTC, score 0.5
`
	if !strings.Contains(page, want) {
		t.Errorf("got:\n%s", page)
	}
}

func TestWhatToDoNextWithACall(t *testing.T) {
	commands := func(call *llm.Call, suite string) (list []string) {
		for _, s := range callSteps(call, suite) {
			list = append(list, s.command)
		}
		return list
	}
	loose := aCall()
	loose.ID, loose.Origin, loose.Prompt.Name = "it's", llm.Origin{}, "triage"
	for name, test := range map[string]struct {
		change func(*llm.Call)
		suite  string
		want   []string
	}{
		"of an application": {func(*llm.Call) {}, "tickets", []string{
			`llmx ask --from-call 'it'\''s' --prompt triage@draft`, `llmx cases from-calls tickets --call 'it'\''s' --dry-run`, "llmx calls --prompt triage --since 1h"}},
		"without a suite":    {func(*llm.Call) {}, "", []string{`llmx ask --from-call 'it'\''s' --prompt triage@draft`, "llmx calls --prompt triage --since 1h"}},
		"of a case":          {func(c *llm.Call) { c.Origin.Case = "a" }, "tickets", []string{`llmx ask --from-call 'it'\''s' --prompt triage@draft`, "llmx calls --prompt triage --since 1h"}},
		"without contents":   {func(c *llm.Call) { c.Turns = []llm.Turn{{Kind: llm.TurnAsk}} }, "tickets", []string{"llmx calls --prompt triage --since 1h"}},
		"without a prompt":   {func(c *llm.Call) { c.Prompt = llm.PromptRef{} }, "", []string{`llmx ask --from-call 'it'\''s'`}},
		"of a check's judge": {func(c *llm.Call) { c.Origin.Check = "rubric" }, "tickets", nil},
	} {
		call := *loose
		test.change(&call)
		if got := commands(&call, test.suite); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
