package suite_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval/suite"
)

// writeRows makes a project on disk with a suite of so many JSON lines.
func writeRows(t testing.TB, rows int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "suites"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "suite: s\nprompt: triage\ncases: [{from: c.jsonl}]\nexpect: [schema]\n"
	if err := os.WriteFile(filepath.Join(dir, "suites/s.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, "suites/c.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(file)
	for i := range rows {
		fmt.Fprintf(w, `{"id":"case-%d","ticket":"I was charged twice for order %d, please fix it now","priority":%d,"golden":{"label":"billing","urgency":4},"tags":["billing"],"expect":[{"field":{"path":"urgency","min":3}}]}`+"\n", i, i*7, i%5)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestRowsAreNeverAllInMemory(t *testing.T) {
	const rows = 50_000 // some 10 MB of JSON
	root := os.DirFS(writeRows(t, rows))
	before := heap()
	s := load(t, root, "suites/s.yaml", deps())
	if s.Count != rows {
		t.Fatalf("%d cases", s.Count)
	}
	n := 0
	for _, err := range s.Cases() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == rows/2 || n == rows {
			if grown := int64(heap()) - int64(before); grown > 1<<20 {
				t.Errorf("after %d cases the heap has grown by %d KB", n, grown>>10)
			}
		}
	}
	runtime.KeepAlive(s)
}

// BenchmarkBothPasses reads 100,000 rows twice: Load, then Cases.
func BenchmarkBothPasses(b *testing.B) {
	const rows = 100_000
	root := os.DirFS(writeRows(b, rows))
	b.ReportAllocs()
	var before, after int64
	for b.Loop() {
		b.StopTimer()
		before = int64(heap())
		b.StartTimer()
		s, err := suite.Load(root, "suites/s.yaml", deps())
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range s.Cases() {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == rows {
				b.StopTimer()
				after = int64(heap())
				b.StartTimer()
			}
		}
	}
	perRow := float64(b.Elapsed().Microseconds()) / float64(b.N) / rows
	b.ReportMetric(perRow, "µs/row")
	b.ReportMetric(float64(after-before)/rows, "live-B/row")
}
