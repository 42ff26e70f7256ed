package engine_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/timeout"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// What the engine itself costs is measured with everything on and no network: a
// prompt with inputs and a schema is rendered, the call is traced and has a deadline,
// the cache is looked into, a route with a breaker chooses, budget, limits and
// timeouts watch the attempt, and the answer, in eight pieces, is held to its schema.
// The model and the storages answer at once.
const (
	mostPerCall = 60 * time.Microsecond
	mostAllocs  = 250
	mostPerHit  = 20 * time.Microsecond
)

// triage is a prompt as small as real ones are.
const triage = `---
name: triage
description: Routes a support ticket.
model: {id: r, options: {temperature: 0, max_tokens: 200}}
inputs:
  ticket: {kind: string, required: true}
  customer: {kind: string}
outputs:
  type: object
  required: [label, urgency]
  additionalProperties: false
  properties:
    label: {enum: [billing, bug, account, other]}
    urgency: {type: integer, minimum: 1, maximum: 5}
    reason: {type: string}
---
system:
You label support tickets: billing, bug, account or other. Answer in JSON, and say in a
sentence why.
user:
{% if customer %}From {{ customer }}: {% endif %}{{ ticket }}
`

// pieces are the right answer to every ticket.
var pieces = []string{`{"label`, `": "bill`, `ing", "ur`, `gency": `, `4, "reason"`, `: "They were`, ` charged `, `twice."}`}

// instant says its pieces at once.
func instant() llm.Model {
	end := llm.Event{End: &llm.End{
		Finish: llm.FinishStop, Usage: llm.Usage{Input: 80, Output: 24}, Model: "small-2026-01-01", ResponseID: "chatcmpl-123",
		RateLimit: &llm.RateLimit{RemainingRequests: 499, RemainingTokens: 190_000, ResetRequests: time.Second, ResetTokens: time.Second},
	}}
	stream := iter.Seq2[llm.Event, error](func(yield func(llm.Event, error) bool) {
		for _, piece := range pieces {
			if !yield(llm.Event{Text: piece}, nil) {
				return
			}
		}
		yield(end, nil)
	})
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] { return stream })
}

// full is an engine with everything on.
type full struct {
	llm.Model
	ref   llm.PromptRef
	calls atomic.Int64
}

// forgetful records nothing.
type forgetful struct{}

func (forgetful) Record(*llm.Call) {}

func newFull(tb testing.TB) *full {
	files := fstest.MapFS{"prompts/triage/draft.prompty": {Data: []byte(triage)}}
	asked, err := prompt.NewLibrary(files).Resolve("triage", prompt.Develop)
	if err != nil {
		tb.Fatal(err)
	}
	book := budget.Open(budget.Options{
		Budgets: []budget.Budget{{Scope: budget.ScopeProject, Per: budget.PerDay, Limit: 1000 * llm.USD}, {Scope: budget.ScopePrompt, Per: budget.PerMonth, Limit: 1000 * llm.USD}},
		Ledger:  &ledger{}, Owner: "bench", Now: time.Now,
	})
	tb.Cleanup(func() { _ = book.Close(context.Background()) })
	targets := map[string]*route.Target{}
	for _, alias := range []string{"small", "large"} {
		cost := func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(150*u.Input + 600*u.Output)) }
		limits := limit.Settings{Name: alias, RPM: 1_000_000_000, TPM: 1_000_000_000_000, Concurrency: 1000}
		targets[alias] = &route.Target{
			Alias: alias, Provider: "acme", Wire: alias, Cost: cost,
			Model: book.Model(alias, cost, limit.New(limits).Model(timeout.New(alias, instant()))),
		}
	}
	policies := map[string]route.Policy{"r": usual("small", "large"), "cascade": usual("small", "large")}
	f := &full{ref: asked.Ref()}
	f.Model = engine.New(engine.Parts{
		Prompts:  func(llm.PromptRef) (*prompt.Prompt, error) { return asked, nil },
		Recorder: forgetful{}, NewID: func() string { return "id" }, Now: time.Now,
		Targets: targets, Policies: policies,
		Cascades: map[string]engine.Accept{"cascade": func(context.Context, llm.Request, llm.Response, llm.Output) (string, error) { return "", nil }},
		Cache: &cache.Options{
			Storage: nowhere{}, TTL: time.Hour, Now: time.Now,
			Resolve: func(req llm.Request) (string, string, bool) {
				alias := policies[req.Model].First(req)
				return alias, "acme/" + alias, true
			},
		},
	})
	return f
}

// request asks about a ticket by that name.
func (f *full) request(model string) llm.Request {
	return llm.Request{Prompt: f.ref, Model: model, Tenant: "bench", Vars: map[string]any{
		"ticket":   "I was charged twice for my subscription this month, and nobody answers the phone. Please refund one of the two.",
		"customer": "Ada Lovelace",
	}}
}

// rendered is the request without a prompt to render, for what that costs.
func (f *full) rendered(tb testing.TB, model string) llm.Request {
	got, err := llm.Collect(f.Stream(tb.Context(), f.request(model)))
	if err != nil {
		tb.Fatal(err)
	}
	turn := got.Call.Turns[0]
	return llm.Request{Model: model, Tenant: "bench", Messages: turn.Messages, Options: turn.Options, Output: turn.Output}
}

// call asks what nobody has asked before; hit what this has been asked before.
func (f *full) call(req llm.Request) error {
	req.Repeat = int(f.calls.Add(1))
	return f.hear(req, false)
}

func (f *full) hit(req llm.Request) error { return f.hear(req, true) }

func (f *full) hear(req llm.Request, stored bool) error {
	text, ended := 0, false
	for event, err := range f.Stream(context.Background(), req) {
		if err != nil {
			return err
		}
		text += len(event.Text)
		if event.End != nil {
			if (event.End.Stored != nil) != stored || event.End.Value == nil {
				return fmt.Errorf("stored: %v, value: %v", event.End.Stored, event.End.Value)
			}
			ended = true
		}
	}
	if !ended || text != len(strings.Join(pieces, "")) {
		return fmt.Errorf("%d bytes of an answer, ended: %v", text, ended)
	}
	return nil
}

func BenchmarkCall(b *testing.B) {
	f := newFull(b)
	for name, req := range map[string]llm.Request{
		"route": f.request("r"), "cascade": f.request("cascade"), "rendered before": f.rendered(b, "r"),
	} {
		b.Run(name, func(b *testing.B) { repeat(b, func() error { return f.call(req) }) })
	}
}

func BenchmarkHit(b *testing.B) {
	f := newFull(b)
	for name, req := range map[string]llm.Request{"route": f.request("r"), "cascade": f.request("cascade"), "rendered before": f.rendered(b, "r")} {
		b.Run(name, func(b *testing.B) {
			if err := f.call(req); err != nil {
				b.Fatal(err)
			}
			req.Repeat = int(f.calls.Load())
			repeat(b, func() error { return f.hit(req) })
		})
	}
}

func repeat(b *testing.B, do func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
}
