package store

import (
	"path/filepath"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

// What a caller brings besides messages is its own as well: tools, the schema of the
// answer, and options that are texts. The contract of a prompt stands in a file.
func TestWhatCallersBringIsContent(t *testing.T) {
	const secret, ours = "xyzzy-4711", "plugh-4711"
	for content, kept := range map[Content]bool{ContentFull: true, ContentRedacted: false, ContentNone: false} {
		path := filepath.Join(t.TempDir(), "llmx.db")
		s := openTest(t, path, Options{Content: content})
		brought := func(id string, prompt llm.PromptRef, schema string) *llm.Call {
			call := sampleCall("", 1)
			call.ID, call.Prompt, call.Origin = id, prompt, llm.Origin{}
			turn := call.Turn()
			turn.Output.Schema = []byte(`{"type":"object","title":"` + schema + `"}`)
			turn.Tools = llm.Tools{Choice: secret, List: []llm.ToolSpec{{Name: secret, Description: secret, Parameters: []byte(`{"title":"` + secret + `"}`)}}}
			turn.Options = llm.Options{
				"temperature": []byte("0.5"), "stop": []byte(` ["` + secret + `"]`), "metadata": []byte(`{"a":"` + secret + `"}`), "safety": []byte(`"` + secret + `"`),
			}
			s.Record(call)
			return call
		}
		bare := brought("bare", llm.PromptRef{}, secret)
		brought("prompted", llm.PromptRef{Name: "triage", Version: "1.0.0", Hash: "h"}, ours)
		if err := s.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if got := holds(t, path, secret); got != kept {
			t.Errorf("content %s: what the caller brought is in the file: %t", content, got)
		}
		if !holds(t, path, ours) {
			t.Errorf("content %s: the prompt's contract is lost", content)
		}
		if turn := bare.Turn(); len(turn.Options) != 4 || !turn.Tools.Offered() || turn.Output.Schema == nil {
			t.Errorf("content %s: the caller's call was changed", content)
		}
		if stored, err := s.Call(ctx, "bare"); err != nil || string(stored.Turn().Options["temperature"]) != "0.5" {
			t.Errorf("content %s: %+v %v", content, stored, err)
		}
	}
}
