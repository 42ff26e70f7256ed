package prompt

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// outputKinds are the kinds with what each may say besides.
var outputKinds = []struct {
	kind llm.OutputKind
	key  string
	read func(l *loader, whole, n strictyaml.Node, output *llm.Output) // nil where there is no key
}{
	{llm.OutputText, "", nil},
	{llm.OutputNumber, "", nil},
	{llm.OutputBoolean, "", nil},
	{llm.OutputLabel, "enum", (*loader).readEnum},
	{llm.OutputList, "items", (*loader).readItems},
	{llm.OutputCode, "language", (*loader).readLanguage},
	{llm.OutputRegex, "pattern", (*loader).readPattern},
	{llm.OutputJSON, "", nil},
}

// outputKind reads {kind: …} with the key that the kind knows.
func (l *loader) outputKind(n, kind strictyaml.Node) outputs {
	var names []string
	for _, one := range outputKinds {
		names = append(names, string(one.kind))
	}
	at := slices.Index(names, kind.Text())
	if kind.Kind() != strictyaml.String || at < 0 {
		l.problems.Add(kind.Errorf("unknown kind of output %q", kind.Text()).WithHint("%s", fault.Allowed(kind.Text(), names)))
		return outputs{}
	}
	known := outputKinds[at]
	for _, field := range n.Fields() {
		if field.Key != "kind" && (known.key == "" || field.Key != known.key) {
			l.problems.Add(fault.At(field.Place, "the key %q stands beside kind: %s", field.Key, known.kind).WithHint("%s", besides(known.kind, known.key)))
			return outputs{}
		}
	}
	output := llm.Output{Kind: known.kind}
	if known.read != nil {
		known.read(l, n, n.Get(known.key), &output)
	}
	if known.kind == llm.OutputJSON {
		return l.compileSchema(json.RawMessage("{}"), kind.Place(), l.file)
	}
	return outputs{output: output}
}

func besides(kind llm.OutputKind, key string) string {
	if key == "" {
		return "outputs is {kind: " + string(kind) + "} alone, a JSON Schema, or {file: …}"
	}
	return "allowed beside kind: " + string(kind) + ": " + key
}

// readEnum reads the labels. Two that differ in case alone could not be told apart
// where a model writes one in capitals.
func (l *loader) readEnum(whole, n strictyaml.Node, output *llm.Output) {
	items := n.Items()
	if n.Kind() != strictyaml.List || len(items) == 0 {
		l.problems.Add(wantKey(whole, n, "enum", "a list of labels").WithHint("write outputs: {kind: label, enum: [billing, bug]}"))
		return
	}
	for _, item := range items {
		label := item.Text()
		switch {
		case item.Kind() != strictyaml.String:
			l.problems.Add(item.Mismatch("a label").WithHint("labels are texts: quote what YAML reads otherwise"))
		case label == "" || label != strings.TrimSpace(label) || strings.ContainsAny(label, "\r\n"):
			l.problems.Add(item.Errorf("the label %q is empty, has white space around it or has more than one line", label))
		case slices.ContainsFunc(output.Enum, func(other string) bool { return strings.EqualFold(other, label) }):
			l.problems.Add(item.Errorf("the label %q is there already, in this case or another", label))
		default:
			output.Enum = append(output.Enum, label)
		}
	}
}

var itemKinds = []string{"any", "string", "number"}

func (l *loader) readItems(_, n strictyaml.Node, output *llm.Output) {
	if !n.Exists() {
		return
	}
	if n.Kind() != strictyaml.String || !slices.Contains(itemKinds, n.Text()) {
		l.problems.Add(n.Errorf("unknown kind of items %q", n.Text()).WithHint("%s", fault.Allowed(n.Text(), itemKinds)))
		return
	}
	if n.Text() != "any" {
		output.Items = n.Text()
	}
}

var languageWord = regexp.MustCompile(`^[A-Za-z0-9+#_.-]+$`)

func (l *loader) readLanguage(_, n strictyaml.Node, output *llm.Output) {
	if !n.Exists() {
		return
	}
	if n.Kind() != strictyaml.String || !languageWord.MatchString(n.Text()) {
		l.problems.Add(n.Mismatch("the word that a code block begins with, such as python"))
		return
	}
	output.Language = n.Text()
}

func (l *loader) readPattern(whole, n strictyaml.Node, output *llm.Output) {
	const example = `write outputs: {kind: regex, pattern: '(?P<name>\w+) is (?P<age>\d+)'}`
	if n.Kind() != strictyaml.String {
		l.problems.Add(wantKey(whole, n, "pattern", "a regular expression").WithHint("%s", example))
		return
	}
	compiled, err := regexp.Compile(n.Text())
	if err != nil {
		l.problems.Add(n.Errorf("the pattern cannot be used: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: ")).
			WithHint("patterns are in the syntax of Go (RE2)"))
		return
	}
	if !slices.ContainsFunc(compiled.SubexpNames(), func(name string) bool { return name != "" }) {
		l.problems.Add(n.Errorf("the pattern has no named group, so the answer would have no value").WithHint("%s", example))
		return
	}
	output.Pattern = n.Text()
}

// wantKey is what is wrong with a key that a kind cannot do without.
func wantKey(whole, n strictyaml.Node, key, want string) *fault.Error {
	if !n.Exists() {
		return whole.Errorf("the key %q is missing", key)
	}
	return n.Mismatch(want)
}
