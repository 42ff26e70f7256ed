package faults_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// Half of the answers go wrong in every way there is: what the provider gives as an
// answer is the right one all the same, to the very prompt, and whole.
func TestRandomFaultsNeverPassForAnswers(t *testing.T) {
	const callers, calls = 16, 100
	synctest.Test(t, func(t *testing.T) {
		s := faults.NewInBubble(t)
		s.Set("half", faults.Random(7, 0.5, faults.OK(), faults.Kinds(20*time.Second)...))
		model := provider(t, s, s.URL()).Model("half", openai.Caps{})
		var mu sync.Mutex
		classes := map[fault.Class]int{}
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				for call := range calls {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					ask := request(fmt.Sprintf("caller %d, call %d", caller, call))
					got, err := llm.Collect(model.Stream(ctx, ask))
					cancel()
					class := fault.Class("")
					if err != nil {
						class = fault.ClassOf(err)
					} else if got.Text != faults.Answer(ask.Messages) {
						t.Errorf("caller %d, call %d got %q", caller, call, got.Text)
					}
					mu.Lock()
					classes[class]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		t.Log(classes)
		if s.Count("half") != callers*calls || classes[""] < callers*calls/2 || classes[""] > callers*calls*7/10 || classes[fault.Internal] != 0 {
			t.Errorf("of %d requests: %v", s.Count("half"), classes)
		}
		for _, class := range []fault.Class{
			fault.RateLimited, fault.Overloaded, fault.ServerError, fault.Network, fault.Malformed, fault.Cut, fault.TimeoutTotal,
		} {
			if classes[class] == 0 {
				t.Errorf("nothing was %s: %v", class, classes)
			}
		}
	})
}

func TestRandomFaultsGoByTheSeedAlone(t *testing.T) {
	did := func(seed uint64) (all []string) {
		synctest.Test(t, func(t *testing.T) {
			s := faults.NewInBubble(t)
			s.Set("m", faults.Random(seed, 0.5, faults.OK(), faults.Refuse(500), faults.Reset()))
			model := provider(t, s, s.URL()).Model("m", openai.Caps{})
			for range 64 {
				_, _ = llm.Collect(model.Stream(t.Context(), request("hi")))
			}
			for _, a := range s.Attempts("m") {
				all = append(all, a.Did)
			}
		})
		return all
	}
	one, again, other := fmt.Sprint(did(1)), fmt.Sprint(did(1)), fmt.Sprint(did(2))
	if one != again || one == other {
		t.Errorf("seed 1: %s\nagain:  %s\nseed 2: %s", one, again, other)
	}
}

// BenchmarkOK is what a call through the provider costs with this server behind it.
func BenchmarkOK(b *testing.B) {
	s := faults.New(b)
	model := provider(b, s, s.URL()).Model("ok", openai.Caps{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := llm.Collect(model.Stream(b.Context(), request("hi"))); err != nil {
			b.Fatal(err)
		}
	}
}
