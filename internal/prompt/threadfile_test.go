package prompt

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const threadPrompt = "---\nname: clerk\ninputs:\n  history: {kind: thread}\n---\nsystem:\nHi.\n{{ history }}\n"

// threads is a project with files of messages, and its prompt.
func threads(t *testing.T, files map[string]string) *Prompt {
	t.Helper()
	fsys := fstest.MapFS{"prompts/clerk/draft.prompty": {Data: []byte(threadPrompt)}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, err := NewLibrary(fsys).Resolve("clerk", Develop)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadThreadTakesEveryForm(t *testing.T) {
	const first, second = `{"role": "user", "content": "one"}`, `{"role": "assistant", "content": "two"}`
	p := threads(t, map[string]string{
		"suites/list.json":     "[" + first + ",\n" + second + "]",
		"suites/object.json":   `{"id": 7, "meta": {"messages": []}, "messages": [` + first + "," + second + `]}`,
		"suites/lines.jsonl":   "\ufeff" + first + "\n\n" + second,
		"suites/in/lf.jsonl":   first + "\r\n" + second + "\r\n",
		"suites/in/deep.jsonl": first + "\n" + second + "\n",
	})
	want := []any{map[string]any{"role": "user", "content": "one"}, map[string]any{"role": "assistant", "content": "two"}}
	for _, file := range []string{"list.json", "object.json", "lines.jsonl", "in/lf.jsonl", "./in/../in/deep.jsonl"} {
		got, is, err := p.ReadThread(map[string]any{"file": file}, "suites")
		if diff := cmp.Diff(want, got); diff != "" || !is || err != nil {
			t.Errorf("%s: %v %v %s", file, is, err, diff)
		}
	}
	if _, is, err := p.ReadThread([]any{}, "suites"); is || err != nil {
		t.Errorf("a list is no file: %v %v", is, err)
	}
}

func TestReadThreadRefuses(t *testing.T) {
	const ok = `{"role": "user", "content": "one"}`
	for name, test := range map[string]struct{ file, text, want string }{
		"no JSON":                   {"t.jsonl", ok + "\n{x}", "suites/t.jsonl:2:2: not valid JSON: "},
		"every line is told":        {"t.jsonl", "x\ny", "suites/t.jsonl:2:1: not valid JSON: "},
		"a wrong message's line":    {"t.jsonl", ok + "\n\n{\"role\": \"usr\"}", "suites/t.jsonl:3: a thread has no role \"usr\"\n  did you mean \"user\"?"},
		"a wrong item's line":       {"t.json", "{\"a\": [1],\n\"messages\": [\n" + ok + ",\n {\"role\": \"user\"}]}", "suites/t.json:4: there is no content"},
		"a system message":          {"t.json", `[{"role": "system", "content": "obey"}]`, "suites/t.json:1: a thread has no role \"system\""},
		"an item that is no object": {"t.json", "[\n\n3]", "suites/t.json:3: want a mapping, got a number (3)"},
		"no list":                   {"t.json", `"x"`, "suites/t.json:1: want a list of messages, got a string (\"x\")"},
		"no messages":               {"t.json", `{"mesages": []}`, "suites/t.json:1: the object has no \"messages\"\n  did you mean \"mesages\"?"},
		"cut":                       {"t.json", "[\n" + ok, "suites/t.json:2:35: not valid JSON: "},
		"a key twice":               {"t.jsonl", `{"role": "user", "role": "user", "content": ""}`, "suites/t.jsonl:1:18: not valid JSON: "},
		"nothing":                   {"t.jsonl", "\n", "suites/t.jsonl: there is no message"},
		"an empty list":             {"t.json", "[]", "suites/t.json: there is no message"},
		"not UTF-8":                 {"t.jsonl", "{\"role\": \"\xff\"}", "suites/t.jsonl:1:11: the file is not UTF-8"},
		"another extension":         {"t.txt", ok, `the conversation "suites/t.txt" is no file of messages`},
		"too much":                  {"t.jsonl", strings.Repeat(" ", maxThread+1), "suites/t.jsonl: the file is larger than 8 MB"},
	} {
		p := threads(t, map[string]string{"suites/" + test.file: test.text})
		_, is, err := p.ReadThread(map[string]any{"file": test.file}, "suites")
		if err == nil || !is || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	p := threads(t, map[string]string{"suites/t.jsonl": ok})
	for name, test := range map[string]struct {
		value any
		want  string
	}{
		"not there":   {map[string]any{"file": "tt.jsonl"}, "the conversation \"suites/tt.jsonl\" does not exist\n  did you mean \"t.jsonl\"?"},
		"outside":     {map[string]any{"file": "../../t.jsonl"}, `the path "../t.jsonl" leads out of the project`},
		"absolute":    {map[string]any{"file": "/etc/t.jsonl"}, `the path "/etc/t.jsonl" leads out of the project`},
		"another key": {map[string]any{"flie": "t.jsonl"}, "a conversation is a list of messages, or {file: PATH}"},
		"a key more":  {map[string]any{"file": "t.jsonl", "x": 1}, "a conversation is a list of messages, or {file: PATH}"},
		"no text":     {map[string]any{"file": 3}, "a conversation is a list of messages, or {file: PATH}"},
	} {
		if _, _, err := p.ReadThread(test.value, "suites"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

// On a command line a conversation is JSON, or JSON lines, as a text or by its file.
func TestParseReadsAConversation(t *testing.T) {
	in := Input{Name: "history", Kind: KindThread}
	one := map[string]any{"role": "user", "content": "one"}
	for text, want := range map[string][]any{
		`[{"role": "user", "content": "one"}]`:                                                   {one},
		`{"messages": [{"role": "user", "content": "one"}]}`:                                     {one},
		`{"role": "user", "content": "one"}`:                                                     {one},
		"{\"role\": \"user\", \"content\": \"one\"}\n{\"role\": \"user\", \"content\": \"one\"}": {one, one},
	} {
		got, err := in.Parse(text)
		if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	if _, err := in.Parse("hello"); err == nil || !strings.HasPrefix(err.Error(), `the input "history": want a list of messages, got "hello"`) {
		t.Error(err)
	}
	if _, err := in.ParseFile("t.jsonl", "{\"role\": \"user\", \"content\": \"one\"}\n{\"role\": \"x\"}"); err == nil || !strings.HasPrefix(err.Error(), "t.jsonl:2: ") {
		t.Error(err)
	}
}
