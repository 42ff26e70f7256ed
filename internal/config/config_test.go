package config

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llmx-dev/llmx/internal/fault"
)

var ignorePlaces = cmpopts.IgnoreTypes(fault.Place{}, Secret{}, Text{})

func TestLoadTheExampleOfTheDesign(t *testing.T) {
	got := load(t, "design.yaml")
	no := false
	want := &Config{
		Version: 1, Project: "support-desk",
		Providers: map[string]Provider{"openai": {Kind: "openai"}, "local": {Kind: "openai"}, "sim": {Kind: "sim"}},
		Models: map[string]Model{
			"small": {
				Provider: "openai", Model: "gpt-4o-mini", Price: &PriceSpec{Input: "0.15", Output: "0.60", CachedInput: "0.075"},
				Context: 128000, Limits: Limits{RPM: 500, TPM: 200000, Concurrency: 50},
			},
			"large": {Provider: "openai", Model: "gpt-4o"},
			"think": {Provider: "openai", Model: "o4-mini", Caps: Caps{Temperature: &no, MaxTokensAs: "max_completion_tokens", Reasoning: true}},
		},
		Routes: map[string]Route{"default": {
			Use:     []string{"small", "large"},
			Retry:   Retry{MaxAttempts: 3, Base: 500 * time.Millisecond, Max: 8 * time.Second, Budget: 0.2},
			Timeout: Timeout{Connect: 5 * time.Second, FirstToken: 15 * time.Second, Idle: 20 * time.Second, Total: time.Minute},
			Breaker: Breaker{Window: 10 * time.Second, MinCalls: 20, FailureRatio: 0.5, OpenFor: 5 * time.Second},
		}},
		Cache:   Cache{Exact: ExactCache{TTL: 24 * time.Hour}},
		Budgets: []Budget{{Scope: "project", USD: "20", Per: "day", Alert: 0.8}},
		Test:    Test{Jobs: 16, Replies: "auto"},
		Serve:   newServe(),
		Store:   Store{Path: ".llmx/llmx.db", Content: "full", Keep: 90 * 24 * time.Hour},
	}
	if diff := cmp.Diff(want, got, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	if place := got.Models["large"].Place; place != (fault.Place{File: "llmx.yaml", Line: 14, Col: 10}) {
		t.Errorf("the place of large: %v", place)
	}
}

func TestDefaults(t *testing.T) {
	got := load(t, "other.yaml")
	design := load(t, "design.yaml").Routes["default"]
	one := got.Routes["one"]
	if diff := cmp.Diff(design.Retry, one.Retry, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(design.Breaker, one.Breaker, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(design.Timeout, one.Timeout.For(got.Models["dice"]), ignorePlaces); diff != "" {
		t.Error(diff)
	}
	reasoning := one.Timeout.For(got.Models["slow"])
	if reasoning.FirstToken != 120*time.Second || reasoning.Total != 180*time.Second || reasoning.Connect != 5*time.Second {
		t.Errorf("of a reasoning model: %+v", reasoning)
	}
	if patient := got.Routes["patient"].Timeout.For(got.Models["dice"]); patient.FirstToken != 2*time.Minute || patient.Total != 3*time.Minute {
		t.Errorf("first_token beyond the default total: %+v", patient)
	}
	explicit := Timeout{FirstToken: 30 * time.Second, Total: 40 * time.Second}.For(got.Models["slow"])
	if explicit.FirstToken != 30*time.Second || explicit.Total != 40*time.Second {
		t.Errorf("what the file says holds: %+v", explicit)
	}

	empty := loadText(t, "version: 1\n")
	if empty.Test != (Test{Jobs: 16, Replies: "auto"}) || empty.Store != (Store{Path: ".llmx/llmx.db", Content: "full"}) || empty.Cache.Exact.TTL != 24*time.Hour {
		t.Errorf("of a file that says nothing: %+v %+v %+v", empty.Test, empty.Store, empty.Cache)
	}
	if got.Cache.Exact.TTL != 0 || got.Test.Jobs != 16 || got.Test.Replies != "replay" || got.Store.Content != "none" {
		t.Errorf("given beside defaults: %+v %+v %+v", got.Cache, got.Test, got.Store)
	}
	if wire := got.Models["llama3:8b"].Model; wire != "llama3:8b" {
		t.Errorf("the name on the wire is the alias by default: %q", wire)
	}
	sure, dice := got.Models["sure"].Sim, got.Models["dice"].Sim
	if diff := cmp.Diff(&Sim{Seed: 1, Accuracy: 1}, sure, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	want := &Sim{Seed: 7, Accuracy: 0.9, Latency: Latency{P50: 300 * time.Millisecond, P95: 900 * time.Millisecond}, Malformed: 0.01, Errors: 0.02, Confidence: "sure"}
	if diff := cmp.Diff(want, dice, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	tiered := &PriceSpec{Input: "1.25", Output: "10", LongContext: &LongContextSpec{Above: 200_000, Input: "2.50", Output: "15", CachedInput: "0.25"}}
	if diff := cmp.Diff(tiered, got.Models["slow"].Price, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	if place := got.Models["slow"].Price.LongContext.Place; place.Line != 19 || place.Col != 52 {
		t.Errorf("the place of the long context: %v", place)
	}
	if got.Models["slow"].Sim != nil {
		t.Error("a model of a real provider is not simulated")
	}
}

func TestRoutesOverSeveralModels(t *testing.T) {
	got := load(t, "other.yaml")
	split := got.Routes["split"]
	if !cmp.Equal(split.Weights, map[string]float64{"dice": 9, "sure": 0.5}) || split.Sticky != "customer" || split.Retry.Budget != 0.5 || !split.Restart {
		t.Errorf("split: %+v", split)
	}
	rules := []Rule{{
		When: When{Prompts: []string{"triage"}, Tags: []string{"simple"}, Tokens: Range{Max: 400}, Characters: Range{Min: 1, Max: 2000}},
		Use:  []string{"dice", "sure"},
	}}
	if diff := cmp.Diff(rules, got.Routes["by-size"].Rules, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	if route, _ := got.Lookup("by-size"); !cmp.Equal(route.Models(), []string{"sure", "dice"}) {
		t.Errorf("its models: %v", route.Models())
	}
	thrifty, strict := got.Routes["thrifty"].Cascade, got.Routes["strict"].Cascade
	if thrifty == nil || len(thrifty.Accept.Items()) != 1 || strict == nil || strict.Accept.Exists() {
		t.Errorf("cascades: %+v %+v", thrifty, strict)
	}
	if got.Routes["one"].Cascade != nil {
		t.Error("a route that says nothing of it is no cascade")
	}
}

func TestLookup(t *testing.T) {
	c := load(t, "design.yaml")
	if diff := cmp.Diff([]string{"default", "large", "small", "think"}, c.Names()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"local", "openai", "sim"}, c.ProviderNames()); diff != "" {
		t.Error(diff)
	}
	route, ok := c.Lookup("default")
	if !ok || !route.IsRoute || !cmp.Equal(route.Use, []string{"small", "large"}) || route.Place.Line == 0 {
		t.Errorf("the route: %+v, %t", route, ok)
	}
	model, ok := c.Lookup("large")
	if !ok || model.IsRoute || !cmp.Equal(model.Use, []string{"large"}) || model.Retry.MaxAttempts != 3 || model.Place.Line != 14 {
		t.Errorf("the model: %+v, %t", model, ok)
	}
	if _, ok := c.Lookup("gpt-4o"); ok {
		t.Error("a name on the wire is no alias")
	}
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	_, err := Load(fstest.MapFS{"llmx.yaml": {Data: []byte(`version: 2
providers:
  openai: {kind: opnai}
  ok: {kind: openai, base_url: http://x/v1}
models:
  small: {provider: okk, limits: {rpm: 0}}
  both: {provider: ok}
routes:
  both: {use: [smal], retry: {max_attempts: 0}}
test: {replies: allways}
`)}}, "llmx.yaml")
	want := `llmx.yaml:1:10: version 2 is not known
  this llmx reads version 1
llmx.yaml:3:18: "opnai" is not known here
  did you mean "openai"? allowed: openai, sim
llmx.yaml:6:21: the provider "okk" is not defined
  did you mean "ok"? allowed: ok, openai
llmx.yaml:6:40: rpm must lie between 1 and 1000000000, this is 0
llmx.yaml:9:3: "both" names a model and a route
  prompts and suites name both alike: rename one
llmx.yaml:9:16: the model "smal" is not defined
  did you mean "small"? allowed: both, small
llmx.yaml:9:45: max_attempts must lie between 1 and 100, this is 0
llmx.yaml:10:17: "allways" is not known here
  allowed: auto, replay, record, live`
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), `did you mean "auto"? `, "")); diff != "" {
		t.Error(diff)
	}
}

func TestLoadWithoutAFile(t *testing.T) {
	for name, test := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"missing":   {fstest.MapFS{}, "llmx.yaml: there is no llmx.yaml here\n  llmx init"},
		"empty":     {fstest.MapFS{"llmx.yaml": {}}, "llmx.yaml: the file is empty"},
		"comment":   {fstest.MapFS{"llmx.yaml": {Data: []byte("# nothing\n")}}, "llmx.yaml: the file is empty"},
		"directory": {fstest.MapFS{"llmx.yaml/a": {}}, "llmx.yaml: this is a directory"},
		"too large": {fstest.MapFS{"llmx.yaml": {Data: make([]byte, 9<<20)}}, "llmx.yaml: the file has 9 MB"},
		"not UTF-8": {fstest.MapFS{"llmx.yaml": {Data: []byte("version: 1\n\xff: 2\n")}}, "llmx.yaml:2:1: the file is not UTF-8"},
		"tab":       {fstest.MapFS{"llmx.yaml": {Data: []byte("test:\n\tjobs: 2\n")}}, "llmx.yaml:2:1: a tab"},
	} {
		_, err := Load(test.files, "llmx.yaml")
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || fault.ClassOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestCheckPrices(t *testing.T) {
	known := func(alias string) bool { return alias != "think" }
	c := load(t, "design.yaml")
	err := c.CheckPrices(known)
	if err == nil || !strings.HasPrefix(err.Error(), `llmx.yaml:15:10: the price of the model "think" is not known, and the file has a budget in dollars`) || strings.Count(err.Error(), "not known") != 1 {
		t.Errorf("got %v", err)
	}
	if err := c.CheckPrices(func(string) bool { return true }); err != nil {
		t.Error(err)
	}
	c.Budgets = nil
	if err := c.CheckPrices(func(string) bool { return false }); err != nil {
		t.Errorf("without a budget nothing needs a price: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"design.yaml", "other.yaml"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("version: 1\nmodels: {a: null, b: [], c: {provider: ~, sim: 3}}\nroutes: {a: {use: 3}}\nbudgets: [1, {}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Load(fstest.MapFS{"llmx.yaml": {Data: data}}, "llmx.yaml")
		if err != nil {
			if fault.ClassOf(err) != fault.Invalid {
				t.Fatalf("class %q: %v", fault.ClassOf(err), err)
			}
			return
		}
		for _, name := range c.Names() {
			if _, ok := c.Lookup(name); !ok {
				t.Fatalf("%q is listed and not found", name)
			}
		}
	})
}

func load(t *testing.T, name string) *Config {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return loadText(t, string(data))
}

func loadText(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Load(fstest.MapFS{"llmx.yaml": {Data: []byte(text)}}, "llmx.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
