package prompt

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

// badDraft is a draft that cannot be used, and the one message that says so.
type badDraft struct {
	name   string
	draft  string            // front matter without "name: t", ---, body; or the whole file where it begins with "!"
	files  map[string]string // besides the draft
	want   string
	prefix string // in place of want, where the words are another room's
	valid  bool   // the JSON Schema of front matters cannot know
}

func (b badDraft) file() string {
	if whole, ok := strings.CutPrefix(b.draft, "!"); ok {
		return whole
	}
	return "---\nname: t\n" + b.draft
}

// badFrontMatters are wrong before the second ---.
var badFrontMatters = []badDraft{
	{name: "unknown key", draft: "modell: {id: x}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:1: unknown key \"modell\"\n  did you mean \"model\"? allowed: name, description, authors, tags, model, inputs, outputs, tools, llmx"},
	{name: "unknown key of an input", draft: "inputs:\n  q: {kind: string, requird: true}\n---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:4:21: unknown key \"requird\"\n  did you mean \"required\"? allowed: kind, required, default, description"},
	{name: "wrong type", draft: "description: [a]\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:14: want a string, got a list"},
	{name: "unknown kind of input", draft: "inputs:\n  q: {kind: text}\n---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:4:13: \"text\" is not known here\n  allowed: string, integer, number, boolean, array, object, thread, image, file"},
	{name: "input without a kind", draft: "inputs:\n  q: {required: true}\n---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:4:6: the key \"kind\" is missing"},
	{name: "input with a name of the language", draft: "inputs:\n  loop: {kind: string}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:3: \"loop\" cannot name an input\n  letters, digits and _, and not a word of the template language"},
	{name: "input with a dash", draft: "inputs:\n  my-q: {kind: string}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:3: \"my-q\" cannot name an input\n  letters, digits and _, and not a word of the template language"},
	{name: "inputs as a list", draft: "inputs: [q]\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:9: want a mapping from names to {kind, required, default, description}, got a list"},
	{name: "default of another kind", draft: "inputs:\n  q: {kind: integer, default: 1.5}\n---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:4:31: want a whole number, got a number (\"1.5\")"},
	{name: "default of a required input", draft: "inputs:\n  q: {kind: string, required: true, default: x}\n---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:4:46: the required input \"q\" has a default\n  remove one of required and default"},
	{name: "default of an image", draft: "inputs:\n  q: {kind: image, default: x.png}\n---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:4:29: an input of kind image cannot have a default"},
	{name: "options as a list", draft: "model: {id: x, options: [1]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:25: want a mapping of the model's options, got a list"},
	{name: "an option that JSON cannot say", valid: true, draft: "model: {id: x, options: {temperature: .inf}}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:39: JSON has no number .inf"},
	{name: "another way to stream", draft: "outputs: {kind: number}\nllmx: {stream: optimist}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:16: unknown stream \"optimist\"\n  did you mean \"optimistic\"? allowed: buffered, optimistic"},
	{name: "optimistic text", valid: true, draft: "llmx: {stream: optimistic}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:16: the output is text: it is streamed as it comes\n  remove stream, or say in outputs what the answer must be"},
	{name: "optimistic and asked again", draft: "outputs: {kind: number}\nllmx: {reask: 1, stream: optimistic}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:26: stream: optimistic stands beside reask: what was sent cannot be asked for again\n  remove one of them"},
	{name: "allowed as a text", draft: "llmx: {allow: temperature}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:15: want a list of names, got a string (\"temperature\")\n  for example allow: [temperature, max_tokens]"},
	{name: "another contract allowed", draft: "llmx: {allow: [response_format]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:16: a prompt cannot allow response_format: the contract is the prompt's: its outputs\n  remove it"},
	{name: "allowed twice", draft: "llmx: {allow: [tools, tools]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:23: tools stands here twice\n  remove one of them"},
	{name: "unknown kind of output", draft: "outputs: {kind: txt}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:17: unknown kind of output \"txt\"\n  did you mean \"text\"? allowed: text, number, boolean, label, list, code, regex, json"},
	{name: "kind beside a schema", draft: "outputs: {kind: text, type: object}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:23: the key \"type\" stands beside kind: text\n  outputs is {kind: text} alone, a JSON Schema, or {file: …}"},
	{name: "file beside a schema", draft: "outputs: {file: x.json, type: object}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:11: the key \"file\" stands beside others\n  outputs is a JSON Schema, {file: …} alone or {kind: …}"},
	{name: "key of another kind", draft: "outputs: {kind: list, enum: [a]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:23: the key \"enum\" stands beside kind: list\n  allowed beside kind: list: items"},
	{name: "label without labels", draft: "outputs: {kind: label}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:10: the key \"enum\" is missing\n  write outputs: {kind: label, enum: [billing, bug]}"},
	{name: "label that YAML reads otherwise", draft: "outputs: {kind: label, enum: [a, 1]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:34: want a label, got a number (\"1\")\n  labels are texts: quote what YAML reads otherwise"},
	{name: "labels that differ in case", valid: true, draft: "outputs: {kind: label, enum: [a, A]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:34: the label \"A\" is there already, in this case or another"},
	{name: "label with white space around", draft: "outputs: {kind: label, enum: [' a']}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:31: the label \" a\" is empty, has white space around it or has more than one line"},
	{name: "unknown items", draft: "outputs: {kind: list, items: sting}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:30: unknown kind of items \"sting\"\n  did you mean \"string\"? allowed: any, string, number"},
	{name: "language of two words", draft: "outputs: {kind: code, language: a b}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:33: want the word that a code block begins with, such as python, got a string (\"a b\")"},
	{name: "pattern without a group", valid: true, draft: "outputs: {kind: regex, pattern: a+}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:33: the pattern has no named group, so the answer would have no value\n  write outputs: {kind: regex, pattern: '(?P<name>\\w+) is (?P<age>\\d+)'}"},
	{name: "pattern of another language", valid: true, draft: "outputs: {kind: regex, pattern: '(?=a)'}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:33: the pattern cannot be used: invalid or unsupported Perl syntax: `(?=`\n  patterns are in the syntax of Go (RE2)"},
	{name: "unknown repair", draft: "outputs: {type: object}\nllmx: {repair: of}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:16: unknown repair \"of\"\n  did you mean \"off\"? allowed: off, syntax, coerce"},
	{name: "coerce without a word on what", draft: "outputs: {type: object}\nllmx: {repair: coerce}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:16: repair: coerce names no conversion\n  name them: coerce: [number, boolean, list]"},
	{name: "conversions without coerce", draft: "outputs: {type: object}\nllmx: {coerce: [number]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:16: coerce stands without repair: coerce\n  write llmx: {repair: coerce, coerce: […]}"},
	{name: "unknown conversion", draft: "outputs: {type: object}\nllmx: {repair: coerce, coerce: [numbr]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:33: unknown conversion \"numbr\"\n  did you mean \"number\"? allowed: number, boolean, list"},
	{name: "conversion named twice", draft: "outputs: {type: object}\nllmx: {repair: coerce, coerce: [list, list]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:39: the conversion \"list\" is named twice"},
	{name: "repair of text", valid: true, draft: "llmx: {repair: off}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:16: the output is text: there is nothing to repair\n  remove it, or say in outputs what the answer must be"},
	{name: "outputs as a string", draft: "outputs: text\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:10: want a JSON Schema, {file: …} or {kind: …}, got a string (\"text\")"},
	{name: "example without output", draft: "llmx: {examples: [{inputs: {}}]}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:19: the key \"output\" is missing"},
	{name: "name missing", draft: "!---\ndescription: x\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:2:1: the key \"name\" is missing"},
	{name: "another name", valid: true, draft: "!---\nname: u\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:2:7: the prompt in prompts/t/ is named \"u\"\n  write name: t, or rename the directory"},
}

// badDrafts are wrong anywhere else.
var badDrafts = []badDraft{
	{name: "a tab in YAML", draft: "!---\nname: t\nmodel:\n\tid: x\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:4:1: a tab where YAML allows only spaces\n  indent with spaces"},
	{name: "a key given twice", draft: "name: t\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:1: the key \"name\" is given twice\n  it stands at line 2 already"},
	{name: "no front matter", draft: "!user:\nhi\n",
		want: "prompts/t/draft.prompty:1:1: the file does not begin with front matter\n  the first line is ---, then YAML, then --- again, then the messages"},
	{name: "front matter not closed", draft: "!---\nname: t\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:1:1: the front matter is not closed\n  end it with a line ---"},
	{name: "front matter empty", draft: "!---\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:2: the front matter is empty\n  it needs at least name: t"},
	{name: "not UTF-8", draft: "---\nuser:\nh\xffi\n",
		want: "prompts/t/draft.prompty:5:2: the file is not UTF-8\n  save it as UTF-8"},
	{name: "100 MB", draft: "---\nuser:\n" + strings.Repeat("x", 100<<20),
		want: "prompts/t/draft.prompty: the file is larger than 8 MB\n  at most 8 MB are read"},
	{name: "undefined variable", draft: "inputs: {ticket: {kind: string}}\n---\nsystem:\nö {{ ticket }}\nuser:\nöö {{ tickt }}\n",
		want: "prompts/t/draft.prompty:8:7: the variable \"tickt\" is not defined\n  did you mean \"ticket\"? allowed: ticket"},
	{name: "undefined variable without inputs", draft: "---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:5:4: the variable \"q\" is not defined\n  declare it under inputs: in the front matter"},
	{name: "a loop's name after the loop", draft: "inputs: {l: {kind: array}}\n---\nuser:\n{% for x in l %}{{ x }}{% else %}{{ loop }}{% endfor %}\n",
		want: "prompts/t/draft.prompty:6:37: the variable \"loop\" is not defined\n  allowed: l"},
	{name: "a name set in another section", draft: "---\nsystem:\n{% set a = 1 %}{{ a }}\nuser:\n{{ a }}\n",
		want: "prompts/t/draft.prompty:7:4: the variable \"a\" is not defined\n  declare it under inputs: in the front matter"},
	{name: "debug() and lipsum() are not there", draft: "---\nuser:\n{{ lipsum() }}\n",
		want: "prompts/t/draft.prompty:5:4: the variable \"lipsum\" is not defined\n  declare it under inputs: in the front matter"},
	{name: "unknown filter", draft: "inputs: {q: {kind: string}}\n---\nuser:\n{{ q | uper }}\n",
		want: "prompts/t/draft.prompty:6:8: unknown filter \"uper\"\n  did you mean \"upper\"? allowed: upper, lower, capitalize, title, trim, replace, format, default, d, safe, escape, e, string, bool, split, lines, length, count, first, last and 29 more"},
	{name: "unknown test", draft: "inputs: {q: {kind: string}}\n---\nuser:\n{% if q is not nonne %}{% endif %}x\n",
		want: "prompts/t/draft.prompty:6:16: unknown test \"nonne\"\n  did you mean \"none\"? allowed: defined, undefined, none, true, false, odd, even, divisibleby, eq, equalto, ne, lt, lessthan, le, gt, greaterthan, ge, in, string, number and 17 more"},
	{name: "unknown tag", draft: "---\nuser:\n{% iff 1 %}{% endif %}\n",
		want: "prompts/t/draft.prompty:5:1: unknown tag \"iff\"\n  did you mean \"if\"? allowed: if, elif, else, endif, for, endfor, set, endset, include, macro, endmacro, call, endcall, filter, endfilter, with, endwith, raw, endraw, do and 2 more\n" +
			"prompts/t/draft.prompty:5:12: {% endif %} closes nothing"},
	{name: "a tag that prompts do not have", draft: "---\nuser:\n{% extends 'x' %}\n",
		want: "prompts/t/draft.prompty:5:1: prompts have no tag {% extends %}\n  use an include"},
	{name: "block not closed", draft: "---\nuser:\nx\n  {% if 1 %}\n",
		want: "prompts/t/draft.prompty:6:3: {% if %} is not closed\n  close it with {% endif %}"},
	{name: "block closed by another end", draft: "---\nuser:\n{% if 1 %}\n{% endfor %}\n",
		want: "prompts/t/draft.prompty:6:1: {% endfor %} where {% endif %} is due, for line 5"},
	{name: "comment not closed", draft: "---\nuser:\nx {# y\n", want: "prompts/t/draft.prompty:5:3: the comment {# is not closed"},
	{name: "raw not closed", draft: "---\nuser:\nx {% raw %} y\n", want: "prompts/t/draft.prompty:5:3: {% raw %} is not closed"},
	{name: "tag not closed", draft: "---\nuser:\nx {{ y\n", want: "prompts/t/draft.prompty:5:3: {{ is not closed"},
	{name: "string not closed", draft: "---\nuser:\nx {{ \"y }}\n", want: "prompts/t/draft.prompty:5:6: the string is not closed"},
	{name: "strange character", draft: "---\nuser:\nx {{ ä }}\n", want: "prompts/t/draft.prompty:5:6: unexpected character 'ä' in a template tag"},
	{name: "expression that does not parse", draft: "---\nsystem:\na\nuser:\nb\nx {{ 1 + }}\n",
		want: "prompts/t/draft.prompty:8:3: the template does not parse: unexpected end of variable block"},
	{name: "role header within a block", draft: "---\nsystem:\n{% if 1 %}\nuser:\nhi\n{% endif %}\n",
		want: "prompts/t/draft.prompty:6:1: the role header \"user:\" stands within {% if %} of line 5\n  a block ends in the section where it begins; write \\user: for a line that is text"},
	{name: "text before the first role", draft: "---\n\nhello\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:5:1: text before the first role header\n  begin with a line system: or user:"},
	{name: "no message", draft: "---\n\n", want: "prompts/t/draft.prompty:4:1: the prompt has no message\n  begin with a line system: or user:"},
	{name: "empty section", draft: "---\nsystem:\n\nuser:\nhi\n", want: "prompts/t/draft.prompty:4:1: the section \"system:\" is empty"},
	{name: "include outside prompts", draft: "---\nuser:\n{% include \"../../secret.txt\" %}\n", files: map[string]string{"secret.txt": "x"},
		want: "prompts/t/draft.prompty:5:12: the include \"../../secret.txt\" leads out of the directory prompts/\n  it must stay within prompts/, symbolic links included"},
	{name: "include by an absolute path", draft: "---\nuser:\n{% include \"/etc/passwd\" %}\n",
		want: "prompts/t/draft.prompty:5:12: the include \"/etc/passwd\" leads out of the directory prompts/\n  it must stay within prompts/, symbolic links included"},
	{name: "include that is not there", draft: "---\nuser:\na {% include \"x.j2\" %}\n",
		want: "prompts/t/draft.prompty:5:14: the include \"x.j2\" does not exist\n  looked in prompts/t/ and prompts/"},
	{name: "include by a variable", draft: "inputs: {q: {kind: string}}\n---\nuser:\n{{ q }}{% include q %}\n",
		want: "prompts/t/draft.prompty:6:8: an include names one file, in quotes\n  allowed: {% include \"_tone.j2\" %}"},
	{name: "include that includes itself", draft: "---\nuser:\n{% include \"a.j2\" %}\n",
		files: map[string]string{"prompts/a.j2": "x {% include 'b.j2' %}", "prompts/b.j2": "\n{% include 'a.j2' %}"},
		want:  "prompts/b.j2:2:12: the include \"a.j2\" never ends: prompts/a.j2 → prompts/b.j2 → prompts/a.j2"},
	{name: "role header in an include", draft: "---\nuser:\n{% include \"a.j2\" %}\n", files: map[string]string{"prompts/t/a.j2": "one\nsystem: \ntwo\n"},
		want: "prompts/t/a.j2:2:1: the role header \"system:\" stands in an include\n  roles stand in the prompt's own file; write \\system: for a line that is text"},
	{name: "role header that an include completes", draft: "---\nuser:\nx\nsys{% include \"a.j2\" %}\n", files: map[string]string{"prompts/t/a.j2": "tem:\n"},
		want: "prompts/t/draft.prompty:6:1: an include makes this line the role header \"system:\"\n  write the header out, or \\system: for a line that is text"},
	{name: "block that begins in an include", draft: "---\nuser:\n{% include \"a.j2\" %}{% endif %}\n", files: map[string]string{"prompts/a.j2": "x\n{% if 1 %}"},
		want: "prompts/a.j2:2:1: {% if %} is not closed\n  close it with {% endif %}"},
	{name: "undefined variable in an include", draft: "inputs: {topic: {kind: string}}\n---\nuser:\n{{ topic }}\n\n{% include \"a.j2\" %}\n", files: map[string]string{"prompts/a.j2": "x\n  y {{ topc }}"},
		want: "prompts/a.j2:2:8: the variable \"topc\" is not defined\n  did you mean \"topic\"? allowed: topic"},
	{name: "include that is not UTF-8", draft: "---\nuser:\n{% include \"a.j2\" %}\n", files: map[string]string{"prompts/a.j2": "x\n\xff"},
		want: "prompts/a.j2:2:1: the file is not UTF-8\n  save it as UTF-8"},
	{name: "thread in a line", draft: "inputs: {h: {kind: thread}}\n---\nuser:\nsee {{ h }}\n",
		want: "prompts/t/draft.prompty:6:5: the thread \"h\" can only stand alone on its line, outside any block\n  to write it as text, loop over it: {% for message in h %}"},
	{name: "thread in a block", draft: "inputs: {h: {kind: thread}}\n---\nuser:\nx\n{% if h %}\n{{ h }}\n{% endif %}\n",
		want: "prompts/t/draft.prompty:8:1: the thread \"h\" can only stand alone on its line, outside any block\n  to write it as text, loop over it: {% for message in h %}"},
	{name: "thread in an include", draft: "inputs: {h: {kind: thread}}\n---\nuser:\nx\n{% include 'a.j2' %}\n", files: map[string]string{"prompts/a.j2": "{{ h }}"},
		want: "prompts/a.j2:1:1: the thread \"h\" stands in an include\n  a thread stands in the prompt's own file"},
	{name: "text behind a thread", draft: "inputs: {h: {kind: thread}}\n---\nsystem:\nx\n{{ h }}\n\nmore\nuser:\nx\n",
		want: "prompts/t/draft.prompty:9:1: text behind the thread \"h\"\n  after a thread a new role header must come"},
	{name: "image through a filter", draft: "inputs: {p: {kind: image}}\n---\nuser:\n{{ p | upper }}\n",
		want: "prompts/t/draft.prompty:6:4: the image \"p\" can only be printed as it is, or tested by an if\n  write {{ p }}, outside macro, call, filter and set"},
	{name: "image within a set block", draft: "inputs: {p: {kind: image}}\n---\nuser:\n{% set x %}{{ p }}{% endset %}{{ x }}\n",
		want: "prompts/t/draft.prompty:6:15: the image \"p\" can only be printed as it is, or tested by an if\n  write {{ p }}, outside macro, call, filter and set"},
	{name: "image in a block of a macro", draft: "inputs: {p: {kind: image}}\n---\nuser:\n{% macro m() %}{% if 1 %}{{ p }}{% endif %}{% endmacro %}{{ m() }}\n",
		want: "prompts/t/draft.prompty:6:29: the image \"p\" can only be printed as it is, or tested by an if\n  write {{ p }}, outside macro, call, filter and set"},
	{name: "invalid schema", draft: "outputs:\n  type: objekt\n---\nuser:\nhi\n", valid: true,
		prefix: "prompts/t/draft.prompty:4:3: not a valid JSON Schema: "},
	{name: "schema with a remote reference", draft: "outputs: {$ref: 'https://example.com/x.json'}\n---\nuser:\nhi\n", valid: true,
		prefix: "prompts/t/draft.prompty:3:10: #/$ref: the schema refers to the address \"https://example.com/x.json\", and nothing is ever fetched"},
	{name: "schema file that is not there", draft: "outputs: {file: x.json}\n---\nuser:\nhi\n",
		want: "prompts/t/draft.prompty:3:17: the schema file \"x.json\" does not exist"},
	{name: "schema file outside prompts", draft: "outputs: {file: ../../x.json}\n---\nuser:\nhi\n", files: map[string]string{"x.json": "{}"},
		want: "prompts/t/draft.prompty:3:17: the schema file \"../../x.json\" leads out of the directory prompts/\n  it must stay within prompts/, symbolic links included"},
	{name: "schema file that is not JSON", draft: "outputs: {file: x.json}\n---\nuser:\nhi\n", files: map[string]string{"prompts/t/x.json": "{\n  x}"},
		prefix: "prompts/t/x.json: the schema is not valid JSON at line 2, column 3: "},
	{name: "example with an unknown input", draft: "inputs: {q: {kind: string}}\nllmx: {examples: [{inputs: {p: x}, output: y}]}\n---\nuser:\n{{ q }}\n",
		want: "prompts/t/draft.prompty:4:28: example 1: t has no input \"p\"\n  did you mean \"q\"? allowed: q"},
	{name: "example that breaks the schema", draft: "outputs: {type: object, required: [a]}\nllmx: {examples: [{inputs: {}, output: {b: 1}}]}\n---\nuser:\nx\n",
		want: "prompts/t/draft.prompty:4:40: example 1: the output breaks the schema: missing required property \"a\""},
	{name: "example whose output is no text", draft: "llmx: {examples: [{inputs: {}, output: {b: 1}}]}\n---\nuser:\nx\n",
		want: "prompts/t/draft.prompty:3:40: example 1: want a string, got a mapping"},
	{name: "examples without a user", draft: "llmx: {examples: [{inputs: {}, output: x}]}\n---\nsystem:\nx\n",
		want: "prompts/t/draft.prompty:3:19: there are examples, but no section user:\n  an example is a user's turn and its answer"},
	{name: "all problems at once", draft: "modell: x\ninputs: {q: {kind: strin}}\n---\nuser:\n{{ p }}{{ q }}\n{% include 'x' %}\n",
		want: "prompts/t/draft.prompty:3:1: unknown key \"modell\"\n  did you mean \"model\"? allowed: name, description, authors, tags, model, inputs, outputs, tools, llmx\n" +
			"prompts/t/draft.prompty:4:20: \"strin\" is not known here\n  did you mean \"string\"? allowed: string, integer, number, boolean, array, object, thread, image, file\n" +
			"prompts/t/draft.prompty:7:4: the variable \"p\" is not defined\n  did you mean \"q\"? allowed: q\n" +
			"prompts/t/draft.prompty:8:12: the include \"x\" does not exist\n  looked in prompts/t/ and prompts/"},
}

func TestBadDraft(t *testing.T) {
	for _, tt := range append(badFrontMatters, badDrafts...) {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"prompts/t/draft.prompty": tt.file()}
			maps.Copy(files, tt.files)
			_, err := NewLibrary(project(files)).Resolve("t", Develop)
			if err == nil {
				t.Fatal("the draft loads")
			}
			if class := fault.ClassOf(err); class != fault.Invalid {
				t.Errorf("class %s", class)
			}
			if tt.prefix != "" && strings.HasPrefix(err.Error(), tt.prefix) {
				return
			}
			if diff := cmp.Diff(tt.want+tt.prefix, err.Error()); diff != "" {
				t.Errorf("%s", diff)
			}
		})
	}
}
