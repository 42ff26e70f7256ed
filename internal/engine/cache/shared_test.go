package cache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestSharedAnswerIsRecordedAndNotPaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := saying("hello")
		up.events[1].End.Fallback, up.events[1].End.Skipped = true, 2
		slow := llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
			time.Sleep(time.Second)
			return up.Stream(ctx, req)
		})
		at := time.Now().Add(time.Second).Round(0)
		got := all(t, New(options(&drawer{}), slow), caller{}, caller{wait: time.Millisecond})
		stored := &llm.Stored{By: "shared", At: at, Service: 3 * time.Second, FirstToken: time.Second, Provider: "up", Model: "one", Wire: "one-1", Cost: llm.KnownCost(7)}
		end := llm.End{
			Finish: llm.FinishStop, Usage: llm.Usage{Input: 3, Output: 7}, Model: "one-2026", ResponseID: "r1",
			Fallback: true, Skipped: 2, Failed: []llm.Failed{{Model: "one", Class: fault.ServerError}}, Stored: stored,
		}
		if diff := cmp.Diff(end, got[1].end); diff != "" {
			t.Error(diff)
		}
		attempt := llm.Attempt{
			Provider: "up", Model: "one", Wire: "one-1", Answered: "one-2026", ResponseID: "r1", Started: at,
			Service: 3 * time.Second, FirstToken: time.Second, Usage: end.Usage, Cost: llm.KnownCost(7), Paid: llm.KnownCost(0),
			Finish: llm.FinishStop, Stored: stored, Skipped: 2,
		}
		if diff := cmp.Diff([]llm.Attempt{attempt}, got[1].call.Turns[0].Attempts); diff != "" {
			t.Error(diff)
		}
		if got[0].end.Stored != nil || got[0].call.Paid() != llm.KnownCost(7) {
			t.Errorf("the leader: stored %v, paid %v", got[0].end.Stored, got[0].call.Paid())
		}
	})
}

// Aliases may stand for the same model, and a kept answer may be of a time when it
// had another one: who follows knows the model by his own.
func TestAFollowerKnowsTheModelByHisOwnAlias(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(&drawer{})
		o.Resolve = func(req llm.Request) (string, string, bool) { return req.Model, "up/one", true }
		up := saying("hello")
		model := New(o, llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
			time.Sleep(time.Second)
			return up.Stream(ctx, req)
		}))
		var group sync.WaitGroup
		group.Go(func() { ask(t, model, request) })
		synctest.Wait()
		mine := request
		mine.Model = "mine"
		_, call := ask(t, model, mine)
		if got := call.Turns[0].Attempts[0]; got.Model != "mine" || got.Stored == nil || got.Stored.By != "shared" || up.asked != 1 {
			t.Errorf("the record of who followed: %+v, asked %d times", got, up.asked)
		}
		group.Wait()
	})
}

func TestSharedFailureIsACopyAndRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("cause")
		down := fault.New(fault.ServerError, "down").WithHint("wait").Because(cause)
		down.Status, down.RetryAfter = 503, time.Minute
		up := &scripted{steps: []step{{takes: time.Second, err: fmt.Errorf("wrapped: %w", down)}}}
		got := all(t, New(options(&drawer{}), up), caller{}, caller{wait: time.Millisecond}, caller{wait: time.Millisecond})
		seen := map[*fault.Error]bool{}
		for i, h := range got {
			e, ok := errors.AsType[*fault.Error](h.err)
			if !ok || seen[e] || e.Error() != down.Error() || e.Status != 503 || e.RetryAfter != time.Minute || !errors.Is(h.err, cause) {
				t.Fatalf("caller %d got %#v", i, h.err)
			}
			seen[e] = true
		}
		want := []llm.Attempt{{
			Model: "one", Cost: llm.KnownCost(0), Paid: llm.KnownCost(0), Unasked: true,
			Failure: &llm.Failure{Class: fault.ServerError, Status: 503, Message: "down"},
		}}
		if diff := cmp.Diff(want, got[1].call.Turns[0].Attempts); diff != "" {
			t.Error(diff)
		}
	})
}

// What a leader finds in the storage is for all who wait; the storage is asked once.
func TestFollowersShareAHitOfTheStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, up := &drawer{}, saying("hello")
		o := options(kept)
		o.MemoryBytes = -1
		model := New(o, up)
		ask(t, model, request)
		slow := &slowDrawer{drawer: kept, takes: time.Second}
		o.Storage, kept.looks = slow, 0
		got := words(all(t, New(o, up), caller{}, caller{wait: time.Millisecond}, caller{wait: time.Millisecond}))
		for _, said := range got {
			if said != "hello by cache after 1s" {
				t.Errorf("got %s", said)
			}
		}
		if up.asked != 1 || kept.looks != 1 {
			t.Errorf("asked %d times, looked %d times", up.asked, kept.looks)
		}
	})
}

type slowDrawer struct {
	*drawer
	takes time.Duration
}

func (d *slowDrawer) Get(ctx context.Context, key string) (Entry, bool) {
	time.Sleep(d.takes)
	return d.drawer.Get(ctx, key)
}

// Many callers for real: one request upstream for every answer, and never a mix.
func TestManyCallersAtOnce(t *testing.T) {
	const callers, keys = 64, 4
	var mu sync.Mutex
	asked := map[string]int{}
	up := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		text := req.Messages[0].Text()
		mu.Lock()
		asked[text]++
		mu.Unlock()
		return llm.Replay("answer to "+text, llm.End{Finish: llm.FinishStop})
	})
	model := New(options(&drawer{}), up)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for round := range 50 {
				text := fmt.Sprint(round, " ", i%keys)
				req := request
				req.Messages = []llm.Message{llm.Text(llm.User, text)}
				for event, err := range model.Stream(t.Context(), req) {
					if err != nil {
						t.Error(err)
					}
					if event.Text != "" && event.Text != "answer to "+text {
						t.Errorf("%q answers %q", event.Text, text)
					}
					if event.End != nil && event.End.Keep != nil {
						event.End.Keep()
					}
				}
			}
		})
	}
	group.Wait()
	for text, n := range asked {
		if n != 1 {
			t.Errorf("%q was asked %d times", text, n)
		}
	}
	if len(asked) != 50*keys {
		t.Errorf("%d questions, want %d", len(asked), 50*keys)
	}
}
