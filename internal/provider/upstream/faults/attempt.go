package faults

import (
	"sync"
	"time"
)

// Attempt is one request as the server saw it. Times are monotonic, since the
// server was started.
type Attempt struct {
	Model  string
	N      int           // which of its model, from 1
	At     time.Duration // when the request had been read
	Did    string        // what the server did, in words
	Done   bool          // it has done so, or has given up
	Ended  time.Duration // when
	Gone   bool          // the caller left before the server had said all it wanted
	GoneAt time.Duration // when
	Bytes  int64         // of the answer's body, as far as the connection took them
}

// maxAttempts bounds the log of a server, so that a soak can run for long. The
// counts go on.
const maxAttempts = 10_000

// attempts is the log.
type attempts struct {
	mu      sync.Mutex
	start   time.Time
	kept    []*Attempt
	asked   map[string]int
	ended   map[string]int
	changed chan struct{} // closed, and made anew, at every change
}

func (l *attempts) begin() {
	l.start, l.changed = time.Now(), make(chan struct{})
	l.asked, l.ended = map[string]int{}, map[string]int{}
}

func (l *attempts) open(model string, n int) *Attempt {
	a := &Attempt{Model: model, N: n}
	l.change(func(now time.Duration) {
		a.At = now
		l.asked[model]++
		if len(l.kept) < maxAttempts {
			l.kept = append(l.kept, a)
		}
	})
	return a
}

// end closes an attempt; gone says that the caller left before.
func (l *attempts) end(a *Attempt, gone bool) {
	l.change(func(now time.Duration) {
		a.Done, a.Ended = true, now
		if gone && !a.Gone {
			a.Gone, a.GoneAt = true, now
		}
		l.ended[a.Model]++
	})
}

func (l *attempts) left(a *Attempt) {
	l.change(func(now time.Duration) {
		if !a.Gone && !a.Done {
			a.Gone, a.GoneAt = true, now
		}
	})
}

// change does something to the log and wakes whoever waits for it.
func (l *attempts) change(do func(now time.Duration)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do(time.Since(l.start))
	close(l.changed)
	l.changed = make(chan struct{})
}

// Attempts are the attempts of a model in the order in which they came, "" those of
// all models: of the first 10,000 that the server was asked.
func (s *Server) Attempts(model string) []Attempt {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	var out []Attempt
	for _, a := range s.log.kept {
		if model == "" || a.Model == model {
			out = append(out, *a)
		}
	}
	return out
}

// Count is how often a model was asked, "" all of them.
func (s *Server) Count(model string) int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return count(s.log.asked, model)
}

func count(of map[string]int, model string) int {
	if model != "" {
		return of[model]
	}
	sum := 0
	for _, n := range of {
		sum += n
	}
	return sum
}

// WaitFor waits until a model has been asked n times, "" all models together.
func (s *Server) WaitFor(model string, n int) {
	s.t.Helper()
	s.wait(model, n, "asked", s.log.asked)
}

// WaitDone waits until the server is done with n attempts of a model, be it that it
// has answered or that the caller has left.
func (s *Server) WaitDone(model string, n int) {
	s.t.Helper()
	s.wait(model, n, "answered or left", s.log.ended)
}

func (s *Server) wait(model string, n int, what string, of map[string]int) {
	s.t.Helper()
	late := time.NewTimer(s.network.patience())
	defer late.Stop()
	for {
		s.log.mu.Lock()
		got, changed := count(of, model), s.log.changed
		s.log.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			s.t.Fatalf("faults: model %q was %s %d times, want %d", model, what, got, n)
		}
	}
}
