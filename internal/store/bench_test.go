//go:build linux

package store

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
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

// BenchmarkRead reads a stored run of 100,000 results. What a diff of two takes in
// all is measured in the room cli.
func BenchmarkRead(b *testing.B) {
	const cases = 100_000
	s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
	run := beginRun(b, s, "a")
	for i := range cases {
		if err := s.AddResult(sampleResult(run.ID, i)); err != nil {
			b.Fatal(err)
		}
	}
	endRun(b, s, run)
	for b.Loop() {
		n := 0
		for _, err := range s.Results(context.Background(), run.ID, ResultFilter{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != cases {
			b.Fatalf("%d read", n)
		}
	}
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

// BenchmarkServing is what recording a call costs whoever answers it, and how many the
// store takes a second.
func BenchmarkServing(b *testing.B) {
	s := OpenServing(filepath.Join(b.TempDir(), "llmx.db"), Options{Now: time.Now}, Serving{Rows: b.N + 1, Bytes: 1 << 40, CloseFor: time.Hour})
	calls := make([]*llm.Call, b.N)
	for i := range calls {
		calls[i] = sampleCall("", i)
	}
	b.ResetTimer()
	begin := time.Now()
	for _, call := range calls {
		s.Record(call)
	}
	path := time.Since(begin)
	if err := s.Close(); err != nil || s.Dropped() > 0 {
		b.Fatalf("%d dropped, %v", s.Dropped(), err)
	}
	b.ReportMetric(float64(path.Nanoseconds())/float64(b.N), "ns/record")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
