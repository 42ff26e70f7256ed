package prompt

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// blockEnds has the tags that open a block, and what closes them.
var blockEnds = map[string]string{
	"for": "endfor", "if": "endif", "with": "endwith", "macro": "endmacro", "call": "endcall", "filter": "endfilter", "set": "endset",
}

// simpleTags stand alone or divide a block.
var simpleTags = map[string]bool{"elif": true, "else": true, "set": true, "do": true, "break": true, "continue": true, "include": true}

// refusedTags are tags of the template language that prompts do not have.
var refusedTags = map[string]string{
	"extends":    "use an include",
	"block":      "use an include",
	"import":     "put the macros into a file and include it: an include stands for its text",
	"from":       "put the macros into a file and include it: an include stands for its text",
	"autoescape": "text is never escaped",
}

// opens reports whether a tag opens a block. {% set x %} does, {% set x = 1 %} does not.
func (t token) opens() bool {
	if t.kind != tokenTag || len(t.words) == 0 {
		return false
	}
	name := t.words[0].text
	if name == "set" {
		return assignment(t.words) < 0
	}
	return blockEnds[name] != ""
}

func (t token) closes() bool {
	return t.kind == tokenTag && len(t.words) > 0 && strings.HasPrefix(t.words[0].text, "end")
}

// assignment is the index of the = of a tag outside brackets, or -1.
func assignment(words []word) int {
	depth := 0
	for i, w := range words {
		switch {
		case w.is("("), w.is("["), w.is("{"):
			depth++
		case w.is(")"), w.is("]"), w.is("}"):
			depth--
		case w.is("=") && depth == 0:
			return i
		}
	}
	return -1
}

// checkBlocks finds blocks that are not closed, ends without a beginning, and tags
// that prompts do not have.
func checkBlocks(src source, tokens []token) error {
	var problems fault.List
	var open []token
	for _, t := range tokens {
		if t.kind != tokenTag || len(t.words) == 0 {
			continue
		}
		name, place := t.words[0].text, src.place(t.start)
		if hint, refused := refusedTags[strings.TrimPrefix(name, "end")]; refused {
			if !t.closes() {
				problems.Add(fault.At(place, "prompts have no tag {%% %s %%}", name).WithHint("%s", hint))
			}
			continue
		}
		switch {
		case t.opens():
			open = append(open, t)
		case t.closes():
			if len(open) == 0 {
				problems.Add(fault.At(place, "{%% %s %%} closes nothing", name))
				return problems.Err()
			}
			last := open[len(open)-1]
			if want := blockEnds[last.words[0].text]; want != name {
				problems.Add(fault.At(place, "{%% %s %%} where {%% %s %%} is due, for line %d", name, want, src.place(last.start).Line))
				return problems.Err()
			}
			open = open[:len(open)-1]
		case !simpleTags[name]:
			problems.Add(fault.At(place, "unknown tag %q", name).WithHint("%s", fault.Allowed(name, tagNames)))
		}
	}
	for _, t := range open {
		problems.Add(fault.At(src.place(t.start), "{%% %s %%} is not closed", t.words[0].text).WithHint("close it with {%% %s %%}", blockEnds[t.words[0].text]))
	}
	return problems.Err()
}

// tagNames are listed to whoever mistypes one.
var tagNames = []string{
	"if", "elif", "else", "endif", "for", "endfor", "set", "endset", "include", "macro", "endmacro", "call", "endcall",
	"filter", "endfilter", "with", "endwith", "raw", "endraw", "do", "break", "continue",
}

// depthsAt gives a function that tells the innermost block that is open at an
// offset, or nil. The blocks must be balanced; offsets must not fall.
func depthsAt(tokens []token) func(offset int) *token {
	var open []*token
	next := 0
	return func(offset int) *token {
		for ; next < len(tokens) && tokens[next].start < offset; next++ {
			switch {
			case tokens[next].opens():
				open = append(open, &tokens[next])
			case tokens[next].closes() && len(open) > 0:
				open = open[:len(open)-1]
			}
		}
		if len(open) == 0 {
			return nil
		}
		return open[len(open)-1]
	}
}
