package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// sharedKeys are few, so that writers replace each other's entries all the time.
const sharedKeys = 200

// provable is an entry that says itself whether it is whole: text, tool call, model
// and cost are all made of who wrote it and which one it is.
func provable(writer string, i int) CacheEntry {
	seed := fmt.Sprintf("%s %d", writer, i)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(seed)))
	return CacheEntry{
		Text:      seed + "\n" + strings.Repeat(sum, 1+i%200), // to 12 KB: more than one page
		ToolCalls: []llm.ToolCall{{ID: sum, Name: "find", Arguments: sum}},
		End: llm.End{
			Finish: llm.FinishToolCalls, Usage: llm.Usage{Output: int64(i)}, Model: sum,
			Stored: &llm.Stored{By: "cache", Wire: sum, Cost: llm.KnownCost(llm.Money(i))},
		},
	}
}

// proves finds what is wrong with an entry; "" for nothing.
func proves(e CacheEntry) string {
	seed, _, _ := strings.Cut(e.Text, "\n")
	writer, number, _ := strings.Cut(seed, " ")
	i, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Sprintf("the text begins with %q", seed)
	}
	want := provable(writer, i)
	if e.Text != want.Text || len(e.ToolCalls) != 1 || e.ToolCalls[0] != want.ToolCalls[0] || e.End.Finish != want.End.Finish ||
		e.End.Usage != want.End.Usage || e.End.Model != want.End.Model || e.End.Stored == nil || *e.End.Stored != *want.End.Stored {
		return fmt.Sprintf("entry %q is not what was written", seed)
	}
	return ""
}

// cacheAsChild puts entries that everybody puts, and some of its own, and says so of
// each pair that was handed over. With 0 rows it goes on until it is killed.
func cacheAsChild(path, name, count string) error {
	rows, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	s, err := Open(context.Background(), path, Options{Now: time.Now})
	if err != nil {
		return err
	}
	for i := 0; rows == 0 || i < rows; i++ {
		if err := s.CachePut(fmt.Sprint("shared ", i%sharedKeys), provable(name, i)); err != nil {
			return err
		}
		if err := s.CachePut(fmt.Sprintf("%s %d", name, i), provable(name, i)); err != nil {
			return err
		}
		if rows == 0 {
			fmt.Println(i)
		}
	}
	return s.Close()
}

func cacheChild(t *testing.T, path, name string, rows int) *exec.Cmd {
	t.Helper()
	command := child(t, path, name, rows)
	command.Env = append(command.Env, childCache+"=1")
	return command
}

// TestKillNeverCorruptsTheCache kills one of two processes that put the same keys,
// while a third reads and puts them.
func TestKillNeverCorruptsTheCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	victim, survivor := cacheChild(t, path, "victim", 0), cacheChild(t, path, "survivor", 600)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []*exec.Cmd{victim, survivor} {
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
	}
	s := openTest(t, path, Options{Now: time.Now})
	var group sync.WaitGroup
	stop := make(chan struct{})
	group.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			key := fmt.Sprint("shared ", i%sharedKeys)
			if entry, ok, err := s.CacheGet(ctx, key); err != nil || ok && proves(entry) != "" {
				t.Errorf("%s, while it is written: %s, %v", key, proves(entry), err)
				return
			}
			if i%10 == 0 {
				if err := s.CachePut(key, provable("reader", i)); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})

	handed := 0 // of the victim's own
	const enough = 600
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if handed++; handed == enough {
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := victim.Wait(); err == nil || handed < enough {
		t.Fatalf("the child was not killed: %v, %d entries", err, handed)
	}
	if err := survivor.Wait(); err != nil {
		t.Fatal(err)
	}
	close(stop)
	group.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkCache(t, path, handed)
}

// checkCache opens the file anew: it must be sound and every entry whole. Of what
// the victim handed over only what stood in its queue, or in a batch, may be missing.
func checkCache(t *testing.T, path string, handed int) {
	t.Helper()
	s := openTest(t, path, Options{Now: time.Now})
	var sound string
	if err := s.readers.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity: %q, %v", sound, err)
	}
	found := func(key string) bool {
		entry, ok, err := s.CacheGet(ctx, key)
		if err != nil || ok && proves(entry) != "" {
			t.Errorf("%s: %s, %v", key, proves(entry), err)
		}
		return ok
	}
	for i := range sharedKeys {
		if key := fmt.Sprint("shared ", i); !found(key) {
			t.Errorf("%s is missing", key)
		}
	}
	for i := range 600 {
		if key := fmt.Sprint("survivor ", i); !found(key) {
			t.Errorf("%s is missing", key)
		}
	}
	kept := 0
	for found(fmt.Sprint("victim ", kept)) {
		kept++
	}
	for i := range handed {
		if i > kept && found(fmt.Sprint("victim ", i)) {
			t.Errorf("victim %d is there, and %d is missing", i, kept)
		}
	}
	if lost := handed - kept; lost > (queueRows+batchRows)/2 {
		t.Errorf("%d of %d are missing", lost, handed)
	}
	t.Logf("%d handed over by the victim, %d kept", handed, kept)
}

// Stores of one process on one file are as good as processes of their own.
func TestStoresOnOneFilePutAndGetAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	var group sync.WaitGroup
	for _, name := range []string{"one", "two", "three"} {
		s := openTest(t, path, Options{Now: time.Now})
		group.Go(func() {
			for i := range 300 {
				key := fmt.Sprint("shared ", i%20)
				if err := s.CachePut(key, provable(name, i)); err != nil {
					t.Error(err)
				}
				if entry, ok, err := s.CacheGet(ctx, key); err != nil || ok && proves(entry) != "" {
					t.Errorf("%s: %s, %v", key, proves(entry), err)
				}
			}
		})
	}
	group.Wait()
}
