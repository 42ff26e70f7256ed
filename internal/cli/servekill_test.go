package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/store"
)

// The store is not on the path of a request, and yet kill -9 loses no more than what was
// answered in the last moment, and no money at all beyond what was leased.
func TestKillUnderLoad(t *testing.T) {
	const bound = 500 * time.Millisecond // 50 ms and a batch on a machine with nothing else to do
	s := released(t, "production: 0.1.0\n")
	s.settings("cache: {exact: {ttl: 0s}}\nbudgets: [{scope: project, usd: 5, per: day}]\n")
	s.answer = func(string, string) upstream.Reply {
		return upstream.Reply{Text: "billing", Delay: 5 * time.Millisecond}
	}
	r := s.serve(t)

	var mu sync.Mutex
	answered := map[string]time.Time{} // calls
	var callers sync.WaitGroup
	for c := range 16 {
		callers.Go(func() {
			for i := 0; ; i++ {
				resp, err := http.Post(r.url+"/v1/prompts/triage", "application/json", strings.NewReader(fmt.Sprintf(`{"variables": {"ticket": "ticket %d of %d"}}`, i, c)))
				if err != nil {
					return // it was killed
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					return
				}
				var body struct{ ID string }
				if json.Unmarshal(text, &body) != nil || body.ID == "" {
					t.Errorf("%d %s", resp.StatusCode, text)
					return
				}
				mu.Lock()
				answered[body.ID] = time.Now()
				mu.Unlock()
			}
		})
	}
	time.Sleep(3 * bound)
	killed := time.Now()
	if err := r.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	callers.Wait()
	<-r.ended
	r.ended <- nil
	paid := llm.Money(s.server.Count()) * 50_000

	kept, err := store.Open(t.Context(), s.path(".llmx/llmx.db"), store.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	there := map[string]bool{}
	for call, err := range kept.Calls(t.Context(), store.CallFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		there[call.ID] = true
	}
	lost, due := 0, 0
	for id, at := range answered {
		if killed.Sub(at) > bound {
			due++
			if !there[id] {
				t.Errorf("the call %s is lost: it was answered %v before the end", id, killed.Sub(at))
			}
		} else if !there[id] {
			lost++
		}
	}
	t.Logf("%d answered, %d of them more than %v before the end; %d of the last are lost", len(answered), due, bound, lost)
	if due < 50 {
		t.Errorf("only %d calls were answered before", due)
	}
	balances, err := kept.Balances(t.Context(), budget.ScopeProject, budget.PerDay, budget.PerDay.Period(time.Now()))
	if err != nil || len(balances) != 1 {
		t.Fatalf("%v %v", balances, err)
	}
	b := balances[0]
	if held := b.Spent + b.Leased + b.Lost; held < paid || b.Spent > paid {
		t.Errorf("the provider was paid %d; %d is spent, %d leased and %d lost", paid, b.Spent, b.Leased, b.Lost)
	}
	// Another server goes on from there.
	if again := s.serve(t); again.version("triage", "") != "0.1.0" {
		t.Error("the next server does not answer")
	}
}
