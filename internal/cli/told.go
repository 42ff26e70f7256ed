package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/engine/structured"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
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
	settings, known := p.config.Models[alias]
	provider := p.config.Providers[settings.Provider]
	switch said := settings.Caps.StructuredOutput; {
	case said == "off", !known:
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
// how it is told of that decides the answer, too, and of a simulated model how it draws.
func (p *project) standing(alias string, output llm.Output, options llm.Options) string {
	name := p.resolved(alias)
	if way := p.teller(alias).How(output, options).Way; way != "" {
		name += " told by " + way + " " + tellingVersion
	}
	if sim := p.config.Models[alias].Sim; sim != nil && sim.Draws() != "" {
		name += " draws by " + sim.Draws()
	}
	return name
}

// tellingInWords says how an alias is told the form of a prompt's answer, and what of the
// contract it is not told; "" where there is no contract, or nobody to tell.
func (p *project) tellingInWords(alias string, asked *prompt.Prompt, told structured.Told) string {
	_, own := asked.Options["response_format"]
	switch {
	case alias == "" || asked.Output.IsText():
		return ""
	case own:
		return "told by the prompt's own response_format"
	case told.Way == "" && p.tellingOf(alias) != "":
		return "told by the prompt's own text"
	case told.Way == "" && p.config.Models[alias].Sim != nil:
		return "not told: a simulated model knows it"
	case told.Way == "":
		return "not told"
	case told.Way != llm.StructuredSchema && told.Way != p.tellingOf(alias):
		return "told by " + told.Way + ": " + p.tellingOf(alias) + " takes a schema of type: object alone"
	case told.Way != llm.StructuredSchema:
		return "told by " + told.Way
	}
	format, _ := openai.ResponseFormat(asked.Output.Schema)
	switch {
	case !format.Strict:
		return "told by json_schema, which is not strict: " + lossesOf(format.Lost)
	case len(format.Lost) > 0:
		return "told by json_schema, strict; checked by llmx alone, as strict mode has no word for it: " + lossesOf(format.Lost)
	}
	return "told by json_schema, strict"
}

func lossesOf(lost []openai.Loss) string {
	const most = 6
	var words []string
	for i, loss := range lost {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(lost)-most))
			break
		}
		words = append(words, loss.String())
	}
	return strings.Join(words, "; ")
}

// lintTelling notes what of a prompt's contract the servers of its models are not told
// natively, "" for nothing. It is no warning: the contract holds all the same.
func (p *project) lintTelling(asked *prompt.Prompt, names []string) string {
	var aliases []string
	for _, name := range names {
		found, err := p.lookup(name, fault.Place{})
		if err != nil {
			continue // told already
		}
		for _, alias := range found.Models() {
			if p.tellingOf(alias) == llm.StructuredSchema && !slices.Contains(aliases, alias) {
				aliases = append(aliases, alias)
			}
		}
	}
	if len(aliases) == 0 {
		return ""
	}
	told := p.teller(aliases[0]).How(asked.Output, asked.Options)
	if told.Way != llm.StructuredSchema {
		return ""
	}
	if format, _ := openai.ResponseFormat(asked.Output.Schema); len(format.Lost) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: to %s the form of the answer is %s", asked.File, strings.Join(aliases, ", "), p.tellingInWords(aliases[0], asked, told))
}
