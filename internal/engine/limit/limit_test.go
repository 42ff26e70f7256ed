package limit

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// provider is a model that notes when it was asked what.
type provider struct {
	answer func(llm.Request) reply // nil: "yes", at once

	mu          sync.Mutex
	start       time.Time
	asked       []time.Duration // since start
	who         []string        // the requests' keys, in the order asked
	under, most int             // requests under way
}

// reply is what the provider does: it waits, says text, waits again and ends.
type reply struct {
	takes time.Duration // half of it before the text
	text  string
	end   llm.End
	err   error
}

func newProvider(answer func(llm.Request) reply) *provider {
	return &provider{answer: answer, start: time.Now()}
}

func (p *provider) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		p.note(req)
		r := reply{text: "yes"}
		if p.answer != nil {
			r = p.answer(req)
		}
		event, err := llm.Event{End: &r.end}, r.err
		if err != nil {
			event = llm.Event{}
		}
		if ended := p.work(ctx, r, yield); ended != nil {
			event, err = llm.Event{}, ended
		}
		p.done()
		if !errors.Is(err, errGone) {
			yield(event, err)
		}
	}
}

var errGone = errors.New("the caller is gone")

// work is all of the answer but its end.
func (p *provider) work(ctx context.Context, r reply, yield func(llm.Event, error) bool) error {
	if err := rest(ctx, r.takes/2); err != nil {
		return err
	}
	if r.text != "" && !yield(llm.Event{Text: r.text}, nil) {
		return errGone
	}
	return rest(ctx, r.takes/2)
}

func rest(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fault.Ended(ctx, nil)
	}
}

func (p *provider) note(req llm.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under++
	p.most = max(p.most, p.under)
	p.asked = append(p.asked, time.Since(p.start))
	p.who = append(p.who, req.Key)
}

func (p *provider) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under--
}

// between is how many were asked from one instant on, before another.
func (p *provider) between(from, to time.Duration) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, at := range p.asked {
		if from <= at && at < to {
			n++
		}
	}
	return n
}

// request may use so many tokens.
func request(tokens int) llm.Request {
	return llm.Request{Options: llm.Options{"max_tokens": []byte(strconv.Itoa(tokens))}}
}

// ask is a whole attempt, and what is recorded of its admission.
func ask(ctx context.Context, m llm.Model, req llm.Request) (llm.Admission, error) {
	var record llm.Admission
	_, err := llm.Collect(m.Stream(llm.WithAdmission(ctx, &record), req))
	return record, err
}

// crowd asks n times at once and waits for all.
func crowd(t *testing.T, m llm.Model, n int) {
	var group sync.WaitGroup
	for range n {
		group.Go(func() { _, _ = ask(t.Context(), m, request(1)) })
	}
	group.Wait()
}

// mostWithin is the highest number of instants in any such time, its end excluded.
func mostWithin(instants []time.Duration, time time.Duration) int {
	most, first := 0, 0
	for i, at := range instants {
		for at-instants[first] >= time {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// idle checks that the account is closed: nobody waits, nothing is held.
func idle(t *testing.T, l *Limiter) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue.Len() != 0 || l.places.taken != 0 || l.held != 0 {
		t.Errorf("%d wait, %d places are taken, %v tokens are held; want none", l.queue.Len(), l.places.taken, l.held)
	}
}

func TestRequestsPerMinuteHoldInEveryMinute(t *testing.T) {
	for _, rpm := range []int{1, 2, 3, 7, 60, 500} {
		synctest.Test(t, func(t *testing.T) {
			upstream := newProvider(nil)
			l := New(Settings{RPM: rpm})
			time.Sleep(time.Hour) // a rest saves up no more than a minute allows
			upstream.start = time.Now()
			crowd(t, l.Model(upstream), 5*rpm)
			if most := mostWithin(upstream.asked, time.Minute); most > rpm {
				t.Errorf("%d per minute: %d were asked within one", rpm, most)
			}
			if most := mostWithin(upstream.asked, time.Nanosecond); most != max(1, rpm/4) {
				t.Errorf("%d per minute: %d were asked at once, want a quarter", rpm, most)
			}
			// In the first minute as much as allowed, and so on: but for the second
			// that is added to a minute, and the 20 that a level may be kept too long.
			if last := upstream.asked[5*rpm-1]; last > 5*minute*time.Second+20*time.Second {
				t.Errorf("%d per minute: five times as many took %v", rpm, last)
			}
			idle(t, l)
		})
	}
}

func TestConcurrencyBoundsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(llm.Request) reply { return reply{takes: time.Second} })
		l := New(Settings{Concurrency: 3})
		crowd(t, l.Model(upstream), 10)
		if upstream.most != 3 {
			t.Errorf("%d at once, want 3", upstream.most)
		}
		if took := time.Since(upstream.start); took != 4*time.Second {
			t.Errorf("ten requests of 1s, three at once, took %v, want 4s: a place that gets free is taken", took)
		}
		idle(t, l)
	})
}

func TestWithoutLimitsNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(llm.Request) reply { return reply{takes: time.Second} })
		l := New(Settings{})
		crowd(t, l.Model(upstream), 1000)
		if upstream.most != 1000 || time.Since(upstream.start) != time.Second {
			t.Errorf("%d at once, in %v", upstream.most, time.Since(upstream.start))
		}
		idle(t, l)
	})
}

func TestWaitingIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(llm.Request) reply { return reply{takes: 2 * time.Second} })
		m := New(Settings{Concurrency: 1}).Model(upstream)
		go func() { _, _ = ask(t.Context(), m, request(1)) }()
		synctest.Wait()
		record := llm.Admission{Queue: time.Minute}
		if _, err := llm.Collect(m.Stream(llm.WithAdmission(t.Context(), &record), request(1))); err != nil {
			t.Fatal(err)
		}
		if want := (llm.Admission{Queue: time.Minute + 2*time.Second, Asked: true}); record != want {
			t.Errorf("recorded %+v, want %+v", record, want)
		}
		record, err := ask(t.Context(), m, request(1))
		if want := (llm.Admission{Asked: true}); err != nil || record != want {
			t.Errorf("alone: %+v, %v", record, err)
		}
	})
}

func TestAPlaceIsFreeWhenTheAnswerIsComplete(t *testing.T) {
	upstream := newProvider(nil)
	for name, stop := range map[string]func(llm.Event) bool{
		"the caller stops":          func(e llm.Event) bool { return e.Text != "" },
		"the caller is at the end":  func(e llm.Event) bool { return e.End != nil },
		"the caller takes its time": func(llm.Event) bool { return false },
	} {
		l := New(Settings{Concurrency: 1})
		for event, err := range l.Model(upstream).Stream(t.Context(), request(1)) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if event.End != nil {
				idle(t, l)
			}
			if stop(event) {
				break
			}
		}
		idle(t, l)
	}
}

func TestSeveralModelsShareOneLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(nil)
		l := New(Settings{RPM: 4})
		if _, err := ask(t.Context(), l.Model(upstream), request(1)); err != nil {
			t.Fatal(err)
		}
		record, err := ask(t.Context(), l.Model(newProvider(nil)), request(1))
		if err != nil || record.Queue < 10*time.Second {
			t.Errorf("waited %v, %v: what one has used the other has not", record.Queue, err)
		}
	})
}

func TestEverybodyIsServedInTheOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := newProvider(func(req llm.Request) reply {
			return reply{takes: time.Second, end: llm.End{Usage: req.Estimate()}}
		})
		l := New(Settings{RPM: 600, TPM: 10_000, Concurrency: 4})
		m := l.Model(upstream)
		var group sync.WaitGroup
		var order []string
		for i := range 100 {
			req := request(100)
			if i%10 == 5 {
				req = request(4000) // may go only when the small ones leave it room
			}
			req.Key = strconv.Itoa(i)
			order = append(order, req.Key)
			group.Go(func() {
				if _, err := ask(t.Context(), m, req); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		group.Wait()
		if !slices.Equal(upstream.who, order) {
			t.Errorf("asked in the order %v", upstream.who)
		}
		idle(t, l)
	})
}
