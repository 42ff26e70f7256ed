package cli

import (
	"github.com/llmx-dev/llmx/internal/engine/contract"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// openRecordings opens the recordings of a suite; there may be none yet.
func (p *project) openRecordings(suite string) (*replay.Recordings, error) {
	return replay.Open(p.fs, p.root, suite)
}

// newAnswerReader reads stored answers under their contract, as the engine does.
func newAnswerReader() eval.Read {
	parser := contract.NewParser()
	return func(said eval.Said, under eval.Contract) eval.Reading {
		answer := contract.Answer{Text: said.Answer, ToolCalls: said.ToolCalls, Finish: said.Finish}
		read, broken := parser.ReadAnswer(answer, under.Output, under.Tools)
		return eval.Reading{Value: read.Value, ToolCalls: read.ToolCalls, Repairs: read.Repairs, Broken: broken}
	}
}

// contractOf is what a prompt asks of the form of its answers.
func contractOf(p *prompt.Prompt) eval.Contract {
	return eval.Contract{Output: p.Output, Tools: p.Tools}
}
