package jsonschema

import (
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Bundle makes one schema of a schema and the files that it refers to, and those that
// they refer to: each stands whole under $defs (definitions, up to draft 7), once, and the
// references lead there. A schema that refers to no file is given back as it is.
//
// file is where the schema stands; a reference to a file starts from the file that has it.
// read reads one, and refuses what is out of bounds. An address is refused: nothing is
// ever fetched. All parts are of one dialect: the one that some of them declare.
//
// An error is of class Invalid. It has a place where another file than the first is wrong.
func Bundle(raw json.RawMessage, file string, read func(file string) ([]byte, error)) (json.RawMessage, error) {
	root, err := Parse(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema is %s", fault.As(err).Message)
	}
	b := &bundle{read: read, files: map[string]*part{}, seen: map[*Node]bool{}, queued: map[*Node]bool{}, ids: idsOf(root)}
	if err := b.size.add(root.value()); err != nil {
		return nil, err
	}
	if hasNames(root) { // references may go by these, and then name no file
		if _, err := Compile(raw); err == nil {
			return raw, nil
		}
	}
	first := &part{file: file, node: root}
	b.add(first)
	for len(b.waiting) > 0 {
		next := b.waiting[0]
		b.waiting = b.waiting[1:]
		if err := b.follow(next); err != nil {
			return nil, err
		}
	}
	if len(b.parts) == 1 && len(first.refs) == 0 {
		return raw, nil
	}
	if err := b.oneDialect(); err != nil {
		return nil, err
	}
	b.join(first)
	return root.JSON(), nil
}

// maxParts bounds the files of one schema.
const maxParts = 64

// bundle is a schema in the making.
type bundle struct {
	read    func(file string) ([]byte, error)
	size    size // of all parts
	parts   []*part
	files   map[string]*part
	dialect string         // that is declared, "" where none is
	seen    map[*Node]bool // where references were looked for
	ids     []string       // of the first part
	waiting []piece
	queued  map[*Node]bool // that have waited
}

// piece is what references are to be looked for in: a part, or what a reference leads to,
// as that may stand where no keyword has a schema.
type piece struct {
	part *part
	node *Node
	at   string
}

// part is one file.
type part struct {
	file string
	node *Node
	id   string // by which it may refer to itself
	refs []fileRef
	name string // under $defs; "" of the first
}

// fileRef is a $ref that has to be written anew.
type fileRef struct {
	schema  *Node
	to      *part
	pointer string // in there
}

func (b *bundle) add(p *part) {
	p.id, _ = p.node.Get("$id").String()
	b.parts = append(b.parts, p)
	b.files[p.file] = p
	b.wait(piece{p, p.node, ""})
}

// wait has a piece looked through, once.
func (b *bundle) wait(next piece) {
	if !b.queued[next.node] {
		b.queued[next.node] = true
		b.waiting = append(b.waiting, next)
	}
}

// place is that of a part; the caller knows where the first stands.
func (b *bundle) place(p *part) fault.Place {
	if p == b.parts[0] {
		return fault.Place{}
	}
	return fault.Place{File: p.file}
}

// follow reads the files that a piece refers to.
func (b *bundle) follow(next piece) error {
	p := next.part
	var ids []string
	if p == b.parts[0] {
		ids = b.ids
	}
	var problems fault.List
	next.node.Schemas(func(schema *Node, at string) {
		if b.seen[schema] {
			return
		}
		b.seen[schema] = true
		at = next.at + at
		if p != b.parts[0] {
			problems.Add(p.check(schema, at))
		}
		text, ok := schema.Get("$ref").String()
		if !ok {
			return
		}
		if err := b.ref(p, schema, text, ids); err != nil {
			e := *fault.As(err)
			e.Message = "#" + at + "/$ref: " + e.Message
			if e.Place == (fault.Place{}) {
				e.Place = b.place(p)
			}
			problems.Add(&e)
		}
	})
	return problems.Err()
}

// hasNames reports parts with names of their own; in draft 4 these are under id.
func hasNames(root *Node) (found bool) {
	root.Schemas(func(schema *Node, _ string) {
		_, old := schema.Get("id").String()
		found = found || old || schema.Get("$id") != nil
	})
	return found
}

// idsOf are the names by which a document's parts call each other.
func idsOf(root *Node) (ids []string) {
	root.Schemas(func(schema *Node, _ string) {
		if id, ok := schema.Get("$id").String(); ok {
			ids = append(ids, withoutFragment(id))
		}
	})
	return ids
}

func withoutFragment(ref string) string {
	bare, _, _ := strings.Cut(ref, "#")
	return bare
}

// ref reads what one reference leads to, unless that is in the part itself.
func (b *bundle) ref(p *part, schema *Node, text string, ids []string) error {
	bare, fragment, _ := strings.Cut(text, "#")
	inFirst := p == b.parts[0]
	switch u, err := url.Parse(bare); {
	case bare == "" && inFirst:
		if pointer, err := url.PathUnescape(fragment); err == nil && p.node.At(pointer) != nil {
			b.wait(piece{p, p.node.At(pointer), pointer})
		}
		return nil
	case slices.Contains(ids, bare), knowsByAddress(ids, bare), isMeta(bare):
		return nil
	case bare == "", bare == withoutFragment(p.id):
		return b.refer(p, schema, p, fragment)
	case err != nil:
		return fault.New(fault.Invalid, "%q is no reference", clip(text))
	case u.Scheme != "" || strings.HasPrefix(bare, "//"):
		return fault.New(fault.Invalid, "the schema refers to the address %q, and nothing is ever fetched", clip(text)).WithHint("%s", hintRemote)
	case strings.HasPrefix(bare, "/"):
		return fault.New(fault.Invalid, "%q is named from the root of the machine", clip(text)).
			WithHint("a file is named from the file that refers to it: common/money.schema.json, ../money.schema.json")
	case u.RawQuery != "":
		return fault.New(fault.Invalid, "%q is the name of no file", clip(text))
	default:
		to, err := b.file(path.Join(path.Dir(p.file), u.Path))
		if err != nil {
			return err
		}
		return b.refer(p, schema, to, fragment)
	}
}

const hintRemote = "keep the schema in a file of the project and refer to that, or copy it into $defs and refer to it as #/$defs/name"

// knowsByAddress reports a reference that is resolved against the document's own $id.
func knowsByAddress(ids []string, bare string) bool {
	if len(ids) == 0 {
		return false
	}
	base, err := url.Parse(ids[0])
	if err != nil {
		return false
	}
	to, err := base.Parse(bare)
	return err == nil && slices.ContainsFunc(ids, func(id string) bool {
		known, err := base.Parse(id)
		return err == nil && known.String() == to.String()
	})
}

// isMeta reports the meta-schemas of the dialects, which the libraries carry.
func isMeta(bare string) bool {
	return slices.ContainsFunc(dialects, func(d dialect) bool { return withoutScheme(d.url) == withoutScheme(bare) })
}

// refer keeps a reference that leads to a part, to be written anew.
func (b *bundle) refer(p *part, schema *Node, to *part, fragment string) error {
	pointer, err := url.PathUnescape(fragment)
	switch {
	case err != nil || pointer != "" && !strings.HasPrefix(pointer, "/"):
		return fault.New(fault.Invalid, "#%s is no JSON pointer", clip(fragment)).
			WithHint("into a file, and in a file that others refer to, references are pointers: #/$defs/name")
	case to.node.At(pointer) == nil:
		return fault.New(fault.Invalid, "%s has nothing at #%s", to.file, clip(pointer))
	}
	p.refs = append(p.refs, fileRef{schema, to, pointer})
	b.wait(piece{to, to.node.At(pointer), pointer})
	return nil
}

// file reads a file, once.
func (b *bundle) file(name string) (*part, error) {
	if known := b.files[name]; known != nil {
		return known, nil
	}
	if len(b.parts) == maxParts {
		return nil, fault.New(fault.Invalid, "the schema is made of more than %d files", maxParts)
	}
	data, err := b.read(name)
	if err != nil {
		return nil, err
	}
	node, err := Parse(data)
	if err != nil {
		return nil, fault.At(fault.Place{File: name}, "the schema is %s", fault.As(err).Message)
	}
	if err := b.size.add(node.value()); err != nil {
		failed := *fault.As(err)
		failed.Place = fault.Place{File: name}
		return nil, &failed
	}
	p := &part{file: name, node: node}
	b.add(p)
	return p, nil
}

// ownNames are keywords by which a schema is found from elsewhere: within another schema
// they would mean something else.
var ownNames = []string{"$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"}

// check refuses what cannot stand within another schema.
func (p *part) check(schema *Node, at string) error {
	for _, name := range ownNames {
		if schema.Get(name) != nil && (at != "" || name != "$id") {
			return fault.At(fault.Place{File: p.file}, "#%s/%s: a schema that others refer to cannot have %s within it", at, name, name).
				WithHint("refer by pointers: #/$defs/name")
		}
	}
	return nil
}

// join puts all parts into the first, and leads the references there.
func (b *bundle) join(first *part) {
	keyword := "definitions"
	if b.modern() {
		keyword = "$defs"
	}
	definitions := first.node.Get(keyword)
	if !definitions.IsObject() {
		definitions = Object()
	}
	for _, p := range b.parts[1:] {
		p.name = nameFor(p.file, definitions)
		definitions.Set(p.name, p.node)
		p.node.Delete("$id")
		p.node.Delete("$schema")
	}
	for _, p := range b.parts {
		for _, ref := range p.refs {
			to := "#"
			if ref.to != first {
				to += "/" + keyword + "/" + ref.to.name
			}
			ref.schema.Set("$ref", Text(to+(&url.URL{Path: ref.pointer}).EscapedPath()))
		}
	}
	if len(definitions.Members) > 0 {
		first.node.Set(keyword, definitions)
	}
	if b.dialect != "" && first.node.Get("$schema") == nil {
		first.node.Set("$schema", Text(b.dialect))
	}
}

// nameFor is the file's name without what all have, and with no sign that a pointer would
// have to escape.
func nameFor(file string, taken *Node) string {
	plain := strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".json"), ".schema")
	plain = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, plain)
	name := plain
	for i := 2; taken.Get(name) != nil; i++ {
		name = plain + "-" + strconv.Itoa(i)
	}
	return name
}
