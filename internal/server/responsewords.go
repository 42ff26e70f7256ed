package server

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// chatWords are what a response has other names for. Of messages the places are left
// out: they are those of a chat, and items of an input may share one.
var chatWords = []struct {
	chat *regexp.Regexp
	ours string
}{
	{regexp.MustCompile(`^messages(\[[0-9]+\][a-z_.\[\]0-9]*)?`), "input"},
	{regexp.MustCompile(`^response_format(\.json_schema)?`), "text.format"},
	{regexp.MustCompile(`^max_tokens`), "max_output_tokens"},
	{regexp.MustCompile(`^reasoning_effort`), "reasoning.effort"},
}

// inResponseWords names in a refusal what was sent, and not what was made of it.
func inResponseWords(err error) error {
	r := (*refusal)(nil)
	if !errors.As(err, &r) {
		return err
	}
	said := *r
	for _, word := range chatWords {
		if word.chat.MatchString(said.param) {
			said.param = word.chat.ReplaceAllString(said.param, word.ours)
			said.message = word.chat.ReplaceAllString(said.message, word.ours)
			break
		}
	}
	return &said
}

// forPrompt refuses what a prompt says itself, and takes its variables out of OpenAI's
// wrapping.
func (r *responseRequest) forPrompt() error {
	if r.echo.Instructions != nil {
		return invalid("instructions", "instructions: a prompt has its own; leave them out")
	}
	if r.chat.prompt != nil {
		valuesOf(r.chat.prompt.Variables)
	}
	return nil
}

// valuesOf are the variables of a prompt as the engine has them: OpenAI wraps some.
func valuesOf(variables map[string]any) {
	for name, value := range variables {
		object, ok := value.(map[string]any)
		if !ok {
			continue
		}
		member := func(name string) string {
			text, _ := object[name].(string)
			return text
		}
		switch kind := object["type"]; {
		case kind == "input_text" && hasText(object, "text"):
			variables[name] = member("text")
		case kind == "input_image" && hasText(object, "image_url"):
			variables[name] = member("image_url")
		case kind == "input_file" && slices.ContainsFunc([]string{"file_data", "file_url"}, func(m string) bool { return hasText(object, m) }):
			file := map[string]any{"url": member("file_url")}
			if data := member("file_data"); strings.HasPrefix(data, "data:") {
				file["url"] = data
			} else if data != "" {
				file = map[string]any{"data": data}
			}
			if called := member("filename"); called != "" {
				file["name"] = called
			}
			variables[name] = file
		}
	}
}

func hasText(object map[string]any, name string) bool {
	_, ok := object[name].(string)
	return ok
}
