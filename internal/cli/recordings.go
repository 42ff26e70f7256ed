package cli

import (
	"github.com/llmx-dev/llmx/internal/engine/contract"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// openRecordings opens the recordings of a suite; there may be none yet.
func (p *project) openRecordings(suite string) (*replay.Recordings, error) {
	return replay.Open(p.fs, p.root, suite)
}

// newAnswerParser reads stored answers under their contract, as the engine does.
func newAnswerParser() func(answer string, output llm.Output) (any, string) {
	return contract.NewParser().Parse
}

// newAnswerReader likewise, and says what was repaired.
func newAnswerReader() runner.Read {
	parser := contract.NewParser()
	return func(answer string, output llm.Output) (any, []llm.Repair, string) {
		parsed, broken := parser.Read(answer, output)
		return parsed.Value, parsed.Repairs, broken
	}
}
