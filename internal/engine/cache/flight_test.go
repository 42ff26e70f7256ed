package cache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// scripted is a model whose n-th asking takes a time and ends as the n-th step says;
// the last step is for all that come after.
type scripted struct {
	mu    sync.Mutex
	steps []step
	asked []time.Time
	ended int // askings that were canceled
}

type step struct {
	takes time.Duration
	text  string
	end   llm.End
	err   error
	panic string
}

func (s *scripted) next() step {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, time.Now())
	return s.steps[min(len(s.asked), len(s.steps))-1]
}

func (s *scripted) Stream(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		now := s.next()
		if now.text != "" && !yield(llm.Event{Text: now.text}, nil) {
			return
		}
		select {
		case <-time.After(now.takes):
		case <-ctx.Done():
			s.mu.Lock()
			s.ended++
			s.mu.Unlock()
			yield(llm.Event{}, fault.Ended(ctx, nil))
			return
		}
		switch {
		case now.panic != "":
			panic(now.panic)
		case now.err != nil:
			yield(llm.Event{}, now.err)
		default:
			yield(llm.Event{End: &now.end}, nil)
		}
	}
}

// heard is what one caller got, and when, since the bubble's clock began.
type heard struct {
	text  string
	end   llm.End
	class fault.Class
	err   error
	after time.Duration
	call  *llm.Call
}

// caller asks in a goroutine of its own, wait later than the others.
type caller struct {
	wait   time.Duration
	within time.Duration // of its ctx; 0: for ever
	reuse  llm.Reuse
	leaves bool // with the first event
}

// all lets callers ask the same, each as it says, and gives what they got.
func all(t *testing.T, model llm.Model, callers ...caller) []heard {
	t.Helper()
	begin := time.Now()
	got := make([]heard, len(callers))
	var group sync.WaitGroup
	for i, c := range callers {
		group.Go(func() {
			time.Sleep(c.wait)
			ctx := t.Context()
			if c.within > 0 {
				limited, cancel := context.WithTimeout(ctx, c.within)
				defer cancel()
				ctx = limited
			}
			got[i].call = &llm.Call{Turns: []llm.Turn{{Kind: "ask"}}}
			defer func() {
				if said := recover(); said != nil {
					got[i].text = fmt.Sprint("panic: ", said)
				}
				got[i].after = time.Since(begin)
			}()
			req := request
			req.Reuse = c.reuse
			for event, err := range model.Stream(llm.WithCall(ctx, got[i].call), req) {
				if err != nil {
					got[i].class, got[i].err = fault.ClassOf(err), err
					break
				}
				got[i].text += event.Text
				if event.End != nil {
					got[i].end = *event.End
				}
				if c.leaves {
					break
				}
			}
		})
	}
	group.Wait()
	return got
}

// words tells what callers got in one line each.
func words(got []heard) []string {
	said := make([]string, len(got))
	for i, h := range got {
		by := ""
		if h.end.Stored != nil {
			by = " by " + h.end.Stored.By
		}
		said[i] = fmt.Sprintf("%s%s%s after %v", h.text, h.class, by, h.after)
	}
	return said
}

func stop(text string) step {
	return step{takes: 10 * time.Second, text: text, end: llm.End{Finish: llm.FinishStop}}
}

func TestEqualCallsUnderWay(t *testing.T) {
	quick := func(err error) step { return step{takes: time.Second, err: err} }
	late := fault.New(fault.TimeoutTotal, "no whole answer within 10s")
	for name, test := range map[string]struct {
		steps   []step
		callers []caller
		want    []string
		asked   int
	}{
		"share one answer": {
			[]step{stop("a"), stop("b")},
			[]caller{{}, {wait: time.Second}, {wait: 9 * time.Second}, {wait: 11 * time.Second}},
			[]string{"a after 10s", "a by shared after 10s", "a by shared after 10s", "b after 21s"}, 2,
		},
		"share an answer that is not kept": {
			[]step{{takes: time.Second, text: "a", end: llm.End{Finish: llm.FinishLength, Fallback: true}}},
			[]caller{{}, {wait: time.Millisecond}},
			[]string{"a after 1s", "a by shared after 1s"}, 1,
		},
		"share a recording as one": {
			[]step{{takes: time.Second, text: "a", end: llm.End{Finish: llm.FinishStop, Stored: &llm.Stored{By: "recording"}}}},
			[]caller{{}, {wait: time.Millisecond}},
			[]string{"a by recording after 1s", "a by recording after 1s"}, 1,
		},
		"share a failure": {
			[]step{quick(fault.New(fault.ServerError, "down")), stop("b")},
			[]caller{{}, {wait: time.Millisecond}, {wait: 2 * time.Second}},
			[]string{"server_error after 1s", "server_error after 1s", "b after 12s"}, 2,
		},
		"share that an answer was cut": {
			[]step{quick(fault.New(fault.Cut, "cut")), stop("b")},
			[]caller{{}, {wait: time.Millisecond}},
			[]string{"cut after 1s", "cut after 1s"}, 1,
		},
		"do not share the leader's cancellation": {
			[]step{stop("a"), stop("b")},
			[]caller{{within: time.Second}, {wait: time.Millisecond}, {wait: 2 * time.Millisecond}},
			[]string{"atimeout_total after 1s", "b after 11s", "b by shared after 11s"}, 2,
		},
		"do not share the leader's budget": {
			[]step{quick(fault.New(fault.Budget, "spent")), stop("b")},
			[]caller{{}, {wait: time.Millisecond}, {wait: time.Millisecond}},
			[]string{"budget after 1s", "b after 11s", "b by shared after 11s"}, 2,
		},
		"go on when the leader leaves": {
			[]step{{takes: time.Second, text: "a", end: llm.End{Finish: llm.FinishStop}}, stop("b")},
			[]caller{{leaves: true, wait: 0}, {wait: time.Second}},
			[]string{"a after 0s", "b after 11s"}, 2,
		},
		"go on when the leader panics": {
			[]step{{takes: time.Second, panic: "oh"}, stop("b")},
			[]caller{{}, {wait: time.Millisecond}, {wait: time.Millisecond}},
			[]string{"panic: oh after 1s", "b after 11s", "b by shared after 11s"}, 2,
		},
		"wait no longer than they want": {
			[]step{stop("a")},
			[]caller{{}, {wait: time.Second, within: 2 * time.Second}, {wait: time.Second}},
			[]string{"a after 10s", "timeout_total after 3s", "a by shared after 10s"}, 1,
		},
		"have one deadline each when it passes below": {
			// The second has waited as long as the first. The third asks for the six seconds
			// that he has left.
			[]step{{takes: 10 * time.Second, err: late}, {takes: time.Hour}},
			[]caller{{}, {}, {wait: 6 * time.Second}},
			[]string{"timeout_total after 10s", "timeout_total after 10s", "timeout_total after 16s"}, 2,
		},
		"answer in the time that is left when the deadline passes below": {
			[]step{{takes: 10 * time.Second, err: late}, {takes: 5 * time.Second, text: "b", end: llm.End{Finish: llm.FinishStop}}},
			[]caller{{}, {wait: 6 * time.Second}, {wait: 9 * time.Second}},
			[]string{"timeout_total after 10s", "b after 15s", "b by shared after 15s"}, 2,
		},
		"share among those who do not keep, and not with others": {
			[]step{stop("a"), stop("b")},
			[]caller{{}, {wait: time.Second, reuse: llm.ReuseRead}, {wait: 2 * time.Second, reuse: llm.ReuseRead}, {wait: 2 * time.Second}},
			[]string{"a after 10s", "b after 11s", "b by shared after 11s", "a by shared after 10s"}, 2,
		},
		"do not share what is asked anew": {
			[]step{stop("a")},
			[]caller{{}, {wait: time.Second, reuse: llm.ReuseRefresh}, {wait: 2 * time.Second, reuse: llm.ReuseRefresh}, {wait: 3 * time.Second, reuse: llm.ReuseOff}},
			[]string{"a after 10s", "a after 11s", "a after 12s", "a after 13s"}, 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &scripted{steps: test.steps}
				model := New(options(&drawer{}), up)
				got := words(all(t, model, test.callers...))
				// Of callers who come at the same time either may be the first.
				want := slices.Clone(test.want)
				slices.Sort(got)
				slices.Sort(want)
				if diff := cmp.Diff(want, got); diff != "" || len(up.asked) != test.asked {
					t.Errorf("asked %d times, want %d: %s", len(up.asked), test.asked, diff)
				}
				for i := range model.(*cache).flights {
					if flying := len(model.(*cache).flights[i].under); flying != 0 {
						t.Errorf("%d flights have not landed", flying)
					}
				}
			})
		})
	}
}

// A stream that ends without its end is no answer for those who wait.
func TestSharedStreamWithoutAnEndIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		half := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
			return func(yield func(llm.Event, error) bool) {
				if yield(llm.Event{Text: "hel"}, nil) {
					time.Sleep(time.Second)
				}
			}
		})
		got := words(all(t, New(options(&drawer{}), half), caller{}, caller{wait: time.Millisecond}))
		if diff := cmp.Diff([]string{"hel after 1s", "cut after 1s"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLeaderStreamsWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &scripted{steps: []step{stop("a")}}
		model, begin := New(options(&drawer{}), up), time.Now()
		type piece struct {
			text  string
			alive bool
			after time.Duration
		}
		hear := func(keepAlive time.Duration, into *[]piece) {
			req := request
			req.Live, req.KeepAlive = true, keepAlive
			for event, err := range model.Stream(t.Context(), req) {
				if err != nil {
					t.Error(err)
				}
				if event.End == nil {
					*into = append(*into, piece{event.Text, event.Alive, time.Since(begin)})
				}
			}
		}
		var leader, follower []piece
		var group sync.WaitGroup
		group.Go(func() { hear(0, &leader) })
		synctest.Wait()
		group.Go(func() { hear(4*time.Second, &follower) })
		group.Wait()
		if want := []piece{{"a", false, 0}}; !slices.Equal(leader, want) {
			t.Errorf("the leader heard %v, want %v", leader, want)
		}
		if want := []piece{{"", true, 4 * time.Second}, {"", true, 8 * time.Second}, {"a", false, 10 * time.Second}}; !slices.Equal(follower, want) {
			t.Errorf("the follower heard %v, want %v", follower, want)
		}
	})
}

func TestFollowerWhoLeavesCancelsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &scripted{steps: []step{stop("a")}}
		model := New(options(&drawer{}), up)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		var first heard
		group.Go(func() { first = all(t, model, caller{})[0] })
		synctest.Wait()
		group.Go(func() {
			_, err := llm.Collect(model.Stream(ctx, request))
			if fault.ClassOf(err) != fault.Canceled {
				t.Errorf("the follower got %v", err)
			}
		})
		synctest.Wait()
		cancel()
		group.Wait()
		if first.text != "a" || up.ended != 0 || len(up.asked) != 1 {
			t.Errorf("the leader got %q; asked %d times, canceled %d", first.text, len(up.asked), up.ended)
		}
	})
}

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
		stored := &llm.Stored{By: "shared", At: at, Service: 3 * time.Second, FirstToken: time.Second, Provider: "up", Wire: "one-1", Cost: llm.KnownCost(7)}
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
