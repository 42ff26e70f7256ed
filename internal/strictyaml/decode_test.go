package strictyaml

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

type shop struct {
	Name   string             `yaml:"name,required"`
	Kind   string             `yaml:"kind" oneof:"small large"`
	Open   time.Duration      `yaml:"open"`
	Prices map[string]float64 `yaml:"prices"`
	Tags   []string           `yaml:"tags"`
	Inner  *inner             `yaml:"inner"`
	Free   any                `yaml:"free"`
	Raw    Node               `yaml:"raw"`
	Place  fault.Place        `yaml:",place"`
}

type inner struct {
	Count int  `yaml:"count"`
	On    bool `yaml:"on"`
}

func TestDecodeKeepsValuesAndPlaces(t *testing.T) {
	node, err := Parse("shop.yaml", []byte("name: a\nkind: small\nopen: 90d\nprices: {x: 0.15}\ntags: [b, c]\ninner: {count: 3, on: true}\nfree: {t: 0, u: 0.10, v: [null, 1e3]}\nraw: hello\n"), 4)
	if err != nil {
		t.Fatal(err)
	}
	var got shop
	if err := node.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Raw.Text() != "hello" || got.Raw.Place().Line != 11 {
		t.Errorf("raw = %q at %v, want hello at line 11", got.Raw.Text(), got.Raw.Place())
	}
	got.Raw = Node{}
	want := shop{
		Name: "a", Kind: "small", Open: 90 * 24 * time.Hour, Prices: map[string]float64{"x": 0.15}, Tags: []string{"b", "c"},
		Inner: &inner{Count: 3, On: true},
		Free:  map[string]any{"t": json.Number("0"), "u": json.Number("0.10"), "v": []any{nil, json.Number("1e3")}},
		Place: fault.Place{File: "shop.yaml", Line: 4, Col: 1},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b Node) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeReadsInlineFieldsInTheirPlace(t *testing.T) {
	type common struct {
		On    bool `yaml:"on"`
		Count int  `yaml:"count"`
	}
	var got struct {
		Name   string `yaml:"name"`
		common `yaml:",inline"`
	}
	node, err := Parse("f.yaml", []byte("name: a\ncount: 3\non: true\n"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Decode(&got); err != nil || got.Name != "a" || got.Count != 3 || !got.On {
		t.Errorf("got %+v, %v", got, err)
	}
	node, err = Parse("f.yaml", []byte("cuont: 3\n"), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := "f.yaml:1:1: unknown key \"cuont\"\n  did you mean \"count\"? allowed: name, on, count"
	if err := node.Decode(&got); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDecodeReportsEveryProblemWithItsPlace(t *testing.T) {
	node, err := Parse("shop.yaml", []byte("nmae: a\nkind: smal\nopen: 5\nprices: {x: cheap}\ntags: b\ninner: {count: 1.5, on: maybe}\n"), 1)
	if err != nil {
		t.Fatal(err)
	}
	var got shop
	err = node.Decode(&got)
	want := `shop.yaml:1:1: unknown key "nmae"
  did you mean "name"? allowed: name, kind, open, prices, tags, inner, free, raw
shop.yaml:1:1: the key "name" is missing
shop.yaml:2:7: "smal" is not known here
  did you mean "small"? allowed: small, large
shop.yaml:3:7: want a duration such as 500ms, 30s, 24h or 90d, got a number ("5")
shop.yaml:4:13: want a number, got a string ("cheap")
shop.yaml:5:7: want a list, got a string ("b")
shop.yaml:6:16: want a whole number, got a number ("1.5")
shop.yaml:6:25: want a boolean, got a string ("maybe")`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct{ yaml, want string }{
		"key given twice":  {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key \"a\" is given twice\n  it stands at line 1 already"},
		"tab":              {"a:\n\tb: 2\n", "f.yaml:2:1: a tab where YAML allows only spaces"},
		"tab in value":     {"a: 1\n\tb: 2\n", "f.yaml:2:1: a tab where YAML allows only spaces"},
		"unfinished":       {"a: [1,\n", "f.yaml:2:1: not valid YAML"},
		"two documents":    {"a: 1\n---\nb: 2\n", "more than one YAML document"},
		"not UTF-8":        {"a: 1\nb: \xff\n", "f.yaml:2:4: the file is not UTF-8"},
		"merge key":        {"a: &x {b: 1}\nc:\n  <<: *x\n", "f.yaml:3:3: merge keys"},
		"billion laughs":   {laughs(), "too large or too deep"},
		"alias to its own": {"a: &x [*x]\n", "f.yaml"},
		"too large":        {strings.Repeat("# filler\n", 1<<20), "the file has 9 MB; at most 8 MB are read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(test.yaml), 1)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if class := fault.ClassOf(err); class != fault.Invalid {
				t.Errorf("class %q, want invalid", class)
			}
		})
	}
}

func TestParseEmptyIsAbsent(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "~\n"} {
		node, err := Parse("f.yaml", []byte(text), 1)
		if err != nil || node.Exists() {
			t.Errorf("%q: got %v, %v; want the absent node", text, node, err)
		}
	}
}

func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := '1'; i < '9'; i++ {
		b.WriteString("a" + string(i) + ": &a" + string(i) + " [")
		b.WriteString(strings.Repeat("*a"+string(i-1)+", ", 10) + "x]\n")
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "a: &x [*x]\n", "a: [1,\n", "- {b: c}\n", laughs()} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		node, err := Parse("f.yaml", data, 1)
		if err != nil {
			if _, ok := errors.AsType[*fault.Error](err); !ok {
				t.Fatalf("an error without a class: %v", err)
			}
			return
		}
		node.Value()
		var s shop
		_ = node.Decode(&s)
	})
}
