// Package lockwatch says in a benchmark where its callers wait for locks. Tests
// alone import it; it imports the standard library.
package lockwatch

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
)

// Watch profiles every wait for a lock until the function that it gives is called.
// That reports lock-µs/1000, what all have waited in sum per 1,000 calls, and logs
// where most of it was.
func Watch(b *testing.B) (report func()) {
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
