package cli

import (
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// checks reads what suites and routes expect of an answer.
func (p *project) checks() *scorer.Parser {
	return scorer.NewParser(scorer.Deps{
		ReadFile: func(file string) ([]byte, error) { return prompt.ReadSchema(p.fs, file) },
	})
}
