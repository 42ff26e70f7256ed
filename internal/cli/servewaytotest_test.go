package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The way of an answer from production to a test: served, said to be wrong over HTTP,
// found, asked again, made a case, and judged from then on. The server runs all along.
func TestFromAnAnswerToACase(t *testing.T) {
	k := newKeyed(t, keepsAll)
	shop, other := k.newKey("shop"), k.newKey("other")
	s := k.serve()
	ask := func(ticket, feedback string) string {
		t.Helper()
		var said struct{ ID string }
		status, answer, header := s.ask(shop, "/v1/prompts/triage", fmt.Sprintf(`{"variables": {"ticket": %q}, "user": "u-381"}`, ticket))
		if err := json.Unmarshal([]byte(answer), &said); err != nil || status != 200 || said.ID != header.Get("X-Request-Id") {
			t.Fatalf("%d %s", status, answer)
		}
		if status, answer, _ := s.ask(other, "/v1/calls/"+said.ID+"/feedback", feedback); status != 404 {
			t.Errorf("another key speaks of a call that is not its own: %d %s", status, answer)
		}
		if status, answer, _ := s.ask(shop, "/v1/calls/"+said.ID+"/feedback", feedback); status != 201 {
			t.Fatalf("%d %s", status, answer)
		}
		return said.ID
	}
	wrong := ask("I am jane@example.com, charged twice", `{"score": 0, "correction": {"label": "billing"}, "comment": "it is billing"}`)
	right := ask("the app crashes at start of the day", `{"score": 1, "correction": {"label": "bug"}}`)
	says := func(code int, want []string, args ...string) {
		t.Helper()
		got := k.run(args...)
		said := k.stdout.String() + k.stderr.String()
		for _, one := range want {
			if !strings.Contains(said, one) {
				t.Errorf("llmx %s: no %q in\n%s", strings.Join(args, " "), one, said)
			}
		}
		if got != code {
			t.Fatalf("llmx %s: exit %d, want %d\n%s", strings.Join(args, " "), got, code, said)
		}
	}
	says(0, []string{wrong, right, "answered, bad", "answered, good"}, "calls", "--key", "shop", "--user", "u-381")
	says(4, []string{`no stored call is by a key "other"`}, "calls", "--key", "other")
	says(0, []string{"\nshop "}, "cost", "--by", "key")
	says(0, []string{"2 calls would be removed"}, "calls", "purge", "--key", "shop", "--dry-run")
	says(0, []string{
		"key       shop", "user      u-381", "score 0, by the key shop", `right is {"label": "billing"}`,
		"llmx ask --from-call " + wrong + " --prompt triage@draft", "llmx cases from-calls tickets --call " + wrong,
	}, "explain", wrong)
	if said := k.stdout.String(); strings.Count(said, "\nkey ") != 1 {
		t.Errorf("the key is named more than once:\n%s", said)
	}
	says(0, []string{"before", wrong, "the same as before"}, "ask", "--from-call", wrong, "--prompt", "triage@draft")
	// As a client has it that knows OpenAI's ids alone.
	says(0, []string{"call      " + wrong}, "explain", "chatcmpl-"+wrong)
	says(0, []string{"before", wrong}, "ask", "--from-call", "resp_"+wrong)
	says(0, []string{"2 cases appended", "call-" + wrong, "redacted: 1 email"}, "cases", "from-calls", "tickets", "--feedback", "any")
	suite, err := os.ReadFile(filepath.Join(k.world.Dir, "suites", "tickets.yaml"))
	if err != nil || strings.Contains(string(suite), "jane@") || !strings.Contains(string(suite), `golden: {"label": "billing"}`) {
		t.Errorf("%v\n%s", err, suite)
	}
	says(0, nil, "lint")
	says(1, []string{"2 planned = 2 judged", "call-" + wrong, `want "billing", got "bug"`}, "test", "--live", "--model", "right", "--tag", "from-call")
}
