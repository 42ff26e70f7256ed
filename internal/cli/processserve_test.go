//go:build bench

package cli_test

import (
	"time"
)

// serveStart is from the start of llmx serve to its first answer, of a project with three
// releases and a store that is there.
func (t *table) serveStart() {
	s := released(t.T, "production: 0.1.0\n")
	start := median(func() cost {
		began := time.Now()
		r := s.serveBy(t.T, t.binary, "--addr", "127.0.0.1:0")
		if got := r.version("triage", ""); got != "0.1.0" {
			t.Fatal(got)
		}
		spent := cost{wall: time.Since(began)}
		r.stop()
		return spent
	})
	t.row("llmx serve: start to its first answer", "100 ms", start.wall.Round(100*time.Microsecond).String(), start.wall <= 100*time.Millisecond)
}
