package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// cpu is what this process has used, in user and system time.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// fill adds cases with a result (two checks) and a call (a turn, an attempt) each.
func fill(b testing.TB, s *Store, id string, cases int, shuffled bool) {
	run := beginRun(b, s, id)
	for i := range cases {
		result, call := sampleResult(id, i), sampleCall(id, i)
		if shuffled {
			h := fnv.New64a()
			fmt.Fprint(h, i)
			result.Case = fmt.Sprintf("%016x", h.Sum64())
		}
		s.Record(call)
		if err := s.AddResult(result); err != nil {
			b.Fatal(err)
		}
	}
	endRun(b, s, run)
}

// BenchmarkCase is the whole cost of a case in the store. The samples are made
// in the loop: BenchmarkSample says what that costs.
func BenchmarkCase(b *testing.B) {
	for _, shuffled := range []bool{false, true} {
		b.Run(fmt.Sprintf("shuffled=%t", shuffled), func(b *testing.B) {
			s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
			b.ResetTimer()
			before := cpu()
			fill(b, s, "run-1", b.N, shuffled)
			b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/case")
		})
	}
}

func BenchmarkSample(b *testing.B) {
	for i := range b.N {
		_, _ = sampleResult("run-1", i), sampleCall("run-1", i)
	}
}

var _ = context.Background
