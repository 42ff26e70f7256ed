package suite_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// looseDeps load a suite for no prompt in particular.
func looseDeps() suite.Deps {
	return suite.Deps{ParseCheck: scorer.Parse, GoldenCheck: scorer.Golden()}
}

// contents are the cases of a suite without what an edit of goldens may move.
func contents(root string) (map[string]eval.Case, error) {
	s, err := suite.Load(os.DirFS(root), "suites/s.yaml", looseDeps())
	if err != nil {
		return nil, err
	}
	all := map[string]eval.Case{}
	for c, err := range s.Cases() {
		if err != nil {
			return nil, err
		}
		c.Place, c.CriteriaHash, c.Checks = fault.Place{}, "", nil
		all[c.ID] = c
	}
	return all, nil
}

// writer makes files in every way that people write them.
type writer struct{ *rand.Rand }

func (w writer) one(of ...string) string { return of[w.IntN(len(of))] }

func (w writer) text() string {
	var b strings.Builder
	for range w.IntN(6) {
		b.WriteString(w.one("a", "bug", " ", ": ", " #", "'", `"`, "\\", "{", "]", ",", "\n", "é", "𝒳", "- ", "|", "&x", "*", "1", "true", "~", "\t", "\u2028", "\u0085", "%", "?"))
	}
	return b.String()
}

func (w writer) value(depth int) any {
	switch n := w.IntN(8); {
	case n < 3 && depth > 0:
		object := map[string]any{}
		for range w.IntN(3) {
			object[w.one("label", "a", "b c", "", "x.y", "who")] = w.value(depth - 1)
		}
		return object
	case n == 3 && depth > 0:
		list := []any{}
		for range w.IntN(3) {
			list = append(list, w.value(depth-1))
		}
		return list
	case n == 4:
		return json.Number(w.one("0", "-1", "1.50", "1e3", "12345678901234567890123"))
	case n == 5:
		return w.one("yes", "1", "null", "bug", "two words")
	case n == 6:
		return []any{nil, true, false}[w.IntN(3)]
	}
	return w.text()
}

func jsonOf(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return strings.NewReplacer("\u0085", `\u0085`, "\u007f", `\u007f`).Replace(string(raw))
}

// yaml writes a value after its key, which stands at a column.
func (w writer) yaml(value any, column int, flow bool) string {
	pad := strings.Repeat(" ", column+2)
	comment := w.one("", "", " # it's {c}")
	if object, ok := value.(map[string]any); ok && !flow && len(object) > 0 && w.IntN(3) > 0 {
		out := comment
		for key, inner := range object {
			out += "\n" + w.one("", "", pad+"# within\n", "\n") + pad + jsonOf(key) + ":" + w.yaml(inner, column+2, false)
		}
		return out
	}
	if list, ok := value.([]any); ok && !flow && len(list) > 0 && w.IntN(2) > 0 {
		out := comment
		pad = strings.Repeat(" ", column+w.one2(0, 2))
		for _, inner := range list {
			out += "\n" + pad + "- " + jsonOf(inner) + w.one("", " # item")
		}
		return out
	}
	text, isText := value.(string)
	switch {
	case isText && !flow && w.IntN(3) == 0:
		return w.one(" |2", " |2-", " >2+", " |2+") + comment + "\n" + pad + w.one("#x", "y: 1", "it's") + "\n" + w.one("", "\n", "   \n") + pad + "  deep\n" + w.one("", "\n\n") + strings.Repeat(" ", column) + "# after"
	case isText && w.IntN(3) == 0 && !strings.ContainsAny(text, "\n\t\u0085\u2028\\"):
		return " '" + strings.ReplaceAll(text, "'", "''") + "'"
	case isText && w.IntN(4) == 0:
		return " " + w.one("it's", "http://x#y", "a\n"+pad+"b", "x - y")
	case value == nil && w.IntN(2) == 0:
		return ""
	}
	if flow {
		return " " + jsonOf(value)
	}
	return w.one(" ", "\n"+pad) + jsonOf(value) + comment
}

func (w writer) one2(a, b int) int {
	if w.IntN(2) == 0 {
		return a
	}
	return b
}

// inline writes a case of the suite file.
func (w writer) inline(id string) string {
	golden := w.value(3)
	parts := []string{"id", "vars"}
	for _, more := range []string{"golden", "meta", "tags"} {
		if w.IntN(3) > 0 {
			parts = append(parts, more)
		}
	}
	w.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	flow := w.IntN(3) == 0
	for i, part := range parts {
		var value string
		switch part {
		case "id":
			value = " " + id
		case "vars":
			value = w.yaml(map[string]any{"x": w.text()}, 2, flow)
		case "golden":
			value = w.yaml(golden, 2, flow)
		case "meta":
			value = w.yaml(map[string]any{"m": w.value(2)}, 2, flow)
		case "tags":
			value = w.one(" [t, u]", " []")
		}
		parts[i] = part + ":" + value
	}
	if flow {
		return "- {" + strings.Join(parts, w.one(", ", " ,", ", # next\n   ")) + w.one("", " ", ",", "\n  ") + "}" + w.one("\n", " # end\n", "\n\n# between\n")
	}
	return "- " + strings.Join(parts, w.one("\n", "\n\n", "\n  # then\n")+"  ") + w.one("\n", "\n\n", "\n# between\n")
}

// line writes a case as a JSON line, cells as a CSV record with a golden cell.
func (w writer) line(id string) string {
	comma, colon := w.one(",", ", ", " ,"), w.one(":", ": ", " :")
	parts := []string{`"id"` + colon + jsonOf(id), `"x"` + colon + jsonOf(w.value(2))}
	switch w.IntN(3) {
	case 0:
		parts = append(parts, `"golden"`+colon+jsonOf(w.value(3)))
	case 1:
		parts = append(parts, `"golden.label"`+colon+jsonOf(w.text()), `"golden.who.name"`+colon+jsonOf(w.value(1)))
	}
	w.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return w.one("", " ") + "{" + strings.Join(parts, comma) + w.one("", " ") + "}" + w.one("\n", "\r\n", "\n\n")
}

func (w writer) record(id string) string {
	var b strings.Builder
	out := csv.NewWriter(&b)
	_ = out.Write([]string{w.text(), id, "x" + w.text()}) // a builder does not fail
	out.Flush()
	return b.String()
}

// Random suites get random goldens: what is read again is what was set, the other
// cases are as they were, and so is every byte outside the case.
func TestSetGoldensOnRandomSuites(t *testing.T) {
	kinds := map[string]struct {
		file, head string
		write      func(writer, string) string
		golden     func(writer) any
	}{
		"inline": {"suites/s.yaml", "\ufeffsuite: s\nprompt: p\nexpect: [{contains: a}]\ncases:\n", writer.inline, func(w writer) any { return w.value(3) }},
		"lines":  {"suites/r.jsonl", "", writer.line, func(w writer) any { return w.value(3) }},
		// Without a contract cells are text: those that stand as they are can be set.
		"csv": {"suites/r.csv", "golden,id,x\n", writer.record, func(w writer) any { return "t" + w.text() }},
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			suiteFile := filepath.Join(dir, "suites", "s.yaml")
			file := filepath.Join(dir, filepath.FromSlash(kind.file))
			if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if file != suiteFile {
				head := "suite: s\nprompt: p\nexpect: [{contains: a}]\ncases: [{from: " + filepath.Base(file) + "}]\n"
				if err := os.WriteFile(suiteFile, []byte(head), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			tried := 0
			for seed := range uint64(150) {
				w := writer{rand.New(rand.NewPCG(seed, 1))}
				cases := []string{kind.write(w, "c0"), kind.write(w, "c1"), kind.write(w, "c2")}
				if w.IntN(3) == 0 {
					cases[2] = strings.TrimRight(cases[2], "\r\n")
				}
				text := kind.head + strings.Join(cases, "")
				if name == "inline" && w.IntN(3) == 0 {
					text = strings.ReplaceAll(text, "\n", "\r\n")
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				want, err := contents(dir)
				if err != nil {
					continue // the writer is free, and not all that it writes is valid
				}
				tried++
				i := w.IntN(3)
				id := fmt.Sprintf("c%d", i)
				golden := kind.golden(w)
				changed := want[id]
				changed.Golden = &eval.Golden{Value: golden}
				want[id] = changed
				if _, err := suite.SetGoldens(dir, "suites/s.yaml", map[string]any{id: golden}, false); err != nil {
					t.Fatalf("seed %d: %v\n%s\n%s: %s", seed, err, text, id, jsonOf(golden))
				}
				got, err := contents(dir)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				raw, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("seed %d: %s\n%s\nbecame\n%s", seed, diff, text, raw)
				}
				after := strings.ReplaceAll(string(raw), "\r\n", "\n")
				before := strings.ReplaceAll(kind.head+strings.Join(cases[:i], ""), "\r\n", "\n")
				behind := strings.ReplaceAll(strings.Join(cases[i+1:], ""), "\r\n", "\n")
				if !strings.HasPrefix(after, before) || !strings.HasSuffix(after, behind) {
					t.Fatalf("seed %d: bytes outside %s changed:\n%s\nbecame\n%s", seed, id, text, raw)
				}
			}
			if tried < 75 {
				t.Errorf("only %d of the suites were valid", tried)
			}
		})
	}
}

func FuzzSetGoldens(f *testing.F) {
	for _, edit := range inlineEdits {
		f.Add("yaml", strings.Replace(suiteHead, "cases:", "expect: [{contains: a}]\ncases:", 1)+edit.before, `"x"`)
	}
	for _, edit := range rowEdits {
		f.Add(strings.TrimPrefix(edit.file, "r."), edit.before, `{"l":1}`)
	}
	f.Fuzz(func(t *testing.T, kind, text, golden string) {
		value, err := jsonschema.Decode([]byte(golden))
		if err != nil {
			return
		}
		files := map[string]string{"suites/s.yaml": text}
		if kind != "yaml" || !strings.Contains(text, "cases") {
			files = map[string]string{"suites/s.yaml": "suite: s\nprompt: p\nexpect: [{contains: a}]\ncases: [{from: data/r." + kind + "}]\n", "suites/data/r." + kind: text}
			if kind != "yaml" && kind != "jsonl" && kind != "csv" {
				return
			}
		}
		dir := writeFiles(t, files)
		want, err := contents(dir)
		if err != nil {
			return
		}
		for id, c := range want {
			_, err := suite.SetGoldens(dir, "suites/s.yaml", map[string]any{id: value}, false)
			if err != nil {
				if class := fault.ClassOf(err); class != fault.Invalid && class != fault.Internal {
					t.Fatalf("class %s: %v", class, err)
				}
				if diff := cmp.Diff(files, readFiles(t, dir)); diff != "" {
					t.Fatalf("refused, and written: %s", diff)
				}
				return
			}
			if kind == "csv" {
				return // what a cell says depends on the contract
			}
			c.Golden = &eval.Golden{Value: value}
			if c.Golden.Exact = want[id].Golden != nil && want[id].Golden.Exact; c.Golden.Exact {
				return
			}
			want[id] = c
			got, err := contents(dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
			return
		}
	})
}
