package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// rebuild puts both texts together again from their difference.
func rebuild(edits []edit) (old, new string) {
	var a, b strings.Builder
	for _, e := range edits {
		if e.op != put {
			a.WriteString(e.text)
		}
		if e.op != dropped {
			b.WriteString(e.text)
		}
	}
	return a.String(), b.String()
}

func TestDiffAnswersChoosesTheShape(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           shape
		lines          string // of the edits, joined
	}{
		{"same", "a", "a", shapeSame, ""},
		{"keys in another order", `{"a":1,"b":2}`, `{"b":2,"a":3}`, shapeLines, " {|-  \"a\": 1,|+  \"a\": 3,|   \"b\": 2| }"},
		{"large numbers are kept", `[12345678901234567890]`, `[12345678901234567891]`, shapeLines, " [|-  12345678901234567890|+  12345678901234567891| ]"},
		{"html is not escaped", `["<b>"]`, `["<i>"]`, shapeLines, " [|-  \"<b>\"|+  \"<i>\"| ]"},
		{"prose", "the quick brown fox jumps", "the quick red fox jumps", shapeWords, " the quick |-brown|+red|  fox jumps"},
		{"nothing in common", "yes", "It depends.", shapeReplace, "-yes|+It depends."},
		{"one is JSON", `{"a":1}`, "I cannot answer that.", shapeReplace, `-{"a":1}|+I cannot answer that.`},
		{"two documents are not JSON", `{} {}`, `{} [] {}`, shapeWords, " {} |+[] | {}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := diffAnswers(test.old, test.new)
			var got []string
			for _, e := range d.edits {
				got = append(got, string(e.op)+e.text)
			}
			if d.shape != test.want || strings.Join(got, "|") != test.lines {
				t.Errorf("got %d %q, want %d %q", d.shape, strings.Join(got, "|"), test.want, test.lines)
			}
		})
	}
}

func TestSameJSONWrittenDifferently(t *testing.T) {
	d := diffAnswers(`{"a": 1}`, `{"a":1}`)
	if len(d.notes) != 1 || d.shape == shapeLines || d.shape == shapeSame {
		t.Errorf("got %+v", d)
	}
}

// A difference far behind the first 32 KB is still shown.
func TestLongAnswersAreComparedWhereTheyDiffer(t *testing.T) {
	old := strings.Repeat("all the same words. ", 100_000) + "the answer is 4"
	new := strings.TrimSuffix(old, "4") + "5"
	d := diffAnswers(old, new)
	var b strings.Builder
	for _, e := range d.edits {
		if e.op != kept {
			b.WriteString(string(e.op) + e.text)
		}
	}
	if b.String() != "-4+5" || len(d.notes) != 1 {
		t.Errorf("got %q %q", b.String(), d.notes)
	}
}

func TestHugeDiffsAreQuick(t *testing.T) {
	var a, b strings.Builder
	for i := range 8000 {
		a.WriteString(string(rune('a'+i%26)) + " ")
		b.WriteString(string(rune('a'+(i*7+3)%26)) + " ")
	}
	start := time.Now()
	diffAnswers(a.String(), b.String())
	diffAnswers(hostile["deep"], hostile["deep"]+"1")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// What is too large for an exact comparison is shown as replaced, but for its same
// start and end.
func TestLargeDiffsAreNotComputed(t *testing.T) {
	var a, b strings.Builder
	a.WriteString("start\n")
	b.WriteString("start\n")
	for i := range maxTokens + 1 {
		fmt.Fprintf(&a, "%d\n", i)
		fmt.Fprintf(&b, "%d\n", i+1)
	}
	edits := lineDiff(a.String()+"end\n", b.String()+"end\n")
	if len(edits) != 2*(maxTokens+1)+2 || edits[0].op != kept || edits[1].op != dropped || edits[len(edits)-2].op != put || edits[len(edits)-1].op != kept {
		t.Errorf("%d edits", len(edits))
	}
}

func TestDeepJSONIsNotLaidOut(t *testing.T) {
	for levels, want := range map[int]bool{maxDepth: true, maxDepth + 1: false} {
		if _, ok := prettyJSON(strings.Repeat("[", levels) + strings.Repeat("]", levels)); ok != want {
			t.Errorf("%d levels: %v", levels, ok)
		}
	}
}

func TestHunksLeaveOutWhatIsFar(t *testing.T) {
	old := "1\n2\n3\n4\n5\n6\n7\n8\n9"
	edits := hunks(lineDiff(old, strings.Replace(old, "5", "five", 1)), 1)
	var got []string
	for _, e := range edits {
		if e.op == 0 {
			got = append(got, "…")
			continue
		}
		got = append(got, string(e.op)+e.text)
	}
	if want := "…| 4|-5|+five| 6"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", strings.Join(got, "|"), want)
	}
}

func FuzzTextsFromOutside(f *testing.F) {
	for _, key := range sortedKeys(hostile) {
		f.Add(clip(hostile[key], 500), clip(hostile["hebrew"]+hostile[key], 500))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 4000 {
			return
		}
		if old, new := rebuild(wordDiff(a, b)); old != a || new != b {
			t.Errorf("the words of %q and %q became %q and %q", a, b, old, new)
		}
		var page strings.Builder
		p := newPage(&page, Style{Width: 60})
		p.answers("  ", a, b)
		p.line(text(a), text(b))
		p.flow("  ", text(a))
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		checkPage(t, page.String(), 60)
		if strings.Contains(mdCode(a), "\n") || strings.Contains(mdText(b), "\n") {
			t.Errorf("a line break in a line of Markdown: %q %q", a, b)
		}
	})
}
