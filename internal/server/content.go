package server

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// readContent reads a message's content: a text, or a list of parts. nil is none.
func readContent(raw json.RawMessage, at string) ([]llm.Part, error) {
	if len(raw) == 0 || isNull(raw) {
		return nil, nil
	}
	var text string
	if raw[0] == '"' {
		if err := decode(raw, at, &text, "a string or a list of parts"); err != nil {
			return nil, err
		}
		return []llm.Part{{Kind: llm.PartText, Text: text}}, nil
	}
	var list []json.RawMessage
	if err := decode(raw, at, &list, "a string or a list of parts"); err != nil {
		return nil, err
	}
	parts := make([]llm.Part, len(list))
	for i := range list {
		part, err := readPart(list[i], within(at, i))
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	return parts, nil
}

// partTypes are the parts that are passed on.
var partTypes = []string{"text", "refusal", "image_url", "file"}

func readPart(raw json.RawMessage, at string) (llm.Part, error) {
	o, err := readObject(raw, at, "a part {type, …}")
	if err != nil {
		return llm.Part{}, err
	}
	var kind string
	if err := o.takeAt(at, "type", &kind, "a string"); err != nil {
		return llm.Part{}, err
	}
	switch kind {
	case "text", "refusal":
		var text *string
		if err := o.read([]member{{kind, &text, "a string"}}); err != nil {
			return llm.Part{}, err
		}
		if text == nil {
			return llm.Part{}, invalid(within(at, kind), "%s.%s is missing", at, kind)
		}
		return llm.Part{Kind: llm.PartText, Text: *text}, nil
	case "image_url":
		return readImage(o, at)
	case "file":
		return readFile(o, at)
	}
	return llm.Part{}, invalid(at+".type", "%s.type %q is not passed on; %s", at, kind, fault.Allowed(kind, partTypes))
}

// inner reads the one object that a part has under its own type's name.
func inner(o jsonObject, name, want string) (jsonObject, error) {
	var raw json.RawMessage
	if err := o.read([]member{{name, &raw, want}}); err != nil {
		return jsonObject{}, err
	}
	if raw == nil {
		return jsonObject{}, invalid(within(o.at, name), "%s.%s is missing: %s", o.at, name, want)
	}
	return readObject(raw, within(o.at, name), want)
}

func readImage(o jsonObject, at string) (llm.Part, error) {
	image, err := inner(o, "image_url", "an object {url, detail}")
	if err != nil {
		return llm.Part{}, err
	}
	var url, detail string
	if err := image.read([]member{{"url", &url, "a string"}, {"detail", &detail, "auto, low or high"}}); err != nil {
		return llm.Part{}, err
	}
	part, err := readMedia(llm.PartImage, url, "", at+".image_url.url")
	if err != nil {
		return part, err
	}
	switch detail {
	case "", "auto":
	case "low", "high":
		part.Media.Detail = detail
	default:
		return part, invalid(at+".image_url.detail", "%s.image_url.detail %q is not known; allowed: auto, low, high", at, detail)
	}
	return part, nil
}

func readFile(o jsonObject, at string) (llm.Part, error) {
	file, err := inner(o, "file", "an object {filename, file_data}")
	if err != nil {
		return llm.Part{}, err
	}
	var name, data, id string
	if err := file.read([]member{{"filename", &name, "a string"}, {"file_data", &data, "a string"}, {"file_id", &id, "a string"}}); err != nil {
		return llm.Part{}, err
	}
	switch {
	case id != "":
		return llm.Part{}, invalid(at+".file.file_id", "%s.file.file_id is not supported: the files of a provider's account are not known here; send file_data", at)
	case data == "":
		return llm.Part{}, invalid(at+".file.file_data", "%s.file.file_data is missing", at)
	}
	return readMedia(llm.PartFile, data, name, at+".file.file_data")
}

// readMedia takes web addresses, which the model's provider follows and nobody here,
// and data: URLs.
func readMedia(kind llm.PartKind, url, name, at string) (llm.Part, error) {
	media, err := prompt.MediaFromURL(url)
	if err != nil {
		return llm.Part{}, invalid(at, "%s: %s", at, fault.As(err).Message)
	}
	if name != "" {
		media.Name = name
	}
	return llm.Part{Kind: kind, Media: media}, nil
}
