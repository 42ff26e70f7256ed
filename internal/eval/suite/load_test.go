package suite_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// triage is the prompt that the suites of the tests are for.
var triage = suite.PromptInfo{
	Kinds: map[string]string{"ticket": "string", "priority": "number"},
	Output: llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(
		`{"type":"object","properties":{"label":{"enum":["billing","bug"]},"urgency":{"type":"integer"},"zip":{"type":"string"}}}`)},
	CheckVars: func(vars map[string]any) error {
		var problems fault.List
		for name, value := range vars {
			if name != "ticket" && name != "priority" {
				problems.Add(fault.New(fault.Invalid, "the prompt has no input %q", name).WithHint("%s", fault.Allowed(name, []string{"ticket", "priority"})))
			} else if _, ok := value.(string); name == "ticket" && !ok {
				problems.Add(fault.New(fault.Invalid, "the input %q: want a string", name))
			}
		}
		return problems.Err()
	},
}

// deps joins the suite with the true checks and templates.
func deps() suite.Deps {
	return suite.Deps{
		ParseCheck:  scorer.Parse,
		GoldenCheck: scorer.Golden(),
		CompileText: func(file string, line int, text string) (func(map[string]any) (string, error), error) {
			compiled, err := prompt.CompileText(file, line, text)
			if err != nil {
				return nil, err
			}
			return compiled.Render, nil
		},
		Prompt: func(ref string, place fault.Place) (suite.PromptInfo, error) {
			if name, _, _ := strings.Cut(ref, "@"); name != "triage" {
				return suite.PromptInfo{}, fault.At(place, "unknown prompt %q", ref)
			}
			return triage, nil
		},
	}
}

func load(t testing.TB, root fs.FS, file string, d suite.Deps) *suite.Suite {
	t.Helper()
	s, err := suite.Load(root, file, d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cases(t testing.TB, s *suite.Suite) []eval.Case {
	t.Helper()
	var all []eval.Case
	for c, err := range s.Cases() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func TestLoadReadsTheHeader(t *testing.T) {
	s := load(t, os.DirFS("testdata"), "good/triage.yaml", deps())
	place := func(line, col int) fault.Place { return fault.Place{File: "good/triage.yaml", Line: line, Col: col} }
	want := suite.Suite{
		Name: "triage", File: "good/triage.yaml", Description: "Routes tickets.",
		Prompt:  suite.Ref{Name: "triage@1.2.0", Place: place(3, 9)},
		Models:  []suite.Ref{{Name: "small", Place: place(5, 10)}, {Name: "large", Place: place(5, 17)}},
		Repeats: 3,
		Gates: []eval.Gate{
			{Metric: "accuracy", Kind: eval.GateMin, Limit: 0.95},
			{Metric: "accuracy", Kind: eval.GateMaxDrop, Limit: 0.02},
			{Metric: "schema_validity", Kind: eval.GateMin, Limit: 1},
			{Metric: "cost_per_case", Kind: eval.GateMax, Limit: 0.002},
			{Metric: "cost_per_case", Kind: eval.GateMaxRise, Limit: 0.1},
			{Metric: "latency_p95", Kind: eval.GateMax, Limit: 90},
			{Metric: "urgency_known", Kind: eval.GateMin, Limit: 0.5},
			{Metric: "urgency_known", Kind: eval.GateMax, Limit: 1},
		},
		OnInconclusive: eval.InconclusiveWorse, MaxErrors: 2, Count: 8,
		Tags:    []string{"a", "account", "b", "billing", "bug", "critical", "csv", "invoice"},
		Metrics: []string{"urgency_known"},
	}
	got := *s
	for i, p := range got.GatePlaces {
		if p.File != "good/triage.yaml" || p.Line == 0 {
			t.Errorf("gate %d stands at %v", i, p)
		}
	}
	got.GatePlaces = nil
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".plan" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
}

// flat is what a test says of a case.
type flat struct {
	ID, Tags, Checks string
	Vars, Golden     any
	Meta             map[string]any
	Exact            bool
	Repeats          int
	Place            string
}

func flatten(c eval.Case) flat {
	f := flat{ID: c.ID, Tags: strings.Join(c.Tags, " "), Vars: any(c.Vars), Meta: c.Meta, Repeats: c.Repeats, Place: c.Place.String()}
	var names []string
	for _, check := range c.Checks {
		names = append(names, check.Name())
	}
	f.Checks = strings.Join(names, ", ")
	if c.Golden != nil {
		f.Golden, f.Exact = c.Golden.Value, c.Golden.Exact
	}
	return f
}

type object = map[string]any

func TestCasesOfEveryKindOfFile(t *testing.T) {
	const suites = "schema, finish_reason, field, max_latency"
	want := []flat{
		{ID: "refund-angry", Tags: "billing critical", Checks: "golden, " + suites + ", field, not contains", Repeats: 3, Place: "good/triage.yaml:11:5",
			Vars: object{"ticket": "I was charged twice, fix it NOW"}, Golden: object{"label": "billing"}},
		{ID: "exact", Checks: "golden, " + suites, Exact: true, Repeats: 1, Place: "good/triage.yaml:18:5",
			Vars: object{"ticket": "hello", "priority": json.Number("2")}, Golden: object{"label": "other", "urgency": json.Number("1")},
			Meta: object{"author": "Ann", "source": object{"line": json.Number("7")}}},
		{ID: "17", Checks: suites + ", field", Repeats: 3, Place: "good/triage.yaml:24:5",
			Vars: object{"ticket": "no golden answer here"}, Meta: object{"urgency": json.Number("2")}},
		{ID: "j1", Tags: "bug", Checks: "golden, " + suites + ", field", Repeats: 3, Place: "rows/tickets.jsonl:1",
			Vars: object{"ticket": "the app crashes"}, Golden: object{"label": "bug"}, Meta: object{"source": "mail"}},
		{ID: "2", Tags: "billing invoice", Checks: "golden, " + suites + ", field", Repeats: 3, Place: "rows/tickets.jsonl:3",
			Vars: object{"ticket": "where is my invoice?", "priority": json.Number("1.50")}, Golden: object{"label": "billing", "who": object{"name": "Ann"}},
			Meta: object{"n": json.Number("1")}},
		{ID: "c1", Tags: "a b csv", Checks: "golden, " + suites, Repeats: 3, Place: "rows/tickets.csv:2",
			Vars:   object{"ticket": "say \"hi\", please\nand thanks", "priority": json.Number("2")},
			Golden: object{"label": "other", "urgency": json.Number("1"), "zip": "12345"}, Meta: object{"source": "mail"}},
		{ID: "c2", Tags: "csv", Checks: suites + ", contains", Repeats: 3, Place: "rows/tickets.csv:4", Vars: object{"ticket": ""}},
		{ID: "y1", Tags: "account", Checks: "golden, " + suites + ", length", Repeats: 3, Place: "rows/tickets.yaml:1:3",
			Vars: object{"ticket": "I forgot my password"}, Golden: object{"label": "account"}},
	}
	for i := range want {
		want[i].Checks = strings.Replace(want[i].Checks, suites, "schema, finish_reason, field, max_latency", 1)
	}
	s := load(t, os.DirFS("testdata"), "good/triage.yaml", deps())
	for range 2 { // the cases stream as often as wanted
		var got []flat
		for _, c := range cases(t, s) {
			if c.Suite != "triage" || len(c.InputHash) != 32 || len(c.CriteriaHash) != 32 {
				t.Errorf("%s: suite %q, hashes %q and %q", c.ID, c.Suite, c.InputHash, c.CriteriaHash)
			}
			got = append(got, flatten(c))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiled, err := jsonschema.Compile(suite.Schema)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestLoadAndSchemaAcceptGoodFiles(t *testing.T) {
	files, _ := fs.Glob(os.DirFS("testdata"), "good/*.yaml")
	if len(files) < 3 {
		t.Fatalf("only %v", files)
	}
	root, compiled := os.DirFS("testdata"), schema(t)
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			load(t, root, file, deps())
			data, _ := fs.ReadFile(root, file)
			n, err := strictyaml.Parse(file, data, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, violation := range compiled.Validate(n.Value()) {
				t.Errorf("the schema refuses it: %s", violation)
			}
		})
	}
}

// anyJudge is given everything, and answers with everything, that a check may want.
func anyJudge(string, string, fault.Place) (scorer.Judge, error) {
	return scorer.Judge{
		Inputs: map[string]string{"answer": "string", "question": "string", "reference": "string", "first": "string", "second": "string"},
		Output: llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(
			`{"properties": {"score": true, "verdict": true, "preferred": true}, "required": ["score", "verdict", "preferred"]}`)},
	}, nil
}

// The schema knows every check, and takes every example of llmx help checks.
func TestSchemaKnowsEveryCheck(t *testing.T) {
	compiled := schema(t)
	for _, doc := range scorer.Docs() {
		text := "suite: s\nprompt: triage\ncases: [{id: a}]\nexpect:\n  - " + doc.Example + "\n"
		n, err := strictyaml.Parse("s.yaml", []byte(text), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, violation := range compiled.Validate(n.Value()) {
			t.Errorf("%s: %s", doc.Example, violation)
		}
	}
	var written struct {
		Definitions map[string]struct {
			AnyOf []struct {
				Enum       []string
				Properties map[string]any
			}
		}
	}
	if err := json.Unmarshal(suite.Schema, &written); err != nil {
		t.Fatal(err)
	}
	names := scorer.Names()
	slices.Sort(names)
	known := written.Definitions["check"].AnyOf
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(known[1].Properties))); diff != "" {
		t.Errorf("checks of the schema: %s", diff)
	}
	for _, name := range names {
		n, err := strictyaml.Parse("s.yaml", []byte(name), 1)
		if err != nil {
			t.Fatal(err)
		}
		_, err = scorer.NewParser(scorer.Deps{
			SQL:      func(context.Context, string) (string, error) { return "", nil },
			Programs: anyProgram{},
			Judge:    anyJudge, DefaultJudge: func() string { return "large" },
		}).Parse(n)
		if (err == nil) != slices.Contains(known[0].Enum, name) {
			t.Errorf("%s as a bare word: the schema says %v, the check %v", name, err != nil, err)
		}
	}
}

// The first line of a bad file says whether the schema can refuse it, the second
// what Load says.
func TestLoadAndSchemaRefuseBadFiles(t *testing.T) {
	root, compiled := os.DirFS("testdata"), schema(t)
	files, _ := fs.Glob(root, "bad/*.yaml")
	if len(files) < 40 {
		t.Fatalf("only %d files", len(files))
	}
	for _, file := range files {
		t.Run(path.Base(file), func(t *testing.T) {
			data, _ := fs.ReadFile(root, file)
			lines := strings.SplitN(string(data), "\n", 3)
			_, err := suite.Load(root, file, deps())
			if err == nil {
				t.Fatal("it is accepted")
			}
			for _, want := range strings.Split(strings.TrimPrefix(lines[1], "# "), " | ") {
				if want = strings.ReplaceAll(want, `\n`, "\n"); !strings.Contains(err.Error(), want) {
					t.Errorf("want %s\n got %v", want, err)
				}
			}
			if class := fault.ClassOf(err); class != fault.Invalid {
				t.Errorf("class %s, want invalid", class)
			}
			n, err := strictyaml.Parse(file, data, 1)
			switch violations := compiled.Validate(n.Value()); lines[0] {
			case "# schema refuses":
				if len(violations) == 0 {
					t.Error("the schema accepts it")
				}
			case "# schema accepts":
				if len(violations) != 0 {
					t.Errorf("the schema refuses what it was thought not to: %v", violations)
				}
			case "# schema cannot read":
				if err == nil {
					t.Error("it is YAML")
				}
			default:
				t.Errorf("the first line is %q", lines[0])
			}
		})
	}
}

func TestEmptySuites(t *testing.T) {
	tests := map[string]string{
		"an empty file":          "",
		"no cases":               "suite: s\nprompt: triage\n",
		"an empty list":          "suite: s\nprompt: triage\ncases: []\n",
		"an empty file of cases": "suite: s\nprompt: triage\ncases: [{from: empty.jsonl}]\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{"suites/s.yaml": {Data: []byte(text)}, "suites/empty.jsonl": {Data: []byte("\n \n")}}
			_, err := suite.Load(root, "suites/s.yaml", deps())
			if fault.ClassOf(err) != fault.Empty || !strings.HasPrefix(err.Error(), "suites/s.yaml") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDiscover(t *testing.T) {
	root := fstest.MapFS{
		"suites/b.yaml": {}, "suites/a.yaml": {}, "suites/a.baseline.jsonl": {}, "suites/data/rows.yaml": {}, "prompts/x.yaml": {},
	}
	got, err := suite.Discover(root)
	if diff := cmp.Diff([]string{"suites/a.yaml", "suites/b.yaml"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := suite.Discover(fstest.MapFS{}); got != nil || err != nil {
		t.Errorf("without suites/: got %v, %v", got, err)
	}
	root["suites/c.yml"] = &fstest.MapFile{}
	if _, err := suite.Discover(root); err == nil || !strings.Contains(err.Error(), "suites/c.yml: a suite's name ends in .yaml") {
		t.Errorf("with a .yml: got %v", err)
	}
}

// anyProgram takes every program for one that is there.
type anyProgram struct{}

func (anyProgram) Find(scorer.Program) (map[string]string, error) { return nil, nil }

func (anyProgram) Veil(scorer.Program) func(string) string { return nil }

func (anyProgram) Run(context.Context, scorer.Program, []byte) ([]byte, error) { return nil, nil }
