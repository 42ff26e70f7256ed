package sim

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

func vector(t *testing.T, text string) []float64 {
	t.Helper()
	req := llm.Request{Messages: []llm.Message{llm.Text(llm.User, text)}, Output: llm.Output{Kind: llm.OutputEmbedding}, Hint: "billing"}
	response, err := llm.Collect(New(Options{Model: "m"}).Stream(t.Context(), req))
	if err != nil || response.End.Usage.Output != 0 {
		t.Fatal(response.End.Usage, err)
	}
	raw, err := base64.StdEncoding.DecodeString(response.Text)
	if err != nil || len(raw) != 4*dimensions {
		t.Fatal(len(raw), err)
	}
	v := make([]float64, dimensions)
	for i := range v {
		v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return v
}

// Texts are alike as far as they share words, whatever their order and case.
func TestEmbeddingsKnowWords(t *testing.T) {
	base := vector(t, "the refund takes five days")
	for text, want := range map[string]float64{
		"Five days the refund TAKES!": 1, "the refund takes ten weeks": 0.6, "closed on Sunday": 0, "": 0, "…": 0,
	} {
		dot := 0.0
		for i, x := range vector(t, text) {
			dot += x * base[i]
		}
		if math.Abs(dot-want) > 1e-6 {
			t.Errorf("%q: %v, want %v", text, dot, want)
		}
	}
}
