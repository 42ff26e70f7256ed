package eval

import "github.com/llmx-dev/llmx/internal/llm"

// Said is all that a model answered, as it gave it.
type Said struct {
	Answer    string
	ToolCalls []llm.ToolCall
	Finish    llm.FinishReason
}

// Contract is what a prompt asks of the form of an answer.
type Contract struct {
	Output llm.Output
	Tools  llm.Tools
}

// Binds reports whether an answer can break it.
func (c Contract) Binds() bool { return !c.Output.IsText() || c.Tools.Offered() }

// Reading is what an answer holds under its contract.
type Reading struct {
	Value     any
	ToolCalls []llm.ToolCall // as they are passed on: their arguments put right where they may be
	Repairs   []llm.Repair
	Broken    string // what the contract refuses, "" for nothing
}

// Read reads an answer again, as the engine does.
type Read func(said Said, under Contract) Reading
