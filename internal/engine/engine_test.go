package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/timeout"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// memory is a cache.Storage and a trace.Recorder.
type memory struct {
	mu      sync.Mutex
	entries map[string]cache.Entry
	calls   []*llm.Call
}

func (m *memory) Get(_ context.Context, key string) (cache.Entry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entry, ok := m.entries[key]
	return entry, ok
}

func (m *memory) Put(key string, entry cache.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[key] = entry
}

func (m *memory) Record(call *llm.Call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, call)
}

// build makes an engine around one model, "small", that is asked once a call, at
// most so many at a time (0: no bound).
func build(model llm.Model, places int) (llm.Model, *memory) {
	m := &memory{entries: map[string]cache.Entry{}}
	ids := 0
	limiter := limit.New(limit.Settings{Name: "small", Concurrency: places})
	return New(Parts{
		Recorder: m,
		NewID:    func() string { ids++; return fmt.Sprint("call-", ids) },
		Now:      time.Now,
		Cache: &cache.Options{
			Storage: m, TTL: time.Hour, Now: time.Now, Resolve: func(llm.Request) (string, string, bool) { return "small", "fake/one", true },
		},
		Targets: map[string]*route.Target{"small": {
			Alias: "small", Provider: "fake", Wire: "one", Model: limiter.Model(timeout.New("small", model)),
			Cost: func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output * 1000)) },
		}},
		Policies: map[string]route.Policy{"small": {Use: []string{"small"}, Total: time.Minute}},
	}), m
}

// occupy takes the only place of an engine's model until it is let go.
func occupy(t *testing.T, model llm.Model) (letGo func()) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = llm.Collect(model.Stream(ctx, llm.Request{Model: "small", Reuse: llm.ReuseOff}))
	}()
	synctest.Wait()
	return func() { cancel(); <-over }
}

func slow(text string, first, rest time.Duration) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for _, step := range []struct {
				wait  time.Duration
				event llm.Event
			}{
				{first, llm.Event{Text: text}},
				{rest, llm.Event{End: &llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Input: 3, Output: 7}, Model: "one-2026"}}},
			} {
				select {
				case <-time.After(step.wait):
				case <-ctx.Done():
					yield(llm.Event{}, ctx.Err())
					return
				}
				if !yield(step.event, nil) {
					return
				}
			}
		}
	})
}

func ask(ctx context.Context, model llm.Model) (llm.Response, error) {
	return llm.Collect(model.Stream(ctx, llm.Request{Model: "small", Messages: []llm.Message{llm.Text(llm.User, "hi")}}))
}

func TestCallRecordsTimesTokensAndCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, m := build(slow("hello", 200*time.Millisecond, 300*time.Millisecond), 1)
		letGo := occupy(t, model)
		m.calls = nil
		time.AfterFunc(100*time.Millisecond, letGo)

		response, err := ask(t.Context(), model)
		if err != nil {
			t.Fatal(err)
		}
		call := response.Call
		if len(m.calls) != 2 || m.calls[1] != call {
			t.Fatalf("recorded %v, want the one call", m.calls)
		}
		if call.Queue != 100*time.Millisecond || call.Service != 500*time.Millisecond || call.FirstToken != 200*time.Millisecond || call.Total != 600*time.Millisecond {
			t.Errorf("queue %v service %v first token %v total %v", call.Queue, call.Service, call.FirstToken, call.Total)
		}
		if call.Cost() != llm.KnownCost(7000) || call.Paid() != llm.KnownCost(7000) || call.Answer != "hello" || call.Answered != "one-2026" || call.Attempts() != 1 {
			t.Errorf("cost %v paid %v answer %q by %q in %d attempts", call.Cost(), call.Paid(), call.Answer, call.Answered, call.Attempts())
		}
	})
}

func TestCacheHitKeepsCostAndLatencyAndPaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, _ := build(slow("hello", time.Second, time.Second), 0)
		if _, err := ask(t.Context(), model); err != nil {
			t.Fatal(err)
		}
		response, err := ask(t.Context(), model)
		if err != nil {
			t.Fatal(err)
		}
		call := response.Call
		if response.Text != "hello" || call.Stored == nil || call.Stored.By != "cache" {
			t.Fatalf("got %q, stored %v; want a hit", response.Text, call.Stored)
		}
		if call.Cost() != llm.KnownCost(7000) || call.Paid() != llm.KnownCost(0) || call.Total != 0 {
			t.Errorf("cost %v paid %v in %v; want the old cost, nothing paid, at once", call.Cost(), call.Paid(), call.Total)
		}
		if call.Service != 2*time.Second || call.FirstToken != time.Second {
			t.Errorf("service %v first token %v; want those of the day it was given", call.Service, call.FirstToken)
		}
	})
}

func TestCacheAsksAnew(t *testing.T) {
	tests := map[string]func(*llm.Request){
		"another draw":     func(r *llm.Request) { r.Repeat = 1 },
		"another tenant":   func(r *llm.Request) { r.Tenant = "b" },
		"another message":  func(r *llm.Request) { r.Messages = []llm.Message{llm.Text(llm.User, "ho")} },
		"another role":     func(r *llm.Request) { r.Messages = []llm.Message{llm.Text(llm.System, "hi")} },
		"another option":   func(r *llm.Request) { r.Options = llm.Options{"temperature": []byte("0")} },
		"another contract": func(r *llm.Request) { r.Output = llm.Output{Kind: llm.OutputNumber} },
		"no reuse, please": func(r *llm.Request) { r.Reuse = llm.ReuseRefresh },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			model, _ := build(slow("18", 0, 0), 0)
			if _, err := ask(t.Context(), model); err != nil {
				t.Fatal(err)
			}
			request := llm.Request{Model: "small", Messages: []llm.Message{llm.Text(llm.User, "hi")}}
			change(&request)
			response, err := llm.Collect(model.Stream(t.Context(), request))
			if err != nil || response.Call.Stored != nil {
				t.Errorf("stored = %v, %v; want a new answer", response.Call.Stored, err)
			}
		})
	}
}

func TestOneDeadlineSpansWaitingAndAnswering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, m := build(slow("late", time.Hour, 0), 1)
		begin := time.Now()
		_, err := ask(t.Context(), model)
		if fault.ClassOf(err) != fault.TimeoutTotal || time.Since(begin) != time.Minute {
			t.Errorf("got %v after %v, want timeout_total after a minute", err, time.Since(begin))
		}
		occupy(t, model)() // the place was given back
		if failure := m.calls[0].Turns[0].Attempts[0].Failure; failure == nil || failure.Class != fault.TimeoutTotal {
			t.Errorf("the attempt records %v", failure)
		}
	})
}

func TestCallerWhoGoesAwayIsRecordedAsCanceled(t *testing.T) {
	model, m := build(slow("hello", 0, time.Hour), 0)
	for range model.Stream(t.Context(), llm.Request{Model: "small", Live: true}) {
		break
	}
	if len(m.calls) != 1 || m.calls[0].Failure == nil || m.calls[0].Failure.Class != fault.Canceled {
		t.Errorf("recorded %+v, want one canceled call", m.calls)
	}
}

func TestStreamWithoutAnEndIsCut(t *testing.T) {
	half := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) { yield(llm.Event{Text: "hel"}, nil) }
	})
	model, _ := build(half, 0)
	if _, err := ask(t.Context(), model); fault.ClassOf(err) != fault.Cut {
		t.Errorf("got %v, want cut", err)
	}
}

func TestUnknownModelIsRefusedWithTheNearestName(t *testing.T) {
	model, _ := build(slow("", 0, 0), 0)
	_, err := llm.Collect(model.Stream(t.Context(), llm.Request{Model: "smal"}))
	want := "no model or route is called \"smal\"\n  did you mean \"small\"? allowed: small"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A 403 may be of one input alone.
func TestLatchLetsAForbiddenInputNotEndTheRun(t *testing.T) {
	asked := 0
	model := route.Latch(llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		asked++
		e := fault.New(fault.Auth, "no")
		e.Status = 403
		return llm.Fail(e)
	}))
	for range 3 {
		if _, err := llm.Collect(model.Stream(t.Context(), llm.Request{})); fault.ClassOf(err) != fault.Auth {
			t.Errorf("got %v", err)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
}

func TestLatchAsksARefusingProviderOnce(t *testing.T) {
	for class, want := range map[fault.Class]int{fault.Auth: 1, fault.NotFound: 1, fault.QuotaExhausted: 1, fault.ServerError: 3} {
		asked := 0
		model := route.Latch(llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
			asked++
			return llm.Fail(fault.New(class, "no"))
		}))
		for range 3 {
			_, err := llm.Collect(model.Stream(t.Context(), llm.Request{}))
			var e *fault.Error
			if !errors.As(err, &e) || e.Class != class {
				t.Errorf("%s: got %v", class, err)
			}
		}
		if asked != want {
			t.Errorf("%s: asked %d times, want %d", class, asked, want)
		}
	}
}

// What a failed attempt cost is unknown once the provider was asked and said
// nothing of it; a place that was never got costs nothing.
func TestWaitingCostsNothingAndSilenceIsUnknown(t *testing.T) {
	for name, test := range map[string]struct {
		taken bool
		want  llm.Cost
	}{
		"never asked":       {true, llm.KnownCost(0)},
		"asked, and silent": {false, llm.Cost{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				model, m := build(slow("late", time.Hour, 0), 1)
				if test.taken {
					time.AfterFunc(2*time.Minute, occupy(t, model))
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := ask(ctx, model); fault.ClassOf(err) != fault.TimeoutTotal {
					t.Fatalf("got %v", err)
				}
				if paid := m.calls[0].Paid(); paid != test.want {
					t.Errorf("paid %v, want %v", paid, test.want)
				}
			})
		})
	}
}
