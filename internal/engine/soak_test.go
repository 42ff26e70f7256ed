//go:build soak

package engine_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// The load. Every second call is for a whole text, every fourth under a contract, and
// every fourth live.
const (
	soakCalls   = 50_000
	soakCallers = 64
	faultRate   = 0.05
	enough      = 0.9995 // of the calls, answered right
	mostly      = 0.998  // … of a few thousand, where one is a large share
)

// The usual times are too long for a loopback that answers at once. These are as
// short as a busy machine allows.
const (
	soakSilence = time.Second           // first token, idle
	soakSlow    = 20 * time.Millisecond // what providers ask to wait for, and what is merely late
)

// The routes of the soak. One of the two models is dead; the living one stands at two
// aliases, as it would with two keys or in two regions, since a model that is silent
// is not asked twice. Half of the calls ask them in the one order, half in the other.
const (
	ofTwoModels  = "of two models"
	withRestart  = "with a restart"
	mirrored     = ", mirrored"
	deadAndAlone = "dead and alone" // the living model at one alias
)

// TestSoak plays 50,000 calls on loopback, of whose attempts one in twenty meets a
// fault, of every kind that there is, with one of two models dead.
//
//	go test -tags soak -run TestSoak -v ./internal/engine
func TestSoak(t *testing.T) {
	before := runtime.NumGoroutine()
	s := newSoak(t)
	begin := time.Now()
	early := heapAfter(func() { s.play(0, soakCalls/10, restarting) })
	late := heapAfter(func() { s.play(soakCalls/10, soakCalls, restarting) })
	took := time.Since(begin)
	main := s.sum()
	t.Logf("%d calls in %v (%.0f a second), %d requests: %s", soakCalls, took.Round(time.Millisecond), soakCalls/took.Seconds(), s.server.Count(""), main)
	t.Logf("attempts: %v", s.classes)
	t.Logf("heap %.1f MB after a tenth, %.1f MB after all", mega(early), mega(late))
	if main.total() != soakCalls || main.right() < soakCalls*enough {
		t.Errorf("%d of %d calls were answered right, want %.2f %%", main.right(), main.total(), 100*enough)
	}
	const slack = 4 << 20 // the log of the server fills up to its bound meanwhile
	if late > early+slack {
		t.Errorf("the heap has grown by %.1f MB", mega(late-early))
	}

	// Where pieces are out already there is no other answer, and where no other model
	// lives a silent one ends the call: that is said, and never passes for an answer.
	s.play(0, soakCalls/10, plainly)
	plain := s.sum()
	t.Logf("without restarts: %s", plain)
	for mode, c := range plain {
		if mode == live && c.late == 0 || mode != live && c.right < int(mostly*float64(c.calls)) {
			t.Errorf("%s: %s", mode, c)
		}
	}
	s.play(0, soakCalls/10, aloneOnly)
	alone := s.sum()
	t.Logf("without another alias: %s", alone)
	for mode, c := range alone {
		if c.right+c.silent < int(mostly*float64(c.calls)) || c.silent > c.calls/40 {
			t.Errorf("%s: %s", mode, c)
		}
	}
	s.close()
	s.wantGoroutines(before)
}

// mode is how a call is asked.
type mode string

const (
	whole    mode = "whole"
	contract mode = "under a contract"
	live     mode = "live"
)

// asking says how call i of a part of the soak is asked.
type asking func(i int) (route string, how mode)

func modeOf(i int) mode { return []mode{whole, contract, whole, live}[i%4] }

func restarting(i int) (string, mode) {
	name, how := plainly(i)
	if how == live {
		name = strings.Replace(name, ofTwoModels, withRestart, 1)
	}
	return name, how
}

func plainly(i int) (string, mode) {
	if i/4%2 == 1 {
		return ofTwoModels + mirrored, modeOf(i)
	}
	return ofTwoModels, modeOf(i)
}

func aloneOnly(i int) (string, mode) {
	if modeOf(i) == live {
		return deadAndAlone, whole
	}
	return deadAndAlone, modeOf(i)
}

// play makes the calls from one number to another, as many at a time as there are callers.
func (s *soak) play(from, to int, ask asking) {
	if from == 0 {
		s.parts++
	}
	var next atomic.Int64
	next.Store(int64(from))
	var all sync.WaitGroup
	for range soakCallers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
				s.call(i, ask)
			}
		})
	}
	all.Wait()
}

// call asks, and holds the answer against its checksums. One call in ten asks what
// the one before it does, so that answers are shared and kept as well.
func (s *soak) call(i int, ask asking) {
	name, how := ask(i)
	subject := i
	if i%10 == 8 { // of the same mode as the one two before
		subject = i - 2
	}
	req := llm.Request{Model: name, Messages: []llm.Message{llm.Text(llm.User, fmt.Sprintf("part %d, call %d", s.parts, subject))}}
	switch how {
	case live:
		req.Live = true
	case contract:
		req.Output = underContract
	}
	got, err := llm.Collect(s.engine.Stream(s.t.Context(), req))
	right := faults.Answer(req.Messages)
	var came outcome
	switch {
	case err == nil && got.Text != right:
		s.t.Errorf("call %d, %s: truncated or foreign: %q", i, how, got.Text)
	case err == nil && got.Call.Answered != faults.Answered("living") && got.Call.Answered != faults.Answered("living@b"):
		s.t.Errorf("call %d, %s: answered by %q", i, how, got.Call.Answered)
	case err == nil:
		came.right = 1
	case got.Text != "" && how != live:
		s.t.Errorf("call %d, %s: %q came before %v", i, how, got.Text, err)
	case got.Text != "":
		came.late = 1
	case strings.HasPrefix(string(fault.ClassOf(err)), "timeout_") || strings.Contains(err.Error(), "timeout_"):
		came.silent = 1
	}
	came.calls, came.hits, came.class = 1, 0, classOf(err)
	if err == nil && got.End.Stored != nil {
		came.hits = 1
	}
	s.count(how, came)
}
