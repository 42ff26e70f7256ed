package openai

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// The body of a request comes from two hands. go-openai writes what it cannot get
// wrong (stream, stream_options); model, messages and options are laid in here:
// its structs leave out options that are 0, have no word for a vendor's own, and
// its checks refuse options and models by name.

// envelope is what go-openai is asked to send, and envelopeHead how it begins.
// A stream_options of the user stands in for ours.
func envelope(options llm.Options) openai.ChatCompletionRequest {
	request := openai.ChatCompletionRequest{Stream: true}
	if _, ok := options["stream_options"]; !ok {
		request.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	}
	return request
}

var envelopeHead = []byte(`{"model":"","messages":null,`)

// complete joins what appendRequest made with go-openai's envelope.
func complete(request, envelope []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(envelope, envelopeHead)
	if !ok {
		return nil, fault.New(fault.Internal, "go-openai wrote a request that begins in another way")
	}
	request = append(request, ',')
	return append(request, rest...), nil
}

// appendRequest appends a request that is still open at its end: model, messages, tools,
// and the options in the JSON text that the user wrote, in the order of their names.
func appendRequest(b []byte, wire string, caps Caps, req llm.Request) ([]byte, error) {
	b = append(b, `{"model":`...)
	b = appendQuoted(b, wire)
	b = append(b, `,"messages":`...)
	b, err := appendMessages(b, req.Messages)
	if err == nil {
		b, err = appendTools(b, &req)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(req.Options)) {
		value := req.Options[name]
		switch name {
		case "model", "messages", "stream":
			return nil, fault.New(fault.BadRequest, "option %q is not for a prompt to set", name).
				WithHint("the runtime sets it; leave it out of the options")
		case "temperature":
			if caps.Temperature != nil && !*caps.Temperature {
				continue
			}
		case "max_tokens":
			if caps.MaxTokensAs != "" && caps.MaxTokensAs != name {
				if _, written := req.Options[caps.MaxTokensAs]; written {
					continue
				}
				name = caps.MaxTokensAs
			}
		}
		if !json.Valid(value) {
			return nil, fault.New(fault.BadRequest, "the value of option %q is not JSON", name)
		}
		b = append(b, ',')
		b = appendQuoted(b, name)
		b = append(b, ':')
		b = append(b, value...)
	}
	return b, nil
}

// size guesses the bytes of a request, so that it is allocated once.
func size(req llm.Request) int {
	n := 256
	for _, message := range req.Messages {
		n += 64
		for _, part := range message.Parts {
			n += len(part.Text) + len(part.Text)/16 + 64
			if part.Media != nil {
				n += len(part.Media.URL) + len(part.Media.Data)/3*4
			}
			if part.ToolCall != nil {
				n += len(part.ToolCall.Arguments) * 9 / 8
			}
			if part.ToolResult != nil {
				n += len(part.ToolResult.Content) * 9 / 8
			}
		}
	}
	for _, tool := range req.Tools.List {
		n += len(tool.Name) + len(tool.Description) + len(tool.Parameters) + 128
	}
	for name, value := range req.Options {
		n += len(name) + len(value) + 4
	}
	return n
}
