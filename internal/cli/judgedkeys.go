package cli

import (
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// judgedKeys are the keys of what checks ask of the recorded answers of a suite, by
// every version of the judge prompts that there is.
type judgedKeys struct {
	project *project
	suite   *loaded
	file    *replay.Recordings
	models  map[string]bool // resolved, that recordings are of
	parse   func(answer string, output llm.Output) (any, string)
	prompts map[string][]*prompt.Prompt // every version, by name
	used    map[string]bool
}

func newJudgedKeys(p *project, one *loaded, file *replay.Recordings, models map[string]bool) *judgedKeys {
	return &judgedKeys{
		project: p, suite: one, file: file, models: models, parse: newAnswerParser(),
		prompts: map[string][]*prompt.Prompt{}, used: map[string]bool{},
	}
}

// add finds what the checks of a case ask of the answer that is recorded for a request.
func (j *judgedKeys) add(c *eval.Case, request llm.Request, key string) error {
	recording, found, err := j.file.Lookup(key)
	if !found || err != nil {
		return err
	}
	questions, err := questionsOf(c, recording.Text, recording.ToolCalls, request.Output, j.parse)
	if err != nil {
		return err
	}
	for _, question := range questions {
		for _, asked := range j.rendered(question) {
			for model := range j.models {
				j.used[replay.Key(asked, model)] = true
			}
		}
	}
	return nil
}

// rendered is what the engine makes of a question, for every version of its prompt
// that takes its inputs.
func (j *judgedKeys) rendered(question llm.Request) []llm.Request {
	name := question.Prompt.Name
	if name == "" {
		return []llm.Request{question}
	}
	if _, known := j.prompts[name]; !known {
		j.prompts[name] = j.project.everyVersion(name)
	}
	var all []llm.Request
	for _, found := range j.prompts[name] {
		messages, err := found.Render(question.Vars)
		if err != nil {
			continue
		}
		asked := question
		asked.Messages, asked.Options, asked.Output = messages, found.Options, found.Output
		all = append(all, asked)
	}
	return all
}

// questionsOf are those that the checks of a case ask of an answer.
func questionsOf(c *eval.Case, answer string, calls []llm.ToolCall, output llm.Output, parse func(string, llm.Output) (any, string)) ([]llm.Request, error) {
	subject := eval.Subject{Answer: answer, ToolCalls: calls, Output: output, Golden: c.Golden, Vars: c.Vars, Origin: llm.Origin{Suite: c.Suite, Case: c.ID}}
	subject.Value, subject.Broken = parse(answer, output)
	var all []llm.Request
	for _, check := range c.Checks {
		some, err := eval.Questions(check, subject)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
