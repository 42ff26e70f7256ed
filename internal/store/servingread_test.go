package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestCacheThatDoesNotAnswerInTime has all connections that read in other hands: a
// request does not wait for one, and the next not even that long.
func TestCacheThatDoesNotAnswerInTime(t *testing.T) {
	s := serveTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{}, Serving{}).opened(t)
	end := llm.End{Stored: &llm.Stored{At: testNow}}
	if err := s.CachePut("k", CacheEntry{Text: "x", End: end}); err != nil {
		t.Fatal(err)
	}
	s.flush(t)
	if entry, hit, err := s.CacheGet(ctx, "k"); !hit || err != nil || entry.Text != "x" {
		t.Fatalf("got %+v, %t, %v", entry, hit, err)
	}
	var held []*sql.Conn
	for range readerConns {
		conn, err := s.readers.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	begin := time.Now()
	_, hit, err := s.CacheGet(ctx, "k")
	if took := time.Since(begin); hit || took < cacheWithin || took > 10*cacheWithin {
		t.Errorf("hit %t after %v", hit, took)
	}
	wantFault(t, err, fault.Store, "does not answer in time")
	begin = time.Now()
	for range 1000 {
		if _, hit, err := s.CacheGet(ctx, "k"); hit || fault.ClassOf(err) != fault.Store {
			t.Fatalf("got %t, %v", hit, err)
		}
	}
	if took := time.Since(begin); took > cacheWithin {
		t.Errorf("1000 more took %v", took)
	}
	for _, conn := range held {
		conn.Close()
	}
	for end := time.Now().Add(10 * cacheRest); ; time.Sleep(10 * time.Millisecond) {
		if _, hit, err := s.CacheGet(ctx, "k"); hit && err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatalf("it never comes back: %v", err)
		}
	}
}

// TestCacheOfWhoHasLeft: nobody reads for him.
func TestCacheOfWhoHasLeft(t *testing.T) {
	s := serveTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{}, Serving{}).opened(t)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, hit, err := s.CacheGet(gone, "k")
	if hit || fault.ClassOf(err) != fault.Canceled {
		t.Errorf("got %t, %v", hit, err)
	}
	if _, _, err := s.CacheGet(ctx, "k"); err != nil { // it says nothing of the store
		t.Error(err)
	}
}
