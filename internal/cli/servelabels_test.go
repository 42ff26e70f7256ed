package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

func TestServeGivesWhatLabelsSay(t *testing.T) {
	s := released(t, "production: 0.1.0\ncanary: {version: 0.2.0, percent: 50}\n")
	r := s.serve(t)
	seen := map[string]string{}
	count := map[string]int{}
	for round := range 2 {
		for i := range 60 {
			user := fmt.Sprintf("user-%d", i)
			version := r.version("triage", user)
			if round == 0 {
				count[version]++
				seen[user] = version
			} else if seen[user] != version {
				t.Errorf("%s got %s, then %s", user, seen[user], version)
			}
		}
	}
	if count["0.1.0"] < 15 || count["0.2.0"] < 15 || len(count) != 2 {
		t.Errorf("of 60 users at 50 %%: %v", count)
	}
	for range 40 { // nobody is known: every call is drawn anew
		count["nobody "+r.version("triage", "")]++
	}
	if count["nobody 0.1.0"] < 5 || count["nobody 0.2.0"] < 5 {
		t.Errorf("of calls without a user: %v", count)
	}
	for ref, want := range map[string]string{"triage@canary": "0.2.0", "triage@production": "0.1.0", "triage@0.3.0": "0.3.0", "triage@0.1.0": "0.1.0"} {
		if got := r.version(ref, "u"); got != want {
			t.Errorf("%s is %s, want %s", ref, got, want)
		}
	}
	for ref, want := range map[string]string{"triage@draft": "drafts are not served", "triage@staging": `no release or label \"staging\"`, "triage@9.0.0": `no release \"9.0.0\"`, "nobody": `no prompt \"nobody\" (allowed: triage)`} {
		if got := r.version(ref, "u"); !strings.HasPrefix(got, "404 ") || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %q", ref, got, want)
		}
	}
	_, _, listed := r.send("GET", "/v1/prompts", "")
	var body struct {
		Prompts []struct {
			Name, Version string
			Labels        []struct {
				Label, Version string
				Percent        float64
			}
		}
	}
	if err := json.Unmarshal([]byte(listed), &body); err != nil || len(body.Prompts) != 1 || body.Prompts[0].Version != "0.1.0" ||
		fmt.Sprint(body.Prompts[0].Labels) != "[{canary 0.2.0 50} {production 0.1.0 0}]" {
		t.Errorf("%v: %s", err, listed)
	}
	r.stop()
	if calls := s.mustRun(0, "calls", "--limit", "0", "--json"); !strings.Contains(calls, `"version":"0.2.0"`) && !strings.Contains(calls, "triage@0.2.0") {
		t.Errorf("calls do not say the version: %.400s", calls)
	}
}

func TestServeStartsOnlyWithFilesThatAreWhole(t *testing.T) {
	for what, c := range map[string]struct{ file, text, want string }{
		"labels of more than all": {"prompts/triage/labels.yaml", "production: 0.1.0\na: {version: 0.2.0, percent: 60}\nb: {version: 0.3.0, percent: 60}\n", "prompts/triage/labels.yaml:3:1: the labels of triage have 120 %"},
		"a label of no release":   {"prompts/triage/labels.yaml", "production: 0.1.0\nold: 0.0.9\n", `prompts/triage/labels.yaml:2:1: triage has no release "0.0.9"`},
		"an edited release":       {"prompts/triage/0.1.0.prompty", ticketPrompt, "the release triage@0.1.0 was edited"},
		"a broken configuration":  {"llmx.yaml", "version: 1\nmodel: {}\n", "llmx.yaml:2:1"},
	} {
		t.Run(what, func(t *testing.T) {
			s := released(t, "production: 0.1.0\n")
			s.write(c.file, c.text)
			if code, _, stderr := s.run("lint"); code != 3 {
				t.Errorf("lint: exit %d, %q", code, stderr)
			}
			code, stdout, stderr := s.run("serve", "--addr", "127.0.0.1:0")
			if code != 3 || stdout != "" || !strings.Contains(stderr, c.want) {
				t.Errorf("exit %d, stdout %q, stderr %q, want %q", code, stdout, stderr, c.want)
			}
		})
	}
}

func TestWithoutTheLabelProductionAPromptIsNotServed(t *testing.T) {
	s := released(t, "staging: 0.2.0\n")
	r := s.serve(t)
	r.says(`todo="set it: llmx prompt label triage production 0.3.0"`)
	if got := r.version("triage", ""); !strings.HasPrefix(got, "404 ") || !strings.Contains(got, `no label \"production\"`) {
		t.Error(got)
	}
	if got := r.version("triage@staging", ""); got != "0.2.0" {
		t.Error(got)
	}
	s.mustRun(0, "prompt", "label", "triage", "production", "0.1.0")
	r.until("it is served", func() bool { return r.version("triage", "") == "0.1.0" })
}

// A line of the log parts what is wrong from what is allowed, and says once what waits for
// another start.
func TestALineOfTheLogCanBeRead(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	s.write("prompts/fresh/draft.prompty", strings.Replace(ticketPrompt, "name: triage", "name: fresh", 1))
	r := s.serve(t)
	r.says(`level=INFO msg="there are prompts with drafts alone, which are not served" prompts=fresh todo="llmx prompt release NAME --minor; then llmx prompt label NAME production VERSION; or --draft, for development"`)
	if _, body := r.ready(); body.warns("prompt_unserved") {
		t.Errorf("a draft is nothing to warn of: %+v", body)
	}
	s.write("prompts/triage/labels.yaml", "production: 7.0.0\n")
	r.says(`triage has no release \"7.0.0\"; did you mean`)

	config, err := os.ReadFile(s.path("llmx.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("llmx.yaml", string(config)+"budgets: [{scope: project, usd: 1, per: day}]\n")
	s.write("prompts/triage/labels.yaml", "production: 0.2.0\n")
	const waits = `msg="llmx.yaml has changes that need a restart" keys=budgets`
	r.says(waits)
	s.write("prompts/triage/labels.yaml", "production: 0.3.0\n")
	r.until("it is 0.3.0", func() bool { return r.version("triage", "") == "0.3.0" })
	if n := strings.Count(r.log.String(), waits); n != 1 || strings.Contains(r.log.String(), `changed=""`) {
		t.Errorf("the log says %d times what needs a restart:\n%s", n, r.log)
	}
}

// What is broken is not served, and says where; what was served before goes on.
func TestServeFollowsTheFiles(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	r := s.serve(t)
	is := func(want string) {
		t.Helper()
		r.until("triage is "+want, func() bool { return r.version("triage", "") == want })
	}
	is("0.1.0")
	s.write("prompts/triage/labels.yaml", "production: 0.2.0\n")
	is("0.2.0")

	s.write("prompts/triage/labels.yaml", "production: 0.3.0\nproduction: 0.1.0\n")
	r.until("readiness warns", func() bool { _, body := r.ready(); return body.warns("reload_failed") })
	status, body := r.ready()
	if status != 200 || body.Status != "ready" || body.Warnings[0].At != "prompts/triage/labels.yaml:2:1" {
		t.Errorf("%d %+v", status, body)
	}
	if _, _, metrics := r.send("GET", "/metrics", ""); !strings.Contains(metrics, "\nllmx_config_current 0\n") {
		t.Error("the metrics do not say that the files are not served")
	}
	is("0.2.0")
	s.write("prompts/triage/labels.yaml", "production: 0.3.0\n")
	is("0.3.0")
	if _, _, metrics := r.send("GET", "/metrics", ""); !strings.Contains(metrics, "\nllmx_config_current 1\n") {
		t.Error("the metrics do not say that the files are served")
	}
	if _, body := r.ready(); body.warns("reload_failed") {
		t.Errorf("%+v", body)
	}

	// Half of a checkout: the label has come, and its release has not.
	release, err := os.ReadFile(s.path("prompts/triage/0.1.0.prompty"))
	if err != nil {
		t.Fatal(err)
	}
	s.remove("prompts/triage/0.1.0.prompty")
	s.write("prompts/triage/labels.yaml", "production: 0.1.0\n")
	r.until("readiness warns", func() bool { _, body := r.ready(); return body.warns("reload_failed") })
	is("0.3.0")
	s.write("prompts/triage/0.1.0.prompty", string(release))
	is("0.1.0")

	// A model that goes away, and comes back elsewhere.
	moved := upstream.New(t, func(string, []upstream.Message, map[string]any) upstream.Reply { return upstream.Reply{Text: "bug"} })
	config, err := os.ReadFile(s.path("llmx.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("llmx.yaml", strings.Replace(string(config), s.server.URL(), moved.URL(), 1))
	r.until("the other server answers", func() bool { _ = r.version("triage", fmt.Sprint(time.Now().UnixNano())); return moved.Count() > 0 })
	s.write("llmx.yaml", strings.Replace(string(config), "  small:", "  tiny:", 1))
	r.until("readiness warns", func() bool { _, body := r.ready(); return body.warns("reload_failed") })
	is("0.1.0")
	s.write("llmx.yaml", strings.Replace(string(config), "test:", "store: {path: elsewhere.db}\ntest:", 1))
	r.until("readiness says that a start is needed", func() bool { _, body := r.ready(); return body.warns("restart_needed") })
	r.says("keys=store.path")
	is("0.1.0")
	r.stop()
	if _, err := os.Stat(s.path("elsewhere.db")); err == nil {
		t.Error("another store was made")
	}
}

// What is served was read when it was checked: files that go do not matter, until
// another reading is asked for.
func TestAServedReleaseNeedsItsFileNoMore(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	s.settings("serve: {reload: 0s}\n")
	r := s.serve(t)
	for _, version := range []string{"0.1.0", "0.3.0"} {
		s.remove("prompts/triage/" + version + ".prompty")
	}
	for ref, want := range map[string]string{"triage": "0.1.0", "triage@0.3.0": "0.3.0"} {
		if got := r.version(ref, ""); got != want {
			t.Errorf("%s is %s", ref, got)
		}
	}
	r.signal(syscall.SIGHUP)
	r.says("the files cannot be served")
	if got := r.version("triage", ""); got != "0.1.0" {
		t.Error(got)
	}
}

func TestARequestUnderWayEndsInWhatItBeganWith(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	asked, answer := make(chan bool, 8), make(chan bool)
	s.answer = func(_, ticket string) upstream.Reply {
		if strings.Contains(ticket, "wait for me") {
			asked <- true
			<-answer
		}
		return upstream.Reply{Text: "billing"}
	}
	letGo := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(letGo) // before the provider is closed, which waits
	r := s.serve(t)
	ended := make(chan string, 1)
	go func() {
		_, header, body := r.send("POST", "/v1/prompts/triage", `{"variables": {"ticket": "wait for me"}}`)
		ended <- header.Get("X-Llmx-Prompt") + body
	}()
	select {
	case <-asked:
	case got := <-ended:
		t.Fatal(got)
	}
	s.write("prompts/triage/labels.yaml", "production: 0.2.0\n")
	s.remove("prompts/triage/0.1.0.prompty")
	s.mustRun(0, "prompt", "list") // the release is marked, and all goes on
	r.until("0.2.0 is served", func() bool { return r.version("triage", "") == "0.2.0" })
	letGo()
	if got := <-ended; !strings.HasPrefix(got, "triage@0.1.0") || !strings.Contains(got, `"output":"billing"`) {
		t.Error(got)
	}
}

// A label that is set on a server is in force at once, on every server of the store, and
// after a restart; it ends when its time is up, or when the files agree.
func TestALabelSetOnServers(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	a, b := s.serve(t), s.serve(t)
	began := time.Now()
	out := s.mustRun(0, "prompt", "label", "triage", "production", "0.3.0", "--server", a.url, "--because", "0.1.0 asks twice")
	if got := a.version("triage", ""); got != "0.3.0" {
		t.Errorf("%s after %v", got, time.Since(began))
	}
	if want := a.url + ": triage@production is 0.3.0 now, it was 0.1.0; until its files say so\n"; out != want {
		t.Errorf("said %q, want %q", out, want)
	}
	b.until("the other server has heard of it", func() bool { return b.version("triage", "") == "0.3.0" })
	t.Logf("both serve it after %v", time.Since(began))
	if took := time.Since(began); took > 5*time.Second { // a second on a machine with nothing else to do
		t.Errorf("that took %v", took)
	}
	b.stop()
	b = s.serve(t)
	if got := b.version("triage", ""); got != "0.3.0" {
		t.Errorf("after a restart: %s", got)
	}
	_, body := b.ready()
	if o := body.Overrides; len(o) != 1 || o[0].Version != "0.3.0" || o[0].Because != "0.1.0 asks twice" || o[0].By != "loopback" {
		t.Errorf("%+v", body)
	}

	// Rolled back to its parent, for a moment.
	s.mustRun(0, "prompt", "rollback", "triage", "--server", a.url, "--because", "worse", "--until", "1s")
	if got := a.version("triage", ""); got != "0.2.0" {
		t.Error(got)
	}
	for _, r := range []*replica{a, b} {
		r.until("its time is up", func() bool { return r.version("triage", "") == "0.1.0" })
	}
	// A share, which the files agree with later.
	s.mustRun(0, "prompt", "label", "triage", "canary", "0.2.0", "--percent", "100", "--server", a.url, "--because", "all")
	if got := a.version("triage", ""); got != "0.2.0" {
		t.Error(got)
	}
	s.write("prompts/triage/labels.yaml", "production: 0.1.0\ncanary: {version: 0.2.0, percent: 100}\n")
	a.until("the files agree", func() bool { _, body := a.ready(); return len(body.Overrides) == 0 })
	if got := a.version("triage", ""); got != "0.2.0" {
		t.Error(got)
	}
	audit := s.mustRun(0, "prompt", "audit", "triage", "--json")
	ends := []string{`"how":"agreed"`, `"how":"expired"`, `"how":"replaced"`}
	lines := strings.Split(strings.TrimSpace(audit), "\n")
	if len(lines) != len(ends) {
		t.Fatalf("the log is\n%s", audit)
	}
	for i, end := range ends {
		if !strings.Contains(lines[i], end) {
			t.Errorf("line %d is %s, want %s in it", i, lines[i], end)
		}
	}
	if remote := s.mustRun(0, "prompt", "audit", "triage", "--json", "--server", b.url); remote != audit {
		t.Errorf("the server says\n%s, the store\n%s", remote, audit)
	}
}

func TestALabelThatCannotBeSet(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	s.write("prompts/triage/0.3.0.prompty", ticketPrompt) // drifted, and labelled by nobody
	a := s.serve(t)
	for want, args := range map[string][]string{
		"was edited":                           {"label", "triage", "production", "0.3.0"},
		`has no release "7.0.0"`:               {"label", "triage", "production", "7.0.0"},
		"a label names a release":              {"label", "triage", "production", "draft"},
		`there is no prompt "nobody"`:          {"label", "nobody", "production", "0.1.0"},
		`"1.0.0" cannot be a label`:            {"label", "triage", "1.0.0", "0.1.0"},
		"has a share of the callers":           {"label", "triage", "production", "0.2.0", "--percent", "5"},
		"is the first release":                 {"rollback", "triage"},
		`triage has no label "staging"`:        {"rollback", "triage", "staging"},
		"--server needs a reason":              {"label", "triage", "production", "0.2.0", "--because", " "},
		"--until yesterday is no time":         {"label", "triage", "production", "0.2.0", "--until", "yesterday"},
		"--server localhost is no address":     {"label", "triage", "production", "0.2.0", "--server", "localhost"},
		"--percent 101 is no share":            {"label", "triage", "production", "0.2.0", "--percent", "101"},
		"--until 2020-01-01 is no time to com": {"label", "triage", "production", "0.2.0", "--until", "2020-01-01"},
	} {
		args = append([]string{"prompt"}, append(args, "--server", a.url)...)
		if !strings.HasPrefix(want, "--server needs") {
			args = append(args, "--because", "why not")
		}
		code, stdout, stderr := s.run(args...)
		if code == 0 || !strings.Contains(stdout+stderr, want) {
			t.Errorf("llmx %v: exit %d, %q, want %q in it", args, code, stdout+stderr, want)
		}
	}
	if got := a.version("triage", ""); got != "0.1.0" {
		t.Error(got)
	}
	// Of two servers one cannot be reached: each is told, and the command fails.
	code, stdout, stderr := s.run("prompt", "label", "triage", "production", "0.2.0", "--server", "http://127.0.0.1:1,"+a.url, "--because", "x")
	if code != 4 || !strings.Contains(stdout, "http://127.0.0.1:1: NOT SET: the server cannot be reached") || !strings.Contains(stdout, a.url+": triage@production is 0.2.0 now") ||
		!strings.Contains(stderr, "1 of 2 servers did not set the label\n  they serve different releases now") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if got := a.version("triage", ""); got != "0.2.0" {
		t.Error(got)
	}
	if code, _, stderr := s.run("prompt", "label", "triage", "production", "0.2.0", "--because", "x"); code != 2 || !strings.Contains(stderr, "--because goes with --server") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

// A page in a browser of the server's machine is none of its programs.
func TestLabelsAreNotForPagesAndProxies(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	r := s.serve(t)
	const body = `{"prompt": "triage", "label": "production", "version": "0.2.0", "because": "x"}`
	for _, headers := range [][]string{{"Origin", "https://example.com"}, {"X-Forwarded-For", "203.0.113.9"}, {"Content-Type", "text/plain"}} {
		if status, _, text := r.send("POST", "/v1/labels", body, headers...); status != 403 && status != 415 {
			t.Errorf("%v: %d %s", headers, status, text)
		}
	}
	if status, body := r.ready("X-Forwarded-For", "203.0.113.9"); status != 200 || body.Status != "ready" || body.Warnings != nil {
		t.Errorf("a stranger is told %d %+v", status, body)
	}
	if status, _, text := r.send("GET", "/livez", "", "X-Forwarded-For", "203.0.113.9"); status != 200 || text != "{\"status\":\"alive\"}\n" {
		t.Errorf("%d %s", status, text)
	}
	if got := r.version("triage", ""); got != "0.1.0" {
		t.Error(got)
	}
}
