package cli

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"llmx": func() { os.Exit(Main(os.Args[1:])) },
	})
}

// TestScripts runs the sessions in testdata/script. Besides testscript's own words
// they use those of commands, and the variables UPSTREAM (a provider on loopback),
// NOBODY (an address where nobody listens), SHOP_KEY and REPOSITORY.
func TestScripts(t *testing.T) {
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true, ContinueOnError: true,
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			server := newShopServer(tb)
			env.Values[serverKey{}] = &countedServer{shopServer: server}
			env.Setenv("UPSTREAM", server.URL())
			env.Setenv("NOBODY", closedPort(tb))
			env.Setenv("SHOP_KEY", "sk-secret-123")
			env.Setenv("REPOSITORY", repository)
			env.Setenv("COLUMNS", "200")
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			if env.Getenv("GORACE") == "" {
				env.Setenv("GORACE", "atexit_sleep_ms=0") // else every command of a race test takes a second
			}
			return nil
		},
		Cmds: commands,
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "tmpfs":
				return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", os.TempDir()).Run() == nil, nil
			case "example":
				_, err := template.ReadFile("template/llmx.yaml")
				return err == nil, nil
			}
			return false, fmt.Errorf("no condition is called %q", name)
		},
	})
}

type serverKey struct{}

type countedServer struct {
	*shopServer
	seen int // when it was last asked for
}

var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"shop": cmdShop, "exits": cmdExits, "edit": cmdEdit, "append": cmdAppend, "fill": cmdFill, "sql": cmdSQL,
	"asked": cmdAsked, "await": cmdAwait, "saw": cmdSaw, "sent": cmdSent, "capture": cmdCapture, "json": cmdJSON, "secret": cmdSecret, "xml": cmdXML,
}

// shop makes a fresh copy of the project testdata/shop and goes there.
func cmdShop(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) > 0, "shop")
	dir := filepath.Join(ts.Getenv("WORK"), "shop")
	ts.Check(os.RemoveAll(dir))
	ts.Check(os.CopyFS(dir, os.DirFS(filepath.Join(ts.Getenv("REPOSITORY"), "internal", "cli", "testdata", "shop"))))
	ts.Check(ts.Chdir(dir))
}

func refuse(ts *testscript.TestScript, wrong bool, usage string) {
	if wrong {
		ts.Fatalf("usage: %s", usage)
	}
}

// exits CODE PROGRAM ARGS… wants an exit code. A failure that is not a verdict has
// one message for people on stderr, and no stack.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) < 2, "exits code program [args…]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		got = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	said := ts.ReadFile("stderr")
	if strings.Contains(said, "goroutine ") || strings.Contains(said, "panic:") || strings.Contains(said, "fault of llmx") {
		ts.Fatalf("a crash is no message")
	}
	if out := ts.ReadFile("stdout"); want > 1 && !strings.HasPrefix(said, "error: ") && !strings.Contains(said, "\nerror: ") && !strings.Contains(out, "COULD NOT JUDGE") && !strings.Contains(out, `"exit": 4`) {
		ts.Fatalf("no message says why")
	}
}

// edit FILE OLD NEW replaces one place in a file; \n and \t are written so.
func cmdEdit(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 3, "edit file old new")
	file := ts.MkAbs(args[0])
	before := ts.ReadFile(args[0])
	from, to := unescaped(ts, args[1]), unescaped(ts, args[2])
	if strings.Count(before, from) != 1 {
		ts.Fatalf("%q stands in %s %d times", from, args[0], strings.Count(before, from))
	}
	ts.Check(os.WriteFile(file, []byte(strings.Replace(before, from, to, 1)), 0o644))
}

// unescaped reads the escapes of a Go string.
func unescaped(ts *testscript.TestScript, text string) string {
	plain, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	if err != nil {
		ts.Fatalf("%s: %v", text, err)
	}
	return plain
}

// append FILE TEXT adds a text with escapes to a file, which it makes.
func cmdAppend(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 2, "append file text")
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = f.WriteString(unescaped(ts, args[1]))
	ts.Check(errors.Join(err, f.Close()))
}

// fill FILE MEGABYTES lengthens a file by a hole.
func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 2, "fill file megabytes")
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	ts.Check(errors.Join(f.Truncate(size<<20), f.Close()))
}

// sql FILE STATEMENT works on a database behind llmx's back, and keeps the
// connection until the script ends.
func cmdSQL(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 2, "sql file statement")
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	db.SetMaxOpenConns(1)
	ts.Defer(func() { _ = db.Close() })
	_, err = db.Exec(args[1])
	ts.Check(err)
}

func serverOf(ts *testscript.TestScript) *countedServer {
	return ts.Value(serverKey{}).(*countedServer)
}

// asked N wants so many requests since the last asked or await.
func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 1, "asked n")
	s := serverOf(ts)
	if got := strconv.Itoa(s.Count() - s.seen); got != args[0] {
		ts.Fatalf("the provider was asked %s times, not %s", got, args[0])
	}
	s.seen = s.Count()
}

// await N waits until the provider was asked so often since the last asked or await.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 1, "await n")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := serverOf(ts)
	for deadline := time.Now().Add(30 * time.Second); s.Count() < s.seen+n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("the provider was asked %d times within 30 s", s.Count()-s.seen)
		}
	}
	s.seen += n
}

// saw FILE [FIELD] compares the messages of the provider's last request, or another
// field, with a JSON file.
func cmdSaw(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) == 0 || len(args) > 2, "saw file [field]")
	field := "messages"
	if len(args) == 2 {
		field = args[1]
	}
	all := serverOf(ts).Requests()
	var request map[string]any
	ts.Check(json.Unmarshal(all[len(all)-1].Body, &request))
	var want any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &want))
	if diff := cmp.Diff(want, request[field]); diff != "" {
		ts.Fatalf("the provider saw other %s (-want +got):\n%s", field, diff)
	}
}

// sent PATTERN wants a match in the body of the provider's last request.
func cmdSent(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 1, "sent pattern")
	all := serverOf(ts).Requests()
	if body := all[len(all)-1].Body; !regexp.MustCompile(args[0]).Match(body) {
		ts.Fatalf("the provider was sent %s", body)
	}
}

// capture NAME FILE PATTERN puts the pattern's first group into a variable.
func cmdCapture(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 3, "capture name file pattern")
	found := regexp.MustCompile("(?m)" + args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(found) != 2 {
		ts.Fatalf("no match for %q in %s", args[2], args[1])
	}
	ts.Setenv(args[0], found[1])
}

// json FILE PATH WANT reads a.0.b in a JSON file, and compares it as JSON. Without
// a path the file must be JSON, with "lines" for the path every line of it.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) == 0 || len(args) > 3, "json file [path want]")
	text := ts.ReadFile(args[0])
	texts := []string{text}
	if len(args) == 2 {
		texts = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	}
	var value any
	for _, text := range texts {
		value = nil
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			ts.Fatalf("%s is not JSON: %v", args[0], err)
		}
	}
	if len(args) < 3 {
		return
	}
	for key := range strings.SplitSeq(args[1], ".") {
		switch at := value.(type) {
		case map[string]any:
			value = at[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				ts.Fatalf("%s: no item %s", args[1], key)
			}
			value = at[i]
		default:
			ts.Fatalf("%s: nothing has a member %s", args[1], key)
		}
	}
	got, err := json.Marshal(value)
	ts.Check(err)
	if string(got) != args[2] {
		ts.Fatalf("%s of %s is %s, want %s", args[1], args[0], got, args[2])
	}
}

// secret TEXT wants a text in no file under the script's directory, nor in what
// the last command said.
func cmdSecret(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 1, "secret text")
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(stream), args[0]) {
			ts.Fatalf("it stands in %s", stream)
		}
	}
	files := 0
	ts.Check(filepath.WalkDir(filepath.Join(ts.Getenv("WORK"), "shop"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(args[0])) {
			ts.Fatalf("it stands in %s", path)
		}
		return err
	}))
	if files < 5 {
		ts.Fatalf("there are only %d files", files)
	}
}

// xml FILE wants one well-formed XML document.
func cmdXML(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg || len(args) != 1, "xml file")
	var document struct{}
	if err := xml.Unmarshal([]byte(ts.ReadFile(args[0])), &document); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// TestColorIsForTerminals shows that colours come with a terminal, and go with
// NO_COLOR and dumb terminals.
func TestColorIsForTerminals(t *testing.T) {
	tests := map[string]struct {
		terminal bool
		env      map[string]string
		want     bool
	}{
		"a terminal":            {true, nil, true},
		"a file":                {false, nil, false},
		"NO_COLOR":              {true, map[string]string{"NO_COLOR": "1"}, false},
		"an empty NO_COLOR":     {true, map[string]string{"NO_COLOR": ""}, true},
		"a dumb terminal":       {true, map[string]string{"TERM": "dumb"}, false},
		"a file, but of colour": {false, map[string]string{"TERM": "xterm-256color", "COLORTERM": "truecolor"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSession(t)
			lookup := s.world.LookupEnv
			s.world.LookupEnv = func(key string) (string, bool) {
				if value, ok := test.env[key]; ok {
					return value, true
				}
				return lookup(key)
			}
			s.world.StdoutTerminal, s.world.StderrTerminal = test.terminal, test.terminal
			if code := s.run("test", "--live", "--model", "one-wrong"); code != 1 {
				t.Fatalf("exit code %d, stderr %q", code, &s.stderr)
			}
			if got := strings.Contains(s.stdout.String(), "\x1b["); got != test.want {
				t.Errorf("stdout is coloured: %v, want %v", got, test.want)
			}
			if code := s.run("test", "--nothing"); code != 2 || strings.Contains(s.stderr.String(), "\x1b[") != test.want {
				t.Errorf("exit code %d, stderr %q; coloured: want %v", code, &s.stderr, test.want)
			}
		})
	}
}
