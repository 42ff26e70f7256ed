package jsonschema

import (
	"encoding/json"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

// oneDialect finds the dialect that the parts declare, and refuses two of them, a part
// that would be read in another dialect than its keywords are of, and one that is no
// valid schema.
func (b *bundle) oneDialect() error {
	var by *part
	for _, p := range b.parts {
		declared, ok := p.node.Get("$schema").String()
		switch {
		case !ok:
		case by == nil:
			by, b.dialect = p, declared
		case withoutScheme(declared) != withoutScheme(b.dialect):
			return fault.At(b.place(p), "the schema is of another dialect ($schema: %s) than %s (%s)", clip(declared), by.file, clip(b.dialect)).
				WithHint("schemas that refer to each other are of one dialect")
		}
	}
	var problems fault.List
	for _, p := range b.parts {
		if by != nil && p.node.Get("$schema") == nil && !b.fits(p) {
			problems.Add(fault.At(b.place(p), "the schema declares no $schema, and stands with %s, which is %s: its keywords may mean nothing there", by.file, clip(b.dialect)).
				WithHint(`write "$schema": %q into it`, b.dialect))
			continue
		}
		problems.Add(b.valid(p))
	}
	return problems.Err()
}

// fits reports a part without $schema whose keywords are all known in the dialect of
// the others: the newer ones know those of draft 7, and the older ones pass over what they
// do not know.
func (b *bundle) fits(p *part) bool {
	switch withoutScheme(b.dialect) {
	case withoutScheme(draft2019.url), withoutScheme(draft2020.url):
		return true
	case withoutScheme(draft7.url):
		return !isModern(p.node)
	}
	return false
}

func isModern(n *Node) bool {
	document, err := Decode(n.JSON())
	root, ok := document.(map[string]any)
	if err != nil || !ok {
		return false
	}
	return slices.Contains([]string{draft2019.url, draft2020.url}, recognise(root).url)
}

// modern reports whether the bundle is read in one of the newer dialects.
func (b *bundle) modern() bool {
	if b.dialect != "" {
		bare := withoutScheme(b.dialect)
		return bare == withoutScheme(draft2019.url) || bare == withoutScheme(draft2020.url)
	}
	return slices.ContainsFunc(b.parts, func(p *part) bool { return isModern(p.node) })
}

// valid compiles a part but for its references, so that what is wrong with it is said
// of its own file.
func (b *bundle) valid(p *part) error {
	alone, err := Parse(p.node.JSON())
	if err != nil {
		return err
	}
	alone.Schemas(func(schema *Node, _ string) {
		for _, name := range append(slices.Clone(ownNames), "$ref") {
			schema.Delete(name)
		}
	})
	if b.dialect != "" && alone.IsObject() {
		alone.Set("$schema", Text(b.dialect))
	}
	if _, err = Compile(json.RawMessage(alone.JSON())); err == nil {
		return nil
	}
	failed := *fault.As(err)
	failed.Place = b.place(p)
	return &failed
}
