package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// listed are all calls that a filter selects.
func listed(t testing.TB, s *Store, f CallFilter) []*llm.Call {
	t.Helper()
	var all []*llm.Call
	for call, err := range s.Calls(ctx, f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, call)
	}
	return all
}

func idsOf(calls []*llm.Call) []string {
	var ids []string
	for _, call := range calls {
		ids = append(ids, call.ID)
	}
	return ids
}

func TestCallsAreFilteredAndTheNewestComeFirst(t *testing.T) {
	s := tempStore(t)
	if calls := listed(t, s, CallFilter{}); len(calls) != 0 {
		t.Errorf("%d calls of an empty store", len(calls))
	}
	run := beginRun(t, s, "run")
	for i := range 3 {
		s.Record(sampleCall(run.ID, i))
	}
	asked := sampleCall("", 9) // llmx ask
	asked.Prompt, asked.Failure = llm.PromptRef{Name: "other", Version: "draft"}, &llm.Failure{Class: fault.Auth, Message: "refused"}
	asked.Model, asked.Turns[0].Attempts[0].Model = "route", "large"
	s.Record(asked)
	unknown := sampleCall("of another store", 8)
	s.Record(unknown)
	endRun(t, s, run)
	const first, second, third = "run-call-000000000", "run-call-000000001", "run-call-000000002"
	for _, test := range []struct {
		f    CallFilter
		want []string
	}{
		{CallFilter{}, []string{asked.ID, unknown.ID, third, second, first}},
		{CallFilter{Limit: 1}, []string{asked.ID}},
		{CallFilter{Run: "run", Case: "ticket-0000001"}, []string{second}},
		{CallFilter{Prompt: "other"}, []string{asked.ID}},
		{CallFilter{Prompt: "triage", Version: "1.2.0", Limit: 1}, []string{unknown.ID}},
		{CallFilter{Prompt: "other", Version: "1.2.0"}, nil},
		{CallFilter{Failed: true}, []string{asked.ID}},
		{CallFilter{Model: "route"}, []string{asked.ID}},
		{CallFilter{Model: "large"}, []string{asked.ID}},
		{CallFilter{Since: asked.Started}, []string{asked.ID}},
		{CallFilter{Since: testNow.Add(2 * time.Millisecond)}, []string{asked.ID, unknown.ID, third}},
		{CallFilter{Run: "latest", Suite: "triage", Model: "small", Limit: 2}, []string{third, second}},
		{CallFilter{Suite: "none"}, nil},
	} {
		if diff := cmp.Diff(test.want, idsOf(listed(t, s, test.f))); diff != "" {
			t.Errorf("%+v: %s", test.f, diff)
		}
	}
	for _, err := range s.Calls(ctx, CallFilter{Run: "none"}) {
		wantFault(t, err, fault.Usage, `no run "none"`)
	}
	names, err := s.CallNames(ctx)
	if want := (CallNames{Suites: []string{"triage"}, Prompts: []string{"other", "triage"}, Models: []string{"large", "route", "small"}}); err != nil || cmp.Diff(want, names) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, names))
	}
}

// A listed call is the call as it was, but for its contents.
func TestListedCallsHaveTheirAttempts(t *testing.T) {
	s := tempStore(t)
	full := filled[llm.Call](1)
	full.Feedback = nil // comes later, see AddFeedback
	s.Record(&full)
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	want := full
	want.Vars, want.Answer, want.Turns = nil, "", nil
	for _, turn := range full.Turns {
		want.Turns = append(want.Turns, llm.Turn{Kind: turn.Kind, Violation: turn.Violation, Attempts: turn.Attempts})
	}
	if diff := cmp.Diff([]*llm.Call{&want}, listed(t, s, CallFilter{})); diff != "" {
		t.Error(diff)
	}
}

func TestALongListIsReadInBatches(t *testing.T) {
	s := tempStore(t)
	const calls = 2*callBatch + 10
	for i := range calls {
		s.Record(sampleCall("", i))
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for i, call := range listed(t, s, CallFilter{}) {
		if want := sampleCall("", calls-1-i).ID; call.ID != want || call.Attempts() != 1 || call.Paid() != llm.KnownCost(50_000) {
			t.Fatalf("%d: %s with %d attempts, paid %v; want %s", i, call.ID, call.Attempts(), call.Paid(), want)
		}
	}
	for range s.Calls(ctx, CallFilter{}) {
		break // leaves nothing behind: a reader that is not given back would hang at Close
	}
}

func TestCallsAreFoundByTheBeginningOfTheirID(t *testing.T) {
	s := tempStore(t)
	for i, id := range []string{"4f2a-1", "4f2a-2", "4f2a-10", "9c", "9cé", "x_y", "x%y"} {
		call := sampleCall("", i)
		call.ID = id
		s.Record(call)
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for start, want := range map[string][]string{
		"4f2a-2": {"4f2a-2"}, "4f2a-1": {"4f2a-10", "4f2a-1"}, "9c": {"9cé", "9c"}, "9cé": {"9cé"}, "x_": {"x_y"}, "x%": {"x%y"},
		"": nil, "4F2A": nil, "5": nil, "4f2a-3": nil, "\U0010ffff": nil,
	} {
		if ids, err := s.CallsBeginning(ctx, start); err != nil || cmp.Diff(want, ids) != "" {
			t.Errorf("%s: %v, %v", start, ids, err)
		}
	}
}

// BenchmarkCalls lists the newest of many calls.
func BenchmarkCalls(b *testing.B) {
	const calls = 100_000
	s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
	for i := range calls {
		s.Record(sampleCall("", i))
	}
	if err := s.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]CallFilter{
		"newest": {Limit: 20}, "of a model": {Limit: 20, Model: "small"}, "failed": {Limit: 20, Failed: true}, "all": {},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				for _, err := range s.Calls(ctx, f) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != f.Limit && f.Limit > 0 && !f.Failed {
					b.Fatalf("%d read", n)
				}
			}
		})
	}
}
