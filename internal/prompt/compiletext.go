package prompt

import (
	"github.com/llmx-dev/llmx/internal/fault"
)

// Text is a small template that stands in another file, such as a check of a
// suite. It follows the rules of prompts, has no includes, and is safe for
// concurrent use.
type Text struct{ compiled *template }

// CompileText parses a template that begins at a line of a file.
func CompileText(file string, line int, text string) (*Text, error) {
	src := newSource(text, fault.Place{File: file, Line: line, Col: 1})
	tokens, bad := scan(text)
	if bad != nil {
		return nil, fault.At(src.place(bad.at), "%s", bad.message)
	}
	for _, t := range tokens {
		if t.kind == tokenTag && len(t.words) > 0 && t.words[0].is("include") {
			return nil, fault.At(src.place(t.start), "an include can only stand in a prompt")
		}
	}
	if err := checkBlocks(src, tokens); err != nil {
		return nil, err
	}
	compiled, err := compileTemplate(src)
	if err != nil {
		return nil, err
	}
	var problems fault.List
	(&analysis{src: src, open: true, problems: &problems}).run()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &Text{compiled}, nil
}

// Render gives the text. A variable that is not in vars is an error.
func (t *Text) Render(vars map[string]any) (string, error) {
	if t.compiled.literal {
		return t.compiled.source.s, nil
	}
	out := newSink()
	if err := t.compiled.render(newValues(vars), out); err != nil {
		return "", err
	}
	return string(out.text), nil
}
