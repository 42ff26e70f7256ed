package prompt

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

// expressionWords are names of the language, not of values.
var expressionWords = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "is": true, "if": true, "else": true, "recursive": true,
	"true": true, "True": true, "false": true, "False": true, "none": true, "None": true,
}

// expression looks at every name of an expression. The language has no names that
// an expression binds, so a name is read unless what stands before it says
// otherwise: a dot, a pipe, the word is, or a = after it within a call.
// condition: an if decides on the expression, which an image or a file may do.
func (a *analysis) expression(words []word, condition bool) {
	for i, w := range words {
		if w.kind != wordName {
			continue
		}
		before, after := at(words, i-1), at(words, i+1)
		switch {
		case before.is("."):
		case before.is("|"):
			a.known(w, "filter", filterNames)
		case before.is("is"), before.is("not") && at(words, i-2).is("is"):
			if !w.is("not") {
				a.known(w, "test", testNames)
			}
		case expressionWords[w.text]:
		case after.is("="):
		default:
			a.read(w, condition && !after.is("|") && !after.is(".") && !after.is("["))
		}
	}
}

// filters looks at the chain of {% filter a | b(x) %}.
func (a *analysis) filters(words []word) {
	pipe := word{kind: wordSign, text: "|"}
	a.expression(append([]word{pipe}, words...), false)
}

func at(words []word, i int) word {
	if i < 0 || i >= len(words) {
		return word{}
	}
	return words[i]
}

func (a *analysis) known(w word, what string, names []string) {
	if !slices.Contains(names, w.text) {
		a.problems.Add(fault.At(a.src.place(w.at), "unknown %s %q", what, w.text).WithHint("%s", fault.Allowed(w.text, names)))
	}
}

// read looks at one name that is read.
func (a *analysis) read(w word, condition bool) {
	for i := len(a.scopes) - 1; i >= 0; i-- {
		if a.scopes[i].names[w.text] {
			return
		}
	}
	if input := a.input(w.text); input != nil {
		a.used[input.Name] = true
		if input.Kind.media() && !condition {
			a.problems.Add(fault.At(a.src.place(w.at), "the %s %q can only be printed as it is, or tested by an if", input.Kind, w.text).
				WithHint("write {{ %s }}, outside macro, call, filter and set", w.text))
		}
		return
	}
	if a.open || slices.Contains(functionNames, w.text) {
		return
	}
	names := inputNames(a.inputs)
	for _, s := range a.scopes {
		for name := range s.names {
			names = append(names, name)
		}
	}
	slices.Sort(names[len(a.inputs):])
	err := fault.At(a.src.place(w.at), "the variable %q is not defined", w.text).WithHint("%s", fault.Allowed(w.text, names))
	if len(names) == 0 {
		err = err.WithHint("declare it under inputs: in the front matter")
	}
	a.problems.Add(err)
}

func (a *analysis) input(name string) *Input {
	for i := len(a.scopes) - 1; i >= 0; i-- {
		if a.scopes[i].names[name] {
			return nil
		}
	}
	return findInput(a.inputs, name)
}
