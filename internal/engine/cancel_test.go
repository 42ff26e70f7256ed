package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// A caller who leaves, three seconds into whatever is going on, is let go at once;
// so is the upstream, and nobody is asked after that.
func TestTheCallerLeavesInEveryPhase(t *testing.T) {
	const leaves = 3 * time.Second
	nobody := func(url func(*faults.Server) string) map[string]func(*faults.Server) string {
		return map[string]func(*faults.Server) string{"ok@nobody": url}
	}
	for name, test := range map[string]struct {
		models   []string
		at       map[string]func(*faults.Server) string
		occupied bool   // the only place is taken
		left     string // who is being asked then
		asked    int    // attempts until then
	}{
		"in the queue":           {models: []string{"silent"}, occupied: true},
		"while connecting":       {models: []string{"ok@nobody"}, at: nobody((*faults.Server).UnreachableURL)},
		"in the handshake":       {models: []string{"ok@nobody"}, at: nobody((*faults.Server).MuteURL)},
		"before the head":        {models: []string{"silent"}, left: "silent", asked: 1},
		"in the head":            {models: []string{"slow-headers-10s"}, left: "slow-headers-10s", asked: 1},
		"before the first token": {models: []string{"slow-first-token-10s"}, left: "slow-first-token-10s", asked: 1},
		"among comments":         {models: []string{"comments-1s"}, left: "comments-1s", asked: 1},
		"in the answer":          {models: []string{"paced-1s"}, left: "paced-1s", asked: 1},
		"in a stall":             {models: []string{"stall-3"}, left: "stall-3", asked: 1},
		"within a piece":         {models: []string{"drip-10ms"}, left: "drip-10ms", asked: 1},
		"in a pause":             {models: []string{"429-after-5s", "ok"}, asked: 1},
		"with the fallback":      {models: []string{"503", "silent"}, left: "silent", asked: 3},
	} {
		for mode, req := range map[string]llm.Request{
			"whole": {}, "live": {Live: true}, "under a contract": {Output: underContract}, "with signs of life": {KeepAlive: 700 * time.Millisecond},
		} {
			t.Run(name+", "+mode, func(t *testing.T) {
				p := plan{policy: usual(test.models...), at: test.at}
				if test.occupied {
					p.limits = map[string]limit.Settings{test.models[0]: {Concurrency: 1}}
				}
				inHouse(t, p, func(t *testing.T, h *house) {
					h.astray = true // who leaves while connecting is not seen
					before := 0
					if test.occupied {
						defer h.occupy(t)()
						before = 1
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					time.AfterFunc(leaves, cancel)
					begin := time.Now()
					req.Messages = question
					_, err := llm.Collect(h.Stream(ctx, req))
					if took := time.Since(begin); fault.ClassOf(err) != fault.Canceled || took != leaves {
						t.Errorf("after %v: %v", took, err)
					}
					synctest.Wait() // until the server has seen it
					h.wantLeft(t, test.left, leaves)
					if n := h.server.Count("") - before; n != test.asked {
						t.Errorf("the server was asked %d times, want %d", n, test.asked)
					}
					time.Sleep(5 * time.Minute)
					if n := h.server.Count("") - before; n != test.asked {
						t.Errorf("and %d times after the caller had left", n-test.asked)
					}
				})
			})
		}
	}
}

// wantLeft looks whose last attempt was left, and when; "" for nobody's.
func (h *house) wantLeft(t *testing.T, model string, at time.Duration) {
	t.Helper()
	const within = 100 * time.Millisecond
	for _, a := range h.server.Attempts("") {
		switch {
		case a.Model == model && (!a.Gone || a.GoneAt < at || a.GoneAt > at+within):
			t.Errorf("%s: left %v at %v, want at %v", a.Model, a.Gone, a.GoneAt, at)
		case a.Model != model && a.Gone && a.GoneAt == at:
			t.Errorf("%s was left", a.Model)
		}
	}
}

// occupy takes a place until it is let go.
func (h *house) occupy(t *testing.T) (letGo func()) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = llm.Collect(h.engine.Stream(ctx, llm.Request{Model: "r", Messages: question, Reuse: llm.ReuseOff}))
	}()
	synctest.Wait()
	return func() { cancel(); <-over }
}

// Who stops listening leaves as well: with the next piece, or sign of life.
func TestTheCallerStopsListening(t *testing.T) {
	for name, test := range map[string]struct {
		model string
		req   llm.Request
		after time.Duration // when the first event comes
	}{
		"in a live answer":             {"paced-1s", llm.Request{Live: true}, 0},
		"at a sign of life":            {"silent", llm.Request{KeepAlive: 2 * time.Second}, 2 * time.Second},
		"at one while it pauses":       {"429-after-5s", llm.Request{KeepAlive: 2 * time.Second}, 2 * time.Second},
		"at one while it is held back": {"paced-1s", llm.Request{KeepAlive: 2 * time.Second, Output: underContract}, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, plan{policy: usual(test.model)}, func(t *testing.T, h *house) {
				test.req.Messages = question
				begin := time.Now()
				for range h.Stream(t.Context(), test.req) {
					break
				}
				if took := time.Since(begin); took != test.after {
					t.Errorf("let go after %v, want %v", took, test.after)
				}
				synctest.Wait()
				if test.model != "429-after-5s" {
					h.wantLeft(t, test.model, test.after)
				}
				if failure := h.kept.calls[0].Failure; failure == nil || failure.Class != fault.Canceled {
					t.Errorf("the record says %v", failure)
				}
				time.Sleep(5 * time.Minute)
				if n := h.server.Count(""); n != 1 {
					t.Errorf("the server was asked %d times", n)
				}
			})
		})
	}
}

// One of many who share an answer may leave; the others get it, also when it was he
// for whom it was asked.
func TestOneOfManyLeaves(t *testing.T) {
	inHouse(t, plan{policy: usual("late-10s")}, func(t *testing.T, h *house) {
		first, leave := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, leave)
		type result struct {
			text  string
			class fault.Class
			after time.Duration
		}
		results := make(chan result)
		begin := time.Now()
		ask := func(ctx context.Context) {
			got, err := llm.Collect(h.engine.Stream(ctx, llm.Request{Model: "r", Messages: question}))
			results <- result{got.Text, classOf(err), time.Since(begin)}
		}
		go ask(first)
		synctest.Wait()
		go ask(t.Context())
		want := result{"", fault.Canceled, 3 * time.Second}
		if got := <-results; got != want {
			t.Errorf("who left got %+v", got)
		}
		want = result{faults.Answer(question), "", 13 * time.Second} // asked anew by him who stayed
		if got := <-results; got != want || h.server.Count("") != 2 {
			t.Errorf("who stayed got %+v, the server was asked %d times", got, h.server.Count(""))
		}
	})
}

// The same over real connections, where it may take as long as a busy machine does.
func TestTheUpstreamIsLeftOnLoopback(t *testing.T) {
	const within = 100 * time.Millisecond
	for _, model := range []string{"silent", "slow-headers-20s", "slow-first-token-20s", "stall-3", "paced-200ms"} {
		best := time.Hour
		for range 5 {
			s := faults.New(t)
			h := plan{policy: usual(model)}.build(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			var left time.Time
			go func() {
				s.WaitFor(model, 1)
				left = time.Now()
				cancel()
			}()
			_, err := llm.Collect(h.engine.Stream(ctx, llm.Request{Model: "r", Messages: question, Live: true}))
			s.WaitDone(model, 1)
			best = min(best, time.Since(left))
			if a := s.Attempts(model)[0]; fault.ClassOf(err) != fault.Canceled || !a.Gone {
				t.Errorf("%s: %v, the server was left: %v", model, err, a.Gone)
			}
			if best <= within {
				break
			}
		}
		if best > within {
			t.Errorf("%s: left after %v", model, best)
		}
	}
}
