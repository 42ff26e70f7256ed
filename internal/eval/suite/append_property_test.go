package suite

import (
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// TestEveryTextCanBeAppended appends inputs of characters that YAML gives a meaning, and
// reads them back; AppendCases itself refuses what would be read as anything else.
func TestEveryTextCanBeAppended(t *testing.T) {
	alphabet := []rune("ab :#-?|>'\"\\{}[],&*!%@`~=\n\r\t\u0000\u0007\u0085\u00a0\u2028\u2029\ufeff\ufffe\U0001f600é0189.+_ny")
	random := rand.New(rand.NewPCG(3, 4))
	text := func() string {
		runes := make([]rune, random.IntN(12))
		for i := range runes {
			runes[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(runes)
	}
	dir, _ := projectOf(t, map[string]string{"suites/s.yaml": "cases:\n  - id: a\n"})
	for range 2000 {
		want := text()
		c := NewCase{ID: "call-1", Vars: map[string]any{"ticket": want, "list": []any{text(), map[string]any{text(): text()}}}, Meta: map[string]any{"call": text()}}
		var after []byte
		keep := func(files fs.FS) (err error) {
			after, err = fs.ReadFile(files, "suites/s.yaml")
			return err
		}
		if _, err := AppendCases(dir, "suites/s.yaml", "", []NewCase{c}, keep, true); err != nil {
			t.Fatalf("%q: %v", c.Vars, err)
		}
		document, err := strictyaml.Parse("s.yaml", after, 1)
		if err != nil || document.Get("cases").Items()[1].Get("vars").Get("ticket").Text() != want {
			t.Fatalf("%q: %v", want, err)
		}
	}
}
