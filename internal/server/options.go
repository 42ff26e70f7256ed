package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// unserved are options whose effect an answer would have to show, and does not: passed
// on they would be paid for and lost.
var unserved = map[string]string{
	"functions": "use tools", "function_call": "use tool_choice", "audio": "answers are text", "logprobs": "log probabilities are not passed on",
	"top_logprobs": "log probabilities are not passed on", "models": "the name of one model or route goes into model",
}

// ours are members that the server reads, or that bound what is asked. Servers to whom
// case does not matter would take another spelling for one of these, past all that was
// checked.
var ours = []string{
	"model", "messages", "stream", "stream_options", "user", "n", "modalities", "response_format", "prompt", "input", "encoding_format",
	"tools", "tool_choice", "parallel_tool_calls", "max_tokens", "max_completion_tokens", "store", "service_tier",
	"functions", "function_call", "audio", "logprobs", "top_logprobs", "models",
}

// optionsOf takes what is left of a body for options of the model, under the names that
// it has there. null is as good as absent.
func optionsOf(f fields) (llm.Options, error) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		why, known := unserved[name]
		if isNull(f[name]) || known && string(f[name]) == "false" {
			delete(f, name)
			continue
		}
		if known {
			return nil, invalid(name, "%s is not supported: %s", name, why)
		}
		if at := slices.IndexFunc(ours, func(our string) bool { return our != name && strings.EqualFold(our, name) }); at >= 0 {
			return nil, invalid(name, "%s is not known; did you mean %q?", name, ours[at])
		}
	}
	if err := oneBound(f); err != nil {
		return nil, err
	}
	if err := wellTyped(f); err != nil {
		return nil, err
	}
	if len(f) == 0 {
		return nil, nil
	}
	return llm.Options(f), nil
}

// optionTypes are the types of options that every vendor has alike. The values are theirs
// to judge.
var optionTypes = map[string]func() (into any, want string){
	"temperature": aNumber, "top_p": aNumber, "frequency_penalty": aNumber, "presence_penalty": aNumber,
	"seed":     func() (any, string) { return new(int64), "a whole number" },
	"store":    func() (any, string) { return new(bool), "a boolean" },
	"metadata": func() (any, string) { return &map[string]string{}, "an object of strings" }, "logit_bias": func() (any, string) { return &map[string]float64{}, "an object of numbers" },
	"service_tier": aText, "reasoning_effort": aText, "verbosity": aText,
}

func aNumber() (any, string) { return new(float64), "a number" }

func aText() (any, string) { return new(string), "a string" }

func wellTyped(f fields) error {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if typed := optionTypes[name]; typed != nil {
			into, want := typed()
			if err := decode(f[name], name, into, want); err != nil {
				return err
			}
		}
	}
	raw := f["stop"]
	if len(raw) == 0 || raw[0] == '"' {
		return nil
	}
	return decode(raw, "stop", &[]string{}, "a string or a list of strings")
}

// oneBound wants one bound of the answer, that can be counted with: budgets and limits
// are held by it.
func oneBound(f fields) error {
	given := ""
	for _, name := range []string{"max_tokens", "max_completion_tokens"} {
		raw, ok := f[name]
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(string(raw), 10, 32); err != nil || n < 1 {
			return invalid(name, "%s: want a whole number from 1 on", name)
		}
		if given != "" {
			return invalid(name, "%s stands beside %s: they are the same bound", name, given)
		}
		given = name
	}
	return nil
}

// streaming reads stream_options, which go with a stream alone.
func streaming(raw json.RawMessage, stream bool) (usage bool, err error) {
	if len(raw) == 0 {
		return false, nil
	}
	if !stream {
		return false, invalid("stream_options", "stream_options: the request asks for no stream")
	}
	o, err := readObject(raw, "stream_options", "an object {include_usage}")
	if err != nil {
		return false, err
	}
	obfuscated := false
	err = o.read([]member{{"include_usage", &usage, "a boolean"}, {"include_obfuscation", &obfuscated, "a boolean"}})
	if err == nil && obfuscated {
		err = invalid("stream_options.include_obfuscation", "stream_options.include_obfuscation is not supported")
	}
	return usage, err
}
