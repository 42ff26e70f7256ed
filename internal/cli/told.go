package cli

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/engine/structured"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
)

// tellingVersion changes whenever a model is told the form of its answer in another
// way under the same name: with other instructions, or by another schema.
const tellingVersion = "1"

// teller tells an alias the form of its answers.
func (p *project) teller(alias string) *structured.Teller {
	return structured.New(structured.Options{
		Alias: alias, Way: p.tellingOf(alias),
		Native: func(schema json.RawMessage) (json.RawMessage, bool) {
			format, ok := openai.ResponseFormat(schema)
			return format.JSON, ok
		},
	})
}

// tellingOf is how an alias is told, "" for not at all: as llmx.yaml says, else as
// the server is known to take it. A simulated model knows the contract.
func (p *project) tellingOf(alias string) string {
	settings := p.config.Models[alias]
	provider := p.config.Providers[settings.Provider]
	switch said := settings.Caps.StructuredOutput; {
	case said == "off":
		return ""
	case said != "":
		return said
	case settings.Sim != nil:
		return ""
	case provider.AtOpenAI() && openai.TakesSchemas(wireOf(alias, settings)):
		return llm.StructuredSchema
	}
	return llm.StructuredInstructions
}

// standing is what an alias stands for where it is asked for an answer under a contract:
// how it is told of that decides the answer, too.
func (p *project) standing(alias string, output llm.Output, options llm.Options) string {
	name := p.resolved(alias)
	if way := p.teller(alias).How(output, options).Way; way != "" {
		name += " told by " + way + " " + tellingVersion
	}
	return name
}
