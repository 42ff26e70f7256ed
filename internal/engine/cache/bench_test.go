package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/lockwatch"
)

// usualRequest has two messages of 500 bytes and three options.
func usualRequest() llm.Request {
	return llm.Request{
		Prompt: llm.PromptRef{Name: "triage", Version: "1.2.0", Hash: "aabbccddeeff00112233445566778899"}, Model: "one", Tenant: "test",
		Messages: []llm.Message{llm.Text(llm.System, strings.Repeat("label ", 84)[:500]), llm.Text(llm.User, strings.Repeat("charge ", 72)[:500])},
		Options:  llm.Options{"temperature": json.RawMessage("0"), "max_tokens": json.RawMessage("200"), "seed": json.RawMessage("7")},
		Output:   llm.Output{Kind: llm.OutputText},
	}
}

func BenchmarkKey(b *testing.B) {
	req := usualRequest()
	b.ReportAllocs()
	for b.Loop() {
		identify(&req, "openai/gpt-4o-mini")
	}
}

// hear asks within a traced call, as the contract does, and keeps what it may.
func hear(ctx context.Context, model llm.Model, req llm.Request) (hit bool) {
	call := llm.Call{Turns: make([]llm.Turn, 1)}
	for event := range model.Stream(llm.WithCall(ctx, &call), req) {
		if event.End != nil {
			hit = event.End.Stored != nil
			if event.End.Keep != nil {
				event.End.Keep()
			}
		}
	}
	return hit
}

func instant() llm.Model {
	answer := strings.Repeat("answer ", 70)
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return llm.Replay(answer, llm.End{Finish: llm.FinishStop, Model: "gpt-4o-mini-2024-07-18", ResponseID: "chatcmpl-123"})
	})
}

// nowhere is a Storage without entries.
type nowhere struct{}

func (nowhere) Get(context.Context, string) (Entry, bool) { return Entry{}, false }
func (nowhere) Put(string, Entry)                         {}

func BenchmarkMemoryHit(b *testing.B) {
	model, req := New(options(nowhere{}), instant()), usualRequest()
	hear(b.Context(), model, req)
	b.ReportAllocs()
	for b.Loop() {
		if !hear(b.Context(), model, req) {
			b.Fatal("no hit")
		}
	}
}

// BenchmarkCallers compares one caller with 64 who ask for the same, for what each
// has for himself, and for what nobody has asked yet. lock-µs is what all waited for
// locks in sum, per 1,000 calls; below it stands where.
func BenchmarkCallers(b *testing.B) {
	for _, callers := range []int{1, 64} {
		for _, kind := range []string{"same", "own", "new"} {
			b.Run(fmt.Sprintf("%s/%d", kind, callers), func(b *testing.B) {
				model := New(options(nowhere{}), instant())
				var count atomic.Int64
				each := func(i int) {
					ctx, req, own := context.Background(), usualRequest(), count.Add(1)
					for range i {
						switch kind {
						case "own":
							req.Repeat = int(own)
						case "new":
							req.Repeat = int(count.Add(1))
						}
						hear(ctx, model, req)
					}
				}
				each(64)
				locks := lockwatch.Watch(b)
				b.ReportAllocs()
				b.ResetTimer()
				done := make(chan struct{})
				for range callers {
					go func() {
						each((b.N + callers - 1) / callers)
						done <- struct{}{}
					}()
				}
				for range callers {
					<-done
				}
				b.StopTimer()
				locks()
			})
		}
	}
}
