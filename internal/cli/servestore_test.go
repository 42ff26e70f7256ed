package cli_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// asking are callers who ask all the time. What is no answer, or another one than they
// are told to take, is an error.
type asking struct {
	r     *replica
	mu    sync.Mutex
	heard map[string]int // by status and code
	over  atomic.Bool
	all   sync.WaitGroup
}

func (r *replica) asked(key string) *asking {
	a := &asking{r: r, heard: map[string]int{}}
	for c := range 8 {
		a.all.Go(func() {
			for i := 0; !a.over.Load(); i++ {
				a.ask(key, fmt.Sprintf("ticket %d of %d", i, c))
				time.Sleep(10 * time.Millisecond) // more than the store can write is another trouble
			}
		})
	}
	r.t.Cleanup(a.end)
	return a
}

func (a *asking) ask(key, ticket string) {
	req, _ := http.NewRequest("POST", a.r.url+"/v1/prompts/triage", strings.NewReader(fmt.Sprintf(`{"variables": {"ticket": %q}}`, ticket)))
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.r.t.Errorf("no answer: %v", err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var body struct{ Error struct{ Code string } }
	if err != nil || json.Unmarshal(text, &body) != nil {
		a.r.t.Errorf("no whole answer: %v %s", err, text)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heard[strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", body.Error.Code))]++
}

func (a *asking) count(what string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.heard[what]
}

func (a *asking) end() {
	a.over.Store(true)
	a.all.Wait()
}

// storeTroubles are what may become of a store under a server, and how that ends.
var storeTroubles = map[string]func(s *tickets) (heal func()){
	"locked": func(s *tickets) func() {
		db, err := sql.Open("sqlite", s.path(".llmx/llmx.db"))
		if err != nil {
			s.t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, err = db.Exec("BEGIN EXCLUSIVE"); err == nil {
				break
			}
			if time.Now().After(end) {
				s.t.Fatal(err)
			}
		}
		return func() { db.Close() }
	},
	"broken": func(s *tickets) func() {
		s.write("broken", strings.Repeat("no database ", 1000))
		if err := os.Rename(s.path("broken"), s.path(".llmx/llmx.db")); err != nil {
			s.t.Fatal(err)
		}
		return func() { s.remove(".llmx/llmx.db") }
	},
	"without its folder": func(s *tickets) func() {
		if err := os.Rename(s.path(".llmx"), s.path("elsewhere")); err != nil {
			s.t.Fatal(err)
		}
		s.write(".llmx", "in its place")
		return func() { s.remove(".llmx") }
	},
}

// Whatever becomes of the store, every request is answered, the log, /readyz and
// /metrics say what is not recorded, keys and labels stand, and budgets do as configured;
// afterwards it is recorded again.
func TestAStoreInTroubleUnderLoad(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(storeTroubles)) {
		for _, budgets := range []string{"closed", "open"} {
			t.Run(name+" "+budgets, func(t *testing.T) { aStoreInTrouble(t, name, budgets) })
		}
	}
}

func aStoreInTrouble(t *testing.T, name, budgets string) {
	s := released(t, "production: 0.1.0\n")
	s.settings("store: {content: full, keep: 90d}\ncache: {exact: {ttl: 0s}}\nbudgets: [{scope: project, usd: 5, per: day}]\n" +
		"serve: {reload: 100ms, lame_duck: 100ms, budgets_without_store: " + budgets + "}\n")
	key := strings.TrimSpace(s.mustRun(0, "keys", "new", "shop", "--admin"))
	with := []string{"Authorization", "Bearer " + key}
	r := s.serve(t)
	label := `{"prompt": "triage", "label": "production", "version": %q, "because": "better"}`
	if status, _, body := r.send("POST", "/v1/labels", fmt.Sprintf(label, "0.2.0"), with...); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	metric := func(line string) func() bool {
		return func() bool {
			status, _, body := r.send("GET", "/metrics", "", with...)
			return status == 200 && strings.Contains(body, "\n"+line+"\n")
		}
	}
	callers := r.asked(key)
	r.until("callers are answered", func() bool { return callers.count("200") > 50 })

	heal := storeTroubles[name](s)
	r.says("calls are not kept")
	r.until("/metrics say so", metric("llmx_store_recording 0"))
	if status, body := r.ready(); status != 200 || !body.warns("store_not_recording") {
		t.Errorf("%d %+v", status, body)
	}
	before := callers.count("200")
	switch budgets {
	case "closed":
		r.until("the lease is spent", func() bool { return callers.count("429 insufficient_quota") > 0 })
	case "open":
		r.until("all go on", func() bool { return callers.count("200") > before+300 })
	}
	stands := func(when string) {
		t.Helper()
		for _, other := range []string{"", "Bearer llmx_" + strings.Repeat("0", 49)} {
			if status, _, body := r.send("GET", "/v1/models", "", "Authorization", other); status != 401 {
				t.Errorf("%s, with the key %q: %d %s", when, other, status, body)
			}
		}
		status, _, body := r.send("GET", "/v1/prompts", "", with...)
		if status != 200 || !strings.Contains(body, `"version":"0.2.0"`) {
			t.Errorf("%s: %d %s", when, status, body)
		}
	}
	stands("in trouble")
	if status, _, body := r.send("POST", "/v1/labels", fmt.Sprintf(label, "0.3.0"), with...); status != 503 {
		t.Errorf("a label that is not kept: %d %s", status, body)
	}
	heal()
	r.says("calls are kept again")
	r.until("/metrics say so", metric("llmx_store_recording 1"))
	r.until("/readyz says so", func() bool { _, body := r.ready(); return !body.warns("store_not_recording") })
	r.until("a call is answered, and found", func() bool {
		status, header, _ := r.send("POST", "/v1/prompts/triage", `{"variables": {"ticket": "again"}}`, with...)
		found, _, _ := r.send("GET", "/v1/calls/"+header.Get("X-Request-Id"), "", with...)
		return status == 200 && found == 200
	})
	callers.end()
	stands("afterwards")
	r.until("the label is in the store", func() bool {
		return strings.Count(s.mustRun(0, "prompt", "audit", "triage", "--json"), `"version":"0.2.0"`) == 1
	})
	delete(callers.heard, "200")
	if budgets == "closed" {
		delete(callers.heard, "429 insufficient_quota")
	}
	if len(callers.heard) > 0 {
		t.Errorf("callers heard %v", callers.heard)
	}
	r.stop()
}

// onASmallDisk serves with the store on a disk of 3 MB, and gives the disk's folder as
// others see it.
func (s *tickets) onASmallDisk(t *testing.T) (r *replica, disk string) {
	t.Helper()
	if err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", t.TempDir()).Run(); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	s.write("serve.sh", "#!/bin/sh\nmkdir -p .llmx\n"+commandVariable+`="$*" exec unshare -rm sh -c 'mount -t tmpfs -o size=3m none .llmx && exec "$0"' '`+os.Args[0]+"'\n")
	if err := os.Chmod(s.path("serve.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	r = s.serveBy(t, s.path("serve.sh"), "--addr", "127.0.0.1:0")
	return r, fmt.Sprintf("/proc/%d/root%s", r.process.Process.Pid, s.path(".llmx"))
}

// A disk that is full under load keeps nobody from an answer.
func TestAFullDiskUnderLoad(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	s.settings("cache: {exact: {ttl: 0s}}\nbudgets: [{scope: project, usd: 5, per: day}]\nserve: {lame_duck: 0s, budgets_without_store: open}\n")
	r, disk := s.onASmallDisk(t)
	callers := r.asked("none")
	r.until("callers are answered", func() bool { return callers.count("200") > 20 })
	if err := os.WriteFile(disk+"/filler", make([]byte, 8<<20), 0o600); err == nil {
		t.Fatal("the disk is larger than it should be")
	}
	r.says("calls are not kept")
	if status, body := r.ready(); status != 200 || !body.warns("store_not_recording") {
		t.Errorf("%d %+v", status, body)
	}
	if _, _, body := r.send("GET", "/metrics", ""); !strings.Contains(body, "\nllmx_store_recording 0\n") {
		t.Error("/metrics say that calls are kept")
	}
	before := callers.count("200")
	r.until("all go on", func() bool { return callers.count("200") > before+100 })
	callers.end()
	if err := os.Remove(disk + "/filler"); err != nil {
		t.Fatal(err)
	}
	r.says("calls are kept again")
	delete(callers.heard, "200")
	if len(callers.heard) > 0 {
		t.Errorf("callers heard %v", callers.heard)
	}
	r.stop()
}
