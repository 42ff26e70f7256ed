package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

func loaded(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Load(fstest.MapFS{"llmx.yaml": {Data: []byte("version: 1\n" + text)}}, "llmx.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Models and routes are those of before; keys, addresses and all else are of now.
func TestModelsOfBeforeOverProvidersOfNow(t *testing.T) {
	now := loaded(t, "providers: {up: {kind: openai, base_url: 'http://now'}, sim: {kind: sim}, was: {kind: sim}}\nmodels: {small: {provider: up, model: new}}\ntest: {jobs: 3}\n")
	then := loaded(t, "providers: {up: {kind: openai, base_url: 'http://then'}, was: {kind: openai, base_url: 'http://was'}}\n"+
		"models: {small: {provider: up, model: old}, made: {provider: was}}\nroutes: {r: {use: [small]}}\ntest: {jobs: 4}\n")
	got, err := then.With(now)
	if err != nil {
		t.Fatal(err)
	}
	if got.Providers["up"].BaseURL.String() != "http://now" || got.Models["small"].Model != "old" || len(got.Routes) != 1 || got.Test.Jobs != 3 {
		t.Errorf("%+v", got)
	}
	if got.Models["made"].Sim == nil || got.Models["small"].Sim != nil {
		t.Error("who is simulated is said by the provider of now")
	}
	if now.Models["small"].Model != "new" || len(now.Routes) > 0 {
		t.Error("the file of now was changed")
	}
	gone := loaded(t, "providers: {upp: {kind: sim}}\nmodels: {small: {provider: upp}}\n")
	if _, err := gone.With(now); err == nil || !strings.Contains(err.Error(), `the provider "upp", which is no more`) || !strings.Contains(err.Error(), `did you mean "up"`) {
		t.Errorf("%v", err)
	}
}
