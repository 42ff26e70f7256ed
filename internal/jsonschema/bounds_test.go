package jsonschema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// terms is a recursive schema of two alternatives that lead to the same property.
func terms(defs string) string {
	node := func(op string) string {
		return `{"type":"object","required":["op","l"],"properties":{"op":{"const":"` + op + `"},"l":{"$ref":"#/` + defs + `/node"}}}`
	}
	return `{"allOf":[{"$ref":"#/` + defs + `/node"}],"` + defs + `":{"node":{"anyOf":[{"$ref":"#/` + defs + `/bin"},{"$ref":"#/` + defs +
		`/un"},{"type":"integer"}]},"bin":` + node("add") + `,"un":` + node("neg") + `}}`
}

// TestDeepAlternatives ends, which it did not: a library tries 2 to the power of the depth.
// What is told is the same on both sides of the bound.
func TestDeepAlternatives(t *testing.T) {
	for _, defs := range []string{"definitions", "$defs"} {
		schema, err := Compile([]byte(terms(defs)))
		if err != nil {
			t.Fatal(err)
		}
		for _, depth := range []int{5, 12, 30, 199} {
			for _, op := range []string{"add", "neg"} {
				valid, err := Decode(deep(depth, op, "1"))
				if err != nil {
					t.Fatal(err)
				}
				if wrong := schema.Validate(valid); wrong != nil {
					t.Errorf("%s, %d of %s: valid, and refused: %v", defs, depth, op, wrong[0])
				}
				broken, err := Decode(deep(depth, op, `"x"`))
				if err != nil {
					t.Fatal(err)
				}
				wrong := schema.Validate(broken)
				if len(wrong) == 0 {
					t.Fatalf("%s, %d of %s: broken, and accepted", defs, depth, op)
				}
				last := wrong[len(wrong)-1]
				if want := strings.Repeat("/l", depth) + `: expected an object, got "x"`; last.String() != want {
					t.Errorf("%s, %d of %s: got %s, want %s", defs, depth, op, last, want)
				}
			}
		}
	}
}

// TestManyWaysToOne is a chain whose every link has two ways to the next.
func TestManyWaysToOne(t *testing.T) {
	for _, keyword := range []string{"anyOf", "allOf"} {
		var b strings.Builder
		b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
		for i := range 60 {
			fmt.Fprintf(&b, `"d%d":{"%s":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, keyword, i+1, i+1)
		}
		b.WriteString(`"d60":{"type":"integer"}}}`)
		schema, err := Compile([]byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		for text, valid := range map[string]bool{`{"a":1}`: false, "1": true} {
			value, _ := Decode([]byte(text))
			if wrong := schema.Validate(value); (wrong == nil) != valid {
				t.Errorf("%s of %s: %v", keyword, text, wrong)
			}
		}
	}
}

// TestJudgeLeavesOpen refuses what neither can decide, and says why.
func TestJudgeLeavesOpen(t *testing.T) {
	text := strings.ReplaceAll(terms("$defs"), `"type":"object"`, `"type":"object","unevaluatedProperties":false`)
	schema, err := Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	value, _ := Decode(deep(40, "add", "1"))
	wrong := schema.Validate(value)
	if len(wrong) != 1 || !strings.Contains(wrong[0].String(), "too deep, or too large, for the alternatives of the schema") {
		t.Errorf("got %v", wrong)
	}
}

// counting counts the visits of a library by a pattern that stands in a schema.
type counting struct{ calls *int }

func (c counting) MatchString(string) bool { *c.calls++; return false }
func (c counting) String() string          { return "x" }

// TestVisitsAreCounted holds that a library makes no more visits than were counted.
func TestVisitsAreCounted(t *testing.T) {
	calls := 0
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(func(string) (jsonschema.Regexp, error) { return counting{&calls}, nil })
	document, err := Decode([]byte(strings.ReplaceAll(terms("$defs"), `"type":"integer"`, `"type":"string","pattern":"x"`)))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource(here, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(here)
	if err != nil {
		t.Fatal(err)
	}
	for depth := range 10 {
		value, _ := Decode(deep(depth, "add", `"y"`))
		root := newPlace(value, "", 0)
		calls = 0
		_ = schema.Validate(value)
		c := newCounter(root.size)
		visits := c.visits(newGraph(schema, nil).root, root)
		if calls < 1<<depth || visits < calls || visits > 40*calls {
			t.Errorf("depth %d: the library made %d visits of one rule, counted are %d of all", depth, calls, visits)
		}
		if c.steps > 60*(depth+1) {
			t.Errorf("depth %d: counting took %d steps", depth, c.steps)
		}
	}
}

// TestLongListIsNoFault lets values be as long as they like.
func TestLongListIsNoFault(t *testing.T) {
	schema, err := Compile([]byte(`{"items":{"type":"object","properties":{"a":{"type":"string"},"c":{"anyOf":[{"type":"string"},{"type":"null"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	value, err := Decode([]byte("[" + strings.TrimSuffix(strings.Repeat(`{"a":"x","c":null},`, 30_000), ",") + "]"))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := schema.Validate(value); wrong != nil {
		t.Errorf("got %v", wrong)
	}
}

// TestTooLarge refuses schemas that take the libraries long to read.
func TestTooLarge(t *testing.T) {
	series := func(n int, format, between string) string {
		var parts []string
		for i := range n {
			parts = append(parts, strings.ReplaceAll(format, "N", fmt.Sprint(i)))
		}
		return strings.Join(parts, between)
	}
	for text, want := range map[string]string{
		`{"properties":{` + series(20_000, `"kN":{}`, ",") + `}}`:                                                 "20001 schemas stand in it, and 10000 may",
		`{"properties":{` + series(20_000, `"kN":true`, ",") + `}}`:                                               "20001 schemas stand in it, and 10000 may",
		`{"enum":[` + series(30_000, `"kN"`, ",") + `]}`:                                                          "its lists (enum, required, …) hold 30000 values, and 20000 may",
		`{"default":[` + series(200_000, `N`, ",") + `]}`:                                                         "it holds more than 50000 values",
		`{"x":{` + series(900, `"dN":{"items":{"$ref":"#/x/dN"}}`, ",") + `},"$ref":"#/x/d0"}`:                    "refers to 900 schemas that stand where no keyword has any, and may to 500",
		`{"$ref":"#/$defs/d","$defs":{"d":` + strings.Repeat(`{"not":`, 5) + `{}` + "}}}}}" + `}}`:                "",
		`{"$ref":"#/$defs/d0","$defs":{"d900":{},` + strings.Join(links(900), ",") + `}}`:                         "more than 500 schemas apply to one value",
		`{"$ref":"#/$defs/d850","$defs":{"d900":{"type":"integer"},` + strings.Join(links(900)[600:], ",") + `}}`: "",
	} {
		_, compiled := Compile([]byte(text))
		whole, bundled := Bundle([]byte(text), "a.json", nil)
		if bundled == nil {
			_, bundled = Compile(whole)
		}
		for _, err := range []error{compiled, bundled} {
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%.40s…: got %v, want %q", text, err, want)
			}
		}
	}
}

func links(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(`"d%d":{"$ref":"#/$defs/d%d"}`, i, i+1))
	}
	return all
}
