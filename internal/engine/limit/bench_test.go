package limit

import (
	"context"
	"iter"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

// instant answers at once, without an allocation.
func instant() llm.Model {
	text, end := llm.Event{Text: "yes"}, llm.Event{End: &llm.End{Usage: llm.Usage{Input: 1, Output: 1}}}
	stream := iter.Seq2[llm.Event, error](func(yield func(llm.Event, error) bool) {
		if yield(text, nil) {
			yield(end, nil)
		}
	})
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] { return stream })
}

// wide are limits that are looked at and never reached.
var wide = Settings{RPM: 1_000_000_000, TPM: 1_000_000_000, Concurrency: 100_000}

func BenchmarkNothingInBetween(b *testing.B) { bench(b, instant()) }
func BenchmarkUncontended(b *testing.B)      { bench(b, New(wide).Model(instant())) }
func BenchmarkWithoutLimits(b *testing.B)    { bench(b, New(Settings{}).Model(instant())) }

func bench(b *testing.B, m llm.Model) {
	ctx, req := llm.WithAdmission(b.Context(), &llm.Admission{}), request(1)
	b.ReportAllocs()
	for b.Loop() {
		for range m.Stream(ctx, req) {
		}
	}
}

func BenchmarkParallel64(b *testing.B) { parallel(b, New(wide).Model(instant())) }

// Eight places for 64 callers: most of them queue.
func BenchmarkParallel64Queueing(b *testing.B) {
	parallel(b, New(Settings{Concurrency: 8}).Model(instant()))
}

func parallel(b *testing.B, m llm.Model) {
	b.ReportAllocs()
	b.SetParallelism(32) // of 2 processors: 64 callers
	b.RunParallel(func(pb *testing.PB) {
		ctx, req := llm.WithAdmission(b.Context(), &llm.Admission{}), request(1)
		for pb.Next() {
			for range m.Stream(ctx, req) {
			}
		}
	})
}
