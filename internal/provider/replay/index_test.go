package replay

import (
	"runtime"
	"testing"
	"unsafe"
)

// spread makes ids that come in no order.
func spread(n int) id { return id{uint64(n) * 0x9e3779b97f4a7c15, uint64(n)} }

func TestIndexFindsWhatWasAdded(t *testing.T) {
	const built, added = 5_000, 20_000
	spans := make([]span, 0, built)
	for n := range built {
		spans = append(spans, span{id: spread(n), at: int64(n)})
	}
	var x index
	if duplicates := x.build(append(spans, span{id: spread(7), at: built})); duplicates != 1 {
		t.Errorf("%d duplicates, want 1", duplicates)
	}
	for n := built - 100; n < built+added; n++ { // a hundred replace older ones
		x.add(span{id: spread(n), at: int64(n + 1_000_000)})
	}
	if got := x.len(); got != built+added {
		t.Errorf("%d recordings, want %d", got, built+added)
	}
	for n := range built + added {
		want := int64(n)
		switch {
		case n == 7:
			want = built
		case n >= built-100:
			want += 1_000_000
		}
		if s, ok := x.find(spread(n)); !ok || s.at != want {
			t.Fatalf("recording %d: at %d, %v; want %d", n, s.at, ok, want)
		}
	}
	if _, ok := x.find(spread(built + added)); ok {
		t.Error("what was not added is found")
	}
	last := int64(-1)
	for _, s := range x.all() {
		if s.at <= last {
			t.Fatal("not in the order of the file")
		}
		last = s.at
	}
}

// A million recordings must fit in 40 MB.
func TestIndexIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(span{}); size != 32 {
		t.Errorf("%d bytes a recording, want 32", size)
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const many = 10_000
	dir := t.TempDir()
	recording := recordingOf(1)
	content := make([]byte, 0, many*350)
	for n := range many {
		recording.Key, recording.Text = keyOf(n), ""
		content = append(content, recording.line()...)
	}
	write(t, dir, string(content))
	content = nil
	before := heap()
	r := open(t, dir)
	used := float64(heap()-before) / many
	if r.Len() != many || used > 40 {
		t.Errorf("%d recordings use %.0f bytes each, want at most 40", r.Len(), used)
	}
}
