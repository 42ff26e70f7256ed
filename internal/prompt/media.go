package prompt

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// maxMedia bounds one image or file, in bytes.
const maxMedia = 20 << 20

// readMedia makes the part of an image or a file out of a path within the project,
// a URL (http, https, data), or {path|url|data, type, name}; data is base64.
func (p *Prompt) readMedia(input *Input, value any) (llm.Part, error) {
	part := llm.Part{Kind: llm.PartImage}
	if input.Kind == KindFile {
		part.Kind = llm.PartFile
	}
	var media *llm.Media
	var err *fault.Error
	switch value := value.(type) {
	case string:
		if hasScheme(value) {
			media, err = mediaFromURL(value)
		} else {
			media, err = p.mediaFromPath(value)
		}
	case map[string]any:
		media, err = p.mediaFromObject(value)
	default:
		return part, wrongKind(input.Name, kindWords[input.Kind], value)
	}
	if err == nil && input.Kind == KindImage && len(media.Data) > 0 && !strings.HasPrefix(media.Type, "image/") {
		err = fault.New(fault.Invalid, "this is no image but %s", media.Type).WithHint("declare the input as kind: file, or give the type")
	}
	if err != nil {
		err.Message = fmt.Sprintf("the input %q: %s", input.Name, err.Message)
		return part, err
	}
	part.Media = media
	return part, nil
}

func hasScheme(text string) bool {
	return strings.HasPrefix(text, "data:") || strings.Contains(text, "://")
}

func (p *Prompt) mediaFromObject(object map[string]any) (*llm.Media, *fault.Error) {
	keys := []string{"path", "url", "data", "type", "name"}
	text := map[string]string{}
	ways := 0
	for _, key := range sortedKeys(object) {
		if !slices.Contains(keys, key) {
			return nil, fault.New(fault.Invalid, "unknown key %q", key).WithHint("%s", fault.Allowed(key, keys))
		}
		value, ok := object[key].(string)
		if !ok {
			return nil, fault.New(fault.Invalid, "the key %q wants a string, got %s", key, describe(object[key]))
		}
		text[key] = value
		if key == "path" || key == "url" || key == "data" {
			ways++
		}
	}
	if ways != 1 {
		return nil, fault.New(fault.Invalid, "one of path, url and data is needed")
	}
	var media *llm.Media
	var err *fault.Error
	switch {
	case text["path"] != "":
		media, err = p.mediaFromPath(text["path"])
	case text["url"] != "":
		media, err = mediaFromURL(text["url"])
	default:
		media, err = mediaFromBase64(text["data"], text["type"])
	}
	if err != nil {
		return nil, err
	}
	if text["type"] != "" {
		media.Type = text["type"]
	}
	if text["name"] != "" {
		media.Name = text["name"]
	}
	return media, nil
}

func (p *Prompt) mediaFromPath(name string) (*llm.Media, *fault.Error) {
	real, err := jail(p.fsys, ".", name)
	if err == errOutside {
		return nil, fault.New(fault.Invalid, "the path %q leads out of the project", name)
	}
	what := "the file " + quote(name)
	if err != nil {
		return nil, unreadable(fault.Place{}, what, err)
	}
	data, tooLarge, err := readBounded(p.fsys, real, maxMedia)
	if err != nil {
		return nil, unreadable(fault.Place{}, what, err)
	}
	if tooLarge {
		return nil, tooMuchMedia()
	}
	return &llm.Media{Type: mediaType(name, data), Name: path.Base(name), Data: data}, nil
}

func tooMuchMedia() *fault.Error {
	return fault.New(fault.Invalid, "the file is larger than %d MB", maxMedia>>20).WithHint("at most %d MB are sent", maxMedia>>20)
}

// MediaFromURL takes a web address (http, https) as it is, and a data: URL apart.
// It follows no address.
func MediaFromURL(text string) (*llm.Media, error) {
	media, err := mediaFromURL(text)
	if err != nil {
		return nil, err
	}
	return media, nil
}

// mediaFromURL takes a web address as it is, and a data: URL apart.
func mediaFromURL(text string) (*llm.Media, *fault.Error) {
	if rest, ok := strings.CutPrefix(text, "data:"); ok {
		head, data, ok := strings.Cut(rest, ",")
		kind, encoded := strings.CutSuffix(head, ";base64")
		if !ok {
			return nil, fault.New(fault.Invalid, "the data: URL has no comma")
		}
		if encoded {
			return mediaFromBase64(data, kind)
		}
		plain, err := url.PathUnescape(data)
		if err != nil {
			return nil, fault.New(fault.Invalid, "the data: URL is not well escaped")
		}
		if len(plain) > maxMedia {
			return nil, tooMuchMedia()
		}
		if kind == "" {
			kind = "text/plain"
		}
		return &llm.Media{Type: kind, Data: []byte(plain)}, nil
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fault.New(fault.Invalid, "%s is not a URL that is sent", quote(clip(text))).WithHint("allowed: http, https, data")
	}
	return &llm.Media{URL: text, Type: types[strings.ToLower(path.Ext(parsed.Path))]}, nil
}

func mediaFromBase64(text, kind string) (*llm.Media, *fault.Error) {
	if base64.StdEncoding.DecodedLen(len(text)) > maxMedia+2 {
		return nil, tooMuchMedia()
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the data is not base64")
	}
	if kind == "" {
		kind = mediaType("", data)
	}
	return &llm.Media{Type: kind, Data: data}, nil
}

// types are told by their extension in the same way on every machine.
var types = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
	".svg": "image/svg+xml", ".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv",
	".json": "application/json", ".html": "text/html", ".xml": "application/xml", ".wav": "audio/wav", ".mp3": "audio/mpeg",
}

func mediaType(name string, data []byte) string {
	if known := types[strings.ToLower(path.Ext(name))]; known != "" {
		return known
	}
	return baseType(http.DetectContentType(data))
}

func baseType(full string) string {
	base, _, _ := strings.Cut(full, ";")
	return base
}
