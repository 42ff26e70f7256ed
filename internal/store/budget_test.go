package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var (
	_ budget.Ledger = (*Store)(nil)

	testDay = budget.Account{Scope: budget.ScopeProject, Per: budget.PerDay, Period: "2026-11-12"}
	triage  = budget.Account{Scope: budget.ScopePrompt, Value: "triage", Per: budget.PerDay, Period: "2026-11-12"}
	invoice = budget.Account{Scope: budget.ScopePrompt, Value: "invoice", Per: budget.PerDay, Period: "2026-11-12"}
	firstOf = budget.Account{Scope: budget.ScopeRun, Value: "r1", Per: budget.PerRun, Period: "r1"}
	nextOf  = budget.Account{Scope: budget.ScopeRun, Value: "r2", Per: budget.PerRun, Period: "r2"}
)

// enter makes one entry, and gives the state that it saw.
func enter(t *testing.T, s *Store, owner string, a budget.Account, e budget.Entry) (saw budget.State) {
	t.Helper()
	if err := s.Change(owner, []budget.Account{a}, func(states []budget.State) []budget.Entry {
		saw = states[0]
		return []budget.Entry{e}
	}); err != nil {
		t.Fatal(err)
	}
	return saw
}

func balances(t *testing.T, s *Store, scope budget.Scope, per budget.Per, period string) []budget.Balance {
	t.Helper()
	found, err := s.Balances(ctx, scope, per, period)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLedger(t *testing.T) {
	now := testNow
	s := openTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{Now: func() time.Time { return now }})
	for i, step := range []struct {
		later time.Duration
		owner string
		entry budget.Entry
		saw   budget.State
	}{
		{0, "a", budget.Entry{Lease: 100}, budget.State{}},
		{0, "b", budget.Entry{Lease: 50, Wanted: 7}, budget.State{Leased: 100}},
		{time.Second, "a", budget.Entry{Spent: 30, Lease: 70}, budget.State{Leased: 50, Wanted: 7}},
		{0, "c", budget.Entry{}, budget.State{Spent: 30, Leased: 120, Wanted: 7}},
		{budget.AliveFor, "c", budget.Entry{}, budget.State{Spent: 30, Leased: 70, Lost: 50}},
		{time.Nanosecond, "c", budget.Entry{Lease: 1}, budget.State{Spent: 30, Lost: 120}},
		{0, "b", budget.Entry{Spent: 20}, budget.State{Spent: 30, Leased: 1, Lost: 70}}, // it was only slow
		{0, "c", budget.Entry{}, budget.State{Spent: 50, Lost: 70}},
		{-time.Hour, "a", budget.Entry{Spent: 70}, budget.State{Spent: 50}}, // a clock that was set
		{0, "d", budget.Entry{}, budget.State{Spent: 120}},
	} {
		now = now.Add(step.later)
		if saw := enter(t, s, step.owner, testDay, step.entry); saw != step.saw {
			t.Errorf("%d: %s saw %+v, want %+v", i, step.owner, saw, step.saw)
		}
	}
	for _, wrong := range []budget.Entry{{Spent: -1}, {Lease: -1}} {
		err := s.Change("a", []budget.Account{testDay, triage}, func([]budget.State) []budget.Entry { return []budget.Entry{{Spent: 1}, wrong} })
		wantFault(t, err, fault.Internal, "the prompt triage on 2026-11-12")
	}
	if saw := enter(t, s, "a", testDay, budget.Entry{}); saw.Spent != 120 {
		t.Errorf("a refused change has left %+v", saw)
	}
}

func TestBalances(t *testing.T) {
	now := testNow
	s := openTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{Now: func() time.Time { return now }})
	enter(t, s, "dead", invoice, budget.Entry{Spent: 30, Lease: 5})
	now = now.Add(time.Hour)
	enter(t, s, "a", triage, budget.Entry{Spent: 10, Lease: 4, Wanted: 1})
	enter(t, s, "b", triage, budget.Entry{Spent: 1, Lease: 3})
	enter(t, s, "b", testDay, budget.Entry{})
	enter(t, s, "b", nextOf, budget.Entry{Spent: 8})
	now = now.Add(time.Second)
	enter(t, s, "b", firstOf, budget.Entry{Spent: 9})
	for _, test := range []struct {
		scope  budget.Scope
		per    budget.Per
		period string
		want   []budget.Balance
	}{
		{budget.ScopePrompt, budget.PerDay, "2026-11-12", []budget.Balance{
			{Account: invoice, State: budget.State{Spent: 30, Lost: 5}}, {Account: triage, State: budget.State{Spent: 11, Leased: 7, Wanted: 1}}}},
		{budget.ScopePrompt, budget.PerDay, "2026-11-13", nil},
		{budget.ScopePrompt, budget.PerMonth, "2026-11-12", nil},
		{budget.ScopeProject, budget.PerDay, "2026-11-12", []budget.Balance{{Account: testDay}}},
		{budget.ScopeRun, budget.PerRun, "", []budget.Balance{{Account: firstOf, State: budget.State{Spent: 9}}}},
	} {
		if diff := cmp.Diff(test.want, balances(t, s, test.scope, test.per, test.period)); diff != "" {
			t.Errorf("%s per %s: %s", test.scope, test.per, diff)
		}
	}

	// They are kept when runs are pruned, until their period is long over.
	for _, test := range []struct {
		later time.Duration
		want  int
	}{{60 * 24 * time.Hour, 2}, {3 * 24 * time.Hour, 0}} {
		now = now.Add(test.later)
		if _, _, err := s.PruneRuns(ctx, 0, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got := balances(t, s, budget.ScopePrompt, budget.PerDay, "2026-11-12"); len(got) != test.want {
			t.Errorf("%v later there are %+v", test.later, got)
		}
	}
	if saw := enter(t, s, "c", invoice, budget.Entry{}); saw != (budget.State{}) {
		t.Errorf("left: %+v", saw)
	}
}

const (
	spendLimit    = 100_000
	spendEstimate = 100
	spendCallers  = 32
)

// spender is a book over a file, and a model that costs something each time. told
// hears of each cost before the book does.
type spender struct {
	book  *budget.Book
	model llm.Model
}

func newSpender(l budget.Ledger, owner string, takes time.Duration, real func() llm.Money, told func(llm.Money)) spender {
	book := budget.Open(budget.Options{Ledger: l, Owner: owner, Now: func() time.Time { return testNow },
		Budgets: []budget.Budget{{Scope: budget.ScopeProject, Per: budget.PerDay, Limit: spendLimit}}})
	return spender{book, book.Model("small", func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output)) },
		llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
			return func(yield func(llm.Event, error) bool) {
				llm.AdmissionFrom(ctx).Asked = true
				time.Sleep(takes)
				cost := real()
				told(cost)
				yield(llm.Event{End: &llm.End{Usage: llm.Usage{Output: int64(cost)}}}, nil)
			}
		}))}
}

// spend asks with many callers until all are refused.
func (s spender) spend() error {
	var all sync.WaitGroup
	errs := make([]error, spendCallers)
	for i := range errs {
		all.Go(func() {
			for errs[i] == nil {
				_, errs[i] = llm.Collect(s.model.Stream(context.Background(), llm.Request{Options: llm.Options{"max_tokens": fmt.Append(nil, spendEstimate)}}))
			}
			if fault.ClassOf(errs[i]) == fault.Budget {
				errs[i] = nil
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// spendAsChild spends until the budget is gone or it is killed, and says what.
func spendAsChild(path, owner string) error {
	s, err := Open(context.Background(), path, Options{Now: time.Now})
	if err != nil {
		return err
	}
	var out sync.Mutex
	spender := newSpender(s, owner, time.Millisecond, func() llm.Money { return 70 }, func(cost llm.Money) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(int64(cost))
	})
	return errors.Join(spender.spend(), spender.book.Close(context.Background()), s.Close())
}

func spendingChild(t *testing.T, path, owner string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	command := child(t, path, "", 0)
	command.Env = append(command.Env, childOwner+"="+owner)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return command, bufio.NewScanner(out)
}

func sum(lines *bufio.Scanner, each func(total llm.Money)) (total llm.Money) {
	for lines.Scan() {
		var cost llm.Money
		if _, err := fmt.Sscan(lines.Text(), &cost); err == nil {
			total += cost
			each(total)
		}
	}
	return total
}

// TestBudgetSurvivesKill: what a killed process has spent is counted, and at most
// what it held and had leased ahead besides; and nobody can spend that again.
func TestBudgetSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	victim, lines := spendingChild(t, path, "victim")
	var killing sync.Once
	real := sum(lines, func(total llm.Money) {
		if total > spendLimit/2 {
			killing.Do(func() {
				if err := victim.Process.Kill(); err != nil {
					t.Error(err)
				}
			})
		}
	})
	if err := victim.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	s := openTest(t, path, Options{Now: func() time.Time { return time.Now().Add(2 * budget.AliveFor) }})
	found := balances(t, s, budget.ScopeProject, budget.PerDay, "2026-11-12")
	if len(found) != 1 || found[0].Leased != 0 {
		t.Fatalf("got %+v", found)
	}
	counted := found[0].Spent + found[0].Lost
	const block = spendLimit / 10
	if most := real + spendCallers*spendEstimate + block; counted < real || counted > most {
		t.Errorf("%d were spent, %d are counted, want at most %d", real, counted, most)
	}
	t.Logf("%d were spent, %d are counted: %+v", real, counted, found[0].State)

	var after llm.Money
	var mu sync.Mutex
	next := newSpender(s, "next", 0, func() llm.Money { return 70 }, func(cost llm.Money) {
		mu.Lock()
		defer mu.Unlock()
		after += cost
	})
	if err := errors.Join(next.spend(), next.book.Close(ctx)); err != nil {
		t.Error(err)
	}
	if all := counted + after; all > spendLimit || all+spendEstimate <= spendLimit {
		t.Errorf("%d were spent in all, %d before the kill", all, counted)
	}
}

// TestProcessesHoldOneBudget has two other processes and two stores of this one spend
// from one file until nothing is left.
func TestProcessesHoldOneBudget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	openTest(t, path, Options{})
	var total llm.Money
	var mu sync.Mutex
	told := func(cost llm.Money) {
		mu.Lock()
		defer mu.Unlock()
		total += cost
	}
	var all sync.WaitGroup
	for i := range 2 {
		command, lines := spendingChild(t, path, fmt.Sprintf("child %d", i))
		all.Go(func() {
			real := sum(lines, func(llm.Money) {})
			if err := command.Wait(); err != nil {
				t.Error(err)
			}
			told(real)
			t.Logf("another process spent %d", real)
		})
		s := openTest(t, path, Options{Now: time.Now})
		all.Go(func() {
			spender := newSpender(s, fmt.Sprintf("store %d", i), time.Millisecond, func() llm.Money { return 70 }, told)
			if err := errors.Join(spender.spend(), spender.book.Close(ctx)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := openTest(t, path, Options{ReadOnly: true})
	found := balances(t, s, budget.ScopeProject, budget.PerDay, "2026-11-12")
	if want := (budget.State{Spent: total}); len(found) != 1 || found[0].State != want {
		t.Errorf("got %+v, want %d spent", found, total)
	}
	if total > spendLimit || total+spendEstimate <= spendLimit {
		t.Errorf("%d of %d were spent", total, spendLimit)
	}
}

func TestLedgerThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	openTest(t, path, Options{})
	s := openTest(t, path, Options{ReadOnly: true})
	spender := newSpender(s, "a", 0, func() llm.Money { return 1 }, func(llm.Money) {})
	err := spender.spend()
	wantFault(t, err, fault.Store, "is open for reading only")
	if lines := strings.Count(err.Error(), "\n"); lines != spendCallers-1 {
		t.Errorf("%d callers were told", lines+1)
	}
	wantFault(t, spender.book.Close(ctx), fault.Store, "is open for reading only")
	_ = os.Remove(path)
}
