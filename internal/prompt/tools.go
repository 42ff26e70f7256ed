package prompt

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// toolBlock is one tool that a model may propose to call.
type toolBlock struct {
	Place       fault.Place     `yaml:",place"`
	Name        strictyaml.Node `yaml:"name,required"`
	Description string          `yaml:"description"`
	Parameters  strictyaml.Node `yaml:"parameters"`
}

// toolsRead is what the key tools: says.
type toolsRead struct {
	tools  llm.Tools
	filed  bool   // the parameters of one stand in a file
	asJSON []byte // the list, with the files in their places
}

// toolName is what vendors take as the name of a function.
var toolName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// toolChoices are the words that stand where a tool's name may stand.
var toolChoices = []string{llm.ToolsAuto, llm.ToolsNone, llm.ToolsRequired}

// readTools reads the list, and what llmx: says of it.
func (l *loader) readTools(blocks []toolBlock, choice, parallel strictyaml.Node) toolsRead {
	read := toolsRead{}
	for _, block := range blocks {
		tool, filed := l.readTool(block, &read.tools)
		read.tools.List = append(read.tools.List, tool)
		read.filed = read.filed || filed
	}
	l.readChoice(choice, &read.tools)
	l.readParallel(parallel, &read.tools)
	if read.filed {
		read.asJSON = toolsJSON(read.tools.List)
	}
	return read
}

// onePlaceForTools refuses tools beside options that would offer tools, too.
func (l *loader) onePlaceForTools(blocks []toolBlock, options strictyaml.Node) {
	for _, field := range options.Fields() {
		if len(blocks) > 0 && slices.Contains([]string{"tools", "tool_choice", "parallel_tool_calls"}, field.Key) {
			l.problems.Add(fault.At(field.Place, "the option %q stands beside the prompt's tools", field.Key).
				WithHint("remove it: tool_choice and parallel_tool_calls stand under llmx:"))
		}
	}
}

func (l *loader) readTool(block toolBlock, before *llm.Tools) (tool llm.ToolSpec, filed bool) {
	name := block.Name
	tool = llm.ToolSpec{Name: name.Text(), Description: block.Description}
	switch {
	case !name.Exists(): // said already
	case name.Kind() != strictyaml.String || !toolName.MatchString(name.Text()):
		l.problems.Add(name.Errorf("a tool cannot be named %s", quote(name.Text())).
			WithHint("a name has 1 to 64 letters, digits, underscores and dashes"))
	case slices.Contains(toolChoices, name.Text()):
		l.problems.Add(name.Errorf("a tool cannot be named %s: tool_choice has the word", name.Text()).WithHint("give it another name"))
	case before.Find(name.Text()) != nil:
		l.problems.Add(name.Errorf("there is a tool named %s already", name.Text()).WithHint("names of tools are unique"))
	}
	tool.Parameters, filed = l.readParameters(block.Parameters)
	return tool, filed
}

// readParameters reads the JSON Schema of a tool's arguments, which are an object.
func (l *loader) readParameters(n strictyaml.Node) (raw json.RawMessage, filed bool) {
	if !n.Exists() {
		return nil, false
	}
	fields := n.Fields()
	if n.Kind() != strictyaml.Mapping || len(fields) == 0 {
		l.problems.Add(n.Mismatch("a JSON Schema of the arguments, or {file: …}").WithHint("leave parameters out where there are none"))
		return nil, false
	}
	place, file := n.Place(), l.file
	if n.Get("file").Exists() {
		if len(fields) > 1 {
			l.problems.Add(n.Errorf("the key \"file\" stands beside others").WithHint("parameters is a JSON Schema, or {file: …} alone"))
			return nil, false
		}
		var ok bool
		if raw, file, ok = l.schemaFile(n.Get("file")); !ok {
			return nil, false
		}
		place = fault.Place{File: file}
	} else {
		var err error
		if raw, err = jsonOf(n); err != nil {
			l.problems.Add(err)
			return nil, false
		}
	}
	read := l.compileSchema(raw, place, file)
	if read.schema != nil {
		l.wantObject(read.output.Schema, place)
	}
	return read.output.Schema, read.moved
}

// wantObject makes sure that vendors take the schema of a tool's arguments: they want an
// object at its root.
func (l *loader) wantObject(raw json.RawMessage, place fault.Place) {
	var root struct {
		Type any `json:"type"`
	}
	if json.Unmarshal(raw, &root) != nil || root.Type != "object" {
		l.problems.Add(fault.At(place, "the arguments of a tool are an object, and the schema does not say so").
			WithHint("write type: object at its root"))
	}
}

// readChoice reads tool_choice: a word, or the name of the tool that must be called.
func (l *loader) readChoice(n strictyaml.Node, tools *llm.Tools) {
	if !n.Exists() {
		return
	}
	if !tools.Offered() {
		l.problems.Add(n.Errorf("there is no tool to choose").WithHint("declare tools: [{name: …}] beside llmx:, or remove tool_choice"))
		return
	}
	allowed := slices.Clone(toolChoices)
	for _, tool := range tools.List {
		allowed = append(allowed, tool.Name)
	}
	if n.Kind() != strictyaml.String || !slices.Contains(allowed, n.Text()) {
		l.problems.Add(n.Errorf("tool_choice names no tool of this prompt: %s", quote(n.Text())).WithHint("%s", fault.Allowed(n.Text(), allowed)))
		return
	}
	if n.Text() != llm.ToolsAuto { // which is what it means to say nothing
		tools.Choice = n.Text()
	}
}

// readParallel reads parallel_tool_calls, which are allowed where nothing is said.
func (l *loader) readParallel(n strictyaml.Node, tools *llm.Tools) {
	switch {
	case !n.Exists():
	case !tools.Offered():
		l.problems.Add(n.Errorf("there is no tool to call").WithHint("declare tools: [{name: …}] beside llmx:, or remove parallel_tool_calls"))
	case n.Kind() != strictyaml.Boolean:
		l.problems.Add(n.Mismatch("true or false"))
	default:
		tools.OneAtATime = n.Value() == false
	}
}

// toolsJSON writes the list as jsonOf would read it from a release.
func toolsJSON(list []llm.ToolSpec) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, tool := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"name":`)
		writeString(&b, tool.Name)
		if tool.Description != "" {
			b.WriteString(`,"description":`)
			writeString(&b, tool.Description)
		}
		if tool.Parameters != nil {
			b.WriteString(`,"parameters":`)
			b.Write(tool.Parameters)
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes()
}

// flatTools is the front matter with the schemas of tools' files put in their places.
func (l *loader) flatTools(front string, read toolsRead) (string, error) {
	if !read.filed {
		return front, nil
	}
	node, err := strictyaml.Parse(l.file, []byte(front), 2)
	if err != nil {
		return "", err
	}
	lines := strings.SplitAfter(front, "\n")
	fields := node.Fields()
	at := slices.IndexFunc(fields, func(f strictyaml.Field) bool { return f.Key == "tools" })
	place := fields[at].Place
	first, next := place.Line-2, len(lines) // the front matter begins at line 2
	if at+1 < len(fields) {
		next = fields[at+1].Place.Line - 2
	}
	if place.Col != 1 || next <= first {
		return "", fault.At(place, "the schema of a file cannot be put in here").WithHint("write tools: on a line of its own")
	}
	last := next
	for last-1 > first && isRemark(lines[last-1]) {
		last--
	}
	flat := strings.Join(lines[:first], "") + "tools:\n" + indentJSON(read.asJSON) + "\n" + strings.Join(lines[last:], "")
	again, err := strictyaml.Parse(l.file, []byte(flat), 2)
	if err == nil {
		if raw, failed := jsonOf(again.Get("tools")); failed == nil && bytes.Equal(raw, read.asJSON) {
			return flat, nil
		}
	}
	return "", fault.At(place, "the schemas of the tools read differently as YAML, so that they cannot be released").
		WithHint("a property named << is one reason")
}
