// Package suite reads suite files into cases. Load is the first of two passes: it
// reads and validates everything, so that nothing is asked before all files are
// known to be good; Cases streams the cases again and never holds them all. It
// imports the words and the strict YAML; prompts, checks and templates are
// functions that are passed in.
package suite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Dir is where a project's suites stand; Extension is how their names end.
const (
	Dir       = "suites"
	Extension = ".yaml"
)

// Suite is a validated suite file. It is safe for concurrent use.
type Suite struct {
	Name        string
	File        string // path in the project
	Description string
	Prompt      Ref
	Models      []Ref // empty: the prompt's own
	Repeats     int   // of a case that does not say, at least 1

	Gates          []eval.Gate         // in the order of the file
	GatePlaces     []fault.Place       // of the limits, one a gate
	OnInconclusive eval.OnInconclusive // "" where the file does not say
	MaxErrors      int

	Count   int      // cases, all files together
	Tags    []string // that cases bear, sorted; at most maxWords
	Metrics []string // named by checks, sorted

	plan plan
}

// Ref is a name that stands in the file.
type Ref struct {
	Name  string
	Place fault.Place
}

// Deps is what a suite needs of other rooms.
type Deps struct {
	// ParseCheck reads one entry of expect.
	ParseCheck func(n strictyaml.Node) (eval.Check, error)
	// Judge is told which model or route judges where a check does not say, before any
	// check is read. Nil leaves the key unread.
	Judge func(name string, place fault.Place) error
	// GoldenCheck is what a case with a golden answer is held to, unless it or the
	// suite says how to compare, by a check that judges by the golden answer.
	GoldenCheck eval.Check
	// CompileText compiles a template that stands at a line of a file. What it
	// gives renders with the variable row, and is safe for concurrent use.
	CompileText func(file string, line int, text string) (func(vars map[string]any) (string, error), error)
	// Prompt looks up the prompt that the cases are for. Nil skips what it would check.
	Prompt func(ref string, place fault.Place) (PromptInfo, error)
	// MediaDigest names the bytes behind the value of an input of kind image, file
	// or thread, so that the input hash covers them; false where there are none.
	// Nil leaves the hash to the value as written.
	MediaDigest func(input string, value any) (digest string, is bool, err error)
	// ReadThread gives the messages of a conversation that a value {file: path} names,
	// the path as it counts from the directory dir; false for any other value.
	ReadThread func(value any, dir string) (messages []any, is bool, err error)
	// ReadMessage reads one message of a conversation in the field's chat format.
	ReadMessage func(message any) (llm.Message, error)
}

// PromptInfo is what a suite must know of its prompt.
type PromptInfo struct {
	Name      string
	Kinds     map[string]string               // the kind of each input: "string", "image", …
	Output    llm.Output                      // tells how golden cells of a CSV file are read
	CheckVars func(vars map[string]any) error // nil skips
}

// Discover lists the suite files of a project, sorted: what stands right in
// suites/ and ends in .yaml. Files of cases stand elsewhere, or end otherwise.
func Discover(root fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(root, Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.At(fault.Place{File: Dir}, "the directory cannot be read: %v", cause(err)).Because(err)
	}
	var files []string
	var problems fault.List
	for _, entry := range entries {
		switch file := path.Join(Dir, entry.Name()); {
		case entry.IsDir():
		case path.Ext(file) == Extension:
			files = append(files, file)
		case path.Ext(file) == ".yml":
			problems.Add(fault.At(fault.Place{File: file}, "a suite's name ends in %s", Extension).WithHint("rename it"))
		}
	}
	slices.Sort(files)
	return files, problems.Err()
}

// Load reads a suite file and every file that it names, and returns all their
// problems at once.
func Load(root fs.FS, file string, d Deps) (*Suite, error) {
	data, err := readWhole(root, file, fault.Place{File: file})
	if err != nil {
		return nil, err
	}
	document, err := strictyaml.Parse(file, data, 1)
	if err != nil {
		return nil, err
	}
	switch document.Kind() {
	case strictyaml.Mapping:
	case strictyaml.Absent:
		return nil, &fault.Error{Class: fault.Empty, Place: fault.Place{File: file}, Message: "the suite is empty"}
	default:
		return nil, document.Mismatch("a suite").
			WithHint("a file of rows stands in a directory of its own, %s", path.Join(Dir, "data", path.Base(file)))
	}
	s := &Suite{File: file, plan: plan{root: root, file: file, deps: d}}
	var problems fault.List
	gates := s.readHeader(document, &problems)
	s.firstPass(gates, &problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if s.Count == 0 {
		place := fault.Place{File: file}
		if cases := document.Get("cases"); cases.Exists() {
			place = cases.Place()
		}
		return nil, &fault.Error{Class: fault.Empty, Place: place, Message: fmt.Sprintf("the suite %s has no case", s.Name)}
	}
	return s, nil
}

// PromptOf reads which prompt a suite is for, and nothing else of the file.
func PromptOf(root fs.FS, file string) (string, error) {
	data, err := readWhole(root, file, fault.Place{File: file})
	if err != nil {
		return "", err
	}
	document, err := strictyaml.Parse(file, data, 1)
	return document.Get("prompt").Text(), err
}

// readWhole reads a YAML file, and looks at its size before.
func readWhole(root fs.FS, name string, place fault.Place) ([]byte, error) {
	file, err := open(root, name, place)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > strictyaml.MaxSize {
		return nil, fault.At(fault.Place{File: name}, "the file has %d MB; at most %d MB are read", info.Size()>>20, strictyaml.MaxSize>>20).
			WithHint("put many cases into a JSON lines file and name it with from:")
	}
	data, err := io.ReadAll(io.LimitReader(file, strictyaml.MaxSize+1))
	if err != nil {
		return nil, fault.At(fault.Place{File: name}, "the file cannot be read: %v", cause(err)).Because(err)
	}
	return data, nil
}

// open opens a file that is named at a place, and says what else there is.
func open(root fs.FS, name string, place fault.Place) (fs.File, error) {
	file, err := root.Open(name)
	if err == nil {
		return file, nil
	}
	problem := fault.At(place, "%s cannot be read: %v", name, cause(err)).Because(err)
	if errors.Is(err, fs.ErrNotExist) {
		problem.Message = fmt.Sprintf("there is no file %s", name)
		entries, _ := fs.ReadDir(root, path.Dir(name))
		var there []string
		for _, entry := range entries {
			if !entry.IsDir() && path.Ext(entry.Name()) == path.Ext(name) {
				there = append(there, entry.Name())
			}
		}
		if best := fault.Suggest(path.Base(name), there); best != "" {
			problem.Hint = fmt.Sprintf("did you mean %q?", path.Join(path.Dir(name), best))
		}
	}
	return nil, problem
}

// cause drops the operation and the path from a file error: the place names it.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// nameOf is the suite's name by its file.
func nameOf(file string) string { return strings.TrimSuffix(path.Base(file), Extension) }
