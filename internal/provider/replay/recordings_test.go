package replay

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const file = "fixtures/triage.jsonl"

// keyOf makes a key that is told apart by a number.
func keyOf(n int) string {
	return Key(llm.Request{Repeat: n}, "test")
}

func recordingOf(n int) Recording {
	return Recording{
		Key: keyOf(n), Case: fmt.Sprintf("case-%03d", n), Prompt: "triage@draft", Model: "openai/gpt-4o-mini", Repeat: n % 3,
		Answered: "gpt-4o-mini-2024-07-18", ResponseID: "chatcmpl-1", Origin: "openai",
		Date: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Finish: llm.FinishStop,
		Usage:   llm.Usage{Input: 120, Output: 9, CachedInput: 64, Reasoning: 3},
		Service: 812345678 * time.Nanosecond, FirstToken: 301 * time.Millisecond,
		Text: "{\"label\": \"billing\"}\n\t\"é<日本\x01\x7f\\",
	}
}

func open(t testing.TB, dir string) *Recordings {
	t.Helper()
	r, err := Open(os.DirFS(dir), dir, "triage")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func write(t testing.TB, dir, content string) {
	t.Helper()
	name := filepath.Join(dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustFind(t *testing.T, r *Recordings, want Recording) {
	t.Helper()
	got, found, err := r.Lookup(want.Key)
	if err != nil || !found {
		t.Fatalf("%s: found %v, %v", want.Case, found, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAppendedIsFoundNowAndLater(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	if _, found, err := r.Lookup(keyOf(1)); found || err != nil {
		t.Fatalf("no file: found %v, %v", found, err)
	}
	tool := recordingOf(2)
	tool.Text, tool.Finish = "", llm.FinishToolCalls
	tool.ToolCalls = []llm.ToolCall{{ID: "a", Name: "find", Arguments: `{"q": "x"}`}, {Name: "stop"}}
	least := Recording{Key: keyOf(3), Model: "sim/small", Origin: "written", Date: tool.Date, Finish: llm.FinishLength}
	all := []Recording{recordingOf(1), tool, least}
	for _, recording := range all {
		if err := r.Append(recording); err != nil {
			t.Fatal(err)
		}
	}
	for _, recordings := range []*Recordings{r, open(t, dir)} {
		for _, want := range all {
			mustFind(t, recordings, want)
		}
		if recordings.Len() != 3 || recordings.Duplicates() != 0 || len(recordings.Warnings()) != 0 {
			t.Errorf("%d recordings, %d duplicates, warnings %v; want 3, 0, none", recordings.Len(), recordings.Duplicates(), recordings.Warnings())
		}
	}
}

// The line is a format of files: its members, their order and their forms.
func TestTheLineIsAsDocumented(t *testing.T) {
	recording := recordingOf(1)
	recording.Key = strings.Repeat("ab", 32)
	want := `{"key":"` + recording.Key + `","case":"case-001","prompt":"triage@draft","model":"openai/gpt-4o-mini","repeat":1,` +
		`"answered":"gpt-4o-mini-2024-07-18","response_id":"chatcmpl-1","origin":"openai","date":"2026-11-22","finish":"stop",` +
		`"usage":{"input":120,"output":9,"cached_input":64,"reasoning":3},"service_ms":812.345678,"first_token_ms":301,` +
		`"text":"{\"label\": \"billing\"}\n\t\"é<日本\u0001\u007f\\"}` + "\n"
	if diff := cmp.Diff(want, string(recording.line())); diff != "" {
		t.Error(diff)
	}
}

func TestBytesThatAreNotTextAreReplaced(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	recording := recordingOf(1)
	recording.Text = "a\xffb"
	if err := r.Append(recording); err != nil {
		t.Fatal(err)
	}
	recording.Text = "a\ufffdb"
	mustFind(t, open(t, dir), recording)
}

func TestOpenRefuses(t *testing.T) {
	good := string(recordingOf(1).lineText())
	with := func(member, value string) string {
		return strings.Replace(good, member, value, 1)
	}
	tests := map[string]struct{ content, want string }{
		"no JSON":                 {good + "\nhello\n", "fixtures/triage.jsonl:2:1: not valid JSON: invalid character 'h' looking for beginning of value"},
		"two on a line":           {good + good + "\n", fmt.Sprintf("fixtures/triage.jsonl:1:%d: not valid JSON: invalid character '{' after top-level value", len([]rune(good))+1)},
		"a list":                  {"  []\n", "fixtures/triage.jsonl:1:3: want a JSON object, got a list"},
		"empty object":            {"{}\n", "fixtures/triage.jsonl:1:1: the key \"key\" is missing\nfixtures/triage.jsonl:1:1: the key \"model\" is missing\nfixtures/triage.jsonl:1:1: the key \"origin\" is missing\nfixtures/triage.jsonl:1:1: the key \"date\" is missing\nfixtures/triage.jsonl:1:1: the key \"finish\" is missing\nfixtures/triage.jsonl:1:1: the key \"text\" is missing"},
		"unknown member":          {with(`"origin"`, `"orgin"`), "fixtures/triage.jsonl:1:220: unknown key \"orgin\"\n  did you mean \"origin\"? allowed: key, case, check, suite, prompt, model, repeat, answered, response_id, origin, date, finish, usage, service_ms, first_token_ms, text, tool_calls"},
		"twice":                   {with(`"case":`, `"case":"a","case":`), "fixtures/triage.jsonl:1:86: the key \"case\" is given twice"},
		"key":                     {with(`"key":"`, `"key":"x`), "fixtures/triage.jsonl:1:8: key: want 64 hex digits\n  write the answers into a file and let `llmx fixtures import` make the keys"},
		"two mistakes":            {with(`"repeat":1`, `"repeat":-1`) + "\n" + with(`"finish":"stop"`, `"finish":"stopp"`), "fixtures/triage.jsonl:1:155: repeat: want a whole number, 0 or more, got a number\nfixtures/triage.jsonl:2:267: finish: \"stopp\" is not known here\n  did you mean \"stop\"? allowed: stop, length, content_filter, tool_calls, other"},
		"date":                    {with("2026-11-22", "2026-11-32"), "fixtures/triage.jsonl:1:245: date: want a date such as \"2026-11-22\", got a string"},
		"usage":                   {with(`"input":120`, `"inputs":"1"`), "fixtures/triage.jsonl:1:283: unknown key \"inputs\"\n  did you mean \"input\"? allowed: input, output, cached_input, reasoning, estimated"},
		"usage value":             {with(`"input":120`, `"input":1.5`), "fixtures/triage.jsonl:1:291: input: want a whole number, 0 or more, got a number"},
		"usage kind":              {with(`{"input":120,"output":9,"cached_input":64,"reasoning":3}`, `[]`), "fixtures/triage.jsonl:1:282: usage: want an object, got a list"},
		"service":                 {with("812.345678", `"fast"`), "fixtures/triage.jsonl:1:352: service_ms: want milliseconds, a number of 0 or more, got a string"},
		"text":                    {with(`"prompt":"triage@draft"`, `"prompt":null`), "fixtures/triage.jsonl:1:102: prompt: want a string, got null"},
		"tool calls":              {with(`"response_id":"chatcmpl-1"`, `"tool_calls":[1]`), "fixtures/triage.jsonl:1:207: tool_calls: want objects, got a number"},
		"conflict":                {"<<<<<<< HEAD\n" + good + "\n=======\n>>>>>>> other\n", "fixtures/triage.jsonl:1: a conflict marker of git\n  remove the marker lines and keep the recordings of both sides; of one key the later counts\nfixtures/triage.jsonl:3: a conflict marker of git\n  remove the marker lines and keep the recordings of both sides; of one key the later counts\nfixtures/triage.jsonl:4: a conflict marker of git\n  remove the marker lines and keep the recordings of both sides; of one key the later counts"},
		"not UTF-8":               {good + "\n" + with("triage@", "é\xff@"), "fixtures/triage.jsonl:2:104: the file is not UTF-8\n  save the file as UTF-8"},
		"a last line of somebody": {good + "\n" + `{"case":"a"`, "fixtures/triage.jsonl:2:11: not valid JSON: unexpected end of JSON input"},
		"a very long line":        {good + "\n\"" + strings.Repeat("x", maxLine+1), "fixtures/triage.jsonl:2: the line has more than 16 MB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Open(fstest.MapFS{file: {Data: []byte(test.content)}}, "", "triage")
			if err == nil {
				t.Fatal("it was read, want a refusal")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if fault.ClassOf(err) != fault.Invalid {
				t.Errorf("class = %s, want invalid", fault.ClassOf(err))
			}
		})
	}
}

func TestManyProblemsAreBounded(t *testing.T) {
	_, err := Open(fstest.MapFS{file: {Data: bytes.Repeat([]byte("x\n"), 1000)}}, "", "triage")
	lines := strings.Split(err.Error(), "\n")
	if want := "fixtures/triage.jsonl:50: and 950 more problems after this line"; len(lines) != maxProblems+1 || !strings.Contains(err.Error(), want) {
		t.Errorf("%d lines, want %d with %q:\n%v", len(lines), maxProblems+1, want, err)
	}
}

func TestOpenWithoutAFile(t *testing.T) {
	if r, err := Open(fstest.MapFS{}, "", "triage"); err != nil || r.Len() != 0 {
		t.Errorf("no file: %v; want no recordings and no error", err)
	}
	for _, suite := range []string{"", "../secret", "/etc", "a/../b", "."} {
		if _, err := Open(fstest.MapFS{}, "", suite); fault.ClassOf(err) != fault.Invalid {
			t.Errorf("suite %q: %v, want a refusal", suite, err)
		}
	}
	if _, err := Open(fstest.MapFS{file + "/x": {}}, "", "triage"); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

// onlyReader hides that a file can be read at an offset.
type onlyReader struct{ fs.FS }

func (o onlyReader) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	return struct{ fs.File }{f}, err
}

func TestFileThatCannotSeek(t *testing.T) {
	content := string(recordingOf(1).lineText()) + "\r\n\n" + string(recordingOf(2).lineText())
	r, err := Open(onlyReader{fstest.MapFS{file: {Data: []byte(content)}}}, "", "triage")
	if err != nil {
		t.Fatal(err)
	}
	mustFind(t, r, recordingOf(1))
	mustFind(t, r, recordingOf(2))
	if err := r.Append(recordingOf(3)); fault.ClassOf(err) != fault.Internal {
		t.Errorf("append without a directory: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestLaterDuplicateCounts(t *testing.T) {
	dir := t.TempDir()
	older, newer := recordingOf(1), recordingOf(1)
	newer.Text = "newer"
	write(t, dir, string(older.line())+string(recordingOf(2).lineText())+"\n"+string(newer.line()))
	r := open(t, dir)
	mustFind(t, r, newer)
	if r.Duplicates() != 1 || r.Len() != 2 {
		t.Errorf("%d duplicates of %d, want 1 of 2", r.Duplicates(), r.Len())
	}
	if warnings := r.Warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], "fixtures prune") {
		t.Errorf("warnings = %v, want the command", warnings)
	}
	newest := newer
	newest.Text = "newest"
	if err := r.Append(newest); err != nil {
		t.Fatal(err)
	}
	mustFind(t, r, newest)
	if r.Duplicates() != 2 || r.Len() != 2 {
		t.Errorf("%d duplicates of %d, want 2 of 2", r.Duplicates(), r.Len())
	}
}

// A process that was killed while it wrote leaves a part of a line: for every
// part, the lines around it are read, and nothing is cut off: it may be a write under way.
func TestTornLastLine(t *testing.T) {
	first, torn := string(recordingOf(1).lineText())+"\n", recordingOf(2).lineText()
	for cut := 1; cut < len(torn); cut += 7 {
		dir := t.TempDir()
		write(t, dir, first+string(torn[:cut]))
		r := open(t, dir)
		mustFind(t, r, recordingOf(1))
		if len(r.Warnings()) != 1 || r.Len() != 1 {
			t.Fatalf("cut at %d: %d recordings, warnings %v; want 1 and one", cut, r.Len(), r.Warnings())
		}
		if err := r.Append(recordingOf(3)); err != nil {
			t.Fatal(err)
		}
		mustFind(t, r, recordingOf(3))
		if want := first + string(torn[:cut]) + "\n" + string(recordingOf(3).lineText()) + "\n"; read(t, dir) != want {
			t.Fatalf("cut at %d: file is\n%s", cut, read(t, dir))
		}
		again := open(t, dir)
		mustFind(t, again, recordingOf(1))
		mustFind(t, again, recordingOf(3))
		if len(again.Warnings()) != 1 || again.Len() != 2 {
			t.Fatalf("cut at %d: %d recordings, warnings %v; want 2 and one", cut, again.Len(), again.Warnings())
		}
	}
	dir := t.TempDir()
	write(t, dir, first+string(torn)) // whole, but for its end
	r := open(t, dir)
	if err := r.Append(recordingOf(3)); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		mustFind(t, r, recordingOf(n))
	}
	if got := open(t, dir).Len(); got != 3 {
		t.Errorf("%d recordings, want 3", got)
	}
}

func TestConcurrentAppendAndLookup(t *testing.T) {
	dir := t.TempDir()
	// Two that know nothing of each other, as two processes would.
	both := []*Recordings{open(t, dir), open(t, dir)}
	const each = 200
	var wg sync.WaitGroup
	for i, r := range both {
		for part := range 4 {
			wg.Go(func() {
				for n := range each {
					recording := recordingOf(10_000*i + 1000*part + n)
					if err := r.Append(recording); err != nil {
						t.Error(err)
					}
					if got, found, err := r.Lookup(recording.Key); err != nil || !found || got.Case != recording.Case {
						t.Errorf("%s: %q, %v, %v", recording.Case, got.Case, found, err)
					}
				}
			})
		}
	}
	wg.Wait()
	if got := open(t, dir).Len(); got != 8*each {
		t.Errorf("%d recordings, want %d", got, 8*each)
	}
}

// failing is a file on a full disk: it takes a part of a write.
type failing struct {
	*os.File
	room int
}

func (f *failing) Write(p []byte) (int, error) {
	n, err := f.File.Write(p[:min(f.room, len(p))])
	if n < len(p) && err == nil {
		err = fmt.Errorf("no space left on device")
	}
	return n, err
}

func TestFullDiskLeavesNoPart(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	if err := r.Append(recordingOf(1)); err != nil {
		t.Fatal(err)
	}
	before := read(t, dir)
	r.writer = &failing{File: r.writer.(*os.File), room: 20}
	err := r.Append(recordingOf(2))
	if fault.ClassOf(err) != fault.Store || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v, want a failure of the store", err)
	}
	if read(t, dir) != before {
		t.Error("a part of the line was left")
	}
	if _, found, _ := r.Lookup(keyOf(2)); found {
		t.Error("what was not written is found")
	}
}

// overtaken is a file to which another process appends just before each write.
type overtaken struct {
	*os.File
	other func()
}

func (f *overtaken) Write(p []byte) (int, error) {
	f.other()
	return f.File.Write(p)
}

func TestAppendFindsItsLineBehindThatOfAnother(t *testing.T) {
	dir := t.TempDir()
	mine, others := open(t, dir), open(t, dir)
	if err := mine.Append(recordingOf(1)); err != nil {
		t.Fatal(err)
	}
	mine.writer = &overtaken{File: mine.writer.(*os.File), other: func() {
		if err := others.Append(recordingOf(2)); err != nil {
			t.Error(err)
		}
	}}
	if err := mine.Append(recordingOf(3)); err != nil {
		t.Fatal(err)
	}
	mustFind(t, mine, recordingOf(3))
}

func TestReadOnlyDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fixtures"), nil, 0o644); err != nil { // a file stands in the way
		t.Fatal(err)
	}
	r, err := Open(fstest.MapFS{}, dir, "triage")
	if err != nil {
		t.Fatal(err)
	}
	err = r.Append(recordingOf(1))
	if fault.ClassOf(err) != fault.Store || strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want a failure of the store that does not name the machine's directories", err)
	}
}

func TestFileChangedUnderneath(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, string(recordingOf(1).lineText())+"\n")
	r := open(t, dir)
	other := recordingOf(2)
	other.Case, other.Repeat = "case-001", 1
	write(t, dir, string(other.line()))
	if _, found, err := r.Lookup(keyOf(1)); err == nil || found || !strings.Contains(err.Error(), "changed") {
		t.Errorf("found %v, %v; want an error", found, err)
	}
	write(t, dir, "")
	if _, _, err := r.Lookup(keyOf(1)); fault.ClassOf(err) != fault.Invalid {
		t.Errorf("cut file: %v", err)
	}
}

func TestAll(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	for _, n := range []int{5, 3, 4, 3} {
		if err := r.Append(recordingOf(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, recordings := range []*Recordings{r, open(t, dir)} {
		var got []string
		for recording, err := range recordings.All() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, recording.Case)
		}
		if diff := cmp.Diff([]string{"case-005", "case-004", "case-003"}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func (r Recording) lineText() []byte { return bytes.TrimSuffix(r.line(), []byte("\n")) }

func FuzzOpen(f *testing.F) {
	good := string(recordingOf(1).lineText())
	f.Add([]byte(good))
	f.Add([]byte(good + "\n" + good[:50]))
	f.Add([]byte("<<<<<<< a\n\n{}\r\n[1]\n{\"key\":\"\\u00"))
	f.Add([]byte(`{"tool_calls":[{"id":"a"},{}],"usage":{"input":1},"key":"` + keyOf(1) + `","text":"\ud800"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Open(fstest.MapFS{file: {Data: data}}, "", "triage")
		if err != nil {
			list, ok := err.(fault.List)
			if !ok {
				t.Fatalf("the error is a %T", err)
			}
			for _, e := range list {
				if e.Place.File != file || e.Place.Line < 1 || e.Class != fault.Invalid {
					t.Errorf("%v has no place", e)
				}
			}
			return
		}
		count := 0
		for recording, err := range r.All() {
			if err != nil {
				t.Fatal(err)
			}
			count++
			again, flaws := parseRecording(recording.lineText())
			if diff := cmp.Diff(recording, again); diff != "" || flaws != nil {
				t.Errorf("written and read again: %v %s", flaws, diff)
			}
			if _, found, err := r.Lookup(recording.Key); err != nil || !found {
				t.Errorf("%s: found %v, %v", recording.Key, found, err)
			}
		}
		if count != r.Len() {
			t.Errorf("%d recordings listed, %d counted", count, r.Len())
		}
	})
}
