package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// smallProject writes a project of one text prompt and one case per golden.
func smallProject(t *testing.T, config string, goldens ...string) string {
	t.Helper()
	dir := t.TempDir()
	suite := "suite: say\nprompt: say\ncases:\n"
	for i, golden := range goldens {
		suite += fmt.Sprintf("  - {id: case-%d, vars: {word: word-%d}, golden: %q}\n", i, i, golden)
	}
	for name, text := range map[string]string{
		"llmx.yaml":                 config,
		"suites/say.yaml":           suite,
		"prompts/say/draft.prompty": "---\nname: say\nmodel: {id: small}\ninputs:\n  word: {kind: string, required: true}\n---\nuser:\nSay {{ word }}\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func accuracy(t *testing.T, dir string, args ...string) (share float64, code int) {
	t.Helper()
	code, out, errs := keyless(t, dir, append([]string{"test", "--json"}, args...)...)
	var run struct {
		Groups []struct {
			Metrics []struct {
				Name  string   `json:"name"`
				Value *float64 `json:"value"`
			} `json:"metrics"`
		} `json:"groups"`
	}
	if err := json.Unmarshal([]byte(out), &run); err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	for _, m := range run.Groups[0].Metrics {
		if m.Name == "accuracy" && m.Value != nil {
			return *m.Value, code
		}
	}
	t.Fatalf("no accuracy in\n%s", out)
	return 0, code
}

func TestCacheDoesNotStandInForAnotherServer(t *testing.T) {
	says := func(text string) *upstream.Server {
		return upstream.New(t, func(string, []upstream.Message, map[string]any) upstream.Reply { return upstream.Reply{Text: text} })
	}
	right, wrong := says("yes"), says("no")
	config := "version: 1\nproviders:\n  p: {kind: openai, base_url: %q}\nmodels:\n  small: {provider: p, model: m, price: {input: 1, output: 1}}\n"
	dir := smallProject(t, fmt.Sprintf(config, right.URL()), "yes", "yes")
	if share, _ := accuracy(t, dir, "--live"); share != 1 {
		t.Fatalf("accuracy %v of the right server", share)
	}
	if share, _ := accuracy(t, dir, "--live"); share != 1 || right.Count() != 2 {
		t.Fatalf("accuracy %v after %d requests; want the cache to answer the second time", share, right.Count())
	}
	if err := os.WriteFile(filepath.Join(dir, "llmx.yaml"), fmt.Appendf(nil, config, wrong.URL()), 0o644); err != nil {
		t.Fatal(err)
	}
	if share, code := accuracy(t, dir, "--live"); share != 0 || code != 1 || wrong.Count() != 2 {
		t.Errorf("accuracy %v, exit %d after %d requests to the other server; want it asked, and failing", share, code, wrong.Count())
	}
}

// A simulated model knows the golden answer, which is in no key: its answers are
// made anew, so that other settings are seen at once.
func TestSimulatedAnswersAreNotCached(t *testing.T) {
	config := "version: 1\nproviders:\n  s: {kind: sim}\nmodels:\n  small: {provider: s, sim: {accuracy: %v}}\n"
	dir := smallProject(t, fmt.Sprintf(config, 1), "a", "b", "c", "d")
	if share, _ := accuracy(t, dir, "--live"); share != 1 {
		t.Fatalf("accuracy %v, want 1", share)
	}
	if err := os.WriteFile(filepath.Join(dir, "llmx.yaml"), fmt.Appendf(nil, config, 0), 0o644); err != nil {
		t.Fatal(err)
	}
	if share, _ := accuracy(t, dir, "--live"); share != 0 {
		t.Errorf("accuracy %v after it was set to 0", share)
	}
}

// What was paid for must not be lost in silence.
func TestFilesRemovedDuringARun(t *testing.T) {
	for name, test := range map[string]struct {
		remove  string
		message string
	}{
		"recordings": {"fixtures", "what was recorded is lost"},
		"the store":  {".llmx", "was removed or replaced during the run"},
	} {
		t.Run(name, func(t *testing.T) {
			var dir string
			server := upstream.New(t, func(_ string, messages []upstream.Message, _ map[string]any) upstream.Reply {
				if messages[0].Content == "Say word-1" { // word-0 has been recorded by now: there is one job
					if err := os.RemoveAll(filepath.Join(dir, test.remove)); err != nil {
						t.Error(err)
					}
				}
				return upstream.Reply{Text: "yes"}
			})
			dir = smallProject(t, fmt.Sprintf("version: 1\nproviders:\n  p: {kind: openai, base_url: %q}\nmodels:\n  small: {provider: p, price: {input: 1, output: 1}}\n", server.URL()), "yes", "yes", "yes")
			code, out, errs := keyless(t, dir, "test", "--record", "--jobs", "1")
			if code != 4 || !strings.Contains(errs, test.message) {
				t.Errorf("exit %d\n%s%s\nwant 4: %s", code, out, errs, test.message)
			}
		})
	}
}
