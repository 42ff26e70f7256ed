package cache

import (
	"context"
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
	cut   error // what it says when ctx ends; nil: why
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
			if now.cut != nil {
				yield(llm.Event{}, now.cut)
				return
			}
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
		"do not share what the leader's cancellation did to the stream": {
			[]step{{takes: time.Hour, cut: fault.New(fault.Network, "the connection was closed")}, stop("b")},
			[]caller{{within: time.Second}, {wait: time.Millisecond}},
			[]string{"network after 1s", "b after 11s"}, 2,
		},
		"do not share a cancellation from below": {
			[]step{quick(fault.New(fault.Canceled, "stopped")), stop("b")},
			[]caller{{}, {wait: time.Millisecond}},
			[]string{"canceled after 1s", "b after 11s"}, 2,
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
		"do not share a deadline that passes below": {
			[]step{quick(fault.New(fault.TimeoutTotal, "no whole answer within 1s")), stop("b")},
			[]caller{{}, {wait: time.Millisecond, within: 5 * time.Second}},
			[]string{"timeout_total after 1s", "btimeout_total after 5.001s"}, 2,
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
			after time.Duration
		}
		hear := func(into *[]piece) {
			req := request
			req.Live = true
			for event, err := range model.Stream(t.Context(), req) {
				if err != nil {
					t.Error(err)
				}
				if event.End == nil {
					*into = append(*into, piece{event.Text, time.Since(begin)})
				}
			}
		}
		var leader, follower []piece
		var group sync.WaitGroup
		group.Go(func() { hear(&leader) })
		synctest.Wait()
		group.Go(func() { hear(&follower) })
		group.Wait()
		if want := []piece{{"a", 0}}; !slices.Equal(leader, want) {
			t.Errorf("the leader heard %v, want %v", leader, want)
		}
		if want := []piece{{"a", 10 * time.Second}}; !slices.Equal(follower, want) {
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

// over is a context that has just ended, before anybody was told so.
type over struct{ context.Context }

func (over) Done() <-chan struct{} { return nil }
func (over) Err() error            { return context.Canceled }

// Who has gone in the moment in which the leader leaves does not ask in his place.
func TestNobodyLeadsAfterHisEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &scripted{steps: []step{stop("a")}}
		c := New(options(&drawer{}), up).(*cache)
		f, _ := c.flights.join(flightKey{identify(&request, "up/one"), ""})
		var group sync.WaitGroup
		group.Go(func() {
			_, err := llm.Collect(c.Stream(over{t.Context()}, request))
			if fault.ClassOf(err) != fault.Canceled || len(up.asked) != 0 {
				t.Errorf("got %v, asked %d times", err, len(up.asked))
			}
		})
		synctest.Wait()
		c.flights.land(f)
		group.Wait()
	})
}
