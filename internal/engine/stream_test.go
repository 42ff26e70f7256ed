package engine

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/timeout"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// speaker says a word a second, fails or ends, and counts how often it was asked.
type speaker struct {
	texts []string // one an ask, the last for ever; "!" at the end breaks off
	asked int
	left  time.Duration // how long after its start the last ask was given up, 0 for never
}

func (s *speaker) Stream(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		text := s.texts[min(s.asked, len(s.texts)-1)]
		s.asked++
		begin := time.Now()
		words, cut := strings.CutSuffix(text, "!")
		for word := range strings.SplitAfterSeq(words, " ") {
			if word == "" {
				continue
			}
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				s.left = time.Since(begin)
				yield(llm.Event{}, fault.Ended(ctx, nil))
				return
			}
			if !yield(llm.Event{Text: word}, nil) {
				s.left = time.Since(begin)
				return
			}
		}
		if cut {
			yield(llm.Event{}, fault.New(fault.Cut, "it broke off"))
			return
		}
		n := int64(len(words))
		yield(llm.Event{End: &llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Input: n, Output: n}, Model: "spoken"}}, nil)
	}
}

// routed is an engine with a route over speakers in the order of their names, "r",
// which costs its n-th model 10ⁿ a token.
func routed(policy route.Policy, cascades map[string]Accept, speakers ...*speaker) (llm.Model, *memory) {
	m := &memory{entries: map[string]cache.Entry{}}
	targets, price := map[string]*route.Target{}, llm.Money(1)
	for i, s := range speakers {
		alias := string(rune('a' + i))
		each := price
		price *= 10
		policy.Use = append(policy.Use, alias)
		targets[alias] = &route.Target{
			Alias: alias, Wire: alias, Model: limit.New(limit.Settings{}).Model(timeout.New(alias, s)),
			Cost: func(u llm.Usage) llm.Cost { return llm.KnownCost(each * llm.Money(u.Output)) },
		}
	}
	policy.Total = time.Minute
	policy.Retry.MaxAttempts = 3
	policies := map[string]route.Policy{"r": policy}
	return New(Parts{
		Recorder: m, NewID: func() string { return "id" }, Now: time.Now, Targets: targets, Policies: policies, Cascades: cascades,
		Cache: &cache.Options{
			Storage: m, TTL: time.Hour, Now: time.Now,
			Resolve: func(req llm.Request) (string, string, bool) {
				alias := policies["r"].First(req)
				return alias, "up/" + alias, true
			},
		},
	}), m
}

// heard is what a caller hears, and in which second: "1 yes", "2 ." for a sign of
// life, "3 <b>" for a restart, "4 end".
func heard(ctx context.Context, model llm.Model, req llm.Request) (all []string, err error) {
	req.Model = "r"
	req.Messages = []llm.Message{llm.Text(llm.User, "hi")}
	begin := time.Now()
	say := func(what string) {
		all = append(all, string('0'+rune(time.Since(begin)/time.Second))+" "+what)
	}
	for event, err := range model.Stream(ctx, req) {
		switch {
		case err != nil:
			return all, err
		case event.Restart != nil:
			say("<" + event.Restart.Model + ">")
		case event.Alive:
			say(".")
		case event.Text != "":
			say(strings.TrimSpace(event.Text))
		}
		if event.End != nil {
			say("end")
		}
	}
	return all, nil
}

var anyJSON = llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"object"}`)}

// Plain text comes live, piece by piece; under a contract nothing comes but signs of
// life until the whole answer is valid; and nobody who does not ask for either
// gets pieces.
func TestTwoModesOfStreaming(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		req    llm.Request
		policy route.Policy
		want   []string
		class  fault.Class
	}{
		"live":                           {"one two three", llm.Request{Live: true}, route.Policy{}, []string{"1 one", "2 two", "3 three", "3 end"}, ""},
		"whole":                          {"one two three", llm.Request{}, route.Policy{}, []string{"3 one", "3 two", "3 three", "3 end"}, ""},
		"under a contract":               {`{"a": 1}`, llm.Request{Live: true, Output: anyJSON}, route.Policy{}, []string{`2 {"a": 1}`, "2 end"}, ""},
		"with signs of life":             {`{"a": [1, 2] }`, llm.Request{Live: true, KeepAlive: 1500 * time.Millisecond, Output: anyJSON}, route.Policy{}, []string{"1 .", "3 .", `4 {"a": [1, 2] }`, "4 end"}, ""},
		"not valid":                      {`{"a": `, llm.Request{Live: true, Output: anyJSON}, route.Policy{}, nil, fault.Contract},
		"broken off under a contract":    {`{"a": !`, llm.Request{Live: true, Output: anyJSON}, route.Policy{}, nil, fault.Cut},
		"broken off, live":               {"one two !", llm.Request{Live: true}, route.Policy{}, []string{"1 one", "2 two"}, fault.Cut},
		"signs of life while it is slow": {"one two", llm.Request{Live: true, KeepAlive: 700 * time.Millisecond}, route.Policy{}, []string{"0 .", "1 one", "1 .", "2 two", "2 end"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				model, _ := routed(test.policy, nil, &speaker{texts: []string{test.text}})
				got, err := heard(t.Context(), model, test.req)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
				if (err == nil) != (test.class == "") || err != nil && fault.ClassOf(err) != test.class {
					t.Errorf("ended with %v, want %q", err, test.class)
				}
			})
		})
	}
}

// A declared restart voids what came before: the record and the cache have the last
// answer alone.
func TestARestartReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &speaker{texts: []string{"one two !", "three"}}
		model, m := routed(route.Policy{Restart: true}, nil, a)
		got, err := heard(t.Context(), model, llm.Request{Live: true})
		if diff := cmp.Diff([]string{"1 one", "2 two", "3 <a>", "3 three", "3 end"}, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if answer := m.calls[0].Answer; answer != "three" {
			t.Errorf("the record says %q", answer)
		}
		again, err := heard(t.Context(), model, llm.Request{Live: true})
		if diff := cmp.Diff([]string{"0 three", "0 end"}, again); diff != "" || err != nil || a.asked != 2 {
			t.Errorf("from the cache: %v %s, asked %d times", err, diff, a.asked)
		}
	})
}

// A fallback's answer is given and not kept.
func TestAFallbackIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &speaker{texts: []string{"x!", "x!", "first"}}, &speaker{texts: []string{"second"}}
		model, _ := routed(route.Policy{}, nil, a, b)
		for _, want := range []string{"second", "first", "first"} {
			response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Model: "r"}))
			if err != nil || response.Text != want {
				t.Errorf("got %q, %v; want %q", response.Text, err, want)
			}
		}
		if a.asked != 3 || b.asked != 1 {
			t.Errorf("asked %d and %d times, want 3 and 1", a.asked, b.asked)
		}
	})
}

// Whoever leaves, by the context or by not listening any more, stops what is
// upstream within the same moment, whatever stands between.
func TestLeavingStopsWhatIsUpstream(t *testing.T) {
	for name, req := range map[string]llm.Request{
		"live": {Live: true}, "whole": {}, "under a contract": {Output: anyJSON}, "with signs of life": {KeepAlive: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(2500*time.Millisecond, cancel)
				a := &speaker{texts: []string{"one two three four"}}
				model, m := routed(route.Policy{}, nil, a)
				begin := time.Now()
				_, err := heard(ctx, model, req)
				if fault.ClassOf(err) != fault.Canceled || time.Since(begin) != 2500*time.Millisecond || a.left != 2500*time.Millisecond {
					t.Errorf("%v after %v; upstream was left after %v", err, time.Since(begin), a.left)
				}
				if failure := m.calls[0].Failure; failure == nil || failure.Class != fault.Canceled {
					t.Errorf("the record says %v", failure)
				}
			})
		})
	}
}

// A cascade's steps are turns of one call: all are paid, and the record says why the
// first was not enough.
func TestACascadeIsOneCall(t *testing.T) {
	accept := func(_ context.Context, _ llm.Request, response llm.Response, _ llm.Output) (string, error) {
		if response.Text != "good" {
			return "not accepted: it is not good", nil
		}
		return "", nil
	}
	synctest.Test(t, func(t *testing.T) {
		a, b := &speaker{texts: []string{"mediocre"}}, &speaker{texts: []string{"good"}}
		model, _ := routed(route.Policy{}, map[string]Accept{"r": accept}, a, b)
		for _, paid := range []llm.Money{8 + 4*10, 0} { // the second time both steps come from the cache
			response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Model: "r", Live: true}))
			call := response.Call
			if err != nil || response.Text != "good" || len(call.Turns) != 2 {
				t.Fatalf("%q, %v, %d turns", response.Text, err, len(call.Turns))
			}
			if call.Cost() != llm.KnownCost(48) || call.Paid() != llm.KnownCost(paid) {
				t.Errorf("cost %v, paid %v; want both steps, and %d", call.Cost(), call.Paid(), paid)
			}
			kinds := []string{call.Turns[0].Kind, call.Turns[1].Kind}
			if !slices.Equal(kinds, []string{"ask", "cascade"}) || call.Turns[0].Violation != "not accepted: it is not good" || call.Turns[0].Answer != "mediocre" {
				t.Errorf("turns %v: %+v", kinds, call.Turns[0])
			}
		}
		if a.asked != 1 || b.asked != 1 {
			t.Errorf("asked %d and %d times", a.asked, b.asked)
		}
	})
}

// One deadline spans all turns of a call.
func TestTheDeadlineSpansTheStepsOfACascade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := strings.Repeat("w ", 39) + "w" // 40 seconds
		model, _ := routed(route.Policy{}, map[string]Accept{"r": func(context.Context, llm.Request, llm.Response, llm.Output) (string, error) {
			return "not accepted", nil
		}}, &speaker{texts: []string{slow}}, &speaker{texts: []string{slow}})
		begin := time.Now()
		_, err := heard(t.Context(), model, llm.Request{})
		if fault.ClassOf(err) != fault.TimeoutTotal || time.Since(begin) != time.Minute {
			t.Errorf("%v after %v, want timeout_total after a minute", err, time.Since(begin))
		}
	})
}

// Who waits for an answer waits for what failed before it, and for the pauses.
func TestTheTimeOfACallHasItsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, m := routed(route.Policy{Retry: route.Retry{Base: 2 * time.Second, Max: 2 * time.Second}}, nil, &speaker{texts: []string{"x!", "x!", "yes"}})
		if _, err := heard(t.Context(), model, llm.Request{}); err != nil {
			t.Fatal(err)
		}
		// Three attempts of a second, and two pauses of one to two.
		if call := m.calls[0]; call.Service != call.Total || call.Service < 5*time.Second || call.Service > 7*time.Second {
			t.Errorf("service %v of %v in all", call.Service, call.Total)
		}
	})
}
