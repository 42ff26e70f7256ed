package contract

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
)

// readEmbedding holds a vector to what can be compared. It has no value besides its
// text.
func readEmbedding(answer string) (Parsed, string) {
	raw, err := base64.StdEncoding.DecodeString(answer)
	switch {
	case err != nil:
		return Parsed{}, "not an embedding: it is no base64"
	case len(raw) == 0 || len(raw)%4 != 0:
		return Parsed{}, fmt.Sprintf("not an embedding: %d bytes are no list of float32s", len(raw))
	}
	zero := true
	for i := 0; i < len(raw); i += 4 {
		x := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return Parsed{}, fmt.Sprintf("not an embedding: dimension %d is no number", i/4+1)
		}
		zero = zero && x == 0
	}
	if zero {
		return Parsed{}, "not an embedding: all of its dimensions are 0"
	}
	return asItCame(answer, nil), ""
}
