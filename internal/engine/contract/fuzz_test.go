package contract

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// kindsOfTable are the contracts that answers are thrown at.
var kindsOfTable = []llm.Output{
	ticket, anything, aNumber, aBoolean, aLabel, texts, numbers, python, pairs,
	coercing(ticket, llm.CoerceNumber, llm.CoerceBoolean, llm.CoerceList),
	coercing(numbers, llm.CoerceNumber, llm.CoerceList),
	coercing(aNumber, llm.CoerceNumber), coercing(aBoolean, llm.CoerceBoolean),
}

// Whatever is answered: no panic, no value that the schema refuses, and a repaired
// answer written anew needs no repair and is the same value.
func FuzzRead(f *testing.F) {
	for _, test := range malformed {
		for kind := range kindsOfTable {
			f.Add(test.answer, uint8(kind))
		}
	}
	parser := NewParser()
	f.Fuzz(func(t *testing.T, answer string, kind uint8) {
		output := kindsOfTable[int(kind)%len(kindsOfTable)]
		parsed, broken := parser.Read(answer, output)
		if broken != "" {
			if parsed.Value != nil || parsed.Repairs != nil || parsed.Text != "" {
				t.Fatalf("a refused answer (%s) has %+v", broken, parsed)
			}
			return
		}
		holdsUnderSchema(t, parser, parsed, output)
		strict := output
		strict.Repair = llm.RepairOff
		again, broken := parser.Read(parsed.Text, strict)
		if broken != "" || len(again.Repairs) > 0 {
			t.Fatalf("%q was read as %q, which is refused: %s, repairs %v", answer, parsed.Text, broken, again.Repairs)
		}
		if diff := cmp.Diff(parsed.Value, again.Value); diff != "" {
			t.Fatalf("%q, read again as %q: %s", answer, parsed.Text, diff)
		}
		if (len(parsed.Repairs) == 0) != (parsed.Score == 1) || parsed.Score <= 0 {
			t.Fatalf("score %v with %v", parsed.Score, parsed.Repairs)
		}
		if len(parsed.Repairs) == 0 && parsed.Text != answer {
			t.Fatalf("%q became %q without a repair", answer, parsed.Text)
		}
		for _, r := range parsed.Repairs {
			if weights[r.Name] == 0 || r.Line < 1 || r.Col < 1 || r.Times < 1 {
				t.Fatalf("repair %+v", r)
			}
		}
	})
}

func holdsUnderSchema(t *testing.T, parser *Parser, parsed Parsed, output llm.Output) {
	t.Helper()
	raw := output.ValueSchema()
	if raw == nil {
		raw = json.RawMessage(`{}`)
	}
	schema, err := parser.schema(raw)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.Decode([]byte(written(parsed.Value)))
	if err != nil {
		if output.Kind == llm.OutputRegex || output.Kind == llm.OutputCode {
			return // text that is not UTF-8 stays as it came
		}
		t.Fatalf("%v: %v", parsed.Value, err)
	}
	if violations := schema.Validate(value); len(violations) > 0 && len(output.ValueSchema()) > 0 {
		t.Fatalf("%v was passed, but %v", parsed.Value, violations)
	}
}

// Garbage of a megabyte is refused or read in a time that grows with its length, not
// with its square: each is a shape that sends a reader back to where it was.
func TestGarbageIsReadInBoundedTime(t *testing.T) {
	// What grows with the square would take a quarter of an hour; a slow machine under the
	// race detector takes five seconds.
	const size, mostTime = 1 << 20, 30 * time.Second
	shapes := []string{
		"{", "[", "[[", "{\"", "[\"", "{'a':", "[1,“x]", "[1,\"x]", "{a\"}", "{x}", "[x", "{x ", "{}", "[]", "[1]", "}", "/*", "[/*", "//", "#",
		"\\", "\"\\u", "```\n", "`", "```json\n{", "- a\n", "- [\n", "1. a\n", "a: 1\n", "18\n", "true\n", "billing ", "billing: ", "a=1 ", "&quot;", "{&quot;",
		"\"a\" ", "[NaN,", "[.", "[-", "{\"a\":{", "\ufeff", "“", "é", "\xff", " ", "\n", ":", "=", "*", "_", "{a:1}\n{", "[1 ", "(", "~~~\n", "0", "9", ".", "1,",
	}
	others := []llm.Output{aNumber, aLabel, texts, python, pairs}
	tails := []string{"", "”!", "]}", "\"", "\n```"}
	parser := NewParser()
	for i, shape := range shapes {
		answer := strings.Repeat(shape, size/len(shape)) + tails[i%len(tails)]
		for _, output := range []llm.Output{ticket, others[i%len(others)], others[(i+2)%len(others)]} {
			begin := time.Now()
			parser.Read(answer, output)
			if took := time.Since(begin); took > mostTime {
				t.Errorf("%s: a megabyte of %q took %v", output.Kind, shape, took)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	valid := `{"label":"bug","urgency":3,"tags":["a","b"],"open":true}`
	for name, answer := range map[string]string{
		"valid": valid, "fenced": "```json\n" + valid + "\n```", "python": `{'label':'bug','urgency':3,'tags':['a','b',],'open':True}`,
		"refused": "I cannot help with that.",
	} {
		b.Run(name, func(b *testing.B) {
			parser := NewParser()
			for b.Loop() {
				parser.Read(answer, ticket)
			}
		})
	}
}
