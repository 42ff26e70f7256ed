package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// inHouse runs a test on a house in a bubble.
func inHouse(t *testing.T, p plan, test func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, p.build(t, faults.NewInBubble(t))) })
}

func (h *house) ask(req llm.Request) (llm.Response, error) {
	if req.Messages == nil {
		req.Messages = question
	}
	return llm.Collect(h.Stream(h.t.Context(), req))
}

// Whoever answers is reported with his own name, usage and price, and those before
// him with theirs.
func TestAFallbackIsReportedAsItself(t *testing.T) {
	p := plan{policy: usual("503", "ok"), price: func(alias string, u llm.Usage) llm.Cost {
		return llm.KnownCost(llm.Money(u.Output) * map[string]llm.Money{"503": 1, "ok": 1000}[alias])
	}}
	inHouse(t, p, func(t *testing.T, h *house) {
		for range 2 { // the second time too: a fallback's answer is not kept
			got, err := h.ask(llm.Request{})
			if err != nil {
				t.Fatal(err)
			}
			if got.End.Model != faults.Answered("ok") || got.End.Usage != faults.Used || !got.End.Fallback || got.End.Stored != nil {
				t.Errorf("the end says %+v", got.End)
			}
			want := llm.KnownCost(1000 * llm.Money(faults.Used.Output))
			if cost, paid := got.Call.Cost(), got.Call.Paid(); cost != want || paid != want {
				t.Errorf("it cost %v, paid %v; want %v: who refuses bills nothing", cost, paid, want)
			}
			var told []string
			for _, a := range got.Call.Turns[0].Attempts {
				class := "answered by " + a.Answered
				if a.Failure != nil {
					class = string(a.Failure.Class)
				}
				told = append(told, a.Model+": "+class)
			}
			if diff := cmp.Diff([]string{"503: overloaded", "503: overloaded", "ok: answered by ok-2026-01-01"}, told); diff != "" {
				t.Error(diff)
			}
		}
		if h.server.Count("503") != 4 || h.server.Count("ok") != 2 {
			t.Errorf("asked %d and %d times", h.server.Count("503"), h.server.Count("ok"))
		}
	})
}

// The last error is the caller's, with what was tried before it and why no more was.
func TestAnErrorTellsWhatWasTried(t *testing.T) {
	for name, test := range map[string]struct {
		models []string
		want   []string
	}{
		"one model":            {[]string{"500"}, []string{`provider "acme" answered 500`, "; 3 attempts"}},
		"two models":           {[]string{"503", "refuses"}, []string{`provider "acme" answered 400: this model does not do that`, "; tried 503 (2 × overloaded), refuses (bad_request)"}},
		"a wait that is long":  {[]string{"429-after-1m"}, []string{`answered 429`, "; 429-after-1m could be asked again in 1m6s, after the deadline"}},
		"the reason of filter": {[]string{"filter"}, []string{"content_filter", "hate high"}},
		"no credit":            {[]string{"quota"}, []string{"insufficient_quota", "no credit left"}},
		"a redirect":           {[]string{"redirect-307"}, []string{"a redirect to elsewhere.test", "not followed"}},
	} {
		inHouse(t, plan{policy: usual(test.models...)}, func(t *testing.T, h *house) {
			_, err := h.ask(llm.Request{})
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v, want %q in it", name, err, want)
				}
			}
			if h.server.Strayed() != 0 {
				t.Errorf("%s: %d requests went elsewhere", name, h.server.Strayed())
			}
		})
	}
}

// Noise between the pieces is left out and counted; what it was next to is not kept.
func TestNoiseIsCounted(t *testing.T) {
	inHouse(t, plan{policy: usual("noise")}, func(t *testing.T, h *house) {
		for range 2 {
			got, err := h.ask(llm.Request{})
			if err != nil || got.Text != faults.Answer(question) || got.End.Skipped != 1 || got.Call.Turns[0].Attempts[0].Skipped != 1 {
				t.Errorf("%v, %d pieces skipped", err, got.End.Skipped)
			}
		}
		if n := h.server.Count("noise"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

// Calls of tools come whole and in order, whatever the order of their pieces.
func TestToolCallsAreWhole(t *testing.T) {
	for _, model := range []string{"tools", "tools-repeated"} {
		for _, live := range []bool{false, true} {
			inHouse(t, plan{policy: usual(model)}, func(t *testing.T, h *house) {
				got, err := h.ask(llm.Request{Live: live})
				if diff := cmp.Diff(faults.Calls, got.ToolCalls); err != nil || diff != "" {
					t.Errorf("%s, live %v: %v %s", model, live, err, diff)
				}
			})
		}
	}
}

// A restart is declared when the new answer begins, once, and the record says so.
func TestARestartIsDeclaredWithTheAnswer(t *testing.T) {
	policy := usual("stall-3", "slow-first-token-5s")
	policy.Restart = true
	inHouse(t, plan{policy: policy}, func(t *testing.T, h *house) {
		var heard []string
		begin := time.Now()
		say := func(what string) { heard = append(heard, time.Since(begin).String()+" "+what) }
		pieces := 0
		for event, err := range h.Stream(t.Context(), llm.Request{Live: true, Messages: question}) {
			switch {
			case err != nil:
				t.Fatal(err)
			case event.Restart != nil:
				say("restart by " + event.Restart.Model + " after " + string(event.Restart.Class))
			case event.Text != "":
				if pieces++; pieces == 1 || pieces == 4 {
					say("text")
				}
			case event.End != nil:
				say("end by " + event.End.Model)
			}
		}
		want := []string{"0s text", "25s restart by slow-first-token-5s after " + string(fault.TimeoutIdle), "25s text", "25s end by " + faults.Answered("slow-first-token-5s")}
		if diff := cmp.Diff(want, heard); diff != "" || pieces != 3+8 {
			t.Errorf("%d pieces: %s", pieces, diff)
		}
	})
}

// A key that is refused, and a model that is not there, are met once: a run over a
// thousand cases does not knock a thousand times.
func TestARefusedKeyIsShownOnce(t *testing.T) {
	for model, class := range map[string]fault.Class{"401": fault.Auth, "404": fault.NotFound, "quota": fault.QuotaExhausted} {
		inHouse(t, plan{policy: usual(model)}, func(t *testing.T, h *house) {
			h.astray = true // the later attempts are answered by the first one's refusal
			for i := range 5 {
				if _, err := h.ask(llm.Request{Repeat: i}); fault.ClassOf(err) != class {
					t.Errorf("%s: %v", model, err)
				}
			}
			if n := h.server.Count(model); n != 1 {
				t.Errorf("%s was asked %d times", model, n)
			}
		})
	}
}

// Equal calls that are under way share what comes, failures and all.
func TestEqualCallsShareAnAnswer(t *testing.T) {
	for model, asked := range map[string]int{"late-1s": 1, "503-once": 2, "500": 3} {
		inHouse(t, plan{policy: usual(model)}, func(t *testing.T, h *house) {
			const callers = 50
			results := make(chan string, callers)
			for range callers {
				go func() {
					got, err := llm.Collect(h.engine.Stream(t.Context(), llm.Request{Model: "r", Messages: question}))
					results <- got.Text + string(classOf(err))
				}()
			}
			want := faults.Answer(question)
			if model == "500" {
				want = string(fault.ServerError)
			}
			var all []string
			for range callers {
				all = append(all, <-results)
			}
			if n := h.server.Count(model); n != asked || len(slices.Compact(all)) != 1 || all[0] != want {
				t.Errorf("%s was asked %d times, want %d; the callers got %q", model, n, asked, slices.Compact(all))
			}
		})
	}
}

func classOf(err error) fault.Class {
	if err == nil {
		return ""
	}
	return fault.ClassOf(err)
}

// Nobody below the engine asks again on his own: a connection that was used before
// and is reset is one failed attempt.
func TestNoOtherLayerAsksAgain(t *testing.T) {
	for name, fails := range map[string]faults.Behaviour{"reset": faults.Reset(), "closed": faults.Close(), "503": faults.Refuse(503), "408": faults.Refuse(408)} {
		inHouse(t, plan{policy: usual("worn")}, func(t *testing.T, h *house) {
			h.server.Set("worn", faults.Then(faults.OK(), fails))
			if _, err := h.ask(llm.Request{}); err != nil {
				t.Fatal(err)
			}
			_, err := h.ask(llm.Request{Repeat: 1})
			if n := h.server.Count("worn"); err == nil || n != 1+attempts {
				t.Errorf("%s: %v after %d requests", name, err, n-1)
			}
		})
	}
}
