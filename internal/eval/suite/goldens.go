package suite

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// SetGoldens sets the golden answers of cases, by case id, in the suite file and in
// the files of cases that it names. Values are JSON values as jsonschema.Decode
// gives them (numbers as json.Number). Only the bytes of golden answers change; a
// case without one gets one. What was edited is read again, and nothing is written
// unless every case says what it said before, but for the goldens that were asked.
//
// rootDir is the project's directory, file the suite's path in it, with slashes.
// A conversation has golden answers at its turns: its value is of type TurnGoldens, and it
// must stand in the suite file itself.
//
// The changes are one line a case, in the order of the suite; their line numbers
// are those of the edited files. dryRun does everything but write.
//
// A CSV file has no types, and the prompt's contract, which decides how its cells
// are read, is not known here: a string stands in its cell as it is, unless the
// column holds strings as JSON and this one would be taken for something else.
//
// A case that is not there is fault.Usage; a file that cannot be read, or edited
// without touching more than the golden, fault.Invalid; one that cannot be written
// fault.Store.
func SetGoldens(rootDir, file string, goldens map[string]any, dryRun bool) (changes []string, err error) {
	if len(goldens) == 0 {
		return nil, nil
	}
	for _, id := range slices.Sorted(maps.Keys(goldens)) {
		if err := checkGolden(id, goldens[id]); err != nil {
			return nil, err
		}
	}
	g := &goldenEdit{root: os.DirFS(rootDir), wanted: goldens, seen: map[string]*goldenChange{}}
	if err := g.readSuite(file); err != nil {
		return nil, err
	}
	g.refuseUnknown(nameOf(file))
	if err := g.problems.Err(); err != nil {
		return nil, err
	}
	var edited []*goldenFile
	for _, f := range g.files {
		if len(f.edits) == 0 {
			continue
		}
		f.after = apply(f.data, f.edits)
		g.problems.Add(f.verify(g, f))
		edited = append(edited, f)
	}
	if err := g.problems.Err(); err != nil {
		return nil, err
	}
	if !dryRun {
		if err := writeAll(rootDir, edited); err != nil {
			return nil, err
		}
	}
	return g.report(), nil
}

// TurnGoldens are the golden answers of turns of a conversation, by the turn's number,
// from 1.
type TurnGoldens map[int]any

// goldenEdit is one run of SetGoldens.
type goldenEdit struct {
	root     fs.FS
	wanted   map[string]any
	seen     map[string]*goldenChange // by the ids that are wanted
	changes  []*goldenChange          // the same, in the order of the files
	known    []string                 // ids for suggestions; at most maxKnown
	files    []*goldenFile            // the suite's first
	problems fault.List
}

// goldenFile is a file that holds cases.
type goldenFile struct {
	name        string // path in the project
	data, after []byte
	edits       []byteEdit
	verify      func(*goldenEdit, *goldenFile) error
}

// maxKnown bounds how many ids are compared for "did you mean".
const maxKnown = 10_000

// maxEdited bounds a file of cases that is edited, in bytes: it is held in memory.
const maxEdited = 512 << 20

// readSuite makes the edits of the suite file and of every file that it names.
func (g *goldenEdit) readSuite(file string) error {
	data, err := readWhole(g.root, file, fault.Place{File: file})
	if err != nil {
		return err
	}
	document, err := strictyaml.Parse(file, data, 1)
	if err != nil {
		return err
	}
	f := &goldenFile{name: file, data: data, verify: verifySuite}
	g.files = append(g.files, f)
	text := newYAMLText(file, data)
	p := &plan{root: g.root, file: file}
	for _, item := range document.Get("cases").Items() {
		if !item.Get("from").Exists() {
			g.editMapping(f, text, item, false)
			continue
		}
		p.entries = nil
		if p.readFrom(item, &g.problems); len(p.entries) == 1 {
			g.problems.Add(g.readRows(p.entries[0]))
		}
	}
	return nil
}

// rowEditors make the edits of a file of rows, by the end of its name.
var rowEditors = map[string]func(*goldenEdit, *goldenFile) error{
	".jsonl": editJSONL,
	".csv":   editCSV,
	".yaml":  editYAMLRows,
}

func (g *goldenEdit) readRows(e entry) error {
	file, err := open(g.root, e.from, e.place)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxEdited+1))
	if err != nil {
		return fault.At(fault.Place{File: e.from}, "the file cannot be read: %v", cause(err)).Because(err)
	}
	if len(data) > maxEdited {
		return fault.At(fault.Place{File: e.from}, "the file has more than %d MB, too many to edit", maxEdited>>20).
			WithHint("put the cases into several files")
	}
	f := &goldenFile{name: e.from, data: data, verify: verifyRows}
	g.files = append(g.files, f)
	return rowEditors[path.Ext(e.from)](g, f)
}

// want finds what is asked of a case, nil for most, and notes that the case is
// there.
func (g *goldenEdit) want(id string, place fault.Place, isRow bool) *goldenChange {
	if len(g.known) < maxKnown && id != "" {
		g.known = append(g.known, id)
	}
	golden, wanted := g.wanted[id]
	if !wanted || id == "" {
		return nil
	}
	if first, twice := g.seen[id]; twice {
		g.problems.Add(fault.At(place, "the case id %s is given twice", strconv.Quote(id)).WithHint("it stands at %s already", first.place))
		return nil
	}
	c := &goldenChange{place: place, id: id, after: golden}
	g.seen[id] = c
	switch _, talk := golden.(TurnGoldens); {
	case talk && isRow:
		g.problems.Add(fault.At(place, "the golden answers of %s cannot be set here: a conversation is edited in the suite's file alone", strconv.Quote(id)).WithHint("edit the file by hand"))
		return nil
	case !talk: // else its turns are what is changed
		g.changes = append(g.changes, c)
	}
	return c
}

func (g *goldenEdit) refuseUnknown(suite string) {
	if len(g.problems) > 0 {
		return // what cannot be read may hold the case
	}
	for _, id := range slices.Sorted(maps.Keys(g.wanted)) {
		if _, there := g.seen[id]; !there {
			g.problems.Add(fault.New(fault.Usage, "the suite %s has no case %s", suite, strconv.Quote(id)).
				WithHint("%s", fault.Allowed(id, g.known)))
		}
	}
}

// byteEdit puts a text in the place of data[from:to].
type byteEdit struct {
	from, to int
	text     string
}

// apply makes all the edits. Those that begin at one offset are made in the order
// given, insertions before a removal.
func apply(data []byte, edits []byteEdit) []byte {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b byteEdit) int { return a.from - b.from })
	var out bytes.Buffer
	out.Grow(len(data))
	last := 0
	for _, e := range sorted {
		if e.from > last {
			out.Write(data[last:e.from])
		}
		out.WriteString(e.text)
		last = max(last, e.to)
	}
	out.Write(data[last:])
	return out.Bytes()
}
