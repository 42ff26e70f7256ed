package suite_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// talking are the dependencies of a suite for a prompt with inputs of these kinds. The
// prompt is a true one.
func talking(t testing.TB, root fstest.MapFS, inputs string) suite.Deps {
	t.Helper()
	root["prompts/clerk/draft.prompty"] = &fstest.MapFile{Data: []byte("---\nname: clerk\ninputs:\n" + inputs + "---\nsystem:\nHi.\nuser:\nx\n")}
	found, err := prompt.NewLibrary(root).Resolve("clerk", prompt.Develop)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, input := range found.Inputs {
		kinds[input.Name] = string(input.Kind)
	}
	d := deps()
	d.Prompt = func(string, fault.Place) (suite.PromptInfo, error) {
		return suite.PromptInfo{Name: "clerk", Kinds: kinds, CheckVars: found.CheckVars}, nil
	}
	d.ReadThread, d.ReadMessage = found.ReadThread, prompt.ReadMessage
	return d
}

const history = "  history: {kind: thread, required: true}\n"

// talk loads a suite of one inline case with these lines.
func talk(t testing.TB, lines string, files ...string) (eval.Case, error) {
	t.Helper()
	root := fstest.MapFS{"suites/s.yaml": {Data: []byte("suite: s\nprompt: clerk\nexpect: [{max_cost: 1}]\ncases:\n- id: a\n" + lines)}}
	for i := 0; i+1 < len(files); i += 2 {
		root[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	s, err := suite.Load(root, "suites/s.yaml", talking(t, root, history))
	if err != nil {
		return eval.Case{}, err
	}
	return cases(t, s)[0], nil
}

func names(checks []eval.Check) string {
	var list []string
	for _, check := range checks {
		list = append(list, check.Name())
	}
	return strings.Join(list, " ")
}

// The suite's checks hold for every reply, but those of the whole case, which it has
// once; a golden answer is that of its turn.
func TestTurnsHaveTheirChecks(t *testing.T) {
	c, err := talk(t, `  expect: [{max_tokens: 9}]
  turns:
    - {user: "charged twice", expect: [{contains: "{{ row.id }}"}]}
    - {tool: {name: lookup, id: x, result: {invoices: 2}}}
    - {tool: {name: lookup, result: "text"}, golden: two}
    - {user: [{type: text, text: hm}]}
    - {assistant: "what?"}
    - {user: "refund", golden: {label: billing}, golden_match: exact}
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, turn := range c.Turns {
		line := string(turn.Said.Role)
		if turn.Asks {
			line += " asks " + names(turn.Checks)
		}
		if turn.Golden != nil && turn.Golden.Exact {
			line += " exact"
		}
		got = append(got, line)
	}
	want := []string{"user asks contains", "tool", "tool asks golden", "user", "assistant", "user asks golden exact"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if names(c.Checks) != "max_cost max_tokens" || c.Golden != nil || c.Asked() != 3 || c.Thread != "history" {
		t.Errorf("the case: %q, %v, asks %d times", names(c.Checks), c.Golden, c.Asked())
	}
	result := c.Turns[1].Message
	if result["content"] != `{"invoices":2}` || c.Turns[1].CallID != "x" || c.Turns[2].Message["content"] != "text" {
		t.Errorf("results: %v %v", result, c.Turns[2].Message)
	}
}

func TestTurnsAreRefused(t *testing.T) {
	const call = "{assistant: {tool_calls: [{id: c1, function: {name: lookup}}]}}"
	for name, test := range map[string]struct{ lines, want string }{
		"a result first":            {"  turns: [{tool: {name: lookup, result: 1}, golden: x}]", "suites/s.yaml:6:11: the turns begin with a tool's result: nobody has proposed a call of lookup"},
		"the assistant last":        {"  turns: [{user: a}, {assistant: b}]", "suites/s.yaml:6:22: the conversation ends with the case's own assistant"},
		"no turn":                   {"  turns: []", "suites/s.yaml:6:10: the conversation has no turn"},
		"no list":                   {"  turns: {user: a}", "suites/s.yaml:6:10: want a list of turns, got a mapping"},
		"two speakers":              {"  turns: [{user: a, assistant: b}]", "suites/s.yaml:6:11: 2 speak in this turn"},
		"nobody":                    {"  turns: [{golden: a}]", "suites/s.yaml:6:11: nobody speaks in this turn"},
		"an unknown speaker":        {"  turns: [{usr: a}]", "unknown key \"usr\"\n  did you mean \"user\"?"},
		"a check of no reply":       {"  turns: [{user: a, expect: [{contains: x}]}, {assistant: b}, {user: c, golden: d}]", "suites/s.yaml:6:11: nobody is asked after this turn"},
		"a golden of no reply":      {"  turns: [{user: a}, {tool: {name: l, result: 1}, golden: x}, {tool: {name: m, result: 1}, golden: x}]", "suites/s.yaml:6:22: nobody is asked after this turn"},
		"no check at all":           {"  turns: [{user: a}]\n  tags: []", ""},
		"a golden of the case":      {"  golden: x\n  turns: [{user: a, golden: b}]", "suites/s.yaml:5:3: the case is a conversation, so its golden answer is that of a turn"},
		"a check of the case":       {"  expect: [{contains: x}]\n  turns: [{user: a}]", "suites/s.yaml:6:13: the case is a conversation, so the check contains is that of a turn"},
		"a limit at a turn":         {"  turns: [{user: a, expect: [{max_cost: 1}]}]", "suites/s.yaml:6:31: the check max_cost looks at the whole case, and not at a turn"},
		"no golden to use":          {"  turns: [{user: a, expect: [golden]}]", "suites/s.yaml:6:11: the check golden needs a golden answer"},
		"no result":                 {"  turns: [{user: a}, {tool: {name: x}}]", `the key "result" is missing`},
		"no name":                   {"  turns: [{user: a}, {tool: {name: ' ', result: 1}}]", "want a tool's name"},
		"a part of no kind":         {"  turns: [{user: [{type: txt, text: a}]}]", "suites/s.yaml:6:11: unknown type \"txt\" of a part"},
		"no call of the script":     {"  turns: [{user: a}, {assistant: b}, {tool: {name: lookup, result: 1}}]", "the assistant before proposes no call of lookup"},
		"a script without result":   {"  turns: [{user: a}, " + call + ", {user: b, golden: c}]", "the assistant before proposes a call of lookup, which has no result"},
		"a beginning of no thread":  {"  vars: {history: x}\n  turns: [{user: a, golden: b}]", `the input "history": want a list of messages, got a string ("x")`},
		"a beginning that waits":    {"  vars: {history: [{role: assistant, tool_calls: [{id: a, function: {name: look}}]}]}\n  turns: [{user: a, golden: b}]", `the input "history" ends with a call of look, which has no result`},
		"a beginning that does not": {"  vars: {history: [{role: user, content: x}]}\n  turns: [{tool: {name: look, result: 1}, golden: b}]", `the input "history" does not end with a call of look`},
		"a file that is not there":  {"  vars: {history: {file: no.json}}\n  turns: [{tool: {name: look, result: 1}, golden: b}]", `suites/s.yaml:5:3: the input "history": the conversation "suites/no.json" does not exist`},
	} {
		_, err := talk(t, test.lines+"\n")
		switch {
		case test.want == "": // a limit of cost is a check
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s:\n%v\nwant %s", name, err, test.want)
		case fault.ClassOf(err) != fault.Invalid:
			t.Errorf("%s: class %s", name, fault.ClassOf(err))
		}
	}
}

// The JSON Schema takes what Load takes, and refuses what is wrong with a turn by itself.
func TestSchemaOfTurns(t *testing.T) {
	compiled := schema(t)
	for turn, good := range map[string]bool{
		"{user: a, golden: 1, golden_match: exact, expect: [schema]}": true,
		"{user: [{type: text, text: a}]}":                             true,
		"{assistant: {content: a, tool_calls: []}}":                   true,
		"{tool: {name: l, id: x, result: null}}":                      true,
		"{user: a, assistant: b}":                                     false,
		"{golden: 1}":                                                 false,
		"{tool: {name: l}}":                                           false,
		"{tool: l}":                                                   false,
		"{usr: a}":                                                    false,
		"a":                                                           false,
	} {
		n, err := strictyaml.Parse("s.yaml", []byte("suite: s\nprompt: p\ncases: [{id: a, turns: ["+turn+"]}]\n"), 1)
		if err != nil {
			t.Fatal(err)
		}
		if violations := compiled.Validate(n.Value()); (len(violations) == 0) != good {
			t.Errorf("%s: %v", turn, violations)
		}
	}
}

// Where the prompt has not exactly one thread, nobody knows where the turns go.
func TestTurnsNeedOneThread(t *testing.T) {
	for inputs, want := range map[string]string{
		"  ticket: {kind: string}\n":                 "suites/s.yaml:4:3: the prompt clerk has no input of kind thread, into which the turns go\n  add history: {kind: thread}",
		"  a: {kind: thread}\n  b: {kind: thread}\n": "suites/s.yaml:4:3: the prompt clerk has 2 inputs of kind thread (a, b): into which of them do the turns go?",
	} {
		root := fstest.MapFS{"suites/s.yaml": {Data: []byte("suite: s\nprompt: clerk\ncases:\n- {id: a, turns: [{user: a, golden: b}]}\n")}}
		if _, err := suite.Load(root, "suites/s.yaml", talking(t, root, inputs)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", inputs, err)
		}
	}
}

// The input hash covers what is said and the files of it, the criteria hash what is
// wanted of every reply.
func TestHashesOfAConversation(t *testing.T) {
	hashes := func(lines string, files ...string) (string, string) {
		t.Helper()
		c, err := talk(t, lines+"\n", files...)
		if err != nil {
			t.Fatal(err)
		}
		return c.InputHash, c.CriteriaHash
	}
	const base = "  turns: [{user: a, golden: x}, {tool: {name: l, result: {n: 1}}}, {user: b, golden: y}]"
	input, criteria := hashes(base)
	for name, test := range map[string]struct {
		old, new        string
		input, criteria bool // stay the same
	}{
		"a message":          {"user: b", "user: c", false, true},
		"a result":           {"{n: 1}", "{n: 2}", false, true},
		"a tool":             {"name: l", "name: m", false, true},
		"a call's id":        {"name: l", "name: l, id: z", false, true},
		"a golden":           {"golden: y", "golden: z", true, false},
		"how it is compared": {"golden: y", "golden: y, golden_match: exact", true, false},
		"a check":            {"golden: y", "golden: y, expect: [{contains: y}]", true, false},
		"a check elsewhere":  {"result: {n: 1}}", "result: {n: 1}}, golden: x", true, false},
	} {
		gotInput, gotCriteria := hashes(strings.Replace(base, test.old, test.new, 1))
		if (gotInput == input) != test.input || (gotCriteria == criteria) != test.criteria {
			t.Errorf("%s: the input hash stays %v, the criteria hash %v", name, gotInput == input, gotCriteria == criteria)
		}
	}
	const begun = "  vars: {history: {file: h.jsonl}}\n"
	one, _ := hashes(begun+base, "suites/h.jsonl", `{"role": "user", "content": "one"}`)
	two, _ := hashes(begun+base, "suites/h.jsonl", `{"role": "user", "content": "two"}`)
	same, _ := hashes("  vars: {history: [{role: user, content: one}]}\n" + base)
	if one == two || one == input || one != same {
		t.Errorf("the beginning's file: %s %s %s %s", one, two, same, input)
	}
}

// Rows have turns and files of messages, too; paths count from the file of rows.
func TestTurnsInRows(t *testing.T) {
	files := map[string]string{
		"rows.jsonl": `{"id": "a", "history": {"file": "h.json"}, "turns": [{"user": "x", "golden": "y"}]}`,
		"rows.yaml":  "- id: a\n  history: {file: h.json}\n  turns:\n    - {user: x, golden: y}\n",
	}
	for name, text := range files {
		root := fstest.MapFS{
			"suites/s.yaml":       {Data: []byte("suite: s\nprompt: clerk\ncases: [{from: data/" + name + "}]\n")},
			"suites/data/" + name: {Data: []byte(text)},
			"suites/data/h.json":  {Data: []byte(`[{"role": "user", "content": "before"}]`)},
		}
		c := cases(t, load(t, root, "suites/s.yaml", talking(t, root, history)))[0]
		if diff := cmp.Diff([]llm.Message{llm.Text(llm.User, "before")}, c.Begun); diff != "" || len(c.Turns) != 1 || len(c.Vars) != 1 {
			t.Errorf("%s: %+v %s", name, c, diff)
		}
	}
	for text, want := range map[string]string{
		`{"id": "a", "turns": [{"usr": "x"}]}`: "suites/rows.jsonl:1: unknown key \"usr\"",
		`{"id": "a", "turns": "x"}`:            "suites/rows.jsonl:1: the column turns must be a list of turns\n  conversations stand in JSON lines or YAML, not in CSV",
	} {
		root := project("rows.jsonl", text)
		root["suites/s.yaml"] = &fstest.MapFile{Data: []byte("suite: s\nprompt: clerk\ncases: [{from: rows.jsonl}]\n")}
		if _, err := suite.Load(root, "suites/s.yaml", talking(t, root, history)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	// A cell of CSV names a file of messages, or has them.
	root := project("rows.csv", "id,history,golden\na,\"{\"\"file\"\": \"\"h.jsonl\"\"}\",x\nb,\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"before\"\"}]\",x\n")
	root["suites/s.yaml"] = &fstest.MapFile{Data: []byte("suite: s\nprompt: clerk\ncases: [{from: rows.csv}]\n")}
	root["suites/h.jsonl"] = &fstest.MapFile{Data: []byte(`{"role": "user", "content": "before"}`)}
	all := cases(t, load(t, root, "suites/s.yaml", talking(t, root, history)))
	if diff := cmp.Diff(all[0].Vars, all[1].Vars); diff != "" || all[0].InputHash != all[1].InputHash {
		t.Errorf("CSV: %s", diff)
	}

	// Where the prompt has an input of this name, the column is that.
	root = project("rows.jsonl", `{"id": "a", "turns": 3, "golden": "x"}`)
	c := cases(t, load(t, root, "suites/s.yaml", talking(t, root, "  turns: {kind: integer}\n")))[0]
	if len(c.Turns) > 0 || c.Vars["turns"] == nil {
		t.Errorf("the input turns: %+v", c)
	}
}
