package server

import (
	"errors"
	"fmt"
	"strings"
)

// ownWords are members of a chat and those of a response that they are made of.
var ownWords = []struct{ chat, response string }{
	{"response_format.json_schema", "text.format"}, {"response_format", "text.format"},
	{"tool_choice.function", "tool_choice"}, {"reasoning_effort", "reasoning.effort"},
}

// itemWords are such members of an input's items.
var itemWords = strings.NewReplacer(".image_url.url", ".image_url", ".image_url.detail", ".detail", ".file.file_data", ".file_data", ".tool_call_id", ".call_id")

// inOwnWords lets a refusal name what its caller has sent: a response is read as a chat,
// and refused as one.
func (r *responseRequest) inOwnWords(err error) error {
	refused := (*refusal)(nil)
	if !errors.As(err, &refused) || refused.param == "" {
		return err
	}
	own := *refused
	own.param = r.ownPath(refused.param)
	own.message = strings.ReplaceAll(refused.message, refused.param, own.param)
	return &own
}

func (r *responseRequest) ownPath(path string) string {
	at, rest := 0, ""
	if n, _ := fmt.Sscanf(path, "messages[%d]", &at); n == 1 && at < len(r.from) {
		_, rest, _ = strings.Cut(path, "]")
		return r.from[at].path(itemWords.Replace(rest))
	}
	if path == "messages" {
		return "input"
	}
	if strings.HasPrefix(path, "tools[") {
		return strings.Replace(path, "].function", "]", 1)
	}
	if path == "max_tokens" && r.echo.MaxOutputTokens != nil {
		return "max_output_tokens"
	}
	for _, word := range ownWords {
		if rest, ok := strings.CutPrefix(path, word.chat); ok && (rest == "" || rest[0] == '.') {
			return word.response + rest
		}
	}
	return path
}

// origin is where a message of the chat comes from.
type origin struct {
	at    string // instructions, input, input[3]
	whole bool   // it is a text, and has no members
	kind  string // of an item
}

func (o origin) path(rest string) string {
	switch {
	case o.whole:
		return o.at
	case o.kind == "function_call_output":
		return o.at + strings.Replace(rest, ".content", ".output", 1)
	}
	return o.at + rest
}
