package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestExitCodes(t *testing.T) {
	for class, want := range map[Class]int{
		Gate: 1, Usage: 2, Invalid: 3, Drifted: 3, Empty: 3, Canceled: 130,
		Missing: 4, NoMatch: 4, Store: 4, Auth: 4, NotFound: 4, Network: 4, Malformed: 4, Cut: 4, Budget: 4, Internal: 4,
	} {
		if got := class.ExitCode(); got != want {
			t.Errorf("%s: exit %d, want %d", class, got, want)
		}
	}
}

func TestClassOfIsTheOutermost(t *testing.T) {
	inner := List{New(Invalid, "inner")}
	tests := map[string]struct {
		err  error
		want Class
	}{
		"an error":                   {New(Auth, "x"), Auth},
		"a list":                     {inner, Invalid},
		"an error because of a list": {New(Drifted, "x").Because(inner), Drifted},
		"wrapped":                    {fmt.Errorf("outer: %w", New(Auth, "x")), Auth},
		"joined":                     {errors.Join(New(Store, "x"), New(Auth, "y")), Store},
		"nobody's":                   {errors.New("x"), Internal},
	}
	for name, test := range tests {
		if got := ClassOf(test.err); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestListSortsByPlaceAndFlattens(t *testing.T) {
	var list List
	list.Add(At(Place{File: "b.yaml", Line: 1}, "third"))
	list.Add(List{At(Place{File: "a.yaml", Line: 9, Col: 2}, "second"), At(Place{File: "a.yaml", Line: 2, Col: 5}, "first")})
	list.Add(nil)
	want := "a.yaml:2:5: first\na.yaml:9:2: second\nb.yaml:1: third"
	if got := list.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for range 3 {
		list.Add(At(Place{File: "b.yaml", Line: 1}, "third"))
	}
	if got := list.Err().Error(); got != want {
		t.Errorf("what was met four times is said so often:\n%s", got)
	}
	if (List{}).Err() != nil {
		t.Error("an empty list is an error")
	}
}

func TestAllowedSuggestsTheNearest(t *testing.T) {
	words := []string{"accuracy", "schema_validity", "cost_per_case"}
	for got, want := range map[string]string{
		"acuracy": "accuracy", "Accuracy": "accuracy", "cost_per_cas": "cost_per_case", "scheam_validity": "schema_validity", "zzz": "",
	} {
		if best := Suggest(got, words); best != want {
			t.Errorf("%q: %q, want %q", got, best, want)
		}
	}
	if text := Allowed("zzz", nil); text != "none is defined" {
		t.Errorf("nothing allowed: %q", text)
	}
	many := strings.Split(strings.Repeat("word ", 30), " ")
	if text := Allowed("q", many); !strings.HasSuffix(text, "and 11 more") {
		t.Errorf("a long list: %q", text)
	}
}

// Nothing is near what is far longer, and that is known at once.
func TestNothingIsNearAWordOfMegabytes(t *testing.T) {
	words := make([]string, 20)
	for i := range words {
		words[i] = fmt.Sprintf("the prompt %d", i)
	}
	for _, got := range []string{strings.Repeat("x", 8<<20), strings.Repeat("💥", 2<<20)} {
		begun := time.Now()
		if best := Suggest(got, words); best != "" || time.Since(begun) > 3*time.Second {
			t.Errorf("%q after %v", best, time.Since(begun))
		}
	}
}
