package budget

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestTodayFollowsTheClock(t *testing.T) {
	var now today
	for _, at := range []string{"2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z", "2026-12-01T00:59:00+01:00", "2024-02-29T12:00:00-05:00", "2026-12-01T00:00:00Z"} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		now.set(when)
		if want := when.UTC().Format(time.DateOnly); now.day != want || now.month != want[:7] {
			t.Errorf("%s: %s, %s", at, now.day, now.month)
		}
	}
}

func TestAlertComesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var alerts []string
		budgets := project(100)
		budgets[0].Alert = 0.8
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: budgets, Alert: func(a Alert) { alerts = append(alerts, a.String()) }})
		m := b.Model("small", aToken, answer(0, 10))
		for i := range 10 {
			if err := ask(t.Context(), m, asking(10)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(settleEvery + time.Millisecond)
			synctest.Wait()
			if want := i >= 7; (len(alerts) > 0) != want {
				t.Errorf("%d of 100 spent: alerts %q", 10*(i+1), alerts)
			}
		}
		time.Sleep(10 * idleFor)
		_ = ask(t.Context(), m, asking(10))
		closeBook(t, b)
		if want := "$0.000000080 of the $0.000000100 budget of the project on 2026-11-25 are spent"; len(alerts) != 1 || alerts[0] != want {
			t.Errorf("alerts %q", alerts)
		}
	})
}

// TestPeriods: each request is counted in the day, month and run in which it began.
func TestPeriods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		eve := time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC) // and December already in Oslo
		begin := time.Now()
		b := openBook(t, ledger, Options{
			Now: func() time.Time { return eve.Add(time.Since(begin)).In(time.FixedZone("Oslo", 3600)) },
			Budgets: []Budget{
				{Scope: ScopeProject, Per: PerDay, Limit: 100}, {Scope: ScopeProject, Per: PerMonth, Limit: 150},
				{Scope: ScopeModel, Per: PerRun, Limit: 90}, {Scope: ScopeRun, Per: PerRun, Limit: 1000}, {Scope: ScopeRun, Per: PerRun, Limit: 80},
			},
		})
		for _, step := range []struct {
			after  time.Duration
			run    string
			tokens int
			want   string // of the refusal; "" for an answer
		}{
			{0, "", 60, ""}, // ends on the next day
			{0, "", 60, "the project on 2026-12-01"},
			{24 * time.Hour, "", 60, ""},
			{24 * time.Hour, "", 60, "the project in 2026-12"},
			{31 * 24 * time.Hour, "r1", 60, ""},
			{24 * time.Hour, "r1", 25, "the run r1"},
			{0, "r2", 25, ""},
		} {
			time.Sleep(step.after)
			req := asking(step.tokens)
			req.Origin.Run = step.run
			err := ask(t.Context(), b.Model("small", aToken, answer(2*time.Second, int64(step.tokens))), req)
			if step.want == "" && err != nil || step.want != "" && (fault.ClassOf(err) != fault.Budget || !strings.Contains(err.Error(), step.want)) {
				t.Errorf("%+v: %v", step, err)
			}
			if step.after == 0 && step.run == "" && step.want == "" {
				if err := ask(t.Context(), b.Model("small", aToken, answer(0, 60)), req); err != nil {
					t.Errorf("after midnight: %v", err)
				}
			}
		}
		closeBook(t, b)
		var names []string
		for _, a := range ledger.accounts() {
			names = append(names, fmt.Sprintf("%s: %d", a, ledger.spent[a]))
		}
		want := []string{
			"the model small in the run r1: 60", "the model small in the run r2: 25",
			"the project on 2026-11-30: 60", "the project on 2026-12-01: 60", "the project on 2026-12-02: 60", "the project on 2026-12-03: 0",
			"the project on 2027-01-03: 60", "the project on 2027-01-04: 25",
			"the project in 2026-11: 60", "the project in 2026-12: 120", "the project in 2027-01: 85",
			"the run r1: 60", "the run r2: 25",
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Error(diff)
		}
	})
}
