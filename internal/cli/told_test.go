package cli

import (
	"encoding/json"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

// How a model is told goes by its server where llmx.yaml says nothing, and decides what
// its answers are kept as and compared under.
func TestHowAModelIsTold(t *testing.T) {
	p := openWith(t, `
version: 1
providers:
  openai: {kind: openai, api_key: "${env:KEY}"}
  same:   {kind: openai, base_url: "https://api.openai.com/v1/", api_key: "${env:KEY}"}
  eu:     {kind: openai, base_url: "https://eu.api.openai.com/v1", api_key: "${env:KEY}"}
  like:   {kind: openai, base_url: "https://api.openai.com.example.com/v1"}
  port:   {kind: openai, base_url: "https://api.openai.com:8443/v1"}
  any:    {kind: openai, base_url: "${env:SERVER}"}
  sim:    {kind: sim}
models:
  new:    {provider: openai, model: gpt-4o-mini}
  old:    {provider: openai, model: gpt-3.5-turbo}
  forced: {provider: openai, model: gpt-3.5-turbo, caps: {structured_output: json_object}}
  off:    {provider: openai, model: gpt-4o-mini, caps: {structured_output: off}}
  same:   {provider: same, model: gpt-4o}
  eu:     {provider: eu, model: gpt-4o}
  like:   {provider: like, model: gpt-4o}
  port:   {provider: port, model: gpt-4o}
  any:    {provider: any, model: gpt-4o}
  sim:    {provider: sim}
  talks:  {provider: sim, caps: {structured_output: instructions}}
`)
	object := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"object","additionalProperties":false}`)}
	number := llm.Output{Kind: llm.OutputNumber}
	for alias, want := range map[string]struct{ way, object, number string }{
		"new":    {"json_schema", "openai/gpt-4o-mini told by json_schema 1", "openai/gpt-4o-mini told by instructions 1"},
		"old":    {"instructions", "openai/gpt-3.5-turbo told by instructions 1", "openai/gpt-3.5-turbo told by instructions 1"},
		"forced": {"json_object", "openai/gpt-3.5-turbo told by json_object 1", "openai/gpt-3.5-turbo told by instructions 1"},
		"off":    {"", "openai/gpt-4o-mini", "openai/gpt-4o-mini"},
		"same":   {"json_schema", "same/gpt-4o told by json_schema 1", "same/gpt-4o told by instructions 1"},
		"eu":     {"json_schema", "eu/gpt-4o told by json_schema 1", "eu/gpt-4o told by instructions 1"},
		"like":   {"instructions", "like/gpt-4o told by instructions 1", "like/gpt-4o told by instructions 1"},
		"port":   {"instructions", "port/gpt-4o told by instructions 1", "port/gpt-4o told by instructions 1"},
		"any":    {"instructions", "any/gpt-4o told by instructions 1", "any/gpt-4o told by instructions 1"},
		"sim":    {"", "sim/sim", "sim/sim"},
		"talks":  {"instructions", "sim/talks told by instructions 1", "sim/talks told by instructions 1"},
	} {
		if got := p.tellingOf(alias); got != want.way {
			t.Errorf("%s is told by %q, want %q", alias, got, want.way)
		}
		if got := p.standing(alias, object, nil); got != want.object {
			t.Errorf("%s under a schema: %q", alias, got)
		}
		if got := p.standing(alias, number, nil); got != want.number {
			t.Errorf("%s for a number: %q", alias, got)
		}
		if got := p.standing(alias, llm.Output{Kind: llm.OutputText}, nil); got != p.resolved(alias) { // as ever
			t.Errorf("%s for a text: %q", alias, got)
		}
	}
	if p.cacheName("new", false) != p.cacheName("off", false) || p.cacheName("new", true) == p.cacheName("off", true) {
		t.Error("answers under a contract are kept apart by how it is told, and no others")
	}
}
