package suite

import (
	"io/fs"
	"path"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// plan is all that is needed to make the cases, again and again. Nothing in it
// changes after Load.
type plan struct {
	root    fs.FS
	file    string
	deps    Deps
	prompt  PromptInfo
	suite   string
	repeats int
	exact   bool          // golden_match: exact
	media   []string      // inputs whose values may stand for bytes
	expect  []expectation // for every case
	partial bool          // some of expect cannot be read, and is reported
	entries []entry
}

// entry is one item of cases: a case, or a file of them.
type entry struct {
	inline *source // nil for a file
	expect []expectation
	bad    bool // already reported

	from  string // path in the project
	place fault.Place
	tags  []string
}

// source is a case as it is written, wherever.
type source struct {
	id      string
	tags    []string
	vars    map[string]any
	golden  *any // nil: none
	exact   bool
	meta    map[string]any
	repeats int
	cluster string
	turns   []turn // of a conversation
	place   fault.Place
}

func (p *plan) readEntries(n strictyaml.Node, problems *fault.List) {
	if !n.Exists() {
		return
	}
	if n.Kind() != strictyaml.List {
		problems.Add(n.Mismatch("a list of cases"))
		return
	}
	for _, item := range n.Items() {
		switch {
		case item.Kind() != strictyaml.Mapping:
			problems.Add(item.Mismatch("a case").WithHint("write - id: …, or - from: cases.jsonl"))
		case item.Get("from").Exists():
			p.readFrom(item, problems)
		default:
			p.readInline(item, problems)
		}
	}
}

func (p *plan) readFrom(n strictyaml.Node, problems *fault.List) {
	var written struct {
		From strictyaml.Node `yaml:"from,required"`
		Tags []string        `yaml:"tags"`
	}
	if err := n.Decode(&written); err != nil {
		problems.Add(err)
		return
	}
	name, ok := readName(written.From, problems)
	if !ok {
		return
	}
	place := written.From.Place()
	if readerFor(name) == nil {
		problems.Add(fault.At(place, "a file of cases ends in .jsonl, .csv or .yaml, not %q", path.Ext(name)))
		return
	}
	full := path.Join(path.Dir(p.file), name)
	if path.IsAbs(name) || strings.Contains(name, `\`) || !fs.ValidPath(full) {
		problems.Add(fault.At(place, "the file %q is outside the project", name).
			WithHint("the path counts from the suite file's directory, with forward slashes"))
		return
	}
	if err := checkTags(written.Tags); err != nil {
		problems.Add(at(n.Get("tags").Place(), err))
		return
	}
	p.entries = append(p.entries, entry{from: full, place: place, tags: written.Tags})
}

// written is an inline case.
type written struct {
	ID          strictyaml.Node `yaml:"id"`
	Tags        []string        `yaml:"tags"`
	Vars        map[string]any  `yaml:"vars"`
	Golden      strictyaml.Node `yaml:"golden"`
	GoldenMatch string          `yaml:"golden_match" oneof:"subset exact"`
	Expect      strictyaml.Node `yaml:"expect"`
	Meta        map[string]any  `yaml:"meta"`
	Repeats     strictyaml.Node `yaml:"repeats"`
	Cluster     strictyaml.Node `yaml:"cluster"`
	Turns       strictyaml.Node `yaml:"turns"`
}

func (p *plan) readInline(n strictyaml.Node, problems *fault.List) {
	var w written
	before := len(*problems)
	problems.Add(n.Decode(&w))
	s := &source{tags: w.Tags, vars: w.Vars, meta: w.Meta, place: n.Place(), exact: p.exact}
	if w.GoldenMatch != "" {
		s.exact = w.GoldenMatch == "exact"
	}
	if w.Golden.Exists() {
		value := w.Golden.Value()
		s.golden = &value
	}
	if w.ID.Kind() == strictyaml.String || w.ID.Kind() == strictyaml.Number {
		s.id = w.ID.Text()
	} else if w.ID.Exists() {
		problems.Add(w.ID.Mismatch("an id"))
	}
	s.repeats = readRepeats(w.Repeats, p.repeats, problems)
	s.cluster, _ = readName(w.Cluster, problems)
	s.turns = p.readTurns(w.Turns, problems)
	e := entry{inline: s, expect: p.readExpect(w.Expect, problems)}
	e.bad = len(*problems) > before
	p.entries = append(p.entries, e)
}

// at puts an error that has no place of its own at one.
func at(place fault.Place, err error) error {
	var problems fault.List
	problems.Add(err)
	for i, problem := range problems {
		if problem.Place == (fault.Place{}) {
			moved := *problem
			moved.Place = place
			problems[i] = &moved
		}
	}
	return problems.Err()
}
