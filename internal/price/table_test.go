package price

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

const (
	openAI    = "https://api.openai.com/v1"
	anthropic = "https://api.anthropic.com/v1/"
	gemini    = "https://generativelanguage.googleapis.com/v1beta/openai"
)

func TestLookup(t *testing.T) {
	for _, test := range []struct{ server, model, input, output, cached string }{
		{openAI, "gpt-4o-mini", "0.15", "0.60", "0.075"},
		{openAI, "gpt-4o-2024-08-06", "2.50", "10", "1.25"},
		{openAI, "gpt-4o-2024-05-13", "5", "15", "5"}, // an older snapshot with its own price, and no cached one
		{openAI, "text-embedding-3-small", "0.02", "0", "0.02"},
		{anthropic, "claude-opus-4-6", "5", "25", "0.50"},
		{gemini, "gemini-2.5-flash", "0.30", "2.50", "0.03"},
		{"https://api.mistral.ai/v1", "mistral-large-2512", "0.50", "1.50", "0.05"},
		{"https://api.cohere.ai/compatibility/v1", "command-a-03-2025", "2.50", "10", "2.50"},
		{"https://API.OpenAI.com:443/v1/", "gpt-4o-mini", "0.15", "0.60", "0.075"}, // the same server, written otherwise
	} {
		want, err := Of(test.input, test.output, test.cached)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := Lookup(test.server, test.model); !ok || got != want {
			t.Errorf("%s at %s: got %+v, %t; want %+v", test.model, test.server, got, ok, want)
		}
	}
}

func TestLookupOfWhatIsNotListed(t *testing.T) {
	for _, test := range []struct{ why, server, model string }{
		{"no name", openAI, ""},
		{"a snapshot that is not listed", openAI, "gpt-4o-2031-01-01"},
		{"a gateway's name", openAI, "openai/gpt-4o"},
		{"another name", openAI, "GPT-4o"},
		{"another vendor's model", openAI, "claude-opus-4-6"},
		{"another vendor's server", anthropic, "gpt-4o"},
		{"a server for a region", "https://eu.api.openai.com/v1", "gpt-4o"},
		{"a gateway", "https://openrouter.ai/api/v1", "gpt-4o"},
		{"a gateway with the vendor's name in its path", "https://gateway.test/api.openai.com/v1", "gpt-4o"},
		{"a gateway that ends like the vendor", "https://notapi.openai.com/v1", "gpt-4o"},
		{"another port", "https://api.openai.com:8443/v1", "gpt-4o"},
		{"a server here", "http://127.0.0.1:11434/v1", "gpt-4o"},
		{"a reference that is not followed", "${env:BASE_URL}", "gpt-4o"},
		{"no address", "://", "gpt-4o"},
		{"nothing", "", ""},
	} {
		got, ok := Lookup(test.server, test.model)
		batch, okBatch := LookupBatch(test.server, test.model)
		if ok || okBatch || got.Known || batch.Known {
			t.Errorf("%s: got %+v and %+v, want unknown", test.why, got, batch)
		}
	}
}

// TestLongContext stands at the edges as the vendors draw them: Google and OpenAI
// charge more from the first token beyond, xAI from the edge itself.
func TestLongContext(t *testing.T) {
	for _, test := range []struct {
		server, model string
		input         int64
		want          string // dollars for that much input and a million tokens of output
	}{
		{gemini, "gemini-2.5-pro", 200_000, "10.25"},
		{gemini, "gemini-2.5-pro", 200_001, "15.5000025"},
		{openAI, "gpt-5.4", 272_000, "15.68"},
		{openAI, "gpt-5.4", 272_001, "23.860005"},
		{anthropic, "claude-haiku-5-5", 100_000, "0.51"},
		{anthropic, "claude-haiku-5-5", 100_001, "2.5500005"},
		{"https://api.x.ai/v1", "grok-4.5", 199_999, "6.399998"},
		{"https://api.x.ai/v1", "grok-4.5", 200_000, "12.8"},
	} {
		price, ok := Lookup(test.server, test.model)
		want, err := ParseUSD(test.want)
		if err != nil {
			t.Fatal(err)
		}
		if got := price.Cost(llm.Usage{Input: test.input, Output: 1_000_000}); !ok || got != llm.KnownCost(want) {
			t.Errorf("%s with %d tokens: got %d, %t; want %d", test.model, test.input, got.Amount, ok, want)
		}
	}
}

func TestLookupBatch(t *testing.T) {
	got, ok := LookupBatch(openAI, "gpt-4o-mini")
	if want := (Rates{Input: 75_000_000, CachedInput: 75_000_000, Output: 300_000_000}); !ok || got.Rates != want {
		t.Errorf("gpt-4o-mini: got %+v, %t; want %+v", got, ok, want)
	}
	if long, _ := LookupBatch(openAI, "gpt-5.4"); long.Long.Above != 272_000 || long.Long.Input != 2_500_000_000 {
		t.Errorf("gpt-5.4 has a long context in a batch too: got %+v", long)
	}
	if got, ok := LookupBatch("https://api.mistral.ai/v1", "mistral-large-2512"); ok || got.Known {
		t.Errorf("no figure could be confirmed for this one: got %+v", got)
	}
}

// TestTableIsPlausible finds slips of the pen: a price that is the wrong way round, ten times
// too much, or in the wrong column.
func TestTableIsPlausible(t *testing.T) {
	list := builtIn()
	if len(list.standard) < 80 {
		t.Errorf("only %d models", len(list.standard))
	}
	for key, standard := range list.standard {
		for kind, p := range map[string]Price{"standard": standard, "batch": list.batch[key]} {
			if !p.Known {
				continue
			}
			if err := plausible(p, strings.Contains(key.model, "embedding")); err != nil {
				t.Errorf("%v, %s: %v: %+v", key, kind, err, p)
			}
		}
		if strings.Contains(key.model, "latest") {
			t.Errorf("%v moves from model to model and has no price", key)
		}
	}
	for key, batch := range list.batch {
		standard, ok := list.standard[key]
		if !ok || batch.Input > standard.Input || batch.Output > standard.Output || batch.Long.Input > standard.Long.Input || batch.Long.Output > standard.Long.Output ||
			batch.Long.Above != standard.Long.Above {
			t.Errorf("%v: a batch costs more than it does without: %+v, %+v", key, batch, standard)
		}
		// Some discounts are not given together, so a cached token may cost more in a batch.
		if batch.CachedInput > max(standard.CachedInput, batch.Input) {
			t.Errorf("%v: cached tokens of a batch cost more than any other: %+v, %+v", key, batch, standard)
		}
	}
}

func plausible(p Price, embedding bool) error {
	for _, r := range []Rates{p.Rates, p.Long.Rates} {
		switch {
		case r == Rates{} && p.Long.Above == 0:
		case r.Input <= 0 || r.Input > 100*llm.USD:
			return fmt.Errorf("the input")
		case r.CachedInput <= 0 || r.CachedInput > r.Input || r.CachedInput*50 < r.Input:
			return fmt.Errorf("the cached input")
		case embedding && r.Output != 0:
			return fmt.Errorf("an embedding with an output")
		case !embedding && (r.Output < r.Input || r.Output > 10*r.Input):
			return fmt.Errorf("the output")
		}
	}
	if long := p.Long; long.Above != 0 && (long.Above < 10_000 || long.Input < p.Input || long.CachedInput < p.CachedInput || long.Output < p.Output) {
		return fmt.Errorf("the long context")
	}
	return nil
}

func TestTableNamesItsSources(t *testing.T) {
	var file table
	if err := json.Unmarshal(tableJSON, &file); err != nil {
		t.Fatal(err)
	}
	day(t, Checked())
	used := map[string]bool{}
	for _, v := range file.Vendors {
		for _, name := range v.Sources {
			used[name] = true
		}
		for _, host := range v.Hosts {
			if host != hostOf("https://"+host+"/v1") {
				t.Errorf("%s: the host %q is never looked up", v.Name, host)
			}
		}
		if len(v.Hosts) == 0 || len(v.Models) == 0 {
			t.Errorf("%s has no host or no model", v.Name)
		}
	}
	for name, s := range file.Sources {
		day(t, s.Compared)
		if s.What == "" || !strings.HasPrefix(s.URL, "https://") || !used[name] || s.Compared > Checked() {
			t.Errorf("the source %s is not told, not used, or younger than the table: %+v", name, s)
		}
	}
}

func day(t *testing.T, text string) {
	t.Helper()
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		t.Error(err)
	}
}

func TestReadTableRefuses(t *testing.T) {
	const (
		fine  = `"names": ["a"], "input": "1", "output": "1"`
		start = `{"sources": {"x": {"what": "w"}}, "vendors": [{"name": "v", "hosts": ["h"], "sources": ["x"], "models": [`
		end   = `]}]}`
	)
	if list, err := readTable([]byte(start + `{` + fine + `}` + end)); err != nil || !list.standard[product{"h", "a"}].Known {
		t.Fatalf("the form that the others are bent from: %v", err)
	}
	tests := map[string]struct{ file, want string }{
		"an unknown key":              {`{"sourcse": {}}`, "unknown field"},
		"an unknown key of a model":   {start + `{` + fine + `, "cached": "1"}` + end, "unknown field"},
		"an unknown key of a tier":    {start + `{` + fine + `, "long_context": {"over": 1}}` + end, "unknown field"},
		"no source":                   {`{"vendors": [{"name": "v", "hosts": ["h"], "models": [{` + fine + `}]}]}`, "v: no source"},
		"an unknown source":           {`{"vendors": [{"name": "v", "sources": ["y"]}]}`, `v: the source "y" is not listed`},
		"a price that is none":        {start + `{"names": ["a"], "input": "1", "output": "1.x"}` + end, `[a]: "1.x"`},
		"no output":                   {start + `{"names": ["a"], "input": "1"}` + end, `[a]: ""`},
		"a tier without an edge":      {start + `{` + fine + `, "long_context": {"input": "1", "output": "1"}}` + end, "long context above 0"},
		"a tier's price that is none": {start + `{` + fine + `, "long_context": {"above": 1, "input": "z", "output": "1"}}` + end, `"z"`},
		"a batch price that is none":  {start + `{` + fine + `, "batch": {"input": "1"}}` + end, `[a]: batch: ""`},
		"a name twice in one entry":   {start + `{"names": ["a", "a"], "input": "1", "output": "1"}` + end, "a is listed twice at h"},
		"a name twice at one vendor":  {start + `{` + fine + `}, {` + fine + `}` + end, "a is listed twice at h"},
		"a name at a shared host":     {start + `{` + fine + `}]}, {"name": "w", "hosts": ["h"], "sources": ["x"], "models": [{` + fine + `}` + end, "w: a is listed twice at h"},
	}
	for name, test := range tests {
		if _, err := readTable([]byte(test.file)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}
