package budget

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// clock is the bubble's clock, which stands at 2000-01-01, moved to noon.
func clock() func() time.Time {
	begin := time.Now()
	return func() time.Time { return noon.Add(time.Since(begin)) }
}

func openBook(t testing.TB, l Ledger, o Options) *Book {
	t.Helper()
	o.Ledger = l
	if o.Owner == "" {
		o.Owner = "a"
	}
	if o.Now == nil {
		o.Now = clock()
	}
	return Open(o)
}

func closeBook(t testing.TB, b *Book) {
	t.Helper()
	if err := b.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func project(limit llm.Money) []Budget {
	return []Budget{{Scope: ScopeProject, Per: PerDay, Limit: limit, Place: fault.Place{File: "llmx.yaml", Line: 30, Col: 11}}}
}

// aToken is a cost of one nano-USD a token of output: the estimate of a request
// is its max_tokens.
func aToken(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output)) }

func asking(tokens int) llm.Request {
	return llm.Request{Options: llm.Options{"max_tokens": fmt.Appendf(nil, "%d", tokens)}}
}

// answer is a model that takes its time and so many tokens.
func answer(takes time.Duration, tokens int64) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			llm.AdmissionFrom(ctx).Asked = true
			select {
			case <-time.After(takes):
			case <-ctx.Done():
				yield(llm.Event{}, fault.Ended(ctx, nil))
				return
			}
			if yield(llm.Event{Text: "yes"}, nil) {
				yield(llm.Event{End: &llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Output: tokens}}}, nil)
			}
		}
	})
}

func ask(ctx context.Context, m llm.Model, req llm.Request) error {
	_, err := llm.Collect(m.Stream(llm.WithAdmission(ctx, &llm.Admission{}), req))
	return err
}

// TestSpendIsCounted: what an attempt cost stands in the ledger within settleEvery,
// and after a clean end nothing is leased.
func TestSpendIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(1000)})
		m := b.Model("small", aToken, answer(time.Millisecond, 7))
		for range 3 {
			if err := ask(t.Context(), m, asking(10)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(settleEvery + time.Millisecond)
		synctest.Wait()
		if spent, leased := ledger.total(); spent != 21 || leased == 0 {
			t.Errorf("spent %d, leased %d, want 21 and some", spent, leased)
		}
		closeBook(t, b)
		ledger.wantTotal(t, 21, 0)
	})
}

// TestOvershootIsWhatWasInFlight has 64 callers at once, all of whom cost more
// than they were estimated to: what is spent beyond the limit is what those cost
// that were admitted below it.
func TestOvershootIsWhatWasInFlight(t *testing.T) {
	for _, real := range []llm.Money{1, 7, 10, 25} {
		t.Run(fmt.Sprintf("%d of 10", real), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const callers, each, estimate, limit = 64, 20, llm.Money(10), llm.Money(1005)
				ledger := newMemory()
				ledger.takes = time.Millisecond
				b := openBook(t, ledger, Options{Budgets: project(limit)})
				var mu sync.Mutex
				var spent, held llm.Money // of the provider's own books
				m := b.Model("small", aToken, llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
					return func(yield func(llm.Event, error) bool) {
						mu.Lock()
						held += estimate
						if spent+held > limit {
							t.Errorf("asked with %d spent and %d in flight, the limit is %d", spent, held-estimate, limit)
						}
						mu.Unlock()
						for event, err := range answer(10*time.Millisecond, int64(real)).Stream(ctx, req) {
							if event.End != nil {
								mu.Lock()
								held -= estimate
								spent += real
								mu.Unlock()
							}
							if !yield(event, err) {
								return
							}
						}
					}
				}))
				var all sync.WaitGroup
				var refused atomic.Int64
				for range callers {
					all.Go(func() {
						for range each {
							err := ask(t.Context(), m, asking(int(estimate)))
							if err == nil {
								continue
							}
							refused.Add(1)
							mu.Lock()
							if spent+estimate <= limit {
								t.Errorf("refused with %d spent of %d: %v", spent, limit, err)
							}
							mu.Unlock()
							if fault.ClassOf(err) != fault.Budget {
								t.Error(err)
							}
						}
					})
				}
				all.Wait()
				closeBook(t, b)
				ledger.wantTotal(t, spent, 0)
				done := callers*each - refused.Load()
				if spent != llm.Money(done)*real {
					t.Errorf("%d answers cost %d", done, spent)
				}
				if spent+estimate <= limit {
					t.Errorf("only %d of %d were spent, and %d refused", spent, limit, refused.Load())
				}
				if over := max(0, real-estimate) * callers; spent > limit+over {
					t.Errorf("spent %d, want at most %d and the %d that those in flight cost too much", spent, limit, over)
				}
				t.Logf("%d answered, %d refused, spent %d of %d in %d changes", done, refused.Load(), spent, limit, ledger.changes)
			})
		})
	}
}

// TestRefusalWaitsForWhatIsInFlight: the second request does not fit beside the first,
// and the third never will.
func TestRefusalWaitsForWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(100)})
		m := b.Model("small", aToken, answer(time.Minute, 50))
		begin := time.Now()
		results := make(chan error, 2)
		go func() { results <- ask(t.Context(), m, asking(90)) }()
		synctest.Wait()
		admission := &llm.Admission{}
		go func() {
			_, err := llm.Collect(m.Stream(llm.WithAdmission(t.Context(), admission), asking(50)))
			results <- err
		}()
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begin); took.Round(time.Second) != 2*time.Minute || admission.Queue.Round(time.Second) != time.Minute {
			t.Errorf("both took %v, with a queue of %v", took, admission.Queue)
		}
		begin = time.Now()
		err := ask(t.Context(), m, asking(1))
		if fault.ClassOf(err) != fault.Budget || time.Since(begin) > time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		want := "the budget of the project on 2026-11-25 has no room for this request: $0.000000100 of $0.000000100 are spent, and it may cost $0.000000001\n" +
			"  raise usd: at llmx.yaml:30:11, or wait until 2026-11-26 00:00 UTC"
		if err == nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
		if left := fault.As(err).RetryAfter; left <= 0 || left > 24*time.Hour {
			t.Errorf("the budget is renewed in %v", left)
		}
		closeBook(t, b)
		ledger.wantTotal(t, 100, 0)
	})
}

func TestWaitingIsFairAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(100)})
		var order []string
		var mu sync.Mutex
		named := func(ctx context.Context, name string, tokens int) error {
			err := ask(ctx, b.Model("small", aToken, llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				return answer(time.Minute, 1).Stream(ctx, req)
			})), asking(tokens))
			return err
		}
		var all sync.WaitGroup
		start := func(ctx context.Context, name string, tokens int, want fault.Class) {
			all.Go(func() {
				err := named(ctx, name, tokens)
				if want == "" && err != nil || want != "" && fault.ClassOf(err) != want {
					t.Errorf("%s: %v", name, err)
				}
			})
			synctest.Wait()
		}
		hurry, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start(t.Context(), "first", 60, "")
		start(hurry, "gives up", 95, fault.TimeoutTotal)
		start(t.Context(), "large", 90, "")
		start(t.Context(), "small", 20, "") // would fit beside the first, but came after the large one
		all.Wait()
		if got := strings.Join(order, ", "); got != "first, large, small" {
			t.Errorf("asked in the order: %s", got)
		}
		closeBook(t, b)
		ledger.wantTotal(t, 3, 0)
	})
}

// TestWaitersOfOtherAccountsAreNotHeldUp: who waits for one prompt's money does not
// keep another prompt's requests.
func TestWaitersOfOtherAccountsAreNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: append(project(10_000), Budget{Scope: ScopePrompt, Per: PerDay, Limit: 100})})
		m := b.Model("small", aToken, answer(time.Minute, 10))
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				req := asking(90)
				req.Prompt.Name = "busy"
				if err := ask(t.Context(), m, req); (err != nil) != (i == 2) {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		begin := time.Now()
		req := asking(90)
		req.Prompt.Name = "free"
		if err := ask(t.Context(), m, req); err != nil || time.Since(begin) > time.Minute+time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		all.Wait()
		closeBook(t, b)
	})
}

func TestWithoutAPriceNothingIsAsked(t *testing.T) {
	b := openBook(t, newMemory(), Options{Budgets: project(100)})
	defer closeBook(t, b)
	nobody := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		t.Error("it was asked")
		return llm.Fail(nil)
	})
	err := ask(t.Context(), b.Model("small", func(llm.Usage) llm.Cost { return llm.Cost{} }, nobody), asking(1))
	if fault.ClassOf(err) != fault.Budget || !strings.Contains(err.Error(), `the price of the model "small" is not known`) {
		t.Error(err)
	}
	err = ask(t.Context(), b.Model("small", aToken, nobody), asking(101))
	if fault.ClassOf(err) != fault.Budget || !strings.Contains(err.Error(), "this request may cost $0.000000101, and the budget of the project on 2026-11-25 is $0.000000100") {
		t.Error(err)
	}
}

// TestFreeModelsNeedNoMoney also where nothing is left.
func TestFreeModelsNeedNoMoney(t *testing.T) {
	b := openBook(t, newMemory(), Options{Budgets: project(10)})
	defer closeBook(t, b)
	if err := ask(t.Context(), b.Model("small", aToken, answer(0, 20)), asking(10)); err != nil {
		t.Fatal(err)
	}
	free := func(llm.Usage) llm.Cost { return llm.KnownCost(0) }
	if err := ask(t.Context(), b.Model("sim", free, answer(0, 20)), asking(10)); err != nil {
		t.Error(err)
	}
}
