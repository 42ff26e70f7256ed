package prompt

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mitsuhiko/minijinja/minijinja-go/v2"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestRenderFailuresHaveAPlace(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"macro without end", "user:\nx\n{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
			"prompts/t/draft.prompty:7:19: recursion limit exceeded"},
		{"endless loop", "user:\nx\n{% for i in range(100000) %}\n {% for j in range(100000) %}{% endfor %}{% endfor %}",
			"prompts/t/draft.prompty:8:14: the template does not end: stopped after 1000000 steps\n  does a loop or a macro repeat without end?"},
		{"endless range", "system:\na\nuser:\n{% for i in range(999999999999) %}{% endfor %}b",
			"prompts/t/draft.prompty:8:13: the template does not end: stopped after 1000000 steps\n  does a loop or a macro repeat without end?"},
		{"too much text", "user:\n{% for i in range(1000) %}{{ 'x' * 100000 }}{% endfor %}",
			"prompts/t/draft.prompty:6:1: the template gives more than 16 MB of text\n  does a loop repeat too often?"},
		{"undefined attribute", "user:\nx {{ o.name }}", "prompts/t/draft.prompty:6:3: o.name is undefined\n" +
			"  test it first: {% if o.name is defined %}, or give a default: {{ o.name | default(\"\") }}"},
		{"undefined attribute in an include", "user:\n{% include 'a.j2' %}", "prompts/a.j2:2:1: o.name is undefined\n" +
			"  test it first: {% if o.name is defined %}, or give a default: {{ o.name | default(\"\") }}"},
		{"wrong operation", "user:\n{{ o + 1 }}", "prompts/t/draft.prompty:6:4: cannot add map and number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := resolve(t, project(map[string]string{
				"prompts/t/draft.prompty": "---\nname: t\ninputs: {o: {kind: object}}\n---\n" + tt.body,
				"prompts/a.j2":            "a\n{{ o.name }}",
			}), "t")
			_, err := p.Render(map[string]any{"o": map[string]any{}})
			refuses(t, err, fault.Invalid, tt.want)
		})
	}
}

func TestCompileText(t *testing.T) {
	text, err := CompileText("suites/x.yaml", 7, "{{ row.name | upper }} {{ n }}\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := text.Render(map[string]any{"row": map[string]any{"name": "ada"}, "n": "{{ n }}\nuser:"})
	if err != nil || got != "ADA {{ n }}\nuser:" {
		t.Errorf("%q %v", got, err)
	}
	_, err = text.Render(map[string]any{"row": map[string]any{}})
	refuses(t, err, fault.Invalid, "suites/x.yaml:7:1: the value is undefined\n"+
		"  test it first: {% if … is defined %}, or give a default: {{ … | default(\"\") }}")
	for src, want := range map[string]string{
		"a\n{{ x":                            "suites/x.yaml:8:1: {{ is not closed",
		"{% include 'x' %}":                  "suites/x.yaml:7:1: an include can only stand in a prompt",
		"{{ x | uppr }}{% if x %}":           "suites/x.yaml:7:15: {% if %} is not closed\n  close it with {% endif %}",
		"{{ x is upperr }}":                  "",
		"\n\n{% if x %}{{ 1 + }}{% endif %}": "suites/x.yaml:9:1: the template does not parse: unexpected end of variable block",
	} {
		_, err := CompileText("suites/x.yaml", 7, src)
		if want == "" {
			if err == nil {
				t.Errorf("%q compiles", src)
			}
			continue
		}
		refuses(t, err, fault.Invalid, want)
	}
	plain, err := CompileText("suites/x.yaml", 7, "plain\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := plain.Render(nil); got != "plain\n" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// The names that loading knows are the names that rendering has.
func TestNamesOfTheLanguage(t *testing.T) {
	env := newEnvironment(false)
	tmpl, err := env.TemplateFromString("{{ 1 }}")
	if err != nil {
		t.Fatal(err)
	}
	state, err := tmpl.EvalToState(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range filterNames {
		if _, ok := state.GetFilter(name); !ok {
			t.Errorf("there is no filter %s", name)
		}
	}
	for _, name := range testNames {
		if _, ok := state.GetTest(name); !ok {
			t.Errorf("there is no test %s", name)
		}
	}
	for _, name := range functionNames {
		if v := state.Lookup(name); v.Kind() == minijinja.KindUndefined {
			t.Errorf("there is no function %s", name)
		}
	}
}

func TestPromptsRenderInParallel(t *testing.T) {
	p := resolve(t, triageProject(), "triage")
	want, err := p.Render(map[string]any{"ticket": "x"})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				got, err := p.Render(map[string]any{"ticket": "x"})
				if err != nil || !cmp.Equal(want, got) {
					t.Errorf("%v %v", got, err)
					return
				}
			}
		})
	}
	group.Wait()
}
