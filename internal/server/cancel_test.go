package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// soon is how long the upstream may not have heard that the caller went away.
const soon = 100 * time.Millisecond

// The caller goes away in every phase of a call: the upstream is let go within 100 ms,
// nobody else is asked after that, and the log says 499.
func TestTheCallerGoesAway(t *testing.T) {
	for phase, test := range map[string]struct {
		model    string
		occupied bool // its only place is taken
		left     bool // an attempt is under way
	}{
		"in the queue":       {model: "silent", occupied: true},
		"before the head":    {model: "silent", left: true},
		"in the head":        {model: "slow-headers-20s", left: true},
		"among comments":     {model: "comments-10ms", left: true},
		"in the answer":      {model: "paced-40ms", left: true},
		"in a stall":         {model: "stall-3", left: true},
		"in a retry's pause": {model: "429-after-5s"},
		"within a piece":     {model: "drip-10ms", left: true},
	} {
		for _, mode := range modes {
			t.Run(phase+", "+mode.name, func(t *testing.T) {
				begin, upstream := time.Now(), faults.New(t)
				p := plan{upstream: upstream.URL(), models: []string{test.model}, prompts: map[string]string{"p": optimisticPrompt}}
				if test.occupied {
					p.limits = map[string]limit.Settings{test.model: {Concurrency: 1}}
				}
				h := p.build(t)
				before := 0
				if test.occupied {
					occupied, letGo := context.WithCancel(t.Context())
					defer letGo()
					go h.send(occupied, "POST", "/v1/chat/completions", fmt.Sprintf(modes[0].body, test.model))
					upstream.WaitFor(test.model, 1)
					before = 1
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				over := make(chan answer, 1)
				go func() { over <- h.send(ctx, "POST", "/v1/chat/completions", fmt.Sprintf(mode.body, test.model)) }()
				if !test.occupied {
					upstream.WaitFor(test.model, 1)
				}
				time.Sleep(60 * time.Millisecond) // into the phase
				gone := time.Now()
				cancel()
				<-over
				h.waitLog(t, `"status":499`, gone)
				if test.left {
					upstream.WaitDone(test.model, 1)
					last := upstream.Attempts(test.model)[0]
					if took := begin.Add(last.GoneAt).Sub(gone); !last.Gone || took > soon {
						t.Errorf("the upstream was left: %v, %v after the caller had gone", last.Gone, took)
					}
				}
				if n := upstream.Count("") - before; test.occupied && n != 0 || !test.occupied && n != 1 {
					t.Errorf("the upstream was asked %d times", n)
				}
			})
		}
	}
}

// waitLog waits until the log has a text, and wants it soon.
func (h *house) waitLog(t *testing.T, text string, since time.Time) {
	t.Helper()
	for !strings.Contains(h.logs.String(), text) {
		if time.Since(since) > 20*soon {
			t.Fatalf("the log has no %s:\n%s", text, h.logs)
		}
		time.Sleep(time.Millisecond)
	}
	if took := time.Since(since); took > soon {
		t.Errorf("the call ended %v after its caller had gone", took)
	}
}

// Texts of one request that are under way are all left, and no further one is asked.
func TestTheCallerOfEmbeddingsGoesAway(t *testing.T) {
	up := newVectors(t)
	h := plan{upstream: up.URL + "/v1", models: []string{"small"}}.build(t)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan answer, 1)
	go func() {
		texts := strings.TrimSuffix(strings.Repeat(`"text 0",`, 2000), ",")
		over <- h.send(ctx, "POST", "/v1/embeddings", `{"model":"small","input":[`+texts+`]}`)
	}()
	for up.asked.Load() < 20 {
		time.Sleep(time.Millisecond)
	}
	gone := time.Now()
	cancel()
	<-over
	h.waitLog(t, `"status":499`, gone)
	if n := up.asked.Load(); n > 200 {
		t.Errorf("asked %d times", n)
	}
}
