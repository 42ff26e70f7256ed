package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCache(t *testing.T) {
	s := tempStore(t)
	entry := filled[CacheEntry](1)
	entry.Expires = testNow.Add(time.Nanosecond)
	// What was said of the asking is not a part of the answer.
	entry.End.RateLimit, entry.End.Skipped, entry.End.Failed, entry.End.Fallback = nil, 0, nil, false
	bare := CacheEntry{Text: "42"}
	expired := CacheEntry{Text: "old", Expires: testNow}
	for key, e := range map[string]CacheEntry{"full": {Text: "replaced"}, "bare": bare, "expired": expired} {
		if err := s.CachePut(key, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CachePut("full", entry); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]*CacheEntry{"full": &entry, "bare": &bare, "expired": nil, "none": nil} {
		got, ok, err := s.CacheGet(ctx, key)
		if err != nil || ok != (want != nil) {
			t.Errorf("%s: hit %t, %v", key, ok, err)
			continue
		}
		if want != nil {
			if diff := cmp.Diff(*want, got); diff != "" {
				t.Errorf("%s: %s", key, diff)
			}
		}
	}
	size, err := s.CacheStats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if size.Entries != 3 || size.Expired != 1 || size.Bytes < int64(len(entry.Text)+len("42old")) || !size.Oldest.Equal(entry.End.Stored.At) {
		t.Errorf("got %+v", size)
	}

	if _, err := s.writer.conn.ExecContext(ctx, `UPDATE cache SET usage = '{"input":' WHERE key = 'full'`); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.CacheGet(ctx, "full"); ok || err != nil {
		t.Errorf("a corrupt entry: hit %t, %v", ok, err)
	}

	if n, err := s.CacheClear(ctx); n != 3 || err != nil {
		t.Errorf("cleared %d, %v", n, err)
	}
	if size, err := s.CacheStats(ctx); err != nil || size != (CacheSize{}) {
		t.Errorf("got %+v, %v", size, err)
	}
}
