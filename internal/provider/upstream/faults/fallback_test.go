package faults_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// inOrder is the smallest route there is: it asks each model once, in order, and
// gives the first whole answer.
func inOrder(t testing.TB, s *faults.Server, models []string) llm.Model {
	p := provider(t, s, s.URL())
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		var failed []llm.Failed
		var last error
		for _, name := range models {
			got, err := llm.Collect(p.Model(name, openai.Caps{}).Stream(ctx, req))
			if err == nil {
				got.End.Failed = failed
				return llm.Replay(got.Text, got.End)
			}
			last, failed = err, append(failed, llm.Failed{Model: name, Class: fault.ClassOf(err)})
		}
		return llm.Fail(last)
	})
}

// How a table over routes reads.
func TestScenariosOverARoute(t *testing.T) {
	at := func(times ...time.Duration) []time.Duration { return times }
	type asked = map[string][]time.Duration
	for _, scenario := range []faults.Scenario{
		{
			Name: "503 with a fallback, whose name and usage are reported", Models: []string{"503", "ok"},
			Answered: "ok", Failed: []string{"503 overloaded"}, Asked: asked{"503": at(0), "ok": at(0)},
		},
		{
			Name: "an answer is never begun twice", Models: []string{"cut", "late-2s", "ok"},
			Answered: "late-2s", After: 2 * time.Second, Asked: asked{"cut": at(0), "late-2s": at(0)},
		},
		{
			Name: "the caller's deadline ends it all", Models: []string{"late-500ms@a", "silent", "ok"},
			Set:    map[string]faults.Behaviour{"late-500ms@a": faults.After(500*time.Millisecond, faults.HTML())},
			Within: time.Minute, Class: fault.TimeoutTotal, Nothing: true, After: time.Minute,
			Asked: asked{"late-500ms@a": at(0), "silent": at(500 * time.Millisecond)}, Left: []string{"silent"},
		},
		{
			Name: "the fallback refuses too", Models: []string{"quota", "refuses"},
			Class: fault.BadRequest, Nothing: true, Asked: asked{"quota": at(0), "refuses": at(0)},
		},
	} {
		scenario.Run(t, inOrder)
	}
}
