package openai

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

func TestToolsAreSentNatively(t *testing.T) {
	list := []llm.ToolSpec{
		{Name: "find", Description: `Says "x" <b>`, Parameters: json.RawMessage(`{"type":"object","required":["z","a"]}`)}, {Name: "now"},
	}
	const both = `"tools":[{"type":"function","function":{"name":"find","description":"Says \"x\" <b>","parameters":{"type":"object","required":["z","a"]}}},` +
		`{"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}]`
	for _, test := range []struct {
		tools llm.Tools
		want  string
	}{
		{llm.Tools{}, ""},
		{llm.Tools{List: list}, both},
		{llm.Tools{List: list, Choice: "auto"}, both},
		{llm.Tools{List: list, Choice: "none"}, both + `,"tool_choice":"none"`},
		{llm.Tools{List: list, Choice: "required", OneAtATime: true}, both + `,"tool_choice":"required","parallel_tool_calls":false`},
		{llm.Tools{List: list, Choice: "now"}, both + `,"tool_choice":{"type":"function","function":{"name":"now"}}`},
	} {
		b, err := appendRequest(nil, "m", Caps{}, llm.Request{Tools: test.tools})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"model":"m","messages":[]`
		if test.want != "" {
			want += "," + test.want
		}
		if string(b) != want || !json.Valid(append(b, '}')) {
			t.Errorf("got  %s\nwant %s", b, want)
		}
	}
}

// Two places that offer tools would contradict each other on the wire.
func TestToolsInOptionsBesideToolsAreRefused(t *testing.T) {
	request := llm.Request{Tools: llm.Tools{List: []llm.ToolSpec{{Name: "now"}}}, Options: llm.Options{"tool_choice": json.RawMessage(`"none"`)}}
	if _, err := appendRequest(nil, "m", Caps{}, request); err == nil || !strings.Contains(err.Error(), `option "tool_choice"`) {
		t.Errorf("got %v", err)
	}
	request.Tools = llm.Tools{}
	if b, err := appendRequest(nil, "m", Caps{}, request); err != nil || !strings.HasSuffix(string(b), `"tool_choice":"none"`) {
		t.Errorf("got %s, %v", b, err)
	}
}
