package prompt

import (
	"errors"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Whatever stands in a draft: loading does not panic, an error is a fault of the
// file, and what loads is the same once it is released.
func FuzzDraft(f *testing.F) {
	f.Add(triage)
	f.Add(everyKind)
	for _, bad := range append(badFrontMatters, badDrafts...) {
		if len(bad.draft) < 1000 {
			f.Add(bad.file())
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		fsys := triageProject()
		fsys["prompts/t/draft.prompty"] = draft(text)["prompts/t/draft.prompty"]
		p, err := load(fsys, "t", draftName)
		if err != nil {
			if class := fault.ClassOf(err); class != fault.Invalid {
				t.Fatalf("class %s: %v", class, err)
			}
			return
		}
		fsys["prompts/t/1.0.0.prompty"] = draft(string(p.Flat()))["prompts/t/draft.prompty"]
		released, err := load(fsys, "t", "1.0.0")
		if err != nil {
			t.Fatalf("the release does not load: %v\n%s", err, p.Flat())
		}
		if released.Hash != p.Hash || len(released.Sections()) != len(p.Sections()) {
			t.Fatalf("the release is another prompt:\n%s", released.Flat())
		}
		for i, s := range released.Sections() {
			if d := p.Sections()[i]; s.Role != d.Role || s.Thread != d.Thread || s.Source != d.Source {
				t.Fatalf("section %d of the release is another one: %q, %q", i, s.Source, d.Source)
			}
		}
	})
}

// The scanner sees what the template library sees: where the library parses, the
// scanner finds tokens that cover the text; and where nothing but text is found,
// rendering changes nothing.
func FuzzScan(f *testing.F) {
	for _, text := range append(hostile, "{{ a }}{# b #}{% raw %}{{{% endraw %}", "{{ {'a': {}} }}", "{%- if x -%}y{% endif %}", "{{ '}}' }}", "{{{{", "{%raw%}{%-endraw+%}") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, bad := scan(text)
		compiled, err := compileTemplate(newSource(text, fault.Place{File: "x", Line: 1, Col: 1}))
		if bad != nil {
			if err == nil && !compiled.literal {
				t.Fatalf("the library parses %q, the scanner says %s", text, bad.message)
			}
			return
		}
		end := 0
		for _, token := range tokens {
			if token.start != end || token.end <= token.start {
				t.Fatalf("%q: a gap at %d", text, end)
			}
			end = token.end
		}
		if end != len(text) {
			t.Fatalf("%q: the tokens end at %d", text, end)
		}
		if err != nil || len(tokens) != 1 || tokens[0].kind != tokenRaw {
			return
		}
		out := newSink()
		if err := compiled.render(newValues(nil), out); err != nil && !errors.Is(err, errTooLarge) {
			t.Fatal(err)
		}
		if !strings.Contains(text, string(out.text)) {
			t.Fatalf("%q renders %q", text, out.text)
		}
	})
}
