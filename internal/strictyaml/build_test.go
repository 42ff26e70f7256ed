package strictyaml

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestFromJSONGivesTheValueBack(t *testing.T) {
	value := map[string]any{
		"text": "true", "null": nil, "yes": true, "list": []any{json.Number("1.50"), json.Number("-2e9"), "12"},
		"inner": map[string]any{"~": "null"},
	}
	place := fault.Place{File: "rows.jsonl", Line: 7, Col: 2}
	node := FromJSON(value, place)
	if diff := cmp.Diff(any(value), node.Value()); diff != "" {
		t.Error(diff)
	}
	if got := node.Get("inner").Get("~").Place(); got != place {
		t.Errorf("an inner value stands at %v, want %v", got, place)
	}
}

func TestMapReplacesScalarsAndKeepsPlaces(t *testing.T) {
	node, err := Parse("s.yaml", []byte("a: {b: [x, 2]}\nc: &c y\nd: *c\ne: '3'\n"), 11)
	if err != nil {
		t.Fatal(err)
	}
	upper, err := node.Map(func(n Node) (Node, error) {
		if n.Kind() != String {
			return n, nil
		}
		return FromJSON(strings.ToUpper(n.Text()), n.Place()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": map[string]any{"b": []any{"X", json.Number("2")}}, "c": "Y", "d": "Y", "e": "3"}
	if diff := cmp.Diff(any(want), upper.Value()); diff != "" {
		t.Error(diff)
	}
	if got := upper.Get("c").Place(); got.String() != "s.yaml:12:4" {
		t.Errorf("c stands at %v, want s.yaml:12:4", got)
	}
	if got := node.Get("c").Text(); got != "y" {
		t.Errorf("the original became %q", got)
	}
}

func TestMapReturnsEveryError(t *testing.T) {
	node, err := Parse("s.yaml", []byte("a: x\nb: [y]\n"), 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = node.Map(func(n Node) (Node, error) { return n, n.Errorf("no %s", n.Text()) })
	if want := "s.yaml:1:4: no x\ns.yaml:2:5: no y"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
