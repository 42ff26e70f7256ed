package budget

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestWhatAnAttemptCosts goes through its ends. The estimate is 100.
func TestWhatAnAttemptCosts(t *testing.T) {
	text, end := llm.Event{Text: "0123456789"}, llm.Event{End: &llm.End{Usage: llm.Usage{Output: 30}}}
	of := func(class fault.Class, status int) error { return &fault.Error{Class: class, Status: status} }
	for name, test := range map[string]struct {
		events  []llm.Event
		err     error
		unasked bool
		stop    int // after so many events the caller stops listening
		want    llm.Money
	}{
		"an answer":                         {[]llm.Event{text, end}, nil, false, 0, 30},
		"more than was estimated":           {[]llm.Event{{End: &llm.End{Usage: llm.Usage{Output: 700}}}}, nil, false, 0, 700},
		"a cost that nobody knows":          {[]llm.Event{{End: &llm.End{Usage: llm.Usage{Output: 666}}}}, nil, false, 0, 100},
		"a stored answer":                   {[]llm.Event{{End: &llm.End{Usage: llm.Usage{Output: 30}, Stored: &llm.Stored{}}}}, nil, false, 0, 0},
		"a filtered answer":                 {[]llm.Event{{End: &llm.End{Finish: llm.FinishContentFilter, Usage: llm.Usage{Output: 30}}}}, nil, false, 0, 30},
		"an error after the end":            {[]llm.Event{end}, of(fault.Network, 0), false, 0, 30},
		"the caller stops at the end":       {[]llm.Event{text, end}, nil, false, 2, 30},
		"the caller stops before":           {[]llm.Event{text, end}, nil, false, 1, 100},
		"the caller stops in a queue":       {[]llm.Event{{Alive: true}}, nil, true, 1, 0},
		"the caller stops before a token":   {[]llm.Event{{Alive: true}}, nil, false, 1, 100},
		"no end":                            {nil, nil, false, 0, 100},
		"nothing, and unasked":              {nil, nil, true, 0, 100},
		"cut":                               {[]llm.Event{text}, of(fault.Cut, 0), false, 0, 100},
		"cut after more than was estimated": {[]llm.Event{{Reasoning: strings.Repeat("x", 4000)}}, of(fault.Cut, 0), false, 0, 1000},
		"a refusal after a token":           {[]llm.Event{text}, of(fault.RateLimited, 429), false, 0, 100},
		"a tool call, then a refusal":       {[]llm.Event{{ToolCall: &llm.ToolCallDelta{Name: "f"}}}, of(fault.Overloaded, 503), false, 0, 100},
		"auth":                              {nil, of(fault.Auth, 401), false, 0, 0},
		"bad request":                       {nil, of(fault.BadRequest, 400), false, 0, 0},
		"not found":                         {nil, of(fault.NotFound, 404), false, 0, 0},
		"rate limited":                      {nil, of(fault.RateLimited, 429), false, 0, 0},
		"overloaded":                        {nil, of(fault.Overloaded, 503), false, 0, 0},
		"quota":                             {nil, of(fault.QuotaExhausted, 429), false, 0, 0},
		"context length":                    {nil, of(fault.ContextLength, 400), false, 0, 0},
		"content filter":                    {nil, of(fault.ContentFilter, 400), false, 0, 0},
		"server error":                      {nil, of(fault.ServerError, 500), false, 0, 0},
		"server error without a status":     {nil, of(fault.ServerError, 0), false, 0, 100},
		"no connection":                     {nil, of(fault.Network, 0), false, 0, 0},
		"no connection in time":             {nil, of(fault.TimeoutConnect, 0), false, 0, 0},
		"no first token":                    {nil, of(fault.TimeoutFirstToken, 0), false, 0, 100},
		"idle":                              {nil, of(fault.TimeoutIdle, 0), false, 0, 100},
		"too late":                          {nil, of(fault.TimeoutTotal, 0), false, 0, 100},
		"too late in a queue":               {nil, of(fault.TimeoutTotal, 0), true, 0, 0},
		"canceled":                          {nil, of(fault.Canceled, 0), false, 0, 100},
		"canceled in a queue":               {nil, of(fault.Canceled, 0), true, 0, 0},
		"malformed":                         {nil, of(fault.Malformed, 200), false, 0, 100},
		"a bug":                             {nil, of(fault.Internal, 0), false, 0, 100},
		"refused by a breaker":              {nil, of(fault.BreakerOpen, 0), true, 0, 0},
		"refused by a limit":                {nil, of(fault.RateLimited, 0), true, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ledger := newMemory()
				b := openBook(t, ledger, Options{Budgets: project(10_000)})
				m := b.Model("small", func(u llm.Usage) llm.Cost {
					return llm.Cost{Amount: llm.Money(u.Output), Known: u.Output != 666}
				}, llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
					return func(yield func(llm.Event, error) bool) {
						llm.AdmissionFrom(ctx).Asked = !test.unasked
						for _, event := range test.events {
							if !yield(event, nil) {
								return
							}
						}
						if test.err != nil {
							yield(llm.Event{}, test.err)
						}
					}
				}))
				seen, failed := 0, error(nil)
				for _, err := range m.Stream(llm.WithAdmission(t.Context(), &llm.Admission{}), asking(100)) {
					if failed = err; err == nil {
						seen++
					}
					if seen == test.stop {
						break
					}
				}
				if failed != test.err || test.stop == 0 && seen != len(test.events) {
					t.Errorf("%d events and %v came through", seen, failed)
				}
				closeBook(t, b)
				ledger.wantTotal(t, test.want, 0)
			})
		})
	}
}

// TestPanicIsSpent: whatever happens below, money does not stay held.
func TestPanicIsSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(10_000)})
		func() {
			defer func() { _ = recover() }()
			_ = ask(t.Context(), b.Model("small", aToken, llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
				panic("a bug")
			})), asking(100))
		}()
		closeBook(t, b)
		ledger.wantTotal(t, 100, 0)
	})
}

func TestWithoutBudgetsNothingIsWrapped(t *testing.T) {
	b := Open(Options{})
	if m := b.Model("small", aToken, nil); m != nil {
		t.Errorf("got %v", m)
	}
	closeBook(t, b)
}

func instant() llm.Model {
	end := &llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Output: 7}}
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			if yield(llm.Event{Text: "yes"}, nil) {
				yield(llm.Event{End: end}, nil)
			}
		}
	})
}

// BenchmarkModel is what budgets cost a request, beside the model alone. One of 64
// callers pays what the lock makes it wait.
func BenchmarkModel(b *testing.B) {
	run := func(b *testing.B, m llm.Model, parallel int) {
		req := asking(10)
		req.Prompt.Name, req.Key = "triage", "app"
		ctx := llm.WithAdmission(context.Background(), &llm.Admission{})
		b.ReportAllocs()
		b.SetParallelism(parallel)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				for _, err := range m.Stream(ctx, req) {
					if err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	book := openBook(b, newMemory(), Options{Now: time.Now, Budgets: []Budget{
		{Scope: ScopeProject, Per: PerDay, Limit: 1 << 60}, {Scope: ScopePrompt, Per: PerDay, Limit: 1 << 60}, {Scope: ScopeKey, Per: PerMonth, Limit: 1 << 60},
	}})
	defer closeBook(b, book)
	b.Run("alone", func(b *testing.B) { run(b, instant(), 1) })
	b.Run("three budgets", func(b *testing.B) { run(b, book.Model("small", aToken, instant()), 1) })
	b.Run("three budgets, 64 callers", func(b *testing.B) { run(b, book.Model("small", aToken, instant()), 32) })
}
