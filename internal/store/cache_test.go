package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCache(t *testing.T) {
	now := testNow
	s := openTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{Now: func() time.Time { return now }})
	entry := filled[CacheEntry](1)
	entry.Expires = testNow.Add(2 * time.Nanosecond)
	// What was said of the asking is not a part of the answer.
	entry.End.Repairs = nil // what was repaired is not kept
	entry.End.RateLimit, entry.End.Skipped, entry.End.Failed, entry.End.Fallback = nil, 0, nil, false
	bare := CacheEntry{Text: "42"}
	expired := CacheEntry{Text: "old", Expires: testNow.Add(time.Nanosecond)}
	if empty, err := s.CacheEmpty(ctx); err != nil || !empty {
		t.Errorf("empty %t, %v", empty, err)
	}
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
	now = expired.Expires
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
	if empty, err := s.CacheEmpty(ctx); err != nil || empty {
		t.Errorf("with entries: empty %t, %v", empty, err)
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

// put queues n entries that expire at a time (zero: never), and waits until they are written.
func put(t *testing.T, s *Store, name string, n int, expires time.Time) {
	t.Helper()
	for i := range n {
		if err := s.CachePut(fmt.Sprint(name, " ", i), CacheEntry{Text: name, Expires: expires}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// Whatever is put makes room: the file does not grow for ever, and nobody who only
// reads does any of the work.
func TestExpiredEntriesGoWhenNewOnesCome(t *testing.T) {
	now := testNow
	s := openTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{Now: func() time.Time { return now }})
	put(t, s, "for ever", 3, time.Time{})
	put(t, s, "old", 600, testNow.Add(time.Hour))
	put(t, s, "young", 5, testNow.Add(2*time.Hour))
	now = testNow.Add(time.Hour)
	for _, step := range []struct {
		puts             int
		entries, expired int
	}{
		{0, 608, 600},
		{10, 608 + 10 - 10*expiredPerPut, 600 - 10*expiredPerPut},
		{400, 3 + 5 + 10 + 400, 0}, // in more than one batch
		{1, 3 + 5 + 10 + 400 + 1, 0},
	} {
		put(t, s, fmt.Sprint("new ", step.puts), step.puts, testNow.Add(2*time.Hour))
		size, err := s.CacheStats(ctx)
		if err != nil || size.Entries != step.entries || size.Expired != step.expired {
			t.Errorf("after %d puts: %+v, %v; want %d entries, %d expired", step.puts, size, err, step.entries, step.expired)
		}
	}
	for _, key := range []string{"for ever 0", "young 4", "new 10 9"} {
		if _, ok, err := s.CacheGet(ctx, key); !ok || err != nil {
			t.Errorf("%s is gone, %v", key, err)
		}
	}
}

func TestExpiredEntriesAreFoundByTheIndex(t *testing.T) {
	s := tempStore(t)
	var id, parent, unused int
	var plan string
	err := s.readers.QueryRow("EXPLAIN QUERY PLAN SELECT rowid FROM cache WHERE expires <= 1 ORDER BY expires LIMIT 1").Scan(&id, &parent, &unused, &plan)
	if err != nil || plan != "SEARCH cache USING COVERING INDEX cache_by_expiry (expires<?)" {
		t.Errorf("the plan is %q, %v", plan, err)
	}
}
