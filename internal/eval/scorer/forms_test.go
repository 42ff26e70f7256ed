package scorer

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

func TestForms(t *testing.T) {
	for _, test := range []struct{ check, answer, reason string }{
		{"is_json", ` {"a": [1, null]} `, ""},
		{"is_json", "3", ""},
		{"is_json", "", "not JSON: at line 1, column 1: a value is missing: the text ends"},
		{"is_json", "```json\n{}\n```", "not JSON: at line 1, column 1: a value cannot begin with '`'"},
		{"is_json", `{"a": 1, "a": 2}`, `not JSON: at line 1, column 10: the key "a" is given twice`},
		{"is_json", `{'a': 1}`, "not JSON: at line 1, column 2: want an object key in double quotes, found '\\''"},

		{"is_yaml", "- a\n- b: c\n", ""},
		{"is_yaml", "a: 1\na: 2\n", `not YAML: the key "a" is given twice (line 2)`},
		{"is_yaml", "It works", "not YAML: want a mapping or a list, got a string"},
		{"is_yaml", "", "not YAML: want a mapping or a list, got nothing"},
		{"is_yaml", "a: 1\n---\nb: 2\n", "not YAML: the file holds more than one YAML document"},
		{"is_yaml", "a: [1\n", "not YAML: not valid YAML"},

		{"is_xml", `<?xml version="1.0" encoding="UTF-8"?><!-- x --><a b="1"><c/>&lt;&#65;</a>` + "\n", ""},
		{"is_xml", `<a:b xmlns:a="u"/>`, ""},
		{"is_xml", "", "not XML: want one root element, got 0"},
		{"is_xml", "<a/><b/>", "not XML: want one root element, got 2"},
		{"is_xml", "Here: <a/>", `not XML: text outside the root: "Here:"`},
		{"is_xml", "<a><b></a></b>", "not XML: line 1: element <b> closed by </a>"},
		{"is_xml", "<a>", "not XML: line 1: unexpected EOF"},
		{"is_xml", `<a b="1" b="2"/>`, "not XML: the attribute b of <a> is given twice"},
		{"is_xml", "<a>&nbsp;</a>", "not XML: line 1: invalid character entity &nbsp;"},
		{"is_xml", "<a b=c/>", "not XML: line 1: unquoted or missing attribute value in element"},

		{"is_html", `<!doctype html><html><head><title>x</title></head><body><p>a<p>b<br><img src="x"/></body></html>`, ""},
		{"is_html", "a <b>bold</b> word", ""},
		{"is_html", "<script>if (a<b && c>d) {}</script>", ""},
		{"is_html", "<table><tr><td>1<td>2<tr><td>3</table>", ""},
		{"is_html", `<svg viewBox="0 0 1 1"><path d="M0"/><foo></foo></svg>`, ""},
		{"is_html", "<my-card>x</my-card>", ""},
		{"is_html", "1 < 2 & 3 > 2", `not HTML: it has no element: "1 < 2 & 3 > 2"`},
		{"is_html", "<div>open", "not HTML: <div> is not closed"},
		{"is_html", "<div/>", "not HTML: <div> is not closed"},
		{"is_html", "</b>", "not HTML: </b> closes nothing"},
		{"is_html", "<b><i>x</b></i>", "not HTML: </b> where <i> is open"},
		{"is_html", "<answer>x</answer>", "not HTML: HTML has no element <answer>"},
		{"is_html", "<p>x <a href='y", `not HTML: the text ends in a tag: "<a href='y"`},
		{"is_html", "<p>x</p><!-- y", "not HTML: a comment is not closed"},
		{"is_html", strings.Repeat("<div>", 600), "not HTML: more than 512 elements are open at once"},
	} {
		got := scored(t, test.check, says(test.answer))
		if got.Pass != (test.reason == "") || !strings.HasPrefix(got.Reason, test.reason) {
			t.Errorf("%s of %q: %v %q, want %q", test.check, cut(test.answer), got.Pass, got.Reason, test.reason)
		}
	}
}

// Whatever a model writes, a form is told without a panic and always alike.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{"", "<a>", "<p><b></p>", "<!", "<![CDATA[x]]>", "a: &a [*a]", "{\"a\":", "<svg><x/></svg>", "\xff<a>", "<a b=\"\x00\"/>"} {
		f.Add(seed)
	}
	checks := []func(string) string{notJSONText, notYAML, notXML, notHTML}
	f.Fuzz(func(t *testing.T, text string) {
		for _, wrong := range checks {
			if first, again := wrong(text), wrong(text); first != again {
				t.Errorf("%q: %q, then %q", text, first, again)
			}
		}
	})
}

func TestDate(t *testing.T) {
	for _, test := range []struct{ check, answer, reason string }{
		{"date: 2026-11-22", "2026-11-22", ""},
		{"date: 2026-11-22", " November  22, 2026\n", ""},
		{"date: 2026-11-22", "22 Nov 2026", ""},
		{"date: 2026-11-22", "Sunday, 22 November 2026", ""},
		{"date: 2026-11-22", "2026-11-22T23:30:00-05:00", ""}, // the day as it is written
		{"date: 22 November 2026", "2026/11/22", ""},
		{"date: 2026-11-22", "2026-11-23", `want 2026-11-22, got "2026-11-23", another day`},
		{"date: 2026-11-22", "11/12/2026", `want 2026-11-22, got no date in a known format: "11/12/2026"`},
		{"date: 2026-11-22", "2026-02-30", `want 2026-11-22, got no date in a known format: "2026-02-30"`},
		{"date: 2026-11-22", "on 2026-11-22", `want 2026-11-22, got no date in a known format: "on 2026-11-22"`},
		{"date: {value: 2026-11-22, formats: [D.M.YYYY, MM/DD/YYYY]}", "22.11.2026", ""},
		{"date: {value: 2026-11-02, formats: [D.M.YYYY, MM/DD/YYYY]}", "11/02/2026", ""},
		{"date: {value: 2026-11-22, formats: [D.M.YYYY]}", "2026-11-22", `want 2026-11-22, got no date in a known format: "2026-11-22"`},
		{"date: {value: '2026-11-22T09:00:00Z'}", "2026-11-22T10:00:00+01:00", ""},
		{"date: {value: '2026-11-22T09:00:00Z'}", "2026-11-22T09:00:00+01:00", `want 2026-11-22T09:00:00Z, got "2026-11-22T09:00:00+01:00", another time`},
		{"date: {value: '2026-11-22T09:00:00Z'}", "2026-11-22 09:00", `want 2026-11-22T09:00:00Z, got "2026-11-22 09:00", and only one of them names a zone`},
		{"date: {value: '2026-11-22T09:00:00Z'}", "2026-11-22", `want 2026-11-22T09:00:00Z, got "2026-11-22", which has no time`},
		{"date: {value: '2026-11-22T09:00:00Z', same: day}", "2026-11-22", ""},
		{"date: 2026-11-22 09:00", "2026-11-22T09:00:00", ""},
		{"date: {value: 2026-11-22, extract: {path: due}}", `{"due": "2026-11-22"}`, ""},
	} {
		got := scored(t, test.check, says(test.answer))
		if got.Pass != (test.reason == "") || got.Reason != test.reason {
			t.Errorf("%s of %q: %v %q, want %q", test.check, test.answer, got.Pass, got.Reason, test.reason)
		}
	}
	text := eval.Subject{Answer: `"2026-11-22"`, Value: "2026-11-22"}
	if got := scored(t, "date: 2026-11-22", text); !got.Pass {
		t.Errorf("a JSON string: %+v", got)
	}
}

// No text may be one date in one known format and another in the next.
func TestKnownFormatsAgree(t *testing.T) {
	for _, sample := range []string{"2026-02-03", "2026/02/03", "20260203", "2026-02-03T04:05:06Z", "2026-02-03 04:05", "3 February 2026", "3 Feb 2026", "February 3, 2026", "Feb 3 2026", "May 3, 2026", "Tuesday, 3 February 2026", "Tue, 3 Feb 2026 04:05:06 +0000"} {
		first, read := readDate(sample, dateFormats)
		if !read {
			t.Errorf("%s is in no format", sample)
		}
		for _, format := range dateFormats {
			if other, ok := readDate(sample, []dateFormat{format}); ok && !other.Equal(first.Time) {
				t.Errorf("%s is %s, and as %s %s", sample, first.Time, format.text, other.Time)
			}
		}
	}
}

func TestTexts(t *testing.T) {
	for _, test := range []struct{ check, answer, reason string }{
		{"contains: {ordered: [a, b, a]}", "xaxbxa", ""},
		{"contains: {ordered: [a, b, a]}", "xaxb", `"a" does not follow in "xaxb"`},
		{"contains: {ordered: [aa, aa]}", "aaa", `"aa" does not follow in "aaa"`},
		{"contains: {ordered: [A, B], ignore_case: true}", "ab", ""},
		{"contains: {all: [b], ordered: [a, b], any: [z, y]}", "ab", `none of "z", "y" in "ab"`},
		{"starts_with: Dear", " \nDear Ann", ""},
		{"starts_with: [Dear, Hi]", "Hello", `want an answer that starts with one of "Dear", "Hi", got "Hello"`},
		{"starts_with: \"\\u00e9t\\u00e9\"", "e\u0301te\u0301!", ""},
		{"starts_with: {value: dear, ignore_case: true}", "DEAR", ""},
		{"ends_with: '.'", "Done. \n", ""},
		{"ends_with: '.'", "Done", `want an answer that ends with ".", got "Done"`},
		{"ends_with: {value: b2, extract: {path: 'items[-1].sku'}}", ticket, ""},
		{"length: {max: 1, unit: sentences}", "It costs 3.50 USD, e.g. today.", ""},
		{"length: {max: 1, unit: sentences}", "One. Two!", "want at most 1 sentences, got 2"},
		{"length: {min: 2, max: 2, unit: sentences}", "Ja?! … Nein.", ""},
		{"length: {max: 0, unit: sentences}", " … ", ""},
		{"length: {min: 2, max: 2, unit: sentences}", "你好。再见。", ""},
		{"length: {max: 2, unit: tokens}", "12345678", ""},
		{"length: {max: 2, unit: tokens}", "123456789", "want at most 2 tokens, got 3"},
		{"equals: {value: b2, extract: {path: 'items[1].sku'}}", ticket, ""},
		{"numeric: {equals: 4, extract: {path: urgency}}", ticket, ""},
		{"contains: {value: a1, extract: {path: items}}", ticket, ""},
		{"equals: {value: 1800, extract: {path: n, drop: ','}}", `{"n": "1,800"}`, ""},
		{"equals: {value: x, extract: {path: n}}", "no", `the answer is not JSON: "no"`},
	} {
		got := scored(t, test.check, says(test.answer))
		if got.Pass != (test.reason == "") || got.Reason != test.reason {
			t.Errorf("%s of %q: %v %q, want %q", test.check, test.answer, got.Pass, got.Reason, test.reason)
		}
	}
}
