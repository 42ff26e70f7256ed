package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

// bytesOf are the bytes of a store's file and of what lies beside it.
func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	var all []byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// fillWithUsers makes calls of two users in turn, with contents of many sizes, so that
// pages split and what is on them moves.
func fillWithUsers(t *testing.T, s *Store, calls int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range calls {
		user := []string{"anna", "bob"}[i%2]
		mark := fmt.Sprintf("mark-of-%s-%d", user, i)
		long := mark + strings.Repeat(" "+mark, random.IntN(300))
		call := asked(i, fmt.Sprintf("%s-%05d", user, i), func(c *llm.Call) {
			c.User, c.Key = user, "key-of-"+user
			c.Vars, _ = json.Marshal(map[string]string{"ticket": long})
			c.Answer, c.Turns[0].Answer = "answer "+mark, "answer "+mark
			c.Turns[0].Messages = []llm.Message{llm.Text(llm.User, long)}
			c.Turns[0].Options = llm.Options{"user": json.RawMessage(`"option of ` + user + `"`)}
		})
		s.Record(call)
		if err := s.CachePut(fmt.Sprintf("key-%d", i), CacheEntry{Text: call.Answer, End: llm.End{Finish: llm.FinishStop, ResponseID: call.Turns[0].Attempts[0].ResponseID}}); err != nil {
			t.Fatal(err)
		}
		if i%10 < 2 {
			if err := s.AddFeedback(ctx, call.ID, llm.Feedback{Comment: "comment " + mark, Correction: json.RawMessage(`"right ` + mark + `"`)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestPurgeLeavesNoByteBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{})
	const calls = 1200
	fillWithUsers(t, s, calls)
	before := rowCounts(t, s, "feedback", "shapes")
	for _, mark := range []string{"mark-of-anna", "mark-of-bob", "option of anna", "key-of-anna"} {
		if !bytes.Contains(bytesOf(t, path), []byte(mark)) {
			t.Fatalf("%q is not in the file before", mark)
		}
	}
	purged, err := s.PurgeCalls(ctx, CallFilter{User: "anna"}, false)
	if want := (Purged{Calls: calls / 2, Cached: calls / 2, Bytes: purged.Bytes, Rewritten: true, Emptied: true}); err != nil || purged != want || purged.Bytes == 0 {
		t.Errorf("%v %+v", err, purged)
	}
	after := bytesOf(t, path)
	for _, mark := range []string{"mark-of-anna", "option of anna", "key-of-anna", "anna"} {
		if n := bytes.Count(after, []byte(mark)); n > 0 {
			t.Errorf("%q stands in the file %d times", mark, n)
		}
	}
	if !bytes.Contains(after, []byte("mark-of-bob")) {
		t.Error("others are gone, too")
	}
	left := rowCounts(t, s, "feedback", "shapes")
	for _, table := range []string{"calls", "turns", "attempts", "cache", "feedback", "shapes"} {
		if left[table] != before[table]/2 {
			t.Errorf("%s: %d of %d rows are left", table, left[table], before[table])
		}
	}
	call, err := s.Call(ctx, "bob-00001")
	if err != nil || len(call.Turns) != 1 || string(call.Turns[0].Options["user"]) != `"option of bob"` || len(call.Feedback) != 1 {
		t.Errorf("%v %+v", err, call)
	}
	if purged, err := s.PurgeCalls(ctx, CallFilter{User: "anna"}, false); err != nil || purged != (Purged{}) {
		t.Errorf("a second time: %v %+v", err, purged)
	}
}

// TestPurgeLeavesTheSameAnswerToOthers has cached answers of the same text.
func TestPurgeLeavesTheSameAnswerToOthers(t *testing.T) {
	s := tempStore(t)
	call := asked(1, "one", func(*llm.Call) {})
	s.Record(call)
	for key, response := range map[string]string{"its": call.Turns[0].Attempts[0].ResponseID, "another's": "chatcmpl-x", "nobody knows": ""} {
		if err := s.CachePut(key, CacheEntry{Text: call.Answer, End: llm.End{Finish: llm.FinishStop, ResponseID: response}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if purged, err := s.PurgeCalls(ctx, CallFilter{}, false); err != nil || purged.Cached != 2 {
		t.Errorf("%v %+v", err, purged)
	}
	if _, there, err := s.CacheGet(ctx, "another's"); err != nil || !there {
		t.Errorf("%v: the other one is gone", err)
	}
}

func TestPurgeLeavesCallsOfRuns(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	s.Record(sampleCall(run.ID, 1))
	s.Record(asked(2, "loose", func(*llm.Call) {}))
	if err := s.AddFeedback(ctx, sampleCall(run.ID, 1).ID, scored(1)); err != nil {
		t.Fatal(err)
	}
	endRun(t, s, run)
	if purged, err := s.PurgeCalls(ctx, CallFilter{}, false); err != nil || purged.Calls != 1 {
		t.Errorf("%v %+v", err, purged)
	}
	if got := idsOf(listed(t, s, CallFilter{})); len(got) != 1 || got[0] != sampleCall(run.ID, 1).ID {
		t.Errorf("left: %v", got)
	}
	if _, _, err := s.PruneRuns(ctx, 0, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if counts := rowCounts(t, s, "feedback"); counts["feedback"] != 0 {
		t.Errorf("feedback of a pruned run: %d", counts["feedback"])
	}
}

// TestPurgeSaysWhereAReaderKeepsTheLog has another process in the middle of reading.
func TestPurgeSaysWhereAReaderKeepsTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s, other := openTest(t, path, Options{BusyTimeout: 50 * time.Millisecond}), openTest(t, path, Options{ReadOnly: true})
	s.Record(asked(1, "one", func(c *llm.Call) { c.Answer = "mark-of-anna" }))
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	rows, err := other.readers.Query("SELECT id FROM calls")
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	purged, err := s.PurgeCalls(ctx, CallFilter{}, false)
	if err != nil || purged.Calls != 1 || purged.Emptied || !bytes.Contains(bytesOf(t, path), []byte("mark-of-anna")) {
		t.Errorf("while it reads: %v %+v", err, purged)
	}
	rows.Close()
	purged, err = s.Rewrite(ctx)
	if err != nil || !purged.Rewritten || !purged.Emptied || bytes.Contains(bytesOf(t, path), []byte("mark-of-anna")) {
		t.Errorf("afterwards: %v %+v", err, purged)
	}
}

// TestAShapeThatAnotherProcessPurgedIsKeptAgain has two processes on one file: one
// answers, the other removes.
func TestAShapeThatAnotherProcessPurgedIsKeptAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	serving, purging := openTest(t, path, Options{}), openTest(t, path, Options{})
	first := asked(1, "first", func(*llm.Call) {})
	serving.Record(first)
	if err := serving.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if purged, err := purging.PurgeCalls(ctx, CallFilter{}, false); err != nil || purged.Calls != 1 {
		t.Fatalf("%v %+v", err, purged)
	}
	second := asked(2, "second", func(*llm.Call) {})
	serving.Record(second)
	if err := serving.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	got, err := serving.Call(ctx, "second")
	if err != nil || cmp.Diff(second.Turns[0].Options, got.Turns[0].Options) != "" || cmp.Diff(second.Turns[0].Output, got.Turns[0].Output) != "" {
		t.Errorf("%v %+v", err, got)
	}
}

func TestPruneCallsGoesByAge(t *testing.T) {
	s := tempStore(t)
	for i := range 2*purgeCalls + 1 {
		s.Record(asked(i, fmt.Sprintf("c%04d", i), func(*llm.Call) {}))
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	n, err := s.PruneCalls(ctx, testNow.Add(2*purgeCalls*time.Millisecond))
	if got := idsOf(listed(t, s, CallFilter{})); err != nil || n != 2*purgeCalls || len(got) != 1 || got[0] != "c0400" {
		t.Errorf("%v %d, left %v", err, n, got)
	}
}
