package prompt

import (
	"bytes"
	"encoding/json"
	"path"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// outputs is what the key outputs: says.
type outputs struct {
	output llm.Output
	schema *jsonschema.Schema // nil for text and number
	file   string             // where the schema stood; the prompt's own for one that stands in it
	moved  bool               // it stood in other files, at least in part: a release has it in its place
}

// readOutputs reads a JSON Schema, {file: …} or {kind: …}; without the key: text.
func (l *loader) readOutputs(n strictyaml.Node) outputs {
	if !n.Exists() {
		return outputs{output: llm.Output{Kind: llm.OutputText}}
	}
	fields := n.Fields()
	if n.Kind() != strictyaml.Mapping || len(fields) == 0 {
		l.problems.Add(n.Mismatch("a JSON Schema, {file: …} or {kind: …}"))
		return outputs{}
	}
	if kind := n.Get("kind"); kind.Exists() {
		return l.outputKind(n, kind)
	}
	for _, field := range fields {
		if field.Key == "file" && len(fields) > 1 {
			l.problems.Add(fault.At(field.Place, "the key %q stands beside others", field.Key).
				WithHint("outputs is a JSON Schema, {file: …} alone or {kind: …}"))
			return outputs{}
		}
	}
	if fields[0].Key == "file" {
		return l.outputFile(fields[0].Value)
	}
	raw, err := jsonOf(n)
	if err != nil {
		l.problems.Add(err)
		return outputs{}
	}
	return l.compileSchema(raw, n.Place(), l.file)
}

// outputFile reads a schema from a file below prompts/, named from the prompt's directory.
func (l *loader) outputFile(n strictyaml.Node) outputs {
	raw, file, ok := l.schemaFile(n)
	if !ok {
		return outputs{}
	}
	return l.compileSchema(raw, fault.Place{File: file}, file)
}

// schemaFile reads the file that a node names from the prompt's directory. Not ok is
// reported.
func (l *loader) schemaFile(n strictyaml.Node) (raw json.RawMessage, file string, ok bool) {
	if n.Kind() != strictyaml.String || n.Text() == "" {
		l.problems.Add(n.Mismatch("the path of a JSON Schema"))
		return nil, "", false
	}
	if l.version != draftName {
		l.problems.Add(n.Errorf("a release names a schema file").WithHint("%s", hintFlat))
		return nil, "", false
	}
	file = path.Join(l.dir, n.Text())
	if path.IsAbs(n.Text()) {
		file = n.Text()
	}
	text, err := readText(l.fsys, file)
	if err != nil {
		l.problems.Add(unreadable(n.Place(), "the schema file "+quote(n.Text()), err))
		return nil, "", false
	}
	if _, err := jsonschema.Decode([]byte(text)); err != nil {
		l.problems.Add(fault.At(fault.Place{File: file}, "the schema is %s", fault.As(err).Message))
		return nil, "", false
	}
	if raw, err = compactJSON([]byte(text)); err != nil {
		l.problems.Add(fault.At(fault.Place{File: file}, "the schema is not valid JSON"))
		return nil, "", false
	}
	return raw, file, true
}

const hintFlat = "releases are flat: undo the edit of this file, and edit the draft"

// compileSchema takes what a schema refers to into it, and compiles it.
func (l *loader) compileSchema(raw json.RawMessage, place fault.Place, file string) outputs {
	whole, err := jsonschema.Bundle(raw, file, l.readSchema)
	if err == nil {
		var schema *jsonschema.Schema
		if schema, err = jsonschema.Compile(whole); err == nil {
			for _, silent := range jsonschema.Silent(whole) {
				l.warnings.Add(fault.At(place, "the schema says what nothing can break: %s", silent))
			}
			moved := file != l.file || !bytes.Equal(whole, raw)
			return outputs{output: llm.Output{Kind: llm.OutputJSON, Schema: whole}, schema: schema, file: file, moved: moved}
		}
	}
	l.problems.Add(placed(place, err))
	return outputs{}
}

// readSchema reads a file that a schema refers to.
func (l *loader) readSchema(file string) ([]byte, error) {
	if l.version != draftName {
		return nil, fault.New(fault.Invalid, "the schema of a release refers to a file").WithHint("%s", hintFlat)
	}
	text, err := readText(l.fsys, file)
	if err != nil {
		return nil, unreadable(fault.Place{}, "the file "+quote(file), err)
	}
	return []byte(text), nil
}

// placed gives the problems that have no place one.
func placed(place fault.Place, err error) error {
	list, many := err.(fault.List)
	if !many {
		list = fault.List{fault.As(err)}
	}
	var all fault.List
	for _, problem := range list {
		e := *problem
		if e.Place == (fault.Place{}) {
			e.Place = place
		}
		all.Add(&e)
	}
	return all.Err()
}
