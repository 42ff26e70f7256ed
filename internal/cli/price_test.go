package cli

import (
	"testing"
	"testing/fstest"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestPriceOf: llmx.yaml's word comes first, and the built-in table speaks only for the
// vendor whose own server is asked.
func TestPriceOf(t *testing.T) {
	cfg, err := config.Load(fstest.MapFS{"llmx.yaml": {Data: []byte(`version: 1
providers:
  openai:  {kind: openai, api_key: "${env:KEY}"}
  claude:  {kind: openai, base_url: https://api.anthropic.com/v1/, api_key: "${env:KEY}"}
  gateway: {kind: openai, base_url: http://127.0.0.1:1/v1}
  env:     {kind: openai, base_url: "${env:BASE_URL}"}
  sim:     {kind: sim}
models:
  gpt-4o-mini: {provider: openai}
  alias:       {provider: openai, model: gpt-4o-mini}
  own:         {provider: openai, model: gpt-4o-mini, price: {input: 1, output: 2}}
  tiered:      {provider: gateway, price: {input: 1, output: 2, long_context: {above: 999, input: 3, output: 4, cached_input: 0.5}}}
  opus:        {provider: claude, model: claude-opus-4-6}
  astray:      {provider: claude, model: gpt-4o-mini}
  proxied:     {provider: gateway, model: gpt-4o-mini}
  somewhere:   {provider: env, model: gpt-4o-mini}
  dice:        {provider: sim}
  dear-dice:   {provider: sim, price: {input: 1, output: 2}}
`)}}, "llmx.yaml")
	if err != nil {
		t.Fatal(err)
	}
	usage := llm.Usage{Input: 1000, CachedInput: 400, Output: 100}
	unknown := llm.Cost{}
	want := map[string]llm.Cost{
		"gpt-4o-mini": llm.KnownCost(90_000 + 30_000 + 60_000), "alias": llm.KnownCost(180_000),
		"own": llm.KnownCost(1_200_000), "tiered": llm.KnownCost(1_800_000 + 200_000 + 400_000),
		"opus":   llm.KnownCost(3_000_000 + 200_000 + 2_500_000),
		"astray": unknown, "proxied": unknown, "somewhere": unknown,
		"dice": llm.KnownCost(0), "dear-dice": llm.KnownCost(1_200_000),
	}
	for _, alias := range cfg.ModelNames() {
		price, err := (&project{config: cfg}).priceOf(alias)
		if got := price.Cost(usage); err != nil || got != want[alias] {
			t.Errorf("%s: got %+v, %v; want %+v", alias, got, err, want[alias])
		}
	}
}
