package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/llmx-dev/llmx/internal/llm"
)

// keyVersion is the first field of every key. Another encoding needs another
// version: the recordings of users must be found by later releases.
const keyVersion = "llmx recording 1"

// Key names the reply to a request: the hex SHA-256 over the key version, the
// resolved model ("openai/gpt-4o-mini"), the repeat, the messages, the options,
// the output contract and the tools where there are some, each with its length before it. What may be repaired of
// an answer is no part of that.
//
// Media enters by the digest of its bytes. Options are ordered by name and the
// objects in them by key; a schema keeps the order of its keys, because models
// answer in that order; white space counts in neither. Numbers count as they are
// written. Prompt, Vars, Model, Tenant, Reuse, Origin and Hint never enter.
func Key(req llm.Request, resolved string) string {
	var space [2048]byte
	b := appendText(space[:0], keyVersion)
	b = appendText(b, resolved)
	b = binary.AppendUvarint(b, uint64(req.Repeat))
	b = binary.AppendUvarint(b, uint64(len(req.Messages)))
	for i := range req.Messages {
		b = appendMessage(b, &req.Messages[i])
	}
	b = appendOptions(b, req.Options)
	kind := req.Output.Kind
	if kind == "" {
		kind = llm.OutputText
	}
	b = appendText(b, string(kind))
	b = appendCompact(b, req.Output.Schema)
	if details := req.Output.Details(); details != nil {
		b = appendText(b, string(details))
	}
	if tools := req.Tools.Text(); tools != nil {
		b = appendText(b, "tools")
		b = appendText(b, string(tools))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func appendMessage(b []byte, message *llm.Message) []byte {
	b = appendText(b, string(message.Role))
	b = appendText(b, message.Name)
	b = binary.AppendUvarint(b, uint64(len(message.Parts)))
	for i := range message.Parts {
		part := &message.Parts[i]
		b = appendText(b, string(part.Kind))
		b = appendText(b, part.Text)
		b = append(b, presence(part))
		if media := part.Media; media != nil {
			b = appendText(b, media.Type)
			b = appendText(b, media.Name)
			b = appendText(b, media.URL)
			digest := sha256.Sum256(media.Data)
			b = append(b, digest[:]...)
			if media.Detail != "" { // presence says so
				b = appendText(b, media.Detail)
			}
		}
		if call := part.ToolCall; call != nil {
			b = appendText(b, call.ID)
			b = appendText(b, call.Name)
			b = appendText(b, call.Arguments)
		}
		if result := part.ToolResult; result != nil {
			b = appendText(b, result.ID)
			b = appendText(b, result.Name)
			b = appendText(b, result.Content)
		}
	}
	return b
}

// presence has one bit for each of a part's pointers that is set, and one for the detail
// of its media.
func presence(part *llm.Part) byte {
	var bits byte
	if part.Media != nil {
		bits |= 1
		if part.Media.Detail != "" {
			bits |= 8
		}
	}
	if part.ToolCall != nil {
		bits |= 2
	}
	if part.ToolResult != nil {
		bits |= 4
	}
	return bits
}

func appendOptions(b []byte, options llm.Options) []byte {
	var space [16]string
	names := space[:0]
	for name := range options {
		names = append(names, name)
	}
	slices.Sort(names)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, name := range names {
		b = appendText(b, name)
		value := options[name]
		if bytes.IndexByte(value, '{') >= 0 {
			value = sortedObjects(value)
		}
		b = appendCompact(b, value)
	}
	return b
}

// sortedObjects writes a JSON value anew with its objects' keys in order. What
// is not JSON stays as it is.
func sortedObjects(raw json.RawMessage) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return raw
	}
	return appendSorted(nil, value)
}

func appendSorted(b []byte, value any) []byte {
	switch value := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(value))
		for name := range value {
			names = append(names, name)
		}
		slices.Sort(names)
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, name), ':')
			b = appendSorted(b, value[name])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, item := range value {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendSorted(b, item)
		}
		return append(b, ']')
	case string:
		return appendQuoted(b, value)
	case json.Number:
		return append(b, value...)
	case bool:
		if value {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	}
	return append(b, "null"...)
}

func appendText(b []byte, text string) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// appendCompact appends JSON text without the white space between its tokens,
// its length before it.
func appendCompact(b []byte, raw json.RawMessage) []byte {
	size, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		size++
		switch c := raw[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\' && i+1 < len(raw):
			size++
			i++
		case !quoted && isSpace(c):
			size--
		}
	}
	b = binary.AppendUvarint(b, uint64(size))
	if size == len(raw) {
		return append(b, raw...)
	}
	return appendTokens(b, raw)
}

func appendTokens(b []byte, raw []byte) []byte {
	quoted := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\' && i+1 < len(raw):
			b = append(b, c)
			i++
			c = raw[i]
		case !quoted && isSpace(c):
			continue
		}
		b = append(b, c)
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
