package openai

import (
	"net/http/httptest"
	"slices"
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

// Also the name of a tool may come in pieces, each of which holds nothing of the key
// that one could know.
func TestKeyInPiecesOfAToolCallIsHidden(t *testing.T) {
	const key = "sk-secret-1234567890"
	for name, test := range map[string]struct{ said, want string }{
		"the key":              {key, "***"},
		"the key in it":        {"look_" + key + "_up", "look_***_up"},
		"as the key begins":    {"look_sk-secret", "look_sk-secret"},
		"the key and its head": {key + "s", "***s"},
	} {
		for size := 1; size <= len(test.said); size++ {
			var body strings.Builder
			for rest := test.said; rest != ""; rest = rest[min(size, len(rest)):] {
				piece := rest[:min(size, len(rest))]
				for _, function := range []string{`"name":"` + piece + `"`, `"arguments":"` + piece + `"`} {
					body.WriteString(`data: {"choices":[{"delta":{"tool_calls":[{"index":1,"id":"id-` + key + `","function":{` + function + `}}]}}]}` + "\n\n")
				}
			}
			server := httptest.NewServer(says("text/event-stream", body.String()+lastChunk+doneLine))
			provider := New(Options{Name: "acme", BaseURL: server.URL, APIKey: key})
			got, err := collect(t.Context(), provider.Model("m", Caps{}), hello())
			provider.Close()
			server.Close()
			want := []llm.ToolCall{{ID: "id-***", Name: test.want, Arguments: test.want}}
			if err != nil || !slices.Equal(got.ToolCalls, want) {
				t.Errorf("%s, %d bytes a piece: got %+v, %v; want %+v", name, size, got.ToolCalls, err, want)
			}
		}
	}
}
