package route

import (
	"context"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a model that plays its replies, one an ask, and the last for ever.
type script struct {
	mu      sync.Mutex
	began   time.Time
	asked   []time.Duration // when, since the script was made
	replies []reply
}

type reply struct {
	wait  time.Duration // before anything
	text  string        // a piece for every word
	think string        // reasoning, before the text
	fails fault.Class   // after the text; "" for an end
	retry time.Duration // Retry-After
	local bool          // refused by our own limits: no status
	end   llm.End
}

func plays(replies ...reply) *script { return &script{began: time.Now(), replies: replies} }

func fails(class fault.Class) reply { return reply{fails: class} }

func says(text string) reply { return reply{text: text} }

func (s *script) next() reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, time.Since(s.began))
	return s.replies[min(len(s.asked), len(s.replies))-1]
}

func (s *script) times() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Duration{}, s.asked...)
}

func (s *script) Stream(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		r := s.next()
		select {
		case <-time.After(r.wait):
		case <-ctx.Done():
			yield(llm.Event{}, ctx.Err())
			return
		}
		if r.think != "" && !yield(llm.Event{Reasoning: r.think}, nil) {
			return
		}
		for _, word := range strings.SplitAfter(r.text, " ") {
			if word != "" && !yield(llm.Event{Text: word}, nil) {
				return
			}
		}
		if r.fails != "" {
			e := fault.New(r.fails, "it is %s", r.fails)
			e.RetryAfter = r.retry
			if !r.local {
				e.Status = 500
			}
			yield(llm.Event{}, e)
			return
		}
		end := r.end
		if end.Finish == "" {
			end.Finish = llm.FinishStop
		}
		yield(llm.Event{End: &end}, nil)
	}
}

// usual are the figures of a route that says nothing of them, but for the breaker,
// which never opens.
func usual(use ...string) Policy {
	return Policy{
		Use: use, Total: time.Minute,
		Retry: Retry{MaxAttempts: 3, Base: 500 * time.Millisecond, Max: 8 * time.Second, Budget: 0.2},
	}
}

// world is a route over scripts, with the longest pauses that jitter allows.
type world struct {
	models  map[string]*script
	targets map[string]*Target
	route   llm.Model
}

func newWorld(policy Policy, models map[string]*script, contexts map[string]int) *world {
	targets := map[string]*Target{}
	for alias, model := range models {
		targets[alias] = &Target{
			Alias: alias, Provider: "p", Wire: "wire-" + alias, Context: contexts[alias], Model: model,
			Cost: func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output)) },
		}
	}
	policies := map[string]Policy{"r": policy}
	model := New(Options{Targets: targets, Policies: policies, Now: time.Now, Jitter: func() float64 { return 1 }})
	return &world{models: models, targets: targets, route: Deadline(policies, model)}
}

// answer is what a caller got.
type answer struct {
	llm.Response
	err   error
	after time.Duration
	call  *llm.Call
	heard []string // live pieces, restarts as "<a: class>"
}

func (w *world) ask(ctx context.Context, req llm.Request) answer {
	req.Model = "r"
	call := &llm.Call{Turns: []llm.Turn{{}}}
	begin := time.Now()
	var a answer
	var events []llm.Event
	for event, err := range w.route.Stream(llm.WithCall(ctx, call), req) {
		if err != nil {
			a.err = err
			break
		}
		events = append(events, event)
		if event.Restart != nil {
			a.heard = append(a.heard, "<"+event.Restart.Model+": "+string(event.Restart.Class)+">")
		}
		if event.Text+event.Reasoning != "" {
			a.heard = append(a.heard, event.Reasoning+event.Text)
		}
	}
	a.Response, _ = llm.Collect(func(yield func(llm.Event, error) bool) {
		for _, event := range events {
			if !yield(event, nil) {
				return
			}
		}
	})
	a.after, a.call = time.Since(begin), call
	return a
}
