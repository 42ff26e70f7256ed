package limit

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestTokensPerMinuteHoldInEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(req llm.Request) reply { return reply{end: llm.End{Usage: req.Estimate()}} })
		upstream.start = time.Now()
		l := New(Settings{TPM: 6000})
		m := l.Model(upstream)
		for range 300 {
			if _, err := ask(t.Context(), m, request(100)); err != nil {
				t.Fatal(err)
			}
		}
		if most := mostWithin(upstream.asked, time.Minute); most > 60 {
			t.Errorf("%d requests of 100 tokens within a minute, 6000 are allowed", most)
		}
		if most := mostWithin(upstream.asked, time.Nanosecond); most != 30 {
			t.Errorf("%d requests of 100 tokens at once, want half a minute's", most)
		}
		if took := time.Since(upstream.start); took > 5*minute*time.Second+20*time.Second {
			t.Errorf("five minutes' tokens took %v", took)
		}
		idle(t, l)
	})
}

// After a request that reserved 2000 of 3000 tokens, one of 2000 has to wait for
// about 20s, unless tokens come back.
func TestWhatWasNotUsedComesBack(t *testing.T) {
	refused := func(class fault.Class) reply { return reply{err: fault.New(class, "no")} }
	for name, test := range map[string]struct {
		reply reply
		back  bool
	}{
		"an answer that used less":            {reply{text: "yes", end: llm.End{Usage: llm.Usage{Input: 60, Output: 40}}}, true},
		"an answer that used all":             {reply{text: "yes", end: llm.End{Usage: llm.Usage{Output: 2000}}}, false},
		"an answer of which nobody counted":   {reply{text: "yes"}, false},
		"refused: too many requests":          {refused(fault.RateLimited), true},
		"refused: overloaded":                 {refused(fault.Overloaded), true},
		"refused: bad request":                {refused(fault.BadRequest), true},
		"never reached":                       {refused(fault.TimeoutConnect), true},
		"silent until the timeout":            {refused(fault.TimeoutFirstToken), false},
		"cut off":                             {refused(fault.Cut), false},
		"canceled":                            {refused(fault.Canceled), false},
		"failed after the answer had begun":   {reply{text: "ye", err: fault.New(fault.Overloaded, "no")}, false},
		"not of the house, before any answer": {reply{err: errors.New("no")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				upstream := newProvider(func(llm.Request) reply { return test.reply })
				l := New(Settings{TPM: 6000})
				_, _ = ask(t.Context(), l.Model(upstream), request(2000))
				record, _ := ask(t.Context(), l.Model(upstream), request(2000))
				if back := record.Queue < time.Second; back != test.back {
					t.Errorf("the next one waited %v", record.Queue)
				}
				idle(t, l)
			})
		})
	}
}

func TestWhatWasUsedBeyondTheEstimateIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		used := int64(5000)
		upstream := newProvider(func(llm.Request) reply { return reply{end: llm.End{Usage: llm.Usage{Output: used}}} })
		l := New(Settings{TPM: 6000})
		_, _ = ask(t.Context(), l.Model(upstream), request(1000))
		record, err := ask(t.Context(), l.Model(upstream), request(1000))
		// 2000 below 0, and 3000 a minute flow in.
		if err != nil || record.Queue < 55*time.Second || record.Queue > 65*time.Second {
			t.Errorf("the next one waited %v, %v; want about a minute", record.Queue, err)
		}
		idle(t, l)
	})
}

func TestTokensThatComeBackLetTheNextOneGoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(llm.Request) reply {
			return reply{takes: 2 * time.Second, end: llm.End{Usage: llm.Usage{Output: 10}}}
		})
		l := New(Settings{TPM: 6000})
		go func() { _, _ = ask(t.Context(), l.Model(upstream), request(2000)) }()
		synctest.Wait()
		// Its deadline comes before the inflow, but the first one may give back.
		ctx, cancel := timeout(t, 10*time.Second)
		defer cancel()
		record, err := ask(ctx, l.Model(upstream), request(2000))
		if err != nil || record.Queue != 2*time.Second {
			t.Errorf("waited %v, %v; want 2s", record.Queue, err)
		}
		idle(t, l)
	})
}

func TestARequestBiggerThanTheLimitGoesWhenTheBucketIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(req llm.Request) reply { return reply{end: llm.End{Usage: req.Estimate()}} })
		l := New(Settings{TPM: 1000})
		m := l.Model(upstream)
		record, err := ask(t.Context(), m, request(3000))
		if err != nil || record.Queue != 0 {
			t.Errorf("waited %v, %v: the bucket was full", record.Queue, err)
		}
		record, err = ask(t.Context(), m, request(3000))
		if err != nil || record.Queue < 3*time.Minute || record.Queue > 4*time.Minute {
			t.Errorf("waited %v, %v: want the three minutes that the first one took away", record.Queue, err)
		}
		idle(t, l)
	})
}
