package store

import (
	"context"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/llm"
)

// shelf is the store as the engine's cache has it; the command line joins them likewise.
type shelf struct{ store *Store }

func (s shelf) Get(ctx context.Context, key string) (cache.Entry, bool) {
	found, ok, err := s.store.CacheGet(ctx, key)
	return cache.Entry(found), ok && err == nil
}

func (s shelf) Put(key string, entry cache.Entry) { _ = s.store.CachePut(key, CacheEntry(entry)) }

// cachedModel answers with a text and a tool call, and counts how often it is asked.
func cachedModel(s *Store, memory int64, now func() time.Time) (model llm.Model, asked *int) {
	asked = new(int)
	upstream := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		*asked++
		return func(yield func(llm.Event, error) bool) {
			_ = yield(llm.Event{Text: "I look."}, nil) &&
				yield(llm.Event{ToolCall: &llm.ToolCallDelta{ID: "1", Name: "find", Arguments: `{"id":7}`}}, nil) &&
				yield(llm.Event{End: &llm.End{Finish: llm.FinishToolCalls, Usage: llm.Usage{Input: 5, Output: 9}, Model: "one-2026", ResponseID: "r1"}}, nil)
		}
	})
	resolve := func(llm.Request) (string, string, bool) { return "one", "up/one", true }
	return cache.New(cache.Options{Storage: shelf{s}, MemoryBytes: memory, TTL: time.Hour, Now: now, Resolve: resolve}, upstream), asked
}

func hear(t testing.TB, model llm.Model) llm.Response {
	t.Helper()
	response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Model: "one", Messages: []llm.Message{llm.Text(llm.User, "hi")}}))
	if err != nil {
		t.Fatal(err)
	}
	if response.End.Keep != nil {
		response.End.Keep()
	}
	return response
}

// What one process keeps another one gives, whole, and for no longer.
func TestAnswerOfAnotherProcess(t *testing.T) {
	now := testNow
	clock := func() time.Time { return now }
	path := filepath.Join(t.TempDir(), "llmx.db")
	first := openTest(t, path, Options{Now: clock})
	model, _ := cachedModel(first, 0, clock)
	given := hear(t, model)
	if err := first.Flush(ctx); err != nil {
		t.Fatal(err)
	}

	model, asked := cachedModel(openTest(t, path, Options{Now: clock}), 0, clock)
	now = testNow.Add(time.Hour - time.Second)
	for range 2 { // from the file, then from memory
		got := hear(t, model)
		if stored := got.End.Stored; stored == nil || stored.By != "cache" || !stored.At.Equal(testNow) {
			t.Fatalf("stored: %+v", stored)
		}
		got.End.Stored, got.End.Keep, given.End.Keep = nil, nil, nil
		if diff := cmp.Diff(given, got); diff != "" {
			t.Error(diff)
		}
	}
	if *asked != 0 {
		t.Errorf("asked %d times", *asked)
	}
	if now = testNow.Add(time.Hour); hear(t, model).End.Stored != nil || *asked != 1 {
		t.Errorf("asked %d times after the entry has expired", *asked)
	}
}

// BenchmarkStorageHit is a hit that is not in memory, among as many entries as a
// day may leave.
func BenchmarkStorageHit(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
	for i := range 20_000 {
		if err := s.CachePut(cache.Key(llm.Request{Repeat: i + 1}, "up/one"), provable("other", i%300)); err != nil {
			b.Fatal(err)
		}
	}
	model, asked := cachedModel(s, -1, s.now)
	hear(b, model)
	if err := s.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		hear(b, model)
	}
	if *asked != 1 {
		b.Fatalf("asked %d times", *asked)
	}
}

// BenchmarkCachePut is what an entry costs the writer, with expired ones to remove
// and without.
func BenchmarkCachePut(b *testing.B) {
	for name, ttl := range map[string]time.Duration{"fresh": time.Hour, "expired": -1} {
		b.Run(name, func(b *testing.B) {
			s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
			entry := provable("one", 20)
			entry.Expires = testNow.Add(ttl)
			i := 0
			for b.Loop() {
				if err := s.CachePut(cache.Key(llm.Request{Repeat: i}, "m"), entry); err != nil {
					b.Fatal(err)
				}
				i++
			}
			if err := s.Flush(ctx); err != nil {
				b.Fatal(err)
			}
		})
	}
}
