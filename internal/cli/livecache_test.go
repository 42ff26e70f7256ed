package cli_test

import (
	"database/sql"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
)

// cached counts the answers that the store keeps for later.
func (s *site) cached() (n int) {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.path(".llmx/llmx.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM cache").Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// The exact cache is on unless its time to live is 0; then nothing is kept for it.
func TestTimeToLiveTurnsTheCacheOff(t *testing.T) {
	for more, again := range map[string]int{
		"":                             0,
		"cache: {exact: {ttl: 24h}}\n": 0,
		"cache: {exact: {ttl: 0s}}\n":  ticketCases,
	} {
		s := newTickets(t, "")
		s.settings(more)
		if n := s.asked("test", "--live"); n != ticketCases {
			t.Errorf("%q: the first run asks %d times", more, n)
		}
		if n := s.asked("test", "--live"); n != again {
			t.Errorf("%q: the second run asks %d times, want %d", more, n, again)
		}
		if n := s.asked("test", "--live", "--fresh"); n != ticketCases {
			t.Errorf("%q: a fresh run asks %d times", more, n)
		}
		if n := s.cached(); n != ticketCases-again {
			t.Errorf("%q: %d answers are kept for later, want %d", more, n, ticketCases-again)
		}
	}
}

// What ask was answered is no draw of a test, nor the other way round.
func TestAskAndTestHaveCachesOfTheirOwn(t *testing.T) {
	s := newTickets(t, "")
	ask := []string{"ask", "triage", "--model", "small", "-v", "ticket=" + ticketText(0)}
	for i, step := range []struct {
		command []string
		want    int
	}{
		{ask, 1}, {[]string{"test", "--live"}, ticketCases}, {ask, 0}, {[]string{"test", "--live"}, 0},
	} {
		if n := s.asked(step.command...); n != step.want {
			t.Errorf("step %d: llmx %s asks %d times, want %d", i+1, step.command[0], n, step.want)
		}
	}
}

// A cached answer is no recording: what is recorded was asked for.
func TestRecordingGoesPastTheCache(t *testing.T) {
	s := newTickets(t, "")
	s.mustRun(0, "test", "--live")
	s.mustRun(fault.ExitUnjudged, "test", "--replay")
	if n := s.asked("test", "--record"); n != ticketCases {
		t.Errorf("a recording run asks %d times, want %d", n, ticketCases)
	}
	if n := s.asked("test", "--replay"); n != 0 {
		t.Errorf("a replayed run asks %d times", n)
	}
}
