package llm

import (
	"strings"
	"testing"
)

func TestEstimate(t *testing.T) {
	text := Text(User, strings.Repeat("é", 400))
	tool := Message{Role: Assistant, Parts: []Part{
		{Kind: PartToolCall, ToolCall: &ToolCall{Arguments: "12345"}},
		{Kind: PartToolResult, ToolResult: &ToolResult{Content: "123"}},
		{Kind: PartImage, Media: &Media{URL: "https://x.test/a.png"}},
	}}
	offered := Tools{List: []ToolSpec{{Name: "find", Description: strings.Repeat("x", 361)}}} // 400 bytes of JSON
	for name, test := range map[string]struct {
		request Request
		want    Usage
	}{
		"nothing":                {Request{}, Usage{Output: 256}},
		"without a bound":        {Request{Messages: []Message{text}}, Usage{Input: 200, Output: 256}},
		"max_tokens":             {Request{Options: Options{"max_tokens": []byte("10")}}, Usage{Output: 10}},
		"max_completion_tokens":  {Request{Options: Options{"max_completion_tokens": []byte("20")}}, Usage{Output: 20}},
		"a bound that is none":   {Request{Options: Options{"max_tokens": []byte(`"many"`)}}, Usage{Output: 256}},
		"tools that are offered": {Request{Tools: offered}, Usage{Input: 101, Output: 256}},
		"tools and an image":     {Request{Messages: []Message{tool}}, Usage{Input: 2 + 1000, Output: 256}},
	} {
		test.want.Estimated = true
		if got := test.request.Estimate(); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}
