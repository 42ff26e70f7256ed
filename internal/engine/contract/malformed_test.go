package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

// The contracts of the table, with syntax repaired.
var (
	ticket = llm.Output{Kind: llm.OutputJSON, Repair: llm.RepairSyntax, Schema: json.RawMessage(
		`{"type":"object","required":["label"],"properties":{"label":{"type":"string"},"urgency":{"type":"integer"},"score":{"type":["number","null"]},
		"tags":{"type":"array","items":{"type":"string"}},"open":{"type":"boolean"}}}`)}
	anything = llm.Output{Kind: llm.OutputJSON, Repair: llm.RepairSyntax}
	aNumber  = llm.Output{Kind: llm.OutputNumber, Repair: llm.RepairSyntax}
	aBoolean = llm.Output{Kind: llm.OutputBoolean, Repair: llm.RepairSyntax}
	aLabel   = llm.Output{Kind: llm.OutputLabel, Enum: []string{"billing", "bug", "bug report"}, Repair: llm.RepairSyntax}
	texts    = llm.Output{Kind: llm.OutputList, Items: "string", Repair: llm.RepairSyntax}
	numbers  = llm.Output{Kind: llm.OutputList, Items: "number", Repair: llm.RepairSyntax}
	python   = llm.Output{Kind: llm.OutputCode, Language: "python", Repair: llm.RepairSyntax}
	pairs    = llm.Output{Kind: llm.OutputRegex, Pattern: `(?P<key>[a-z]+)=(?P<n>[0-9]+)(?P<unit>kg)?`, Repair: llm.RepairSyntax}
)

func coercing(output llm.Output, to ...llm.Coercion) llm.Output {
	output.Repair, output.Coerce = llm.RepairCoerce, to
	return output
}

// malformed are answers as models give them. want is the value as JSON, its keys in
// order; repairs are the names, in the order of the answer. An answer that is refused
// has instead what the refusal says.
var malformed = []struct {
	output  llm.Output
	answer  string
	want    string
	repairs string
	refused string
}{
	// Prose that takes a value back, or says that there is more.
	{ticket, `The answer is not {"label":"bug"}`, "", "", "takes the value back"},
	{ticket, "It is not:\n```json\n{\"label\":\"bug\"}\n```", "", "", "takes the value back"},
	{ticket, `{"label":"bug"} is wrong; the right label is billing.`, "", "", "takes the value back"},
	{ticket, `{"label":"bug"} isn't it`, "", "", "takes the value back"},
	{ticket, `{"label":"a"}, ...`, "", "", "left out"},
	{ticket, `{"label":"a"} …`, "", "", "left out"},
	{ticket, "I could not find more. Here it is: {\"label\":\"bug\"}", `{"label":"bug"}`, "prose", ""},
	{ticket, "{\"label\":\"bug\"}\nNote that I did not check it.", `{"label":"bug"}`, "prose", ""},
	{aNumber, "It is not: 18", "", "", "expected a number"},
	{aNumber, "Wrong: 18", "", "", "expected a number"},
	{aNumber, "The answer is 18.", `18`, "markup prose", ""},
	{aNumber, "So the final answer is 18", `18`, "prose", ""},
	{aNumber, "The answer is not 18.", "", "", "expected a number"},
	{aNumber, "The answer is 18 or 19.", "", "", "expected a number"},
	{aLabel, "Neither: bug", "", "", "expected one of"},
	{aLabel, "Not: bug", "", "", "expected one of"},
	{aLabel, "The answer is bug report.", `"bug report"`, "markup prose", ""},
	{aLabel, "It is not:\nbug", "", "", "expected one of"},
	{aBoolean, "This can never be: true", "", "", "expected true or false"},
	{texts, "- a\n- ...\n- z", "", "", "left out"},
	{texts, "1. a\n2. …", "", "", "left out"},
	{texts, "- a\n- b... c", `["a","b... c"]`, "", ""},

	// Wrapping.
	{ticket, "```json\n{\"label\":\"bug\"}\n```", `{"label":"bug"}`, "code_fence", ""},
	{ticket, "```\n{\"label\":\"bug\"}\n```\n", `{"label":"bug"}`, "code_fence", ""},
	{ticket, "~~~json\r\n{\"label\":\"bug\"}\r\n~~~", `{"label":"bug"}`, "code_fence", ""},
	{ticket, "`{\"label\":\"bug\"}`", `{"label":"bug"}`, "code_fence", ""},
	{ticket, "```json\n{\"label\":\"bug\"}", `{"label":"bug"}`, "code_fence", ""},
	{ticket, "Sure! Here it is:\n\n```json\n{\"label\":\"bug\"}\n```\nAnything else?", `{"label":"bug"}`, "prose code_fence", ""},
	{ticket, "{\"label\":\"bug\"}\n\nLet me know if you need anything else!", `{"label":"bug"}`, "prose", ""},
	{ticket, "The label is {\"label\":\"bug\"}", `{"label":"bug"}`, "prose", ""},
	{ticket, "\ufeff{\"label\":\"bug\"}", `{"label":"bug"}`, "byte_order_mark", ""},
	{ticket, "{\u00a0\"label\":\u00a0\"bug\"}", `{"label":"bug"}`, "white_space", ""},
	{ticket, "{&quot;label&quot;:&quot;R&amp;D &#39;x&#39;&quot;}", `{"label":"R&D 'x'"}`, "html_escapes", ""},
	{ticket, `{"label":"R&amp;D",}`, `{"label":"R&amp;D"}`, "trailing_comma", ""}, // text stays as it is
	{ticket, `{"label":"bug"};`, `{"label":"bug"}`, "prose", ""},
	{ticket, "See [this page](http://x) and {name}.\n{\"label\":\"bug\"}", `{"label":"bug"}`, "prose", ""},
	{ticket, "{\"label\":\"```json\\n{}\\n```\",}", "{\"label\":\"```json\\n{}\\n```\"}", "trailing_comma", ""},
	{ticket, "```json\n{\"label\":\"use ```py\"}\n```", "{\"label\":\"use ```py\"}", "code_fence", ""},
	{llm.Output{Kind: llm.OutputJSON, Repair: llm.RepairSyntax, Schema: json.RawMessage(`{"type":"string"}`)}, "```json\n\"hi\"\n```", `"hi"`, "code_fence", ""},
	{llm.Output{Kind: llm.OutputJSON, Repair: llm.RepairSyntax, Schema: json.RawMessage(`{"type":"boolean"}`)}, "True", `true`, "literal", ""},

	// Quotes and keys.
	{ticket, `{'label':'bug'}`, `{"label":"bug"}`, "quotes", ""},
	{ticket, `{'label':'it\'s "new"'}`, `{"label":"it's \"new\""}`, "quotes", ""},
	{ticket, `{"label":'say "hi"'}`, `{"label":"say \"hi\""}`, "quotes", ""},
	{ticket, `{“label”:“bug”}`, `{"label":"bug"}`, "quotes", ""},
	{ticket, `{label:"bug", urgency: 3}`, `{"label":"bug","urgency":3}`, "unquoted_key", ""},
	{anything, `{1:"a", first-name: "b", größe: 2}`, `{"1":"a","first-name":"b","größe":2}`, "unquoted_key", ""},
	{ticket, `{'label':'it's new'}`, "", "", "want a comma or }"},
	{ticket, `{"label":"say "hi" now"}`, "", "", "want a comma or }"},
	{ticket, `{'label':'don''t'}`, "", "", "want a comma or }"},
	{ticket, `{"label":bug}`, "", "", "text without quotes: bug"},
	{ticket, "{`label`:`bug`}", "", "", "there is no JSON value"},
	{anything, `{True:1, a:2}`, "", "", "True cannot be a key without quotes"},
	{anything, `{12345678901234567:1}`, "", "", "cannot be a key without quotes"}, // other digits in other languages
	{anything, `{"a":1, 007:2}`, "", "", `"007" cannot be a key without quotes`},
	{ticket, `{"label":"""bug"""}`, "", "", "want a comma or }"},
	{anything, `{"a":u'x'}`, "", "", "text without quotes: u"},

	// Commas and comments.
	{ticket, `{"label":"bug","tags":["a","b",],}`, `{"label":"bug","tags":["a","b"]}`, "trailing_comma", ""},
	{ticket, "{\"label\":\"bug\"\n \"urgency\":3}", `{"label":"bug","urgency":3}`, "missing_comma", ""},
	{ticket, "{label:\"bug\"\n urgency:3}", `{"label":"bug","urgency":3}`, "unquoted_key missing_comma", ""},
	{anything, "[{\"a\":1}\n{\"a\":2}]", `[{"a":1},{"a":2}]`, "missing_comma", ""},
	{anything, "[[1,2]\n [3,4]]", `[[1,2],[3,4]]`, "missing_comma", ""},
	{ticket, "{\"label\":\"bug\", // the kind\n /* of */ \"urgency\":3 # high\n}", `{"label":"bug","urgency":3}`, "comment", ""},
	{ticket, `{"label":"http://x /* y */ # z",}`, `{"label":"http://x /* y */ # z"}`, "trailing_comma", ""},
	{anything, `["a" "b"]`, "", "", "want a comma or ]"},     // one text or two
	{anything, `[10 500]`, "", "", "want a comma or ]"},      // one number or two
	{anything, `[[1][0]]`, "", "", "want a comma or ]"},      // an index
	{anything, `[1,,2]`, "", "", "a value cannot begin"},     // a hole
	{anything, `[,1,{"a":2}]`, "", "", "a value cannot"},     // another
	{anything, `{"a":"x" "y"}`, "", "", "want a colon"},      // a sum of texts
	{anything, `{"a" 1}`, "", "", "want a colon"},            // no colon
	{anything, `{"a"=1}`, "", "", "want a colon"},            // of another language
	{anything, `{"a":"x"+"y"}`, "", "", "want a comma"},      // an expression
	{anything, `{"total":1,000}`, "", "", "cannot be a key"}, // a separator
	{numbers, `[1, 2, ...]`, "", "", "something was left out"},
	{numbers, `[1, 2, …]`, "", "", "something was left out"},
	{numbers, "[1, 2, // ... and so on\n]", "", "", "something was left out"},
	{texts, `["a", "..."` + `,]`, `["a","..."]`, "trailing_comma", ""}, // a text of three periods is one

	// Escapes.
	{ticket, `{"label":"it\'s"}`, `{"label":"it's"}`, "bad_escape", ""},
	{ticket, `{"label":"\d+ \(x\)"}`, `{"label":"\\d+ \\(x\\)"}`, "bad_escape", ""},
	{ticket, "{\"label\":\"two\nlines\tand a tab\"}", `{"label":"two\nlines\tand a tab"}`, "raw_line_break", ""},
	{ticket, `{"label":"C:\data\temp"}`, "", "", "read in two ways"}, // \t may be a tab
	{ticket, `{"label":"\alpha \beta"}`, "", "", "read in two ways"}, // \b may be a backspace
	{ticket, `{"label":"\x41"}`, "", "", "read in two ways"},
	{ticket, `{"label":"C:\users"}`, "", "", "read in two ways"},
	{ticket, `{"label":"\ud83d",}`, "", "", "surrogate"},
	{ticket, "{\"label\":\"\xff\",}", "", "", "UTF-8"},
	{ticket, "{\"label\":\"\x00\",}", "", "", "control character"},

	// Literals and numbers.
	{ticket, `{"label":"bug","open":True,"score":None}`, `{"label":"bug","open":true,"score":null}`, "literal", ""},
	{ticket, `{"label":"True","open":FALSE}`, `{"label":"True","open":false}`, "literal", ""},
	{ticket, `{"label":"bug","score":NaN}`, `{"label":"bug","score":null}`, "nan", ""},
	{ticket, `{"label":"bug","urgency":NaN}`, "", "", "/urgency"}, // nothing may stand there
	{ticket, `{"label":"bug","score":Infinity}`, "", "", "Infinity has no value in JSON"},
	{ticket, `{"label":"bug","score":undefined}`, "", "", "undefined has no value in JSON"},
	{ticket, `{"label":"bug","score":+.5}`, `{"label":"bug","score":0.5}`, "number_form", ""},
	{anything, `{"a":12345678901234567890.123456789,}`, `{"a":12345678901234567890.123456789}`, "trailing_comma", ""},
	{ticket, `{"label":"bug","urgency":007}`, "", "", `"007" is no number`},
	{ticket, `{"label":"bug","urgency":0x1F}`, "", "", `"0x1F" is no number`},
	{ticket, `{"label":"bug","urgency":5kg}`, "", "", `"5kg" is no number`},
	{ticket, `{"label":"bug","urgency":1_000}`, "", "", `"1_000" is no number`},
	{ticket, `{"label":"bug","score":1/2}`, "", "", "want a comma or }"},

	// Cut, and pieces.
	{ticket, `{"label":"bug","urgency":3`, "", "", "the answer is cut"},
	{ticket, `{"label":"bu`, "", "", "the answer is cut"},
	{ticket, `{'label':'bug`, "", "", "the answer is cut"},
	{anything, `[{"label":"bug"},{"label":"bil`, "", "", "the answer is cut"},
	{ticket, `[{"label":"bug"}, `, "", "", "the answer is cut"},
	{ticket, `{"label":"bug"} and {"label":`, "", "", "the answer is cut"},
	{ticket, `{"label":"bug"}}`, "", "", "closed that was never opened"},
	{ticket, `"result": {"label":"bug"}`, "", "", "no beginning"},
	{ticket, `{"label":"bug"}, "urgency": 3`, "", "", "goes on behind its end"},
	{ticket, `"label": "bug"`, "", "", "there is no JSON value"},
	{ticket, `{"items":[{"label":"bug"} oops]}`, "", "", "want a comma or ]"},
	{ticket, `{"label":"a","label":"b",}`, "", "", "given twice"},
	{ticket, ``, "", "", "not JSON"},
	{ticket, `I cannot help with that.`, "", "", "there is no JSON value"},

	// Several values.
	{ticket, `{"thought":"hm"} {"label":"bug"}`, `{"label":"bug"}`, "prose several_values", ""},
	{ticket, "For [1], as in [2]: {\"label\":\"bug\"}", `{"label":"bug"}`, "prose several_values", ""},
	{ticket, `{"label":"bug"} or {"label":"billing"}`, "", "", "ambiguous: 2 values"},
	{ticket, `{"label":"bug"} {"label":"bug"}`, "", "", "ambiguous: 2 values"},
	{ticket, `{"label":7} {"thought":"hm"}`, "", "", "none of 2 values"},
	{ticket, `{"label":"bug"} not {"label":"x" "y"}`, "", "", "want a colon"},
	{anything, `{"a":1} as in [1]`, "", "", "ambiguous: 2 values"},
	{ticket, `Here: {"label":7}`, "", "", "/label"},

	// Types are another matter.
	{ticket, `{"label":"bug","urgency":"3"}`, "", "", "/urgency"},
	{coercing(ticket, llm.CoerceNumber), `{"label":"bug","urgency":"3"}`, `{"label":"bug","urgency":3}`, "coerced_number", ""},
	{coercing(ticket, llm.CoerceNumber), `{'label':'bug','urgency':'3'}`, `{"label":"bug","urgency":3}`, "coerced_number quotes", ""},
	{coercing(ticket, llm.CoerceNumber), `{"label":"bug","urgency":"three"}`, "", "", "/urgency"},
	{coercing(ticket, llm.CoerceNumber), `{"label":"bug","urgency":"1,000"}`, "", "", "/urgency"},
	{coercing(ticket, llm.CoerceNumber), `{"label":"bug","open":"yes"}`, "", "", "/open"},
	{coercing(ticket, llm.CoerceBoolean), `{"label":"bug","open":"Yes"}`, `{"label":"bug","open":true}`, "coerced_boolean", ""},
	{coercing(ticket, llm.CoerceList), `{"label":"bug","tags":"a"}`, `{"label":"bug","tags":["a"]}`, "coerced_list", ""},
	{coercing(ticket, llm.CoerceNumber, llm.CoerceList), `{"label":"bug","tags":["a"],"urgency":"2"}`, `{"label":"bug","tags":["a"],"urgency":2}`, "coerced_number", ""},
	{coercing(numbers, llm.CoerceNumber, llm.CoerceList), `"3"`, `[3]`, "coerced_list coerced_number", ""},
	{coercing(llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":["number","array"]}`)}, llm.CoerceNumber, llm.CoerceList), `"3"`, "", "", "expected"},

	// Numbers.
	{aNumber, "Sure! Here it is: 18", `18`, "prose", ""},
	{aNumber, "18\n\nLet me know if you need anything else!", `18`, "prose", ""},
	{aNumber, "**18**", `18`, "markup", ""},
	{aNumber, "```\n18\n```", `18`, "code_fence", ""},
	{aNumber, "18.", `18`, "markup", ""},
	{aNumber, "**Answer:** -.5", `-0.5`, "number_form prose", ""},
	{aNumber, "18 eggs", "", "", "expected a number and nothing else"},
	{aNumber, "Answer: $18", "", "", "expected a number"},
	{aNumber, "Share: 18 %", "", "", "expected a number"},
	{aNumber, "x <= 18", "", "", "expected a number"},
	{aNumber, "The answer is not 18", "", "", "expected a number"},
	{aNumber, "3 times 6.\nAnswer: 18", "", "", "expected a number"},
	{aNumber, "Answer: 1,000", "", "", "expected a number"},
	{aNumber, `"18"`, "", "", "expected a number"},
	{coercing(aNumber, llm.CoerceNumber), `"18"`, `18`, "coerced_number", ""},

	// Booleans.
	{aBoolean, "True.", `true`, "literal markup", ""},
	{aBoolean, "Answer: false", `false`, "prose", ""},
	{aBoolean, "I do not know whether that is true", "", "", "expected true or false"},
	{aBoolean, "Is it true: no, false", "", "", "expected true or false"},
	{aBoolean, "yes", "", "", "expected true or false"},
	{coercing(aBoolean, llm.CoerceBoolean), "Yes.", `true`, "coerced_boolean markup", ""},

	// Labels.
	{aLabel, `"billing"`, `"billing"`, "quotes", ""},
	{aLabel, "Billing", `"billing"`, "letter_case", ""},
	{aLabel, "Label: **bug report**", `"bug report"`, "prose", ""},
	{aLabel, "billing\n\nbecause of the invoice", `"billing"`, "prose", ""},
	{aLabel, "billing, or bug", "", "", "expected one of billing, bug, bug report"},
	{aLabel, "It is not a bug.\n\nbilling", "", "", "expected one of"},
	{aLabel, "bills", "", "", "expected one of"},

	// Lists.
	{texts, "- apples\n- pears", `["apples","pears"]`, "", ""},
	{texts, "1. apples\n2. pears\n", `["apples","pears"]`, "", ""},
	{numbers, "* 1\n* -2.5", `[1,-2.5]`, "", ""},
	{texts, "Here you are:\n\n- apples\n- pears\n\nEnjoy!", `["apples","pears"]`, "prose", ""},
	{texts, "```json\n['a', 'b']\n```", `["a","b"]`, "code_fence quotes", ""},
	{texts, "- apples\n- pears\nthat are ripe", "", "", "goes on in a line without a bullet"},
	{texts, "- apples\n  - red\n- pears", "", "", "goes on in a line without a bullet"},
	{texts, "- apples\n* pears", "", "", "the bullets of the list differ"},
	{texts, "1. apples\n3. pears", "", "", "the bullets of the list differ"},
	{texts, "- apples\n\nor\n\n- pears", "", "", "ambiguous: more than one list"},
	{texts, "- apples\n\n[\"pears\"]", "", "", "ambiguous"},
	{numbers, "- 1\n- two", "", "", "expected a number as item 2"},
	{texts, "apples, pears", "", "", "there is no JSON value"},
	{numbers, `["1"]`, "", "", "/0"},

	// Code and patterns.
	{python, "```python\nprint(1)\n```", `"print(1)"`, "", ""},
	{python, "Here:\n```py\nprint(1)\n```\nRun it.", `"print(1)"`, "prose", ""},
	{python, "```\nprint(1)\n```", `"print(1)"`, "missing_language", ""},
	{python, "```bash\npip install x\n```\n\n```python\nimport x\n```", `"import x"`, "prose several_values", ""},
	{python, "````python\ns = '''\n```\n'''\n````", `"s = '''\n` + "```" + `\n'''"`, "", ""},
	{python, "```python\nprint(1)", "", "", "cut"},
	{python, "print(1)", "", "", "expected one fenced block of python"},
	{python, "```python\na\n```\n```python\nb\n```", "", "", "ambiguous"},
	{python, "```ruby\nputs 1\n```", "", "", "expected one fenced block of python"},
	{pairs, "size=12", `{"key":"size","n":"12","unit":null}`, "", ""},
	{pairs, "It is: mass=12kg!", `{"key":"mass","n":"12","unit":"kg"}`, "prose", ""},
	{pairs, "a=1, b=2", "", "", "ambiguous"},
	{pairs, "none", "", "", "expected a match"},
}

func TestMalformedAnswersAreRepairedOrRefusedNeverChanged(t *testing.T) {
	if len(malformed) < 100 {
		t.Fatalf("%d answers, want 100", len(malformed))
	}
	parser := NewParser()
	for _, test := range malformed {
		parsed, broken := parser.Read(test.answer, test.output)
		if test.refused != "" {
			if !strings.Contains(broken, test.refused) || parsed.Value != nil || parsed.Repairs != nil {
				t.Errorf("%s %q: %v with %v, broken %q; want it refused: %s", test.output.Kind, test.answer, parsed.Value, names(parsed.Repairs), broken, test.refused)
			}
			continue
		}
		if broken != "" {
			t.Errorf("%s %q: refused: %s; want %s", test.output.Kind, test.answer, broken, test.want)
			continue
		}
		if got := written(parsed.Value); got != test.want || names(parsed.Repairs) != test.repairs {
			t.Errorf("%s %q: %s by %q; want %s by %q", test.output.Kind, test.answer, got, names(parsed.Repairs), test.want, test.repairs)
		}
		if (parsed.Score < 1) != (test.repairs != "") {
			t.Errorf("%q: score %v with the repairs %q", test.answer, parsed.Score, test.repairs)
		}
	}
}

// Nothing of the table that needs a repair passes where repair is off.
func TestNothingIsRepairedWhereRepairIsOff(t *testing.T) {
	parser := NewParser()
	for _, test := range malformed {
		for _, mode := range []llm.RepairMode{"", llm.RepairOff} {
			test.output.Repair = mode
			if parsed, broken := parser.Read(test.answer, test.output); (broken == "") != (test.refused == "" && test.repairs == "") || parsed.Repairs != nil {
				t.Errorf("%q: %v, %q", test.answer, parsed, broken)
			}
		}
	}
}

func names(repairs []llm.Repair) string {
	list := make([]string, len(repairs))
	for i, r := range repairs {
		list[i] = r.Name
	}
	return strings.Join(list, " ")
}
