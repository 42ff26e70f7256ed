package eval

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/llmx-dev/llmx/internal/llm"
)

// DigestOf names a text: the first 16 hex digits of its SHA-256.
func DigestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// DigestOfAnswer is DigestOf of an answer's text, or where tool calls were proposed,
// of both; the ids of calls are drawn anew every time, and do not count.
func DigestOfAnswer(text string, calls []llm.ToolCall) string {
	if len(calls) == 0 {
		return DigestOf(text)
	}
	parts := [][]byte{[]byte(text)}
	for _, call := range calls {
		parts = append(parts, []byte(call.Name), []byte(call.Arguments))
	}
	return HashOf(parts...)[:16]
}

// DigestOfSteps names what was answered in a conversation: the digests of its replies.
// One that failed before anything came of it has none.
func DigestOfSteps(steps []Step) string {
	parts := make([][]byte, len(steps))
	for i := range steps {
		if s := &steps[i]; s.Answer != "" || len(s.ToolCalls) > 0 || s.Failure == nil {
			parts[i] = []byte(DigestOfAnswer(s.Answer, s.ToolCalls))
		}
	}
	return HashOf(parts...)[:16]
}

// HashOf names a set of parts, whose borders count: the first 32 hex digits of
// the SHA-256 over each part's length and bytes.
func HashOf(parts ...[]byte) string {
	h := sha256.New()
	var length [8]byte
	for _, part := range parts {
		for i := range length {
			length[i] = byte(len(part) >> (8 * i))
		}
		h.Write(length[:])
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
