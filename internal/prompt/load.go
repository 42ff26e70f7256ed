package prompt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// loader reads one prompt file and collects everything that is wrong with it.
type loader struct {
	fsys     fs.FS
	name     string
	version  string
	dir      string // "prompts/triage"
	file     string // "prompts/triage/draft.prompty"
	problems fault.List
	warnings fault.List
}

func promptFile(name, version string) string {
	return path.Join(promptsDir, name, version+".prompty")
}

// load reads a version of a prompt. The text of a release is not compared with the
// lock here.
func load(fsys fs.FS, name, version string) (*Prompt, error) {
	l := &loader{fsys: fsys, name: name, version: version, dir: path.Join(promptsDir, name), file: promptFile(name, version)}
	text, err := readText(fsys, l.file)
	if err != nil {
		return nil, unreadable(fault.Place{File: l.file}, "the prompt file", err)
	}
	p := l.prompt(text)
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	if warnings, ok := l.warnings.Err().(fault.List); ok {
		p.Warnings = warnings
	}
	return p, nil
}

func (l *loader) prompt(text string) *Prompt {
	front, body, bad := splitFile(l.file, text)
	if bad != nil {
		l.problems.Add(bad)
		return nil
	}
	node, err := strictyaml.Parse(l.file, []byte(front), 2)
	if err != nil {
		l.problems.Add(err)
		return nil
	}
	if !node.Exists() {
		l.problems.Add(fault.At(fault.Place{File: l.file, Line: 2}, "the front matter is empty").WithHint("it needs at least name: %s", l.name))
		return nil
	}
	var head frontMatter
	l.problems.Add(node.Decode(&head))
	if head.Name.Exists() && (head.Name.Kind() != strictyaml.String || head.Name.Text() != l.name) {
		l.problems.Add(head.Name.Errorf("the prompt in %s/ is named %q", l.dir, head.Name.Text()).WithHint("write name: %s, or rename the directory", l.name))
	}
	p := &Prompt{
		Name: l.name, Version: l.version, File: l.file, fsys: l.fsys,
		Description: head.Description, Model: head.Model.ID,
		Options: readOptions(head.Model.Options, &l.problems),
		Inputs:  readInputs(head.Inputs, &l.problems),
	}
	out := l.readOutputs(head.Outputs)
	l.onePlaceForTools(head.Tools, head.Model.Options)
	tools := l.readTools(head.Tools, head.LLMX.Choice, head.LLMX.Parallel)
	l.readRepair(repairBlock{head.LLMX.Repair, head.LLMX.Coerce}, &out.output, &tools.tools)
	l.readReask(head.LLMX.Reask, &out.output, &tools.tools)
	l.readInstructions(head.LLMX.Instructions, &out.output)
	p.Allow = l.readAllow(head.LLMX.Allow)
	l.readStream(head.LLMX.Stream, &out.output, tools.tools.Offered() || p.Allows(AllowTools))
	p.Output, p.Tools, p.schema = out.output, tools.tools, out.schema

	f := &flattener{fsys: l.fsys, dir: l.dir, released: l.version != draftName, problems: &l.problems}
	body = f.flatten(body, []string{l.file})
	if f.broken {
		return nil
	}
	l.compile(p, body)
	if len(l.problems) > 0 {
		return nil
	}
	l.readExamples(p, head.LLMX.Examples)
	flatFront, err := l.flatFront(front, node, out)
	l.problems.Add(err)
	if err == nil {
		flatFront, err = l.flatTools(flatFront, tools)
		l.problems.Add(err)
	}
	p.flat = flatten(flatFront, body.s)
	sum := sha256.Sum256(p.flat)
	p.Hash = hex.EncodeToString(sum[:16])
	p.parts = l.partHashes(p, node, out)
	if tools.filed {
		p.parts["tools"] = shortHash(string(tools.asJSON))
	}
	return p
}

// flatten joins front matter and body; the file ends with one line end.
func flatten(front, body string) []byte {
	return []byte("---\n" + front + "---\n" + strings.Trim(body, "\n") + "\n")
}

// compile cuts the body into sections and compiles each alone.
func (l *loader) compile(p *Prompt, body source) {
	before := len(l.problems)
	cutter := &sectioner{file: l.file, body: body, inputs: p.Inputs, problems: &l.problems, warnings: &l.warnings}
	p.sections = cutter.sections()
	if len(l.problems) > before {
		return
	}
	used := map[string]bool{}
	p.turn = len(p.sections)
	p.compiled = make([]*template, len(p.sections))
	for i, s := range p.sections {
		if p.turn == len(p.sections) && (s.thread != "" || s.role == "user") {
			p.turn = i
		}
		if s.thread != "" {
			used[s.thread] = true
			continue
		}
		compiled, err := compileTemplate(s.text)
		if err != nil {
			l.problems.Add(err)
			continue
		}
		p.compiled[i] = compiled
		analyze(s.text, p.Inputs, used, &l.problems)
	}
	for _, input := range p.Inputs {
		if !used[input.Name] {
			l.warnings.Add(fault.At(input.Place, "the input %q is declared and never used", input.Name).
				WithHint("write {{ %s }} where it belongs, or remove it", input.Name))
		}
	}
}

// flatFront is the front matter with a schema that stands in files put in its place.
func (l *loader) flatFront(front string, node strictyaml.Node, out outputs) (string, error) {
	if !out.moved {
		return front, nil
	}
	lines := strings.SplitAfter(front, "\n")
	fields := node.Fields()
	for i, field := range fields {
		if field.Key != "outputs" {
			continue
		}
		first, next := field.Place.Line-2, len(lines) // the front matter begins at line 2
		if i+1 < len(fields) {
			next = fields[i+1].Place.Line - 2
		}
		if field.Place.Col != 1 || next <= first {
			return "", fault.At(field.Place, "the schema of a file cannot be put in here").WithHint("write outputs: on a line of its own")
		}
		last := next
		for last-1 > first && isRemark(lines[last-1]) {
			last--
		}
		flat := strings.Join(lines[:first], "") + "outputs:\n" + indentJSON(out.output.Schema) + "\n" + strings.Join(lines[last:], "")
		return flat, l.sameSchema(flat, field.Place, out)
	}
	return front, nil
}

func isRemark(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || strings.HasPrefix(line, "#")
}

// sameSchema makes sure that YAML reads the schema as JSON did.
func (l *loader) sameSchema(flat string, place fault.Place, out outputs) error {
	node, err := strictyaml.Parse(l.file, []byte(flat), 2)
	if err == nil {
		raw, failed := jsonOf(node.Get("outputs"))
		if failed == nil && string(raw) == string(out.output.Schema) {
			return nil
		}
	}
	return fault.At(place, "the schema of %s reads differently as YAML, so that it cannot be released", out.file).
		WithHint("a property named << is one reason")
}

// partHashes names what a prompt is made of, so that drift can say what changed.
func (l *loader) partHashes(p *Prompt, node strictyaml.Node, out outputs) map[string]string {
	parts := map[string]string{}
	for _, field := range node.Fields() {
		raw, _ := jsonOf(field.Value) // read before, so it can be written
		if field.Key == "outputs" && out.moved {
			raw = out.output.Schema
		}
		parts[field.Key] = shortHash(string(raw))
	}
	count := map[string]int{}
	for _, s := range p.sections {
		label := string(s.role) + ":"
		if s.thread != "" {
			label = "{{ " + s.thread + " }}"
		}
		if count[label]++; count[label] > 1 {
			label += fmt.Sprintf(" (%d)", count[label])
		}
		parts[label] = shortHash(s.text.s)
	}
	return parts
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
