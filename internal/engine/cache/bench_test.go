package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
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
				locks := watchLocks(b)
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

// watchLocks profiles every wait for a lock until the function it gives is called.
func watchLocks(b *testing.B) (report func()) {
	waited := func() time.Duration {
		sample := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
		metrics.Read(sample)
		return time.Duration(sample[0].Value.Float64() * float64(time.Second))
	}
	before := runtime.SetMutexProfileFraction(1)
	begin, sites := waited(), lockSites()
	return func() {
		total := waited() - begin
		runtime.SetMutexProfileFraction(before)
		b.ReportMetric(float64(total.Microseconds())*1000/float64(b.N), "lock-µs/1000")
		if b.N < 1000 {
			return // a warm-up
		}
		type site struct {
			name   string
			cycles int64
		}
		var grown []site
		sum := int64(0)
		for name, cycles := range lockSites() {
			if more := cycles - sites[name]; more > 0 {
				grown = append(grown, site{name, more})
				sum += more
			}
		}
		slices.SortFunc(grown, func(a, b site) int { return int(b.cycles - a.cycles) })
		for _, s := range grown[:min(3, len(grown))] {
			b.Logf("%d calls: %3d %% of the waiting in %s", b.N, s.cycles*100/sum, s.name)
		}
	}
}

// lockSites sums the mutex profile by who unlocked, the innermost function that is
// not the runtime's or of package sync.
func lockSites() map[string]int64 {
	records := make([]runtime.BlockProfileRecord, 10_000)
	n, _ := runtime.MutexProfile(records)
	sites := map[string]int64{}
	for _, record := range records[:n] {
		frames := runtime.CallersFrames(record.Stack())
		for {
			frame, more := frames.Next()
			inner := strings.HasPrefix(frame.Function, "runtime.") || strings.HasPrefix(frame.Function, "sync.") || strings.HasPrefix(frame.Function, "internal/")
			if !inner {
				sites[frame.Function] += record.Cycles
				break
			}
			if !more {
				sites["the runtime itself"] += record.Cycles
				break
			}
		}
	}
	return sites
}
