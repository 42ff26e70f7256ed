package cli_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// With --draft an edit is served as soon as it is whole, and so is one of a file that the
// draft includes.
func TestServeFollowsDrafts(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	draft := func(system string) {
		s.write("prompts/triage/draft.prompty", strings.NewReplacer("system:\n", "system:\n"+system+"\n", "inputs:", "model: {id: small}\ninputs:").Replace(ticketPrompt))
	}
	s.write("prompts/_tone.j2", "Be polite.")
	draft(`{% include "_tone.j2" %}`)
	r := s.serve(t, "--draft")
	if got := r.version("triage", ""); got != "draft" {
		t.Error(got)
	}
	if got := r.version("triage@production", ""); got != "0.1.0" {
		t.Error(got)
	}
	says := func(want string) {
		t.Helper()
		r.until("the model is told: "+want, func() bool {
			_ = r.version("triage", "")
			requests := s.server.Requests()
			return strings.Contains(string(requests[len(requests)-1].Body), want)
		})
	}
	s.settings("cache: {exact: {ttl: 0s}}\nserve: {reload: 100ms}\n")
	r.says("the files were read again")
	says("Be polite.")
	s.write("prompts/_tone.j2", "Be short.")
	says("Be short.")
	draft("{{ nobody }}")
	r.until("readiness warns", func() bool { _, body := r.ready(); return body.warns("reload_failed") })
	_, body := r.ready()
	if at := body.Warnings[0].At; !strings.HasPrefix(at, "prompts/triage/draft.prompty:") {
		t.Errorf("the place is %q", at)
	}
	says("Be short.")
	draft("Be right.")
	says("Be right.")
}

// A signal asks for a look at once, also where nobody looks by himself. git at work is
// waited for.
func TestServeReadsAgainOnASignal(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	s.settings("serve: {reload: 0s}\n")
	r := s.serve(t)
	s.write("prompts/triage/labels.yaml", "production: 0.2.0\n")
	if got := r.version("triage", ""); got != "0.1.0" {
		t.Error(got)
	}
	r.signal(syscall.SIGHUP)
	r.until("0.2.0 is served", func() bool { return r.version("triage", "") == "0.2.0" })
	r.stop()
}

func TestACheckoutIsWaitedFor(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	r := s.serve(t)
	s.write(".git/index.lock", "")
	s.write("prompts/triage/labels.yaml", "production: 0.2.0\n")
	s.write("prompts/other/draft.prompty", "this is half of a file")
	for range 40 { // a second at least, with the looks at every 100 and 200 ms
		if got := r.version("triage", ""); got != "0.1.0" {
			t.Fatalf("%s is served while git is at work", got)
		}
		time.Sleep(25 * time.Millisecond)
	}
	if err := os.Remove(s.path(".git/index.lock")); err != nil {
		t.Fatal(err)
	}
	r.until("0.2.0 is served", func() bool { return r.version("triage", "") == "0.2.0" })
}

// Files that go away for a moment, as while others are put in their place, take no prompt
// with them; a signal says that it is meant.
func TestAPromptThatGoesIsServedForAWhile(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	r := s.serve(t)
	if err := os.Rename(s.path("prompts"), s.path("elsewhere")); err != nil {
		t.Fatal(err)
	}
	r.until("readiness warns", func() bool { _, body := r.ready(); return body.warns("reload_failed") })
	if got := r.version("triage", ""); got != "0.1.0" {
		t.Error(got)
	}
	if err := os.Rename(s.path("elsewhere"), s.path("prompts")); err != nil {
		t.Fatal(err)
	}
	r.until("all is well", func() bool { _, body := r.ready(); return !body.warns("reload_failed") })
	s.remove("prompts")
	r.signal(syscall.SIGHUP)
	r.until("it is gone", func() bool { return strings.HasPrefix(r.version("triage", ""), "404 ") })
}
