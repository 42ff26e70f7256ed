package cli

import (
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/store"
)

// checks reads what suites and routes expect of an answer; asking has what is needed
// by those that ask a model.
func (p *project) checks(asking scorer.Deps) *scorer.Parser {
	asking.Programs, asking.SQL = p.programs, store.CheckSQL
	asking.ReadFile = func(file string) ([]byte, error) { return prompt.ReadSchema(p.fs, file) }
	return scorer.NewParser(asking)
}
