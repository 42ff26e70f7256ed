package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func aCall() *llm.Call {
	return &llm.Call{
		ID: "c2", Started: noon, Prompt: llm.PromptRef{Name: "triage", Version: "draft", Hash: "9f2c41d0"},
		Vars:  json.RawMessage(`{"ticket":"charged twice"}`),
		Model: "default", Answered: "gpt-4o", Origin: llm.Origin{Run: "r7", Suite: "triage", Case: "refund"}, Finish: llm.FinishStop, Answer: `{"label":"bug"}`,
		Queue: 10 * time.Millisecond, Service: 1240 * time.Millisecond, FirstToken: 200 * time.Millisecond, Total: 1900 * time.Millisecond,
		Turns: []llm.Turn{
			{Kind: "ask", Options: llm.Options{"temperature": json.RawMessage("0"), "max_tokens": json.RawMessage("200")}, Output: llm.Output{Kind: llm.OutputJSON},
				Messages: []llm.Message{llm.Text(llm.System, "You label support tickets.\nBe brief."), {Role: llm.User, Parts: []llm.Part{
					{Kind: llm.PartText, Text: "charged twice \x1b[2J"}, {Kind: llm.PartImage, Media: &llm.Media{Type: "image/png", Name: "bill.png", Data: make([]byte, 2048)}}}}},
				Attempts: []llm.Attempt{
					{Provider: "openai", Model: "small", Wire: "gpt-4o-mini", Started: noon.Add(10 * time.Millisecond), Queue: 10 * time.Millisecond, Service: 40 * time.Millisecond, Failure: &llm.Failure{Class: fault.RateLimited, Status: 429, Message: "slow down"}, Cost: llm.KnownCost(0)},
					{Provider: "openai", Model: "large", Wire: "gpt-4o", Started: noon.Add(560 * time.Millisecond), Service: 1200 * time.Millisecond, FirstToken: 200 * time.Millisecond, ResponseID: "resp-1", Usage: llm.Usage{Input: 1200, Output: 30, CachedInput: 1000}, Cost: llm.KnownCost(3_300_000), Paid: llm.KnownCost(3_300_000), Finish: llm.FinishStop},
				},
				Answer: "Sure: bug", Violation: "the answer is not JSON"},
			{Kind: "re-ask", Messages: []llm.Message{llm.Text(llm.User, "Only JSON, please.")}, Answer: `{"label":"bug"}`,
				Attempts: []llm.Attempt{{Provider: "openai", Wire: "gpt-4o", Stored: &llm.Stored{By: "recording"}, Cost: llm.KnownCost(1000)}}},
		},
	}
}

func TestExplainGolden(t *testing.T) {
	s := Style{Now: now}
	result := &eval.Result{Status: eval.Fail, Scores: []eval.Score{{Check: "schema", Pass: true, Value: 1}, {Check: "golden", Reason: `label is "bug", not "billing"`},
		{Check: "max_cost", Metric: "frugal", Value: 1, Pass: true, Operational: true}}}
	goldenPage(t, "explain.txt", func(w *bytes.Buffer) error { return Explain(w, aCall(), result, "", s) })

	failed := aCall()
	failed.Turns, failed.Answer, failed.Finish = failed.Turns[:1], "", ""
	failed.Failure = &llm.Failure{Class: fault.TimeoutTotal, Message: "no answer within 60 s"}
	goldenPage(t, "explain.failed.txt", func(w *bytes.Buffer) error { return Explain(w, failed, nil, "", s) })

	stored := aCall()
	stored.Turns = nil
	stored.Stored = &llm.Stored{By: "recording", At: noon, Origin: "written"}
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, stored, nil, "", s) })
	if !strings.Contains(page, "a recording of 2026-11-12, origin: written") || !strings.Contains(page, "nothing was asked") {
		t.Errorf("got:\n%s", page)
	}
	if err := Explain(&bytes.Buffer{}, nil, nil, "", s); fault.ClassOf(err) != fault.Internal {
		t.Errorf("no call: got %v", err)
	}
}

func TestExplainSaysOnceWhoAsked(t *testing.T) {
	call := aCall()
	call.Key, call.User = "shop", "jane"
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, "", Style{Now: now}) })
	for _, fact := range []string{"key       shop\n", "user      jane\n"} {
		if strings.Count(page, fact) != 1 {
			t.Errorf("%q stands %d times in\n%s", fact, strings.Count(page, fact), page)
		}
	}
}

// failed is an attempt that began so long after noon.
func failed(model string, after, took time.Duration, class fault.Class, status int, message string) llm.Attempt {
	return llm.Attempt{Provider: "openai", Model: model, Wire: "gpt-" + model, Started: noon.Add(after), Service: took,
		Cost: llm.KnownCost(0), Paid: llm.KnownCost(0), Failure: &llm.Failure{Class: class, Status: status, Message: message}}
}

func unaskedFor(a llm.Attempt) llm.Attempt {
	a.Unasked = true
	return a
}

// routed is a call that went a long way until a model answered.
func routed() *llm.Call {
	call := aCall()
	answered := call.Turns[0].Attempts[1]
	answered.Started, answered.Queue, answered.Skipped, answered.Answered = noon.Add(3100*time.Millisecond), 1500*time.Millisecond, 2, "gpt-4o-2026-08-06"
	held := unaskedFor(failed("medium", 2*time.Second, 0, fault.RateLimited, 0, `model "medium" can be asked in 70s at the earliest, which is after the deadline: its limit is 1 requests per minute`))
	held.Queue = 1100 * time.Millisecond
	call.Turns = call.Turns[:1]
	turn := &call.Turns[0]
	turn.Violation, turn.Answer = "", call.Answer
	turn.Attempts = []llm.Attempt{
		unaskedFor(failed("tiny", 0, 0, fault.BreakerOpen, 0, "tiny keeps failing and is left alone for a while")),
		failed("small", 0, 400*time.Millisecond, fault.Overloaded, 503, "try later"),
		failed("small", 900*time.Millisecond, 600*time.Millisecond, fault.Network, 0, "the connection was reset"),
		held,
		answered,
	}
	call.Queue, call.Service, call.Total, call.Answered = 2600*time.Millisecond, 2200*time.Millisecond, 5900*time.Millisecond, answered.Answered
	return call
}

// cascaded is a call whose first model gave an answer that a check refused.
func cascaded() *llm.Call {
	call := aCall()
	first, second := call.Turns[0], call.Turns[0]
	step := first.Attempts[1]
	step.Model, step.Wire, step.Started, step.Service = "small", "gpt-4o-mini", noon, 300*time.Millisecond
	next := first.Attempts[1]
	next.Started = noon.Add(300 * time.Millisecond)
	first.Attempts, first.Answer, first.Violation = []llm.Attempt{step}, `{"label":"?"}`, "not accepted: regex: no match for bug|billing"
	second.Kind, second.Attempts, second.Answer, second.Violation = "cascade", []llm.Attempt{next}, call.Answer, ""
	call.Turns = []llm.Turn{first, second}
	call.Queue = 0
	return call
}

func TestExplainTellsTheStoryOfACall(t *testing.T) {
	cut := routed()
	turn := &cut.Turns[0]
	turn.Attempts = turn.Attempts[1:3]
	turn.Attempts[1].Failure = &llm.Failure{Class: fault.Cut, Message: "the stream ended without its end"}
	turn.Attempts[1].FirstToken, turn.Attempts[1].Cost, turn.Attempts[1].Paid = 100*time.Millisecond, llm.Cost{}, llm.Cost{}
	cut.Failure = &llm.Failure{Class: fault.TimeoutTotal, Message: "the deadline passed; 2 attempts: overloaded, cut"}
	cut.Answer, cut.Finish, cut.Answered, cut.Queue, cut.Service, cut.Total = `{"lab`, "", "", 0, time.Second, 2*time.Second

	shared := cascaded()
	shared.Turns = shared.Turns[1:]
	shared.Turns[0].Kind = "ask"
	given := &shared.Turns[0].Attempts[0]
	given.Stored = &llm.Stored{By: "shared", At: given.Started, Service: given.Service}
	given.Paid, given.Model = llm.KnownCost(0), "default"
	shared.Stored = given.Stored

	refused := routed()
	refused.Turns[0].Attempts = refused.Turns[0].Attempts[:1]
	refused.Failure = &llm.Failure{Class: fault.BreakerOpen, Message: "tiny keeps failing and is left alone for a while"}
	refused.Answer, refused.Finish, refused.Answered, refused.Queue, refused.Service, refused.FirstToken, refused.Total = "", "", "", 0, 0, 0, 0

	for name, call := range map[string]*llm.Call{
		"routed": routed(), "cascade": cascaded(), "cut": cut, "shared": shared, "refused": refused,
	} {
		call.Origin = llm.Origin{}
		file := "explain." + name + ".txt"
		goldenPage(t, file, func(w *bytes.Buffer) error { return Explain(w, call, nil, "", Style{Now: now}) })
		page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, "", Style{Now: now, Width: 60}) })
		checkPage(t, page, 60)
	}
}

func TestExplainSaysWhenAStoredAnswerWasGiven(t *testing.T) {
	call := aCall()
	call.Stored = &llm.Stored{By: "recording", At: noon, Service: 33 * time.Millisecond}
	call.Turns = call.Turns[1:]
	call.Turns[0].Attempts[0].Stored, call.Turns[0].Attempts[0].Cost = call.Stored, llm.Cost{}
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, "", Style{}) })
	for _, want := range []string{"time      from a recording of 2026-11-12 (33 ms then), 1.90 s now\n", "attempt 1: openai/gpt-4o  from a recording of 2026-11-12 (33 ms then)", "cost      unknown\n", "0 out; cost unknown"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in:\n%s", want, page)
		}
	}
	if strings.Contains(page, "served") {
		t.Errorf("nothing was served now:\n%s", page)
	}
}

func TestExplainTellsEmptyFromNotStored(t *testing.T) {
	const lost = "not stored (store.content in llmx.yaml)"
	bare := func() *llm.Call {
		call := aCall()
		call.Vars, call.Answer = nil, ""
		for i := range call.Turns {
			call.Turns[i].Messages, call.Turns[i].Answer = nil, ""
		}
		return call
	}
	empty := aCall()
	empty.Answer = ""
	failed := bare()
	failed.Failure = &llm.Failure{Class: fault.TimeoutTotal, Message: "no answer within 60 s"}
	silent := bare()
	silent.Failure, silent.FirstToken = failed.Failure, 0
	kept := &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("yes"), Answer: "yes, kept"}
	tests := []struct {
		name   string
		call   *llm.Call
		result *eval.Result
		times  int // inputs, two turns, the answer
		want   string
	}{
		{"left out", bare(), &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("yes")}, 4, "inputs    " + lost},
		{"left out, no result", bare(), nil, 4, "messages: " + lost},
		{"in the result alone", bare(), kept, 3, "  yes, kept\n"},
		{"empty, content left out", bare(), &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("")}, 3, "(empty answer)"},
		{"failed on the way, content left out", failed, nil, 4, "What had come of the answer"},
		{"failed before it began, content left out", silent, nil, 3, "Nothing had come of the answer\n"},
		{"empty", empty, &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("")}, 0, "(empty answer)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := render(t, func(w *bytes.Buffer) error { return Explain(w, test.call, test.result, "", Style{}) })
			if strings.Count(page, lost) != test.times || !strings.Contains(page, test.want) {
				t.Errorf("want %d times %q, and %q, in:\n%s", test.times, lost, test.want, page)
			}
		})
	}
}

func TestExplainIsBounded(t *testing.T) {
	call := aCall()
	for range 500 {
		call.Turns[0].Messages = append(call.Turns[0].Messages, llm.Text(llm.User, hostile["long"]))
	}
	call.Vars = json.RawMessage(`"` + hostile["oneword"] + `"`)
	call.Answer = hostile["oneword"]
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, "", Style{}) })
	if len(page) > 60_000 || !strings.Contains(page, "490 messages left out") {
		t.Errorf("%d bytes", len(page))
	}
}

// What a turn to another model is called, and what stands beside an attempt.
func TestExplainTellsAttemptsApart(t *testing.T) {
	bare := aCall()
	bare.Turns = bare.Turns[:1]
	down := func(model string, after time.Duration) llm.Attempt {
		return failed(model, after, time.Millisecond, fault.Network, 0, "reset")
	}
	open := func(model string) llm.Attempt {
		return unaskedFor(failed(model, 0, 0, fault.BreakerOpen, 0, "left alone"))
	}
	kept := down("b", -time.Hour) // when it was given, in another call
	kept.Failure, kept.Stored = nil, &llm.Stored{By: "cache", At: kept.Started}
	missing := failed("b", 0, 0, fault.Missing, 0, "no reply is recorded")
	missing.Cost = llm.KnownCost(5000)
	mixed := []llm.Attempt{down("a", 0), kept}
	for name, test := range map[string]struct {
		attempts []llm.Attempt
		stored   *llm.Stored
		want     []string
		none     []string
	}{
		"another model":         {[]llm.Attempt{down("a", 0), down("b", 0)}, nil, []string{"fell back to b\n"}, []string{"waited"}},
		"the same":              {[]llm.Attempt{down("a", 0), down("a", time.Second)}, nil, []string{"waited 999 ms\n", "time      1.90 s in all: 2.0 ms served, 10 ms waiting for a place, 999"}, []string{"fell back"}},
		"the first again":       {[]llm.Attempt{down("a", 0), down("b", 0), down("a", 0)}, nil, []string{"went back to a\n", "attempt 3: a "}, nil},
		"breakers of all open":  {[]llm.Attempt{open("a"), open("b"), down("a", 0)}, nil, []string{"asked a all the same\n", "attempt 1: a "}, []string{"attempt 2"}},
		"a missing recording":   {[]llm.Attempt{missing}, nil, []string{"not asked: missing_reply\n", "asking would cost about $0.00000500\n"}, []string{"attempt 1"}},
		"nobody":                {nil, nil, []string{"nobody was asked\n"}, nil},
		"stored long before":    {[]llm.Attempt{kept}, kept.Stored, []string{"\n           attempt 1: b ", "; no model was asked for this call\n"}, []string{"+"}},
		"stored, after another": {mixed, kept.Stored, []string{"answer by the cache of 2026-11-12\n"}, []string{"no model was asked"}},
	} {
		t.Run(name, func(t *testing.T) {
			call := *bare
			call.Turns = []llm.Turn{{Kind: "ask", Messages: bare.Turns[0].Messages, Attempts: test.attempts}}
			call.Stored = test.stored
			page := render(t, func(w *bytes.Buffer) error { return Explain(w, &call, nil, "", Style{}) })
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("%q is not in:\n%s", want, page)
				}
			}
			for _, not := range test.none {
				if strings.Contains(page, not) {
					t.Errorf("%q is in:\n%s", not, page)
				}
			}
		})
	}
}

func TestExplainBoundsAttempts(t *testing.T) {
	call := aCall()
	for range 100 {
		call.Turns[0].Attempts = append(call.Turns[0].Attempts, call.Turns[0].Attempts[0])
	}
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, "", Style{}) })
	if n := strings.Count(page, "  attempt "); n != maxAttempts+1 || !strings.Contains(page, "… 82 attempts left out\n") || !strings.Contains(page, "attempt 102: ") {
		t.Errorf("%d attempts:\n%s", n, page)
	}
}
