package prompt

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// maxIncludes bounds how deep includes may nest.
const maxIncludes = 16

// flattener puts the text of includes in their place. An include stands for its
// text: what it sets is seen by what follows.
type flattener struct {
	fsys     fs.FS
	dir      string // of the prompt, "prompts/triage"
	released bool   // a release holds no include
	broken   bool   // the text is not even tags and text, or an include tears a block: no use in looking further
	size     int    // bytes so far
	problems *fault.List
}

// flatten gives the body with every include replaced. stack has the files that are
// being read, the prompt's first.
func (f *flattener) flatten(body source, stack []string) source {
	tokens, bad := scan(body.s)
	if bad != nil {
		f.problems.Add(fault.At(body.place(bad.at), "%s", bad.message))
		f.broken = true
		return body
	}
	var out sourceBuilder
	trim := false // the tag before ends with -%}
	for _, t := range tokens {
		piece := body.slice(t.start, t.end)
		if t.kind == tokenTag && len(t.words) > 0 && t.words[0].is("include") {
			if t.trimLeft {
				out.trimRight()
			}
			out.add(f.include(body, t, stack))
			trim = t.trimRight
			continue
		}
		if trim && t.kind == tokenData {
			piece = piece.slice(len(piece.s)-len(strings.TrimLeft(piece.s, jinjaSpace)), len(piece.s))
		}
		trim = false
		out.add(piece)
	}
	return out.source(body.place(0))
}

// include gives the text of the file that an include tag names.
func (f *flattener) include(body source, t token, stack []string) source {
	place := body.place(t.start)
	nothing := newSource("{##}", place) // so that its section is not found to be empty
	refuse := func(err *fault.Error) source {
		f.problems.Add(err)
		return nothing
	}
	if f.released {
		return refuse(fault.At(place, "a release holds an include").WithHint("releases are flat: undo the edit of this file, and edit the draft"))
	}
	if len(t.words) != 2 || t.words[1].kind != wordString {
		return refuse(fault.At(place, "an include names one file, in quotes").WithHint(`allowed: {%% include "_tone.j2" %%}`))
	}
	name := t.words[1].text
	place = body.place(t.words[1].at)
	file, text, err := f.read(name, place)
	if err != nil {
		return refuse(err)
	}
	for i, open := range stack {
		if open == file {
			return refuse(fault.At(place, "the include %q never ends: %s", name, strings.Join(append(stack[i:len(stack):len(stack)], file), " → ")))
		}
	}
	if len(stack) > maxIncludes {
		return refuse(fault.At(place, "includes are nested more than %d deep", maxIncludes))
	}
	if f.size += len(text); f.size > maxFile {
		return refuse(fault.At(place, "the prompt with its includes is larger than %d MB", maxFile>>20))
	}
	included := newSource(strings.TrimSuffix(text, "\n"), fault.Place{File: file, Line: 1, Col: 1})
	before := len(*f.problems)
	f.check(included)
	if len(*f.problems) > before {
		return nothing
	}
	return f.flatten(included, append(stack[:len(stack):len(stack)], file))
}

// read finds an include, in the prompt's directory first, then in prompts/.
func (f *flattener) read(name string, place fault.Place) (file, text string, failure *fault.Error) {
	what := "the include " + quote(name)
	var outside error
	for _, dir := range []string{f.dir, promptsDir} {
		file = path.Join(dir, name)
		if path.IsAbs(name) {
			file = name
		}
		text, err := readText(f.fsys, file)
		switch {
		case err == nil:
			return file, text, nil
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, errOutside):
			outside = err
		default:
			return file, "", unreadable(place, what, err)
		}
	}
	if outside != nil {
		return file, "", unreadable(place, what, outside)
	}
	failure = unreadable(place, what, fs.ErrNotExist)
	return file, "", failure.WithHint("looked in %s/ and %s/", f.dir, promptsDir)
}

// check makes sure that an include is a template by itself, and adds no message.
func (f *flattener) check(included source) {
	tokens, bad := scan(included.s)
	if bad != nil {
		f.problems.Add(fault.At(included.place(bad.at), "%s", bad.message))
		f.broken = true
		return
	}
	if err := checkBlocks(included, tokens); err != nil {
		f.problems.Add(err)
		f.broken = true
		return
	}
	for _, line := range headerLines(included.s, tokens) {
		f.problems.Add(fault.At(included.place(line.start), "the role header %q stands in an include", string(line.role)+":").
			WithHint("roles stand in the prompt's own file; write \\%s: for a line that is text", line.role))
	}
	if _, err := compileTemplate(included); err != nil {
		f.problems.Add(err)
		f.broken = true
	}
}
