package scorer

import (
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Doc is what llmx help checks says of a check. The example is an entry of expect as
// YAML; a test holds it to an answer that passes and to one that does not.
type Doc struct {
	Name      string
	Topic     string // the heading that it stands under
	Holds     string // when it holds
	Arguments string
	Example   string

	Passes, Fails eval.Subject
}

// The topics, in the order of the help.
const (
	topicText      = "Text"
	topicStructure = "Structure"
	topicLabels    = "Labels"
	topicProgram   = "Code"
	topicTools     = "Tools"
	topicEnd       = "How it ended"
	topicJudges    = "Asking a model (kept like answers, costed apart; an answer that is empty or breaks its contract scores 0 unasked)"
	topicOperation = "Operation (no part of accuracy, but of the metric operational)"
	topicAround    = "Around other checks"
)

// Docs describes every check, by topic.
func Docs() []Doc {
	docs := slices.Concat(textDocs(), structureDocs(), judgeDocs(), otherDocs())
	order := []string{topicText, topicStructure, topicLabels, topicTools, topicEnd, topicProgram, topicJudges, topicOperation, topicAround}
	slices.SortStableFunc(docs, func(a, b Doc) int { return slices.Index(order, a.Topic) - slices.Index(order, b.Topic) })
	return docs
}

func textDocs() []Doc {
	return []Doc{
		{"golden", topicText, "the answer is the case's golden one: objects as a subset, all else whole, white space in text aside. It is implied by a golden answer, unless another check that compares with it is written (and does more than measure)",
			"extract; golden_match: exact in the case or the suite is to the letter",
			"golden: {extract: final_number}", golden("1800", "that makes $1,800."), golden("1800", "that makes $1,900.")},
		{"equals", topicText, "the answer is this value, as golden compares, objects with the same keys",
			"value, or the value alone; extract",
			"equals: billing", text(" billing\n"), text("Billing")},
		{"contains", topicText, "the texts stand in the answer: value and all of them, one of any, and ordered one after the other. Compared as they are written, code point by code point",
			"value, all, any, ordered, or a text or a list (all) alone; ignore_case; extract",
			"contains: {ordered: [refund, days], ignore_case: true}", text("Your Refund comes within 5 days."), text("Within 5 days you get a refund.")},
		{"starts_with", topicText, "the answer starts with the text, or one of a list; white space around the answer does not count, texts are compared in NFC",
			"value, or a text or a list alone; ignore_case; extract",
			"starts_with: [Dear, Hello]", text("\nHello Ann"), text("Ann, hello")},
		{"ends_with", topicText, "the same of the answer's end",
			"value, or a text or a list alone; ignore_case; extract",
			"ends_with: {value: regards, ignore_case: true}", text("Kind Regards"), text("Regards, Ann")},
		{"regex", topicText, "the regex (RE2) matches somewhere in the answer",
			"value, or the regex alone; extract",
			`regex: '^A: \d+$'`, text("A: 18"), text("A: eighteen")},
		{"length", topicText, "the answer is so long. Characters are code points; words stand between white space; sentences are Unicode's (annex 29), each with a letter or digit; tokens are an estimate of 4 bytes each, since every model cuts otherwise",
			"min, max; unit: characters (default), words, sentences or tokens; extract",
			"length: {max: 2, unit: sentences}", text("It is late. Sorry!"), text("It is late. Sorry! Call us.")},
		{"exact_match", topicText, "the answer is the text, or one of a list, after SQuAD's normalisation: lower case, no ASCII punctuation, no a, an, the, single spaces (and NFC first)",
			"value, or the text or list alone; without one the golden answer; extract",
			"exact_match: [Denver Broncos, the Broncos]", text("The Denver Broncos."), text("Denver")},
		{"token_f1", topicText, "the F1 of the words that the answer shares with the text (the best of a list), after SQuAD's normalisation, reaches the threshold: the score of the official evaluation script",
			"value, or the text or list alone; without one the golden answer; threshold (default 1); extract",
			"token_f1: {value: the Denver Broncos, threshold: 0.6}", text("Broncos of Denver"), text("Carolina Panthers")},
		{"levenshtein", topicText, "1 − edit distance ÷ length of the longer text reaches the threshold (the best of a list). Characters are code points in NFC, any white space is one space",
			"value, or the text or list alone; without one the golden answer; threshold (default 0.8); ignore_case; extract. At most 5,000 characters; an answer of more than 50,000 scores 0",
			"levenshtein: {value: call us back tomorrow, threshold: 0.9}", text("call us back tomorow"), text("do not call us")},
		{"refusal", topicText, "the answer begins (in its first 200 characters) with a phrase of a refusal, or was withheld by the provider's filter. It is a list of English phrases and no understanding: it misses what is put otherwise. Usually within not",
			"phrases: more of them; extract. The list: " + refusalList(),
			"not: refusal", text("The refund is on its way."), text("I’m sorry, but I can’t assist with that.")},
	}
}

func structureDocs() []Doc {
	const order = `{"label": "billing", "urgency": 4, "tags": ["refund", "card"], "due": "2026-11-22T09:00:00Z"}`
	return []Doc{
		{"schema", topicStructure, "the answer keeps the prompt's output contract; with an argument, this JSON Schema besides",
			"a JSON Schema, with metric and weight beside its keywords; $ref may name a file of the project, from the directory of the one it stands in",
			"schema: {type: object, required: [label]}", value(order), value(`{"urgency": 4}`)},
		{"field", topicStructure, "a part of a JSON answer is as all of this says",
			"path (a.b[0].c, [-1] is the last); equals, one_of, min, max, regex, exists",
			"field: {path: urgency, min: 3, max: 5}", value(order), value(`{"urgency": 2}`)},
		{"numeric", topicStructure, "the answer is the number, off by at most tolerance, or relative × the number, whichever is more; the arithmetic is exact",
			"equals, or the number alone; tolerance; relative; extract",
			"numeric: {equals: 200, tolerance: 0.5, relative: 0.01}", text("202"), text("202.1")},
		{"date", topicStructure, "the answer is this date and nothing else. same: day compares days as they are written, same: time instants where both name a zone, else the time as written",
			"value, or the date alone; without one the golden answer; same: day or time (default: time where the date has one); extract; formats, in place of those that are known: " + knownFormats(),
			"date: {value: 2026-11-22, formats: [D.M.YYYY], extract: {regex: 'due (\\S+)$'}}", text("due 22.11.2026"), text("due 23.11.2026")},
		{"json", topicStructure, "the share of fields that are as wanted reaches the threshold; the reason lists those that are not. A field is what is neither object nor list, at any depth; missing ones and items too many are wrong",
			"value; without one the golden answer; exact: fields that were not asked for are wrong, too; threshold (default 1); extract",
			"json: {value: {label: billing, urgency: 4}, threshold: 0.5}", value(`{"label": "billing", "urgency": 5}`), value(`{"label": "bug", "urgency": 5}`)},
		{"list", topicStructure, "the answer's list has these items: their F1, precision or recall reaches the threshold. as: ordered counts the longest common subsequence, unordered items as often as they come, set each once",
			"items, or the list alone; without one the golden answer; as (default ordered); measure: f1 (default), precision or recall; split: the separator in a plain text; threshold (default 1); extract",
			"list: {items: [card, refund], as: set, extract: {path: tags}}", value(order), value(`{"tags": ["refund", "bug"]}`)},
		{"is_json", topicStructure, "the text is one JSON value, no key given twice. It is looked at as the model wrote it: a code fence around it makes it something else, unless extract takes it out",
			"extract", "is_json: {extract: {regex: '(?s)```json\\n(.*)```'}}", text("Here:\n```json\n{\"a\": 1}\n```"), text("Here:\n```json\n{\"a\": 1,}\n```")},
		{"is_yaml", topicStructure, "the text is one YAML document that is a mapping or a list (any sentence is a YAML string), no key given twice, no merge keys",
			"extract", "is_yaml", text("label: billing\nurgency: 4\n"), text("label billing")},
		{"is_xml", topicStructure, "the text is well-formed XML in UTF-8 with one root, no attribute given twice; namespaces, DTDs and schemas are not looked at",
			"extract", "is_xml", text(`<order id="1"><item/></order>`), text("<order><item></order>")},
		{"is_html", topicStructure, "the text has HTML in it that a browser need not mend: known elements (or with a hyphen), closed and in order; p, li, td and others whose end HTML lets one leave out may stay open. Attributes, and what may stand in what, are not looked at",
			"extract", "is_html", text("<ul><li>one<li>two</ul>"), text("<b><i>one</b></i>")},
	}
}

func otherDocs() []Doc {
	lookup := llm.ToolCall{Name: "lookup_invoice", Arguments: `{"id": 17, "year": 2026}`}
	refund := llm.ToolCall{Name: "refund", Arguments: `{"id": 17}`}
	return []Doc{
		{"is_sql", topicStructure, "the text is one or more SQL statements that SQLite's parser takes; that tables, columns and functions exist is not looked at, and nothing is planned or run. PRAGMA is no SQL. A text of more than 256 KB, or whose reading SQLite does not bound, is an error. Other dialects than SQLite's are refused where they differ from it",
			"extract", "is_sql", text("SELECT name, count(*) FROM orders WHERE id = 17 GROUP BY name;"), text("SELECT name FROM WHERE id = 17")},
		{"label", topicLabels, "the answer's label is the golden one's: the value at path of a JSON answer, or the whole answer, white space aside. The suite counts a confusion matrix from it, and metrics that gates may use with min and max, as scikit-learn defines them: NAME_f1_macro, NAME_f1_weighted, the same of precision and recall, and of one class NAME_f1.CLASS, NAME_precision.CLASS, NAME_recall.CLASS. NAME_accuracy may have max_drop, too. NAME is the metric, or label. A class that nothing has is left out of the means; an answer without a label is wrong, an error is left out",
			"path; classes (default: those of the prompt's contract, else those that occur); metric; threshold: 0 only counts",
			"label: {path: label, classes: [billing, bug, other]}", labelled(`{"label": "bug"}`), labelled(`{"label": "billing"}`)},
		{"program", topicProgram, "a program of yours scores the answer. It reads one JSON object (schema llmx.score/1: suite, case, vars, answer, value, violation, tool_calls, finish, golden, args) and writes one, {\"score\": 0..1, \"pass\": true, \"reason\": \"…\"}; pass and reason may be left out. A program that crashes, hangs, writes too much or anything else makes the result an error, never a score. No shell reads the command; it runs in the project's directory, with PATH, HOME, USER, LANG, LC_*, TZ and TMPDIR and what env names: no key of a provider, unless you name it. It can still read the files that you can; on Linux llmx closes its own environment and memory to processes of the same user as it runs the first program (which keeps debuggers, profilers and core dumps away, too), not to privileged ones. In its reasons the keys of all providers and the values of env are printed as *** from 12 bytes on, and from 4 in what it says when it fails; a program that encodes one is not stopped. What it started ends with it: on Linux daemons, too, at the latest when the programs that run beside it have ended, but not if llmx itself is killed; elsewhere its process group, and on Windows nothing. Its files in the project are part of the criteria. memory is what it may write to, each process of its own; only Linux holds it",
			"command: a list; args: any JSON; golden: true where it compares with the golden answer; threshold (default 1; pass wins over it); deterministic: false where another run may score otherwise; env: names of variables; timeout (10s); max_output (64KB); memory (512MB)",
			"program: {command: [python3, scorers/tone.py], args: {tone: kind}, threshold: 0.7, metric: tone}", text("Gladly!"), text("No.")},
		{"tool_called", topicTools, "the model proposed such a call, alone or among others; without arguments any call. {not: {tool_called: refund}} forbids one, {not: tool_called} all. No arguments at all are taken as {}",
			"name, or the name alone; arguments; match: subset (default) or exact; schema: a JSON Schema of the arguments",
			"tool_called: {name: lookup_invoice, arguments: {id: 17}}", called(refund, lookup), called(refund)},
		{"tool_sequence", topicTools, "the model proposed these calls: exact, these in this order and no others; in_order, with others between them; any_order, one for each, others besides",
			"exact, or the list alone, in_order, or any_order; an item is a name, or has name, arguments, match, schema",
			"tool_sequence: {in_order: [lookup_invoice, refund]}", called(lookup, llm.ToolCall{Name: "note"}, refund), called(refund, lookup)},
		{"finish_reason", topicEnd, "the model stopped for one of these reasons; with this check a length stop is its to judge",
			"value, or one or a list alone: stop, length, content_filter, tool_calls",
			"finish_reason: [stop, tool_calls]", eval.Subject{Finish: llm.FinishStop}, eval.Subject{Finish: llm.FinishLength}},
		{"max_cost", topicOperation, "the answering path costs at most this, in USD at the list price", "value, or the amount alone",
			"max_cost: 0.002", eval.Subject{Cost: llm.KnownCost(2_000_000)}, eval.Subject{Cost: llm.KnownCost(2_000_001)}},
		{"max_latency", topicOperation, "the service time is at most this; a stored answer is left out", "value, or the duration alone",
			"max_latency: 3s", eval.Subject{Service: 3 * time.Second}, eval.Subject{Service: 4 * time.Second}},
		{"max_attempts", topicOperation, "the answer took at most so many HTTP requests", "value, or the number alone",
			"max_attempts: 1", eval.Subject{Attempts: 1}, eval.Subject{Attempts: 2}},
		{"max_turns", topicOperation, "the answer took at most so many final requests: more than one where it was asked for again", "value, or the number alone",
			"max_turns: 1", eval.Subject{Turns: 1}, eval.Subject{Turns: 2}},
		{"repaired", topicOperation, "a valid answer had to be put right before it was one", "value, or true or false alone",
			"repaired: false", text("{}"), eval.Subject{Repairs: []llm.Repair{{Name: "trailing comma", Weight: 0.05, Times: 1}}}},
		{"max_tokens", topicOperation, "all attempts together took at most so many tokens, as the provider counted; an estimate where it did not",
			"value, or the number alone; of: output (default, reasoning included), input or total",
			"max_tokens: {value: 200, of: total}", eval.Subject{Usage: llm.Usage{Input: 100, Output: 100}}, eval.Subject{Usage: llm.Usage{Input: 101, Output: 100}}},
		{"cached", topicOperation, "the answer came from the cache; a recording, or one shared with an equal call, did not", "value, or true or false alone",
			"cached: false", eval.Subject{Stored: true, StoredBy: "recording"}, eval.Subject{Stored: true, StoredBy: "cache"}},
		{anyOf, topicAround, "one of the checks holds; the score is the best of theirs", "checks, or the list alone",
			"any_of: [{contains: refund}, {contains: money back}]", text("you get your money back"), text("no")},
		{allOf, topicAround, "all of the checks hold; with a threshold, their mean by weight reaches it. A group has one score, and one metric",
			"checks, or the list alone; threshold",
			"all_of: {checks: [{contains: {value: refund, weight: 3}}, {length: {max: 40}}], threshold: 0.7}", text("the refund is on its way, and it will be there soon"), text("no")},
		{not, topicAround, "the check does not hold; its score is 1 or 0", "a check, but for the operational ones",
			"not: {contains: sorry}", text("fine"), text("so sorry")},
	}
}

func refusalList() string {
	return "one of (" + strings.Join(refusers, ", ") + ") before one of (" + strings.Join(refused, ", ") + "), or one of (" + strings.Join(refusals, ", ") + ")"
}

func text(answer string) eval.Subject { return eval.Subject{Answer: answer} }

func golden(want, answer string) eval.Subject {
	return eval.Subject{Answer: answer, Golden: &eval.Golden{Value: want}}
}

func value(answer string) eval.Subject {
	parsed, err := parseJSON(answer)
	if err != nil {
		panic(err) // the examples are ours
	}
	return eval.Subject{Answer: answer, Value: parsed, Output: llm.Output{Kind: llm.OutputJSON}}
}

func labelled(answer string) eval.Subject {
	s := value(answer)
	s.Golden = &eval.Golden{Value: map[string]any{"label": "bug"}}
	return s
}

func called(calls ...llm.ToolCall) eval.Subject {
	return eval.Subject{ToolCalls: calls, Finish: llm.FinishToolCalls}
}
