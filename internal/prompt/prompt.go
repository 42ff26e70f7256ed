// Package prompt is the room of prompts/: drafts, releases, labels, the lock,
// rendering and lint. It reads through an fs.FS of the project's root and writes
// below a root directory. It may import strictyaml, jsonschema, llm and fault;
// template.go alone imports the template library.
package prompt

import (
	"io/fs"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// draftName is the version of a draft.
const draftName = "draft"

// Prompt is one version of a prompt, ready to render. It does not change, and is
// safe for concurrent use.
type Prompt struct {
	Name        string
	Version     string // a semver, or "draft"
	Hash        string // of the flattened content: 32 hex digits
	Description string
	Model       string // id of a model or a route, "" where the prompt names none
	Options     llm.Options
	Inputs      []Input // in the order of the file
	Output      llm.Output
	Tools       llm.Tools
	Allow       []string       // what a request to llmx serve may set besides the inputs: names of options, "model", "tools"
	File        string         // within the project
	Warnings    []*fault.Error // what lint shows: nothing that keeps the prompt from working

	flat     []byte
	parts    map[string]string // short hashes of front matter keys and sections, by name
	sections []section
	compiled []*template   // one for each section; nil for a thread
	examples []llm.Message // few-shot turns, rendered; they stand before the first user turn
	turn     int           // index of the first section of the user's turn
	schema   *jsonschema.Schema
	fsys     fs.FS
}

// Ref names the prompt exactly.
func (p *Prompt) Ref() llm.PromptRef {
	return llm.PromptRef{Name: p.Name, Version: p.Version, Hash: p.Hash}
}

// Flat is the file as a release freezes it: includes and schema in their places.
func (p *Prompt) Flat() []byte { return append([]byte(nil), p.flat...) }

// Section is one message of the prompt's source, or the place of a conversation.
type Section struct {
	Role   llm.Role    // "" for a thread
	Thread string      // the input whose messages stand here
	Source string      // the template, includes in their places
	Place  fault.Place // of its header
}

// Sections lists the messages of the source in order.
func (p *Prompt) Sections() []Section {
	sections := make([]Section, len(p.sections))
	for i, s := range p.sections {
		sections[i] = Section{Role: s.role, Thread: s.thread, Source: s.text.s, Place: s.place}
	}
	return sections
}

// Render makes the messages. It checks the inputs as CheckVars does. The messages
// may share memory with other renderings: they are not to be changed.
func (p *Prompt) Render(vars map[string]any) ([]llm.Message, error) {
	inputs, err := p.bind(vars)
	if err != nil {
		return nil, err
	}
	messages := make([]llm.Message, 0, len(p.sections)+len(p.examples))
	if messages, err = p.renderSections(messages, 0, p.turn, inputs); err != nil {
		return nil, err
	}
	messages = append(messages, p.examples...)
	return p.renderSections(messages, p.turn, len(p.sections), inputs)
}

// renderSections appends the messages of sections from..to. There is always one
// message a section, and those of the conversation for a thread.
func (p *Prompt) renderSections(messages []llm.Message, from, to int, inputs bound) ([]llm.Message, error) {
	for i := from; i < to; i++ {
		s := p.sections[i]
		if s.thread != "" {
			messages = append(messages, inputs.threads[s.thread]...)
			continue
		}
		if p.compiled[i].literal {
			messages = append(messages, llm.Text(s.role, s.text.s))
			continue
		}
		out := newSink()
		if err := p.compiled[i].render(inputs.values, out); err != nil {
			return nil, err
		}
		messages = append(messages, out.message(s.role))
	}
	return messages, nil
}
