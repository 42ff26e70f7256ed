package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// session is a world in a copy of the scripts' project, with a line to press
// Ctrl-C.
type session struct {
	world          *World
	server         *shopServer
	signals        chan os.Signal
	stdout, stderr bytes.Buffer
}

func newSession(t *testing.T) *session {
	t.Helper()
	server := newShopServer(t)
	s := newSessionAt(t, server.URL())
	s.server = server
	return s
}

// newSessionAt is a session whose provider stands at another base URL.
func newSessionAt(t *testing.T, url string) *session {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	s := &session{signals: make(chan os.Signal, 2)}
	env := map[string]string{"UPSTREAM": url, "NOBODY": closedPort(t), "SHOP_KEY": "k"}
	s.world = &World{
		Stdin: strings.NewReader(""), Stdout: &s.stdout, Stderr: &s.stderr, Dir: dir, Now: time.Now, Signals: s.signals,
		LookupEnv: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
	}
	return s
}

// run runs a command line to its end; the outputs are those of this command.
func (s *session) run(args ...string) int {
	s.stdout.Reset()
	s.stderr.Reset()
	return Run(context.Background(), args, s.world)
}

// after sends the signals when the provider was asked n times.
func (s *session) after(t *testing.T, n int, signals ...os.Signal) {
	deadline := time.Now().Add(20 * time.Second)
	for s.server.Count() < n {
		if time.Now().After(deadline) {
			t.Errorf("the provider was asked %d times within 20 s, want %d", s.server.Count(), n)
			break
		}
		time.Sleep(time.Millisecond)
	}
	for _, one := range signals {
		s.signals <- one
	}
}

func TestSecondInterruptLeavesAtOnce(t *testing.T) {
	s := newSession(t)
	// The first case is answered, the second is never.
	go s.after(t, 2, os.Interrupt, syscall.SIGTERM)
	began := time.Now()
	if code := s.run("test", "--live", "--model", "late"); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("left after %v", took)
	}
	said := s.stderr.String()
	for _, want := range []string{
		"stopping: calls under way are finished; press Ctrl-C again to leave at once\n",
		"error: interrupted: 1 of 3 results are stored as run ",
		"\n  go on with llmx test --resume ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("stderr is %q, want %q in it", said, want)
		}
	}
	if s.stdout.Len() > 0 {
		t.Errorf("stdout is %q: a run that was interrupted has no verdict", &s.stdout)
	}

	if code := s.run("runs", "show"); code != 0 || !strings.HasPrefix(s.stdout.String(), "INTERRUPTED") {
		t.Errorf("exit code %d, stdout %q", code, &s.stdout)
	}
	if code := s.run("runs", "show", "--json"); code != 0 || strings.Count(s.stdout.String(), "\n") != 1 || !strings.Contains(s.stdout.String(), `"status":"pass"`) {
		t.Errorf("exit code %d, results %q, want the finished one", code, &s.stdout)
	}
	for _, command := range []string{"baseline accept", "rescore"} {
		if code := s.run(strings.Fields(command)...); code != 2 {
			t.Errorf("%s of an interrupted run: exit code %d", command, code)
		}
	}
}

func TestInterruptEndsOneCall(t *testing.T) {
	s := newSession(t)
	go s.after(t, 1, os.Interrupt)
	if code := s.run("ask", "triage", "-v", "ticket=hi", "--model", "stuck"); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if s.stdout.Len() > 0 || !strings.HasPrefix(s.stderr.String(), "error: ") || !strings.Contains(s.stderr.String(), "llmx explain ") {
		t.Errorf("stdout %q, stderr %q", &s.stdout, &s.stderr)
	}
	for deadline := time.Now().Add(10 * time.Second); s.server.Canceled() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the provider saw %d requests given up within 10 s, want 1", s.server.Canceled())
		}
	}
}

// TestInterruptBeforeTheFirstCall presses Ctrl-C before the first call.
func TestInterruptBeforeTheFirstCall(t *testing.T) {
	s := newSession(t)
	s.signals <- os.Interrupt
	code := s.run("test", "--live", "--repeats", "300")
	if code != 130 || !strings.Contains(s.stderr.String(), " of 900 results are stored as run ") {
		t.Errorf("exit code %d, stderr %q", code, &s.stderr)
	}
	if code := s.run("runs"); code != 0 || !strings.Contains(s.stdout.String(), "interrupted") {
		t.Errorf("exit code %d, stdout %q", code, &s.stdout)
	}
}

// TestInterruptAtTheEnd ends many runs at the moment in which Ctrl-C comes: each is
// either complete or interrupted, and never both.
func TestInterruptAtTheEnd(t *testing.T) {
	s := newSession(t)
	for range 20 {
		sent := make(chan struct{})
		go func() { defer close(sent); s.after(t, s.server.Count()+3, os.Interrupt) }()
		code := s.run("test", "--live", "--fresh")
		<-sent
		for len(s.signals) > 0 { // one that came too late is not for the next command
			<-s.signals
		}
		verdict := strings.HasPrefix(s.stdout.String(), "PASS")
		if complete := code == 0 && verdict; !complete && (code != 130 || s.stdout.Len() > 0) {
			t.Fatalf("exit code %d, stdout %q, stderr %q", code, &s.stdout, &s.stderr)
		}
		if code := s.run("runs", "show"); code != 0 || verdict != strings.HasPrefix(s.stdout.String(), "PASS") {
			t.Fatalf("exit code %d: the run is stored as %.20q", code, &s.stdout)
		}
	}
}
