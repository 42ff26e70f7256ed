package prompt

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

// analysis looks at a template without running it: which names it reads that
// nothing defines, which inputs it uses, and how.
type analysis struct {
	src      source
	inputs   []Input
	used     map[string]bool
	open     bool // any name may be an input
	problems *fault.List

	scopes []scope
}

// scope is what a block defines.
type scope struct {
	tag      string // "" for the template itself
	names    map[string]bool
	captures bool // its text is taken up by something else before it is sent
}

// analyze reports undefined names, unknown filters and tests, and images and files
// that are used other than by printing them. It wants a template that parses.
func analyze(src source, inputs []Input, used map[string]bool, problems *fault.List) {
	a := &analysis{src: src, inputs: inputs, used: used, problems: problems}
	a.run()
}

func (a *analysis) run() {
	tokens, bad := scan(a.src.s)
	if bad != nil {
		return // compiling says so
	}
	a.push("", false)
	for _, t := range tokens {
		switch t.kind {
		case tokenPrint:
			a.print(t)
		case tokenTag:
			a.tag(t.words)
		}
	}
}

func (a *analysis) push(tag string, captures bool) {
	if n := len(a.scopes); n > 0 && a.scopes[n-1].captures {
		captures = true
	}
	a.scopes = append(a.scopes, scope{tag: tag, names: map[string]bool{}, captures: captures})
}

func (a *analysis) pop() {
	if len(a.scopes) > 1 {
		a.scopes = a.scopes[:len(a.scopes)-1]
	}
}

func (a *analysis) top() scope { return a.scopes[len(a.scopes)-1] }

// define makes names known in the innermost scope; an if has none of its own.
func (a *analysis) define(words []word) {
	i := len(a.scopes) - 1
	for i > 0 && a.scopes[i].tag == "if" {
		i--
	}
	for _, w := range words {
		if w.kind == wordName {
			a.scopes[i].names[w.text] = true
		}
	}
}

// print looks at {{ … }}. An image or a file may stand there alone, where its part
// goes straight into the message.
func (a *analysis) print(t token) {
	if len(t.words) == 1 && t.words[0].kind == wordName {
		if input := a.input(t.words[0].text); input != nil && input.Kind.media() && !a.top().captures {
			a.used[input.Name] = true
			return
		}
	}
	a.expression(t.words, false)
}

func (a *analysis) tag(words []word) {
	if len(words) == 0 {
		return
	}
	name, rest := words[0].text, words[1:]
	switch name {
	case "for":
		a.forTag(rest)
	case "if":
		a.expression(rest, true)
		a.push("if", false)
	case "elif":
		a.expression(rest, true)
	case "else":
		if a.top().tag == "for" { // the loop's names are not known there
			a.pop()
			a.push("for", false)
		}
	case "set":
		a.setTag(rest)
	case "with":
		a.push("with", false)
		a.assignments(rest)
	case "macro":
		a.macroTag(rest)
	case "call":
		a.callTag(rest)
	case "filter":
		a.filters(rest)
		a.push("filter", true)
	case "endfor", "endif", "endwith", "endmacro", "endcall", "endfilter", "endset":
		a.pop()
	default:
		a.expression(rest, false)
	}
}

func (a *analysis) forTag(words []word) {
	in := slices.IndexFunc(words, func(w word) bool { return w.is("in") })
	if in < 0 {
		return
	}
	targets, rest := words[:in], words[in+1:]
	recursive := len(rest) > 0 && rest[len(rest)-1].is("recursive")
	if recursive {
		rest = rest[:len(rest)-1]
	}
	over, condition := rest, []word(nil)
	depth := 0
	for i, w := range rest { // the filter of the loop: the first if outside brackets
		switch {
		case w.is("("), w.is("["), w.is("{"):
			depth++
		case w.is(")"), w.is("]"), w.is("}"):
			depth--
		}
		if depth == 0 && w.is("if") {
			over, condition = rest[:i], rest[i+1:]
			break
		}
	}
	a.expression(over, false)
	a.push("for", recursive)
	a.define(targets)
	a.define([]word{{kind: wordName, text: "loop"}})
	a.expression(condition, true)
}

func (a *analysis) setTag(words []word) {
	assign := assignment(words)
	targets := words
	if assign >= 0 {
		targets = words[:assign]
		a.expression(words[assign+1:], false)
	} else if pipe := slices.IndexFunc(words, func(w word) bool { return w.is("|") }); pipe >= 0 {
		targets = words[:pipe]
		a.filters(words[pipe+1:])
	}
	if slices.ContainsFunc(targets, func(w word) bool { return w.is(".") }) {
		a.expression(targets, false) // an attribute of a namespace, which must be known
	} else {
		a.define(targets)
	}
	if assign < 0 {
		a.push("set", true)
	}
}

// assignments looks at a = x, (b, c) = y: each value is read before its name is known.
func (a *analysis) assignments(words []word) {
	for len(words) > 0 {
		assign := assignment(words)
		if assign < 0 {
			return
		}
		value := words[assign+1:]
		end := nextComma(value)
		a.expression(value[:end], false)
		a.define(words[:assign])
		words = value[min(end+1, len(value)):]
	}
}

func nextComma(words []word) int {
	depth := 0
	for i, w := range words {
		switch {
		case w.is("("), w.is("["), w.is("{"):
			depth++
		case w.is(")"), w.is("]"), w.is("}"):
			depth--
		case w.is(",") && depth == 0:
			return i
		}
	}
	return len(words)
}

func (a *analysis) macroTag(words []word) {
	if len(words) < 3 {
		return
	}
	a.define(words[:1])
	a.push("macro", true)
	a.define([]word{{kind: wordName, text: "caller"}})
	a.parameters(words[2 : len(words)-1])
}

// parameters looks at a, b=x between the brackets of a macro or a call.
func (a *analysis) parameters(words []word) {
	for len(words) > 0 {
		end := nextComma(words)
		if len(words[:end]) > 2 {
			a.expression(words[2:end], false)
		}
		a.define(words[:min(1, end)])
		words = words[min(end+1, len(words)):]
	}
}

func (a *analysis) callTag(words []word) {
	var parameters []word
	if len(words) > 0 && words[0].is("(") {
		end := slices.IndexFunc(words, func(w word) bool { return w.is(")") })
		if end < 0 {
			return
		}
		parameters, words = words[1:end], words[end+1:]
	}
	a.expression(words, false)
	a.push("call", true)
	a.parameters(parameters)
}
