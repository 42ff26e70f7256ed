package limit

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// tooMany is a provider's 429.
func tooMany(after time.Duration) *fault.Error {
	e := fault.New(fault.RateLimited, "slow down")
	e.Status, e.RetryAfter = 429, after
	return e
}

// shy answers in a second as long as at most so many are under way, and refuses
// what is more.
func shy(most int) *provider {
	p := newProvider(nil)
	p.answer = func(llm.Request) reply {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.under > most {
			return reply{takes: time.Millisecond, err: tooMany(0)}
		}
		return reply{takes: time.Second}
	}
	return p
}

// peak asks n times at once and gives how many were under way.
func peak(t *testing.T, m llm.Model, p *provider, n int) int {
	p.mu.Lock()
	p.most = 0
	p.mu.Unlock()
	crowd(t, m, n)
	return p.most
}

func TestConcurrencyIsHalvedOnceABurstAndRecovers(t *testing.T) {
	for name, set := range map[string]Settings{"with a bound": {Concurrency: 8}, "without": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(set)
				upstream := shy(0)
				m := l.Model(upstream)
				if n := peak(t, m, upstream, 8); n != 8 { // all are refused
					t.Fatalf("%d at once, want 8", n)
				}
				if l.lowered != 1 || int(l.places.limit) != 4 {
					t.Errorf("lowered %d times to %v, want once to 4", l.lowered, l.places.limit)
				}
				upstream.answer = func(llm.Request) reply { return reply{takes: time.Second} }
				// 4 succeed and make it 5, 5 make it 6, …: 4+5+6+7 and 8 are whole again.
				want := 8
				if set.Concurrency == 0 {
					want = 100
				}
				if n := peak(t, m, upstream, 4); n != 4 {
					t.Errorf("%d at once after the burst, want 4", n)
				}
				if n := peak(t, m, upstream, 5+6+7); n > 8 {
					t.Errorf("%d at once while it recovers", n)
				}
				crowd(t, m, 8) // what was rounded off on the way
				if n := peak(t, m, upstream, 100); n != want {
					t.Errorf("%d at once in the end, want %d", n, want)
				}
				idle(t, l)
			})
		})
	}
}

func TestConcurrencyHasAFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{})
		upstream := shy(0)
		for range 20 {
			crowd(t, l.Model(upstream), 3)
		}
		if l.lowered < 20 || l.places.limit != 1 || l.pace.share != lowestShare {
			t.Errorf("lowered %d times, to %v at once and %v of the rates", l.lowered, l.places.limit, l.pace.share)
		}
		if n := peak(t, l.Model(upstream), upstream, 3); n != 1 {
			t.Errorf("%d at once, want 1", n)
		}
		time.Sleep(forgotten)
		if n := peak(t, l.Model(upstream), upstream, 3); n != 3 {
			t.Errorf("%d at once long after, want all 3", n)
		}
	})
}

// Under a load that never ends it finds what the provider bears.
func TestConcurrencyStaysNearWhatTheProviderBears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Concurrency: 64})
		upstream := shy(10)
		m := l.Model(upstream)
		var answered, refused atomic.Int64
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				for time.Since(upstream.start) < 10*time.Minute {
					if _, err := ask(t.Context(), m, request(1)); err == nil {
						answered.Add(1)
					} else {
						refused.Add(1)
					}
				}
			})
		}
		group.Wait()
		if answered.Load() < 4000 || refused.Load() > answered.Load()/10 {
			t.Errorf("%d answered and %d refused in ten minutes: 6000 are possible", answered.Load(), refused.Load())
		}
	})
}

func TestRatesAreHalvedAndRecoverWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{RPM: 6000})
		upstream := newProvider(nil)
		m := l.Model(upstream)
		crowd(t, m, 10_000) // the saved part is gone, and 100 a second flow in
		time.Sleep(time.Millisecond)
		upstream.answer = func(llm.Request) reply { return reply{err: tooMany(0)} }
		crowd(t, m, 2)
		upstream.answer = nil
		upstream.mu.Lock()
		upstream.asked, upstream.start = nil, time.Now()
		upstream.mu.Unlock()
		crowd(t, m, 6000)
		full := 6000 / minute
		for i, want := range []float64{
			0:  full * (0.25 + 1.0/120), // the second refusal lowered it again
			10: full * (0.25 + 21.0/120),
			44: full * (0.25 + 89.0/120),
			50: full,
		} {
			from := time.Duration(i) * time.Second
			if got := upstream.between(from, from+time.Second); want > 0 && math.Abs(float64(got)-want) > 3 {
				t.Errorf("%d in the second after %v, want %.0f", got, from, want)
			}
		}
	})
}

func TestRetryAfterPausesEverybody(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want time.Duration
	}{
		"20s":                       {tooMany(20 * time.Second), 20 * time.Second},
		"an hour is not believed":   {tooMany(time.Hour), longestPause},
		"none":                      {tooMany(0), 0},
		"in a stream":               {&fault.Error{Class: fault.RateLimited, RetryAfter: time.Second}, time.Second},
		"another failure":           {&fault.Error{Class: fault.ServerError, Status: 500, RetryAfter: time.Second}, 0},
		"the account has no credit": {&fault.Error{Class: fault.QuotaExhausted, Status: 429, RetryAfter: time.Second}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				upstream := newProvider(func(llm.Request) reply { return reply{err: test.err} })
				l := New(Settings{})
				m := l.Model(upstream)
				_, _ = ask(t.Context(), m, request(1))
				upstream.answer = nil
				for range 2 { // the second finds nothing of it
					record, err := ask(t.Context(), m, request(1))
					if err != nil || record.Queue != test.want {
						t.Errorf("waited %v, %v; want %v", record.Queue, err, test.want)
					}
					test.want = 0
				}
				idle(t, l)
			})
		})
	}
}

func TestWhatTheProviderSaysOfItsLimitsPausesEverybody(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for name, test := range map[string]struct {
		said llm.RateLimit
		want time.Duration
	}{
		"requests are used up":   {llm.RateLimit{RemainingTokens: -1, ResetRequests: 1800 * ms}, 800 * ms},
		"tokens are used up":     {llm.RateLimit{RemainingRequests: -1, ResetTokens: 1800 * ms}, 800 * ms},
		"both":                   {llm.RateLimit{ResetRequests: 1800 * ms, ResetTokens: 1200 * ms}, 800 * ms},
		"some are left":          {llm.RateLimit{RemainingRequests: 1, RemainingTokens: 1, ResetRequests: 9 * s, ResetTokens: 9 * s}, 0},
		"nothing was said":       {llm.RateLimit{RemainingRequests: -1, RemainingTokens: -1, ResetRequests: 9 * s, ResetTokens: 9 * s}, 0},
		"not when":               {llm.RateLimit{}, 0},
		"it is past at the end":  {llm.RateLimit{ResetRequests: s}, 0},
		"whole again in an hour": {llm.RateLimit{ResetRequests: time.Hour}, longestBrake - s},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// The first piece comes after a second, the end after another.
				upstream := newProvider(func(llm.Request) reply {
					return reply{takes: 2 * s, text: "yes", end: llm.End{RateLimit: &test.said}}
				})
				l := New(Settings{})
				m := l.Model(upstream)
				_, _ = ask(t.Context(), m, request(1))
				record, err := ask(t.Context(), m, request(1))
				if err != nil || record.Queue != test.want {
					t.Errorf("waited %v, %v; want %v", record.Queue, err, test.want)
				}
				if l.lowered != 0 {
					t.Error("an answer lowered the limits")
				}
				idle(t, l)
			})
		})
	}
}

func TestAPauseAtTheVeryBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{})
		upstream := newProvider(func(llm.Request) reply {
			return reply{text: "yes", end: llm.End{RateLimit: &llm.RateLimit{ResetRequests: time.Second}}}
		})
		_, _ = ask(t.Context(), l.Model(upstream), request(1))
		if record, _ := ask(t.Context(), l.Model(upstream), request(1)); record.Queue != time.Second {
			t.Errorf("waited %v, want 1s", record.Queue)
		}
	})
}

func TestWhatWasSavedIsGivenUpWhenItIsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(llm.Request) reply { return reply{err: tooMany(0)} })
		l := New(Settings{RPM: 6000})
		m := l.Model(upstream)
		_, _ = ask(t.Context(), m, request(1))
		upstream.answer, upstream.asked = nil, nil
		crowd(t, m, 500)
		// A quarter of the limit was saved, so that three quarters flow in: at half pace 38 a second.
		if n := upstream.between(0, time.Second); n > 40 {
			t.Errorf("%d in a second after the refusal", n)
		}
	})
}

func TestAShorterPauseDoesNotEndALongerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(nil)
		n := 0
		upstream.answer = func(llm.Request) reply {
			n++
			return []reply{{err: tooMany(20 * time.Second)}, {takes: 2 * time.Second, err: tooMany(5 * time.Second)}, {}}[n%3]
		}
		m := New(Settings{}).Model(upstream)
		slow := later(t.Context(), m, request(1))
		synctest.Wait()
		n = 2
		_, _ = ask(t.Context(), m, request(1))
		<-slow
		if got := <-later(t.Context(), m, request(1)); got.record.Queue != 18*time.Second {
			t.Errorf("%v, want it to wait for the longer one", got)
		}
	})
}
