package openai

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// A server may repeat the key in its answer, cut anywhere.
func TestKeyInTheAnswerIsHidden(t *testing.T) {
	const key = "sk-secret-1234567890"
	said := "Your key is " + key + ", and it begins with sk-secret; again: " + key
	want := "Your key is ***, and it begins with sk-secret; again: ***"
	for pieces := 1; pieces <= len(said); pieces += 3 {
		server := upstream.New(t, func(string, []upstream.Message, map[string]any) upstream.Reply {
			return upstream.Reply{
				Text: said, Reasoning: "hm, " + key, Pieces: pieces, ID: "id-" + key, Model: "m-" + key,
				ToolCalls: []upstream.ToolCall{{ID: "id-" + key, Name: "look_" + key, Arguments: `{"key": "` + key + `"}`}},
			}
		})
		provider := New(Options{Name: "loopback", BaseURL: server.URL(), APIKey: key})
		got, err := llm.Collect(provider.Model("m", Caps{}).Stream(t.Context(), llm.Request{Messages: []llm.Message{llm.Text(llm.User, "hi")}}))
		provider.Close()
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join([]string{got.Text, got.Reasoning, got.End.Model, got.End.ResponseID, got.ToolCalls[0].Arguments, got.ToolCalls[0].ID, got.ToolCalls[0].Name}, "\n")
		if got.Text != want || strings.Contains(all, key) || got.ToolCalls[0].Arguments != `{"key": "***"}` {
			t.Fatalf("in %d pieces: %q", pieces, all)
		}
	}
}
