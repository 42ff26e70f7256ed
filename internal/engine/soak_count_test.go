//go:build soak

package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// outcome is what came of calls.
type outcome struct {
	calls, right int
	hits         int // of those that are right, from the cache or shared
	late         int // a failure after pieces were out
	silent       int // a failure with a model that was silent
	class        fault.Class
	classes      map[fault.Class]int
}

func (o *outcome) String() string {
	var failed []string
	for class, n := range o.classes {
		failed = append(failed, fmt.Sprintf("%d × %s", n, class))
	}
	slices.Sort(failed)
	return fmt.Sprintf("%d of %d right (%.3f %%), %d of them shared or kept; failed: %d with pieces out, %d for a silence (%s)",
		o.right, o.calls, 100*float64(o.right)/float64(o.calls), o.hits, o.late, o.silent, strings.Join(failed, ", "))
}

type counts map[mode]*outcome

func (c counts) String() string {
	var text strings.Builder
	for _, how := range []mode{whole, contract, live} {
		if o := c[how]; o != nil {
			fmt.Fprintf(&text, "\n    %s: %s", how, o)
		}
	}
	return text.String()
}

func (c counts) total() (n int) {
	for _, o := range c {
		n += o.calls
	}
	return n
}

func (c counts) right() (n int) {
	for _, o := range c {
		n += o.right
	}
	return n
}

func (s *soak) count(how mode, o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.counts[how]
	if sum == nil {
		sum = &outcome{classes: map[fault.Class]int{}}
		s.counts[how] = sum
	}
	sum.calls += o.calls
	sum.right += o.right
	sum.hits += o.hits
	sum.late += o.late
	sum.silent += o.silent
	if o.class != "" {
		sum.classes[o.class]++
	}
}

// sum gives the counts and begins anew.
func (s *soak) sum() counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.counts
	s.counts = counts{}
	return sum
}

func (s *soak) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.book.Close(ctx); err != nil {
		s.t.Errorf("the budgets do not close: %v", err)
	}
	s.transport.CloseIdleConnections()
}

// wantGoroutines waits until there are no more than at the start, but for those of
// the server, which lives as long as the test.
func (s *soak) wantGoroutines(before int) {
	const ofServer = 4 // two listeners, each with what waits for it
	n := 0
	for range 100 {
		if n = runtime.NumGoroutine(); n <= before+ofServer {
			s.t.Logf("%d goroutines before, %d after", before, n)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Errorf("%d goroutines are left of the %d at the start", n, before)
}

// heapAfter is what is in use once work is done and garbage is collected.
func heapAfter(work func()) uint64 {
	work()
	runtime.GC()
	runtime.GC() // what finalizers and pools had kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func mega(bytes uint64) float64 { return float64(bytes) / (1 << 20) }
