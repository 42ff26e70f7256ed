package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The example of the help topic is a case that can be run.
func TestTheConversationOfTheHelpLoads(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"llmx.yaml":                   "version: 1\nproject: x\nproviders: {sim: {kind: sim}}\nmodels: {sim: {provider: sim}}\n",
		"prompts/clerk/draft.prompty": "---\nname: clerk\nmodel: {id: sim}\ninputs:\n  history: {kind: thread, required: true}\n---\nsystem:\nHi.\n{{ history }}\n",
		"suites/clerk.yaml":           "suite: clerk\nprompt: clerk\ncases:\n" + conversationExample,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := openProject(&World{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	suites, err := p.loadSuites(selection{})
	if err != nil {
		t.Fatal(err)
	}
	for c, err := range suites[0].Cases() {
		if err != nil || len(c.Turns) != 3 || c.Asked() != 3 {
			t.Errorf("%v: %d turns, asked %d times", err, len(c.Turns), c.Asked())
		}
	}
	for _, line := range strings.Split(conversationsHelp, "\n") {
		if len([]rune(line)) > helpWidth {
			t.Errorf("a line of %d characters: %s", len([]rune(line)), line)
		}
	}
}
