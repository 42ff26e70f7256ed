//go:build linux

package store

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// usage is the CPU time of this process, and the most memory it had in MB.
func usage(b *testing.B) (cpu time.Duration, megabytes float64) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), float64(used.Maxrss) / 1024
}

// BenchmarkCase is the whole cost of a case in the store. The samples are made
// in the loop: BenchmarkSample says what that costs.
func BenchmarkCase(b *testing.B) {
	for _, shuffled := range []bool{false, true} {
		b.Run(fmt.Sprintf("shuffled=%t", shuffled), func(b *testing.B) {
			s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
			b.ResetTimer()
			before, _ := usage(b)
			fill(b, s, "run-1", b.N, shuffled)
			after, megabytes := usage(b)
			b.ReportMetric(float64((after-before).Microseconds())/float64(b.N), "cpu-µs/case")
			b.ReportMetric(megabytes, "max-MB")
		})
	}
}

func BenchmarkSample(b *testing.B) {
	for i := range b.N {
		_, _ = sampleResult("run-1", i), sampleCall("run-1", i)
	}
}

// BenchmarkRead reads two stored runs of 100,000 results.
func BenchmarkRead(b *testing.B) {
	const cases = 100_000
	s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
	for _, id := range []string{"a", "b"} {
		run := beginRun(b, s, id)
		for i := range cases {
			result := sampleResult(id, i)
			if id == "b" && i%2 == 0 {
				result.Answer, result.Digest = "other", "0123456789abcdef"
			}
			if err := s.AddResult(result); err != nil {
				b.Fatal(err)
			}
		}
		endRun(b, s, run)
	}
	b.Run("diff", func(b *testing.B) {
		for range b.N {
			other := 0
			for pair, err := range s.Diff(context.Background(), "a", "b") {
				if err != nil {
					b.Fatal(err)
				}
				if !pair.Same() {
					other++
				}
			}
			if other != cases/2 {
				b.Fatalf("%d differ", other)
			}
		}
	})
	b.Run("results", func(b *testing.B) {
		for range b.N {
			n := 0
			for _, err := range s.Results(context.Background(), "a", ResultFilter{}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != cases {
				b.Fatalf("%d read", n)
			}
		}
	})
}

// BenchmarkOpen opens a store that is there, and closes it.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "llmx.db")
	for range b.N {
		if err := openTest(b, path, Options{}).Close(); err != nil {
			b.Fatal(err)
		}
	}
}
