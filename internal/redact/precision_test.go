package redact

import (
	"os"
	"path/filepath"
	"testing"
)

// TestProseWithNumbersStays counts what is taken out of texts that hold no personal data
// and are full of numbers.
func TestProseWithNumbersStays(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/gsm8k/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("../shared/data/gsm8k is not there")
	}
	size := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // a directory
		}
		data = data[:min(len(data), 1<<20)]
		size += len(data)
		r := New()
		r.Text(string(data))
		if counts := r.Counts(); len(counts) > 0 {
			t.Errorf("%s: %v of %d bytes: %v", file, counts, len(data), r.placed)
		}
	}
	t.Logf("%d bytes in %d files", size, len(files))
}
