package sim

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
	"strings"
	"unicode"

	"github.com/llmx-dev/llmx/internal/llm"
)

// dimensions is how many numbers a simulated embedding has.
const dimensions = 256

// embedding is the simulated vector of a message's text: each of its words, in lower
// case, counts in the dimension that its FNV-1a hash gives, and the vector has the
// length 1. So texts are alike as far as they share words, in any order, and two texts
// that share none are at a cosine of about 0. It knows no meaning. A text without a
// word counts as a word of its own.
func embedding(req llm.Request) string {
	text := ""
	for i := range req.Messages {
		text += req.Messages[i].Text()
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		words = []string{text}
	}
	var counts [dimensions]float64
	for _, word := range words {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(word)) // never fails
		counts[hash.Sum32()%dimensions]++
	}
	square := 0.0
	for _, n := range counts {
		square += n * n
	}
	raw := make([]byte, 0, 4*dimensions)
	for _, n := range counts {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(n/math.Sqrt(square))))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
