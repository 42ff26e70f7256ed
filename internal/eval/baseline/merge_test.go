package baseline

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

func text(t *eval.Baseline) string {
	var b bytes.Buffer
	if err := encode(&b, t); err != nil {
		panic(err)
	}
	return b.String()
}

func headerLine(treatment, date string) string {
	h := header("small")
	h.Treatment, h.Date = treatment, date
	return text(&eval.Baseline{Headers: []eval.BaselineHeader{h}})
}

func caseLine(id, answer string) string {
	return text(&eval.Baseline{Lines: []eval.BaselineLine{line(id, "small", answer)}})
}

// conflicted is a file whose sides were accepted under two treatments; theirs is later.
func conflicted(ours, theirs string) string {
	return "<<<<<<< HEAD\n" + headerLine(ours, "2026-11-12") + "||||||| base\n" + headerLine("t0", "2026-11-01") + "=======\n" + headerLine(theirs, "2026-11-13") + ">>>>>>> feature\n" +
		caseLine("a", "same") +
		"<<<<<<< HEAD\n" + caseLine("b", "ours") + caseLine("c", "only ours") + "=======\n" + caseLine("b", "theirs") + caseLine("d", "only theirs") + ">>>>>>> feature\n"
}

func answers(b *eval.Baseline) []string {
	var all []string
	for _, l := range b.Lines {
		all = append(all, l.Case+": "+*l.Answers[0].Text)
	}
	return all
}

func TestMergeOfTwoTreatments(t *testing.T) {
	b, conflicts, err := Merge([]byte(conflicted("t1", "t2")))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a: same", "b: theirs", "c: only ours", "d: only theirs"}; !slices.Equal(answers(b), want) {
		t.Errorf("lines %q, want %q", answers(b), want)
	}
	if len(b.Headers) != 1 || b.Headers[0].Treatment != "t2" || b.Headers[0].Date != "2026-11-13" {
		t.Errorf("headers %+v: the later one wins", b.Headers)
	}
	if len(conflicts) != 1 || conflicts[0].Case != "" || conflicts[0].Model != "small" {
		t.Errorf("conflicts %v: lines of two treatments stand side by side", conflicts)
	}
	if dir := t.TempDir(); write(t, dir, b) == "" {
		t.Error("nothing was written")
	}
}

func TestMergeUnderOneTreatment(t *testing.T) {
	b, conflicts, err := Merge([]byte(conflicted("t1", "t1")))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a: same", "b: ours", "c: only ours", "d: only theirs"}; !slices.Equal(answers(b), want) {
		t.Errorf("lines %q, want %q", answers(b), want)
	}
	if len(conflicts) != 1 || conflicts[0].Case != "b" || !strings.HasPrefix(conflicts[0].String(), "case b on small: ") {
		t.Errorf("conflicts %v", conflicts)
	}
}

func TestMergeKeepsBothReasons(t *testing.T) {
	ours, theirs := header("small"), header("small")
	both := eval.BaselineAccept{Cases: []string{"x"}, Because: "both", Date: "2026-11-01"}
	ours.Accepted = []eval.BaselineAccept{both, {Cases: []string{"a"}, Because: "ours", Date: "2026-11-02"}}
	theirs.Accepted = []eval.BaselineAccept{both, {Cases: []string{"b"}, Because: "theirs", Date: "2026-11-02"}}
	theirs.Answered = []string{"small-2"}
	file := "<<<<<<< a\n" + text(&eval.Baseline{Headers: []eval.BaselineHeader{ours}}) + "=======\n" + text(&eval.Baseline{Headers: []eval.BaselineHeader{theirs}}) + ">>>>>>> b\n"
	b, conflicts, err := Merge([]byte(file))
	if err != nil || len(conflicts) != 0 {
		t.Fatal(conflicts, err)
	}
	if h := b.Headers[0]; len(h.Accepted) != 3 || !slices.Equal(h.Answered, []string{"small-1", "small-2"}) {
		t.Errorf("header %+v", h)
	}
}

func TestMergeRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"no end":       {"<<<<<<< a\n=======\n", "line 1: a conflict that does not end"},
		"out of order": {"=======\n", "line 1: a conflict marker out of order"},
		"twice":        {"<<<<<<< a\n<<<<<<< b\n", "line 2: a conflict marker out of order"},
		"a bad line":   {headerLine("t", "d") + "<<<<<<< a\n=======\nhello\n>>>>>>> b\n", "theirs:4: the line is not JSON"},
	} {
		_, _, err := Merge([]byte(test.text))
		if err == nil || fault.ClassOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	b, conflicts, err := Merge([]byte(headerLine("t", "d") + caseLine("a", "x")))
	if err != nil || len(conflicts) != 0 || len(b.Lines) != 1 {
		t.Errorf("a file without markers is itself: %v, %v, %v", b, conflicts, err)
	}
}
