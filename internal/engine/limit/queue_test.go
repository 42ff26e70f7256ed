package limit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func timeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// outcome is how an attempt ended.
type outcome struct {
	record llm.Admission
	err    error
	at     time.Duration
}

func (o outcome) String() string { return fmt.Sprintf("%+v, %v, after %v", o.record, o.err, o.at) }

// later asks in the background.
func later(ctx context.Context, m llm.Model, req llm.Request) <-chan outcome {
	done, start := make(chan outcome, 1), time.Now()
	go func() {
		record, err := ask(ctx, m, req)
		done <- outcome{record, err, time.Since(start)}
	}()
	return done
}

func TestACanceledWaiterLeavesAtOnceAndBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(req llm.Request) reply { return reply{end: llm.End{Usage: req.Estimate()}} })
		l := New(Settings{TPM: 6000})
		m := l.Model(upstream)
		_, _ = ask(t.Context(), m, request(2900)) // leaves 100
		ctx, cancel := context.WithCancel(t.Context())
		big := later(ctx, m, request(3000))
		synctest.Wait()
		small := later(t.Context(), m, request(50))
		time.Sleep(time.Second)
		cancel()
		got := <-big
		if fault.ClassOf(got.err) != fault.Canceled || got.at != time.Second || got.record != (llm.Admission{Queue: time.Second}) {
			t.Errorf("canceled: %v", got)
		}
		if got := <-small; got.err != nil || got.at != time.Second {
			t.Errorf("behind it: %v, want it to go at 1s", got)
		}
		idle(t, l)
	})
}

func TestWhoIsAdmittedAsItLeavesGivesBackWhatItGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(llm.Request) reply { return reply{takes: 2 * time.Second} })
		l := New(Settings{RPM: 8, TPM: 8000, Concurrency: 1})
		m := l.Model(upstream)
		first := later(t.Context(), m, request(10))
		synctest.Wait()
		ctx, cancel := timeout(t, 2*time.Second) // over at the instant at which the place gets free
		defer cancel()
		second := later(ctx, m, request(10))
		synctest.Wait()
		third := later(t.Context(), m, request(10))
		if got := <-second; fault.ClassOf(got.err) != fault.TimeoutTotal {
			t.Errorf("second: %v", got)
		}
		<-first
		if got := <-third; got.err != nil || got.record.Queue > 10*time.Second {
			t.Errorf("third: %v", got)
		}
		idle(t, l)
	})
}

func TestWhoseContextIsOverIsNotAdmitted(t *testing.T) {
	reason := fault.New(fault.Budget, "the day's budget is spent")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	upstream := newProvider(nil)
	record, err := ask(ctx, New(Settings{}).Model(upstream), request(1))
	if !errors.Is(err, reason) || record.Asked || len(upstream.asked) != 0 {
		t.Errorf("%v, %+v", err, record)
	}
}

func TestWhoseTurnComesAfterItsDeadlineIsRefusedAtOnce(t *testing.T) {
	busy := fault.New(fault.RateLimited, "slow down")
	busy.Status, busy.RetryAfter = 429, 30*time.Second
	for name, test := range map[string]struct {
		set   Settings
		reply reply
		says  []string
		wait  time.Duration // about
	}{
		"requests": {Settings{Name: "small", RPM: 4}, reply{}, []string{`"small"`, "4 requests per minute", "15.3s", "limits.rpm"}, 15250 * time.Millisecond},
		"tokens": {Settings{Name: "small", TPM: 2000}, reply{end: llm.End{Usage: llm.Usage{Output: 1000}}},
			[]string{`"small"`, "2000 tokens per minute", "may use 500", "30.5s", "limits.tpm"}, 30500 * time.Millisecond},
		"a pause": {Settings{Name: "small"}, reply{err: busy}, []string{`"small"`, "30s", "provider"}, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(test.set)
				m := l.Model(newProvider(func(llm.Request) reply { return test.reply }))
				_, _ = ask(t.Context(), m, request(1000))
				ctx, cancel := timeout(t, 10*time.Second)
				defer cancel()
				got := <-later(ctx, m, request(500))
				e := fault.As(got.err)
				if e.Class != fault.RateLimited || e.Status != 0 || got.at != 0 || got.record != (llm.Admission{}) {
					t.Errorf("%v", got)
				}
				if off := e.RetryAfter - test.wait; off < -time.Millisecond || off > time.Millisecond {
					t.Errorf("retry after %v, want %v", e.RetryAfter, test.wait)
				}
				for _, said := range test.says {
					if !strings.Contains(e.Error(), said) {
						t.Errorf("%q does not say %s", e.Error(), said)
					}
				}
				ctx, cancel = timeout(t, e.RetryAfter+time.Second)
				defer cancel()
				got = <-later(ctx, m, request(500))
				if !got.record.Asked || got.record.Queue > e.RetryAfter+time.Millisecond {
					t.Errorf("with time enough: %v", got)
				}
				idle(t, l)
			})
		})
	}
}

func TestThoseAheadCountForWhetherTheTurnComesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{RPM: 60}) // 15 at once
		m := l.Model(newProvider(nil))
		ctx, cancel := timeout(t, 10*time.Second)
		defer cancel()
		var all []<-chan outcome
		for range 40 {
			all = append(all, later(ctx, m, request(1)))
			synctest.Wait()
		}
		asked, refused := 0, 0
		for _, one := range all {
			switch got := <-one; {
			case got.err == nil:
				asked++
			case fault.ClassOf(got.err) == fault.RateLimited && got.at == 0:
				refused++
			default:
				t.Errorf("%v", got)
			}
		}
		if asked != 22 || refused != 18 { // 46 of a minute of 61s flow in: 7.5 in 10s
			t.Errorf("%d asked, %d refused", asked, refused)
		}
		idle(t, l)
	})
}

func TestAWaiterIsRefusedWhenItBecomesHopeless(t *testing.T) {
	busy := fault.New(fault.RateLimited, "slow down")
	busy.Status, busy.RetryAfter = 429, 30*time.Second
	for name, test := range map[string]struct {
		set   Settings
		reply reply
	}{
		"by a pause":                 {Settings{Concurrency: 1}, reply{takes: time.Second, err: busy}},
		"by tokens that are used up": {Settings{TPM: 2000}, reply{takes: time.Second, end: llm.End{Usage: llm.Usage{Output: 3000}}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(test.set)
				m := l.Model(newProvider(func(llm.Request) reply { return test.reply }))
				first := later(t.Context(), m, request(1000))
				synctest.Wait()
				ctx, cancel := timeout(t, 10*time.Second)
				defer cancel()
				second := later(ctx, m, request(1000))
				synctest.Wait()
				third := later(t.Context(), m, request(1)) // has time
				<-first
				if got := <-second; fault.ClassOf(got.err) != fault.RateLimited || got.at != time.Second || got.record.Asked {
					t.Errorf("%v, want it refused at 1s", got)
				}
				if got := <-third; !got.record.Asked {
					t.Errorf("behind it: %v", got)
				}
				idle(t, l)
			})
		})
	}
}

func TestAWaitForAPlaceLastsUntilTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Concurrency: 1})
		m := l.Model(newProvider(func(llm.Request) reply { return reply{takes: time.Minute} }))
		first := later(t.Context(), m, request(1))
		synctest.Wait()
		ctx, cancel := timeout(t, 10*time.Second)
		defer cancel()
		if got := <-later(ctx, m, request(1)); fault.ClassOf(got.err) != fault.TimeoutTotal || got.at != 10*time.Second || got.record.Queue != got.at {
			t.Errorf("%v", got)
		}
		<-first
		idle(t, l)
	})
}

func TestAWaiterBehindOthersIsRefusedTooWhenItBecomesHopeless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Concurrency: 1})
		m := l.Model(newProvider(func(llm.Request) reply { return reply{takes: time.Second, err: tooMany(30 * time.Second)} }))
		first := later(t.Context(), m, request(1))
		synctest.Wait()
		second := later(t.Context(), m, request(1)) // has time
		synctest.Wait()
		ctx, cancel := timeout(t, 10*time.Second)
		defer cancel()
		if got := <-later(ctx, m, request(1)); fault.ClassOf(got.err) != fault.RateLimited || got.at != time.Second {
			t.Errorf("%v, want it refused at 1s", got)
		}
		<-first
		if got := <-second; got.record.Queue != 31*time.Second {
			t.Errorf("%v", got)
		}
		idle(t, l)
	})
}

func TestAnAdmissionOfWhichNoUseIsMadeIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{RPM: 60, TPM: 6000, Concurrency: 1})
		p := l.take(100)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := &waiter{pass: &p, done: make(chan struct{})}
		close(w.done)
		if _, err := l.await(ctx, w); fault.ClassOf(err) != fault.Canceled {
			t.Error(err)
		}
		if l.requests.level != 15 || l.tokens.level != 3000 {
			t.Errorf("%v requests and %v tokens are left", l.requests.level, l.tokens.level)
		}
		idle(t, l)
	})
}
