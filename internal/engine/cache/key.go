package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/llmx-dev/llmx/internal/llm"
)

// keyVersion changes whenever what enters the key changes.
const keyVersion = "llmx cache 2"

// identity is a key before it is text.
type identity [sha256.Size]byte

// Key names everything that can change an answer, in hex: the tenant, the prompt's
// content, what the model stands for, the repeat, the messages, the options and the
// output contract. Options and schemas count as they are written, white space too:
// so they go to the provider.
func Key(req llm.Request, resolved string) string {
	id := identify(&req, resolved)
	return hex.EncodeToString(id[:])
}

// identify hashes one text in which every field has its length before it.
func identify(req *llm.Request, resolved string) identity {
	var space [4096]byte // most requests fit, and need no memory then
	b := appendText(space[:0], keyVersion)
	b = appendText(b, req.Tenant)
	b = appendText(b, req.Prompt.Hash)
	b = appendText(b, resolved)
	b = binary.AppendVarint(b, int64(req.Repeat))
	b = binary.AppendUvarint(b, uint64(len(req.Messages)))
	for i := range req.Messages {
		message := &req.Messages[i]
		b = appendText(b, message.Role)
		b = appendText(b, message.Name)
		b = binary.AppendUvarint(b, uint64(len(message.Parts)))
		for j := range message.Parts {
			b = appendPart(b, &message.Parts[j])
		}
	}
	b = appendOptions(b, req.Options)
	kind := req.Output.Kind
	if kind == "" {
		kind = llm.OutputText
	}
	b = appendText(b, kind)
	b = appendText(b, req.Output.Schema)
	if details := req.Output.Details(); details != nil {
		b = appendText(b, details)
	}
	if req.Output.Told {
		b = appendText(b, "told")
	}
	if tools := req.Tools.Text(); tools != nil {
		b = appendText(b, "tools")
		b = appendText(b, tools)
	}
	return sha256.Sum256(b)
}

// appendPart marks what a part has, so that an empty tool call is not none.
func appendPart(b []byte, part *llm.Part) []byte {
	b = appendText(b, part.Kind)
	b = appendText(b, part.Text)
	if media := part.Media; media != nil {
		b = append(b, 'm')
		b = appendText(b, media.Type)
		b = appendText(b, media.Name)
		b = appendText(b, media.URL)
		digest := sha256.Sum256(media.Data)
		b = append(b, digest[:]...)
		if media.Detail != "" {
			b = append(b, 'd')
			b = appendText(b, media.Detail)
		}
	}
	if call := part.ToolCall; call != nil {
		b = append(b, 'c')
		b = appendText(b, call.ID)
		b = appendText(b, call.Name)
		b = appendText(b, call.Arguments)
	}
	if result := part.ToolResult; result != nil {
		b = append(b, 'r')
		b = appendText(b, result.ID)
		b = appendText(b, result.Name)
		b = appendText(b, result.Content)
	}
	return append(b, '.')
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
		b = appendText(b, options[name])
	}
	return b
}

func appendText[T ~string | ~[]byte](b []byte, text T) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}
