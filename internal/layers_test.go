// Package internal_test holds the one test over the whole house: imports point
// down, and each third-party library has one door.
package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/llmx-dev/llmx"

// levels lists the rooms from the top down. A room may import rooms of lower
// levels only; rooms on one level do not import each other, but for the
// exceptions below.
var levels = [][]string{
	{"cmd/llmx"},
	{"internal/cli"},
	{"internal/server", "internal/report", "internal/store", "internal/telemetry"},
	{"internal/eval/runner", "internal/eval/verdict", "internal/engine"},
	{
		"internal/eval/suite", "internal/eval/scorer", "internal/eval/stats", "internal/eval/baseline", "internal/eval/turns",
		"internal/engine/render", "internal/engine/trace", "internal/engine/contract", "internal/engine/cache", "internal/engine/route",
		"internal/engine/cascade", "internal/engine/keepalive", "internal/engine/timeout", "internal/engine/limit",
		"internal/engine/budget", "internal/engine/structured",
	},
	{
		"internal/config", "internal/prompt", "internal/price",
		"internal/provider/openai", "internal/provider/sim", "internal/provider/replay",
	},
	{"internal/strictyaml", "internal/jsonschema", "internal/redact"},
	{"internal/llm", "internal/fault", "internal/eval"},
}

// exceptions are the arrows that the levels do not draw.
var exceptions = map[string][]string{
	// The words build on each other: a call has a failure, a result has a call.
	"internal/llm":  {"internal/fault"},
	"internal/eval": {"internal/llm", "internal/fault"},
}

// support is imported by tests alone, from anywhere.
var support = []string{"internal/provider/upstream", "internal/provider/upstream/faults", "internal/provider/conformance", "internal/lockwatch", "internal/server/openapitest"}

// words import the standard library and each other alone.
var words = []string{"internal/llm", "internal/fault", "internal/eval"}

// outside is what only the command line may touch: environment, standard streams,
// arguments, working directory, exit and signals. Everything else is given them.
var outside = map[string][]string{
	"os":        {"Getenv", "LookupEnv", "Environ", "Setenv", "Stdin", "Stdout", "Stderr", "Args", "Exit", "Getwd", "Chdir"},
	"os/signal": {"Notify", "NotifyContext"},
	"os/exec":   {"Command", "CommandContext"},
	"log":       {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln"},
	"fmt":       {"Print", "Printf", "Println"},
}

type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range list(t) {
		from := room(p.ImportPath)
		if slices.Contains(support, from) || from == "internal" {
			continue
		}
		fromLevel := levelOf(from)
		if fromLevel < 0 {
			t.Errorf("%s is not in the layering: say where it belongs in levels", from)
			continue
		}
		for _, path := range p.Imports {
			if !strings.HasPrefix(path, module) {
				continue
			}
			to := room(path)
			if slices.Contains(exceptions[from], to) {
				continue
			}
			if slices.Contains(support, to) {
				t.Errorf("%s imports %s, which is for tests alone", from, to)
				continue
			}
			if levelOf(to) <= fromLevel {
				t.Errorf("%s imports %s: imports point down only", from, to)
			}
		}
	}
}

func TestWordsImportTheStandardLibraryAlone(t *testing.T) {
	for _, p := range list(t) {
		if !slices.Contains(words, room(p.ImportPath)) {
			continue
		}
		for _, path := range p.Imports {
			if thirdParty(path) {
				t.Errorf("%s imports %s", room(p.ImportPath), path)
			}
		}
	}
}

func TestEveryLibraryHasOneDoor(t *testing.T) {
	doors := map[string][]string{}
	for _, p := range list(t) {
		for _, path := range p.Imports {
			if !thirdParty(path) {
				continue
			}
			library := libraryOf(path)
			// golang.org/x is the standard library's own annex.
			if strings.HasPrefix(library, "golang.org/x/") {
				continue
			}
			if from := room(p.ImportPath); !slices.Contains(doors[library], from) {
				doors[library] = append(doors[library], from)
			}
		}
	}
	if len(doors) < 5 {
		t.Fatalf("only %d libraries seen: the list is not of this module", len(doors))
	}
	for library, rooms := range doors {
		if len(rooms) > 1 {
			t.Errorf("%s is imported by %v: one room is its door", library, rooms)
		}
	}
}

func TestOnlyTheCommandLineTouchesTheProcess(t *testing.T) {
	for _, p := range list(t) {
		if from := room(p.ImportPath); from == "internal/cli" || from == "cmd/llmx" {
			continue
		}
		for _, name := range p.GoFiles {
			for _, use := range uses(t, filepath.Join(p.Dir, name), outside) {
				t.Errorf("%s: only cli touches the process", use)
			}
		}
	}
}

// askers are files of commands that connect to the servers which their user names.
var askers = []string{"internal/cli/promptserver.go"}

// dialers are what connects to an address. A caller of llmx serve names addresses (of
// images, of files), and nobody but a provider may connect to any: to its own.
var dialers = map[string][]string{
	"net":        {"Dial", "DialTimeout", "Dialer", "DialTCP", "DialUDP", "DialIP", "DialUnix"},
	"net/http":   {"Get", "Head", "Post", "PostForm", "Client", "Transport", "DefaultClient", "DefaultTransport"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
	"net/rpc":    {"Dial", "DialHTTP"},
	"net/smtp":   {"Dial", "SendMail"},
}

func TestOnlyProvidersConnect(t *testing.T) {
	seen := 0
	for _, p := range list(t) {
		from := room(p.ImportPath)
		for _, name := range p.GoFiles {
			for _, use := range uses(t, filepath.Join(p.Dir, name), dialers) {
				if from == "internal/provider/openai" {
					seen++
				} else if !slices.Contains(support, from) && !slices.Contains(askers, from+"/"+name) {
					t.Errorf("%s: only a provider connects to anybody", use)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("not even the provider connects: this test sees nothing")
	}
}

// uses finds where a file names something that stands outside of its room.
func uses(t *testing.T, path string, outside map[string][]string) []string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	imported := map[string]string{} // the name in the file → the package
	for _, spec := range file.Imports {
		full := strings.Trim(spec.Path.Value, `"`)
		name := full[strings.LastIndex(full, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = full
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if base, ok := selector.X.(*ast.Ident); ok && slices.Contains(outside[imported[base.Name]], selector.Sel.Name) {
			found = append(found, fmt.Sprintf("%s: %s.%s", files.Position(n.Pos()), base.Name, selector.Sel.Name))
		}
		return true
	})
	return found
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func room(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

func levelOf(room string) int {
	return slices.IndexFunc(levels, func(level []string) bool { return slices.Contains(level, room) })
}

func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(path, module)
}

// libraryOf cuts an import path to its module, as far as a path can tell.
func libraryOf(path string) string {
	parts := strings.Split(path, "/")
	return strings.Join(parts[:min(3, len(parts))], "/")
}
