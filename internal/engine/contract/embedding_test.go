package contract

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

func TestEmbeddings(t *testing.T) {
	vector := func(xs ...float32) string {
		var raw []byte
		for _, x := range xs {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	for answer, broken := range map[string]string{
		vector(0, 1):                    "",
		vector(-2):                      "",
		vector(0, 0):                    "all of its dimensions are 0",
		vector(1, float32(math.NaN())):  "dimension 2 is no number",
		vector(float32(math.Inf(1)), 1): "dimension 1 is no number",
		"":                              "0 bytes are no list of float32s",
		base64.StdEncoding.EncodeToString([]byte("abc")): "3 bytes are no list of float32s",
		"I like it!": "no base64",
	} {
		parsed, got := NewParser().Read(answer, llm.Output{Kind: llm.OutputEmbedding})
		if broken == "" && (got != "" || parsed.Text != answer) || broken != "" && !strings.Contains(got, broken) {
			t.Errorf("%q: %q, want %q", answer, got, broken)
		}
	}
}
