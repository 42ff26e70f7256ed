package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"

	"github.com/llmx-dev/llmx/internal/llm"
)

// draw is a source of chance that depends on the ask alone. Every question has a
// name and an answer of its own, so that a further question changes no other.
type draw uint64

// drawOf hashes all that the answer may depend on: seed, model, messages, options
// and repeat, each with its length before it.
func (m *model) drawOf(req llm.Request) draw {
	var space [2048]byte
	b := binary.LittleEndian.AppendUint64(space[:0], m.o.Seed)
	b = appendText(b, m.o.Model)
	b = binary.AppendUvarint(b, uint64(req.Repeat))
	b = binary.AppendUvarint(b, uint64(len(req.Messages)))
	for i := range req.Messages {
		b = appendMessage(b, &req.Messages[i])
	}
	var few [16]string
	names := few[:0]
	for name := range req.Options {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b = appendText(b, name)
		b = appendText(b, string(req.Options[name]))
	}
	sum := sha256.Sum256(b)
	return draw(binary.LittleEndian.Uint64(sum[:8]))
}

func appendMessage(b []byte, message *llm.Message) []byte {
	b = appendText(b, string(message.Role))
	b = appendText(b, message.Name)
	b = binary.AppendUvarint(b, uint64(len(message.Parts)))
	for i := range message.Parts {
		part := &message.Parts[i]
		b = appendText(b, string(part.Kind))
		b = appendText(b, part.Text)
		if media := part.Media; media != nil {
			b = appendText(b, media.Type)
			b = appendText(b, media.URL)
			digest := sha256.Sum256(media.Data)
			b = append(b, digest[:]...)
		}
		if call := part.ToolCall; call != nil {
			b = appendText(b, call.Name)
			b = appendText(b, call.Arguments)
		}
		if result := part.ToolResult; result != nil {
			b = appendText(b, result.Name)
			b = appendText(b, result.Content)
		}
	}
	return b
}

func appendText(b []byte, text string) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// of is the draw of a named question.
func (d draw) of(question string) draw {
	h := uint64(d) ^ 0x9e3779b97f4a7c15
	for i := 0; i < len(question); i++ {
		h = (h ^ uint64(question[i])) * 0x100000001b3 // FNV-1a's step
	}
	return draw(mix(h))
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// attempt is the source of chance of one attempt of several: of the very first, that of
// the ask.
func (d draw) attempt(round, before int) draw {
	if round == 0 && before == 0 {
		return d
	}
	return draw(mix(uint64(d) ^ mix(uint64(round)<<32|uint64(before))))
}

// share is uniform in [0, 1).
func (d draw) share() float64 { return float64(d>>11) / (1 << 53) }

// below is uniform in 0 … n-1; 0 where n is not positive.
func (d draw) below(n int) int {
	if n <= 0 {
		return 0
	}
	return int(uint64(d) % uint64(n))
}

// normal is standard normal, by the inverse of its distribution.
func (d draw) normal() float64 {
	return math.Sqrt2 * math.Erfinv(2*(float64(d>>12)+0.5)/(1<<52)-1)
}
