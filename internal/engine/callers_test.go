package engine_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/llmx-dev/llmx/internal/lockwatch"
)

const manyCallers = 64

// BenchmarkCallers is one caller against 64 at once, for what nobody has asked before
// and for what is kept. lock-µs/1000 is what all waited for locks in sum, per 1,000
// calls; below it stands where.
func BenchmarkCallers(b *testing.B) {
	for _, kind := range []string{"new", "kept"} {
		for _, callers := range []int{1, manyCallers} {
			b.Run(fmt.Sprintf("%s/%d", kind, callers), func(b *testing.B) {
				f := newFull(b)
				report := lockwatch.Watch(b)
				b.ReportAllocs()
				b.ResetTimer()
				err := f.crowd(callers, (b.N+callers-1)/callers, kind == "kept")
				b.StopTimer()
				report()
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}

// crowd lets callers make so many calls each; kept are those that another one has
// made before.
func (f *full) crowd(callers, calls int, kept bool) error {
	req := f.request("r")
	if kept {
		if err := f.call(req); err != nil {
			return err
		}
		req.Repeat = int(f.calls.Load())
	}
	failed := make(chan error, callers)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range calls {
				do := f.call
				if kept {
					do = f.hit
				}
				if err := do(req); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}
