package baseline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const file = "suites/triage.baseline.jsonl"

func header(model string) eval.BaselineHeader {
	return eval.BaselineHeader{Suite: "triage", Model: model, Answered: []string{model + "-1"}, Treatment: "t1",
		Prompt: llm.PromptRef{Name: "triage", Version: "1.2.0", Hash: "h"}, Draws: "recorded", Date: "2026-11-12", Run: "r1"}
}

func line(id, model, text string) eval.BaselineLine {
	cost := llm.Money(12)
	return eval.BaselineLine{Case: id, Model: model, Input: "in", Criteria: "cr", Passes: 1, Repeats: 1, Valid: -1,
		Scores: map[string]float64{"b": 0.5, "a": 1}, Cost: &cost,
		Answers: []eval.BaselineAnswer{{Digest: eval.DigestOf(text), Text: &text, Count: 1, Passes: 1}}}
}

func TestPath(t *testing.T) {
	for suite, want := range map[string]string{
		"suites/triage.yaml": file, "suites/triage.yml": file, "suites/a.b.yaml": "suites/a.b.baseline.jsonl",
	} {
		if got := Path(suite); got != want {
			t.Errorf("Path(%q) = %q", suite, got)
		}
	}
}

func write(t *testing.T, dir string, b *eval.Baseline) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "suites"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, file, b); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWriteThenRead(t *testing.T) {
	dir := t.TempDir()
	b := &eval.Baseline{
		Headers: []eval.BaselineHeader{header("small"), header("large")},
		Lines:   []eval.BaselineLine{line("b", "small", "<b> & \"two\"\nlines"), line("a", "small", "x"), line("a", "large", "y")},
	}
	first := write(t, dir, b)
	got, err := Read(os.DirFS(dir), file)
	if err != nil {
		t.Fatal(err)
	}
	want := &eval.Baseline{Headers: []eval.BaselineHeader{b.Headers[1], b.Headers[0]}, Lines: []eval.BaselineLine{b.Lines[2], b.Lines[1], b.Lines[0]}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := write(t, dir, got); again != first {
		t.Errorf("written again it differs:\n%s\n%s", first, again)
	}
	got.Lines[1] = line("a", "small", "changed")
	changed := strings.Split(write(t, dir, got), "\n")
	for i, text := range strings.Split(first, "\n") {
		if (changed[i] != text) != (i == 3) {
			t.Errorf("line %d: one line was changed:\n%s\n%s", i+1, text, changed[i])
		}
	}
	if !strings.Contains(first, `<b> & \"two\"\nlines`) {
		t.Errorf("answers stay readable: %s", first)
	}
	left, err := os.ReadDir(filepath.Join(dir, "suites"))
	if err != nil || len(left) != 1 {
		t.Errorf("files left beside it: %v, %v", left, err)
	}
}

func TestWriteRefusesWhatReadWould(t *testing.T) {
	b := &eval.Baseline{Headers: []eval.BaselineHeader{header("small")}, Lines: []eval.BaselineLine{line("a", "large", "x")}}
	if err := Write(t.TempDir(), file, b); fault.ClassOf(err) != fault.Invalid {
		t.Errorf("a line without a header: %v", err)
	}
	b.Lines = []eval.BaselineLine{line("a", "small", "x"), line("a", "small", "y")}
	if err := Write(t.TempDir(), file, b); fault.ClassOf(err) != fault.Invalid {
		t.Errorf("a case twice: %v", err)
	}
	b.Lines = b.Lines[:1]
	if err := Write(filepath.Join(t.TempDir(), "missing"), file, b); fault.ClassOf(err) != fault.Store {
		t.Errorf("no such directory: %v", err)
	}
}

func TestReadNoFile(t *testing.T) {
	if b, err := Read(fstest.MapFS{}, file); b != nil || err != nil {
		t.Errorf("Read = %v, %v", b, err)
	}
}

func TestReadBadFiles(t *testing.T) {
	const head = `{"suite":"triage","model":"small","answered":[],"treatment":"t","prompt":{"name":"p","version":"1"},"draws":"live","date":"2026-11-12","run":"r"}` + "\n"
	good := func(id string) string {
		return `{"case":"` + id + `","model":"small","input":"i","criteria":"c","passes":1,"repeats":1,"valid":-1,"answers":[{"digest":"d","count":1,"passes":1}]}` + "\n"
	}
	tests := []struct{ name, text, want string }{
		{"not JSON", head + "hello\n", file + ":2: the line is not JSON"},
		{"half a line", head + `{"case":"a"`, file + ":2: the line is not JSON"},
		{"two values", head + strings.TrimSpace(good("a")) + good("b"), file + ":2: more than one JSON value on the line"},
		{"unknown key", head + `{"case":"a","passses":1}`, file + `:2: unknown field "passses"`},
		{"wrong type", head + `{"case":"a","passes":"one"}`, file + `:2: the key "passes" cannot hold a JSON string`},
		{"twice", head + good("a") + good("b") + good("a"), file + `:4: a second line for case "a" on model "small"`},
		{"header twice", head + head, file + `:2: a second header for the model "small"`},
		{"no header", good("a"), file + `:1: case "a": the model "small" has no header line`},
		{"too many passes", head + strings.Replace(good("a"), `"passes":1`, `"passes":2`, 1), file + `:2: case "a": passes must lie between 0 and repeats`},
		{"answers do not sum up", head + strings.Replace(good("a"), `"repeats":1`, `"repeats":2`, 1), file + `:2: case "a": the answers' counts do not sum`},
		{"not UTF-8", head + "{\"case\":\"\xff\"}", file + ":2: the line is not UTF-8"},
		{"two problems", "x\n" + head + "y\n", file + ":3: the line is not JSON"},
		{"conflict", head + "<<<<<<< HEAD\n" + good("a") + "=======\n>>>>>>> b\n", file + ":2: the baseline has conflict markers\n  llmx baseline merge triage"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(fstest.MapFS{file: {Data: []byte(test.text)}}, file)
			if err == nil || fault.ClassOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestReadByHand(t *testing.T) {
	text := "\r\n" + `{ "model": "small", "suite": "triage" }` + "\r\n" +
		`{"model":"small", "case":"a", "input":"i","criteria":"c","passes":0,"repeats":1,"valid":0,"answers":[{"digest":"d","count":1,"passes":0}]}` + "\r\n"
	b, err := Read(fstest.MapFS{file: {Data: []byte(text)}}, file)
	if err != nil || len(b.Headers) != 1 || len(b.Lines) != 1 {
		t.Errorf("other key order, CRLF and blank lines are fine: %v, %v", b, err)
	}
}

func TestKeep(t *testing.T) {
	old := &eval.Baseline{Headers: []eval.BaselineHeader{header("large"), header("small")}, Lines: []eval.BaselineLine{line("a", "large", "x"), line("a", "small", "x"), line("z", "small", "x")}}
	fresh := &eval.Baseline{Headers: []eval.BaselineHeader{header("small")}, Lines: []eval.BaselineLine{line("a", "small", "new")}}
	got := Keep(fresh, old)
	var keys []string
	for _, l := range got.Lines {
		keys = append(keys, l.Case+" "+l.Model+" "+*l.Answers[0].Text)
	}
	if want := []string{"a large x", "a small new"}; !slices.Equal(keys, want) || len(got.Headers) != 2 {
		t.Errorf("lines %q, want %q", keys, want)
	}
	if Keep(fresh, nil) != fresh {
		t.Error("without an old one the fresh one stands")
	}
}

func FuzzMergeAndRead(f *testing.F) {
	f.Add([]byte(conflicted("t1", "t2")))
	f.Add([]byte("<<<<<<< a\n||||||| b\n=======\n>>>>>>> c\n"))
	f.Add([]byte("{\"suite\":\"s\",\"model\":\"m\"}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, _, err := Merge(data); err == nil {
			if err := checkWhole(b, file); err != nil {
				t.Errorf("a merge gave what cannot be written: %v", err)
			}
		}
		b, err := Read(fstest.MapFS{file: {Data: data}}, file)
		if err != nil {
			return
		}
		if err := checkWhole(b, file); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
