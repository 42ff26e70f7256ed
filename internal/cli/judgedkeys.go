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
	read    eval.Read
	prompts map[string][]*prompt.Prompt // every version, by name
	used    map[string]bool
}

func newJudgedKeys(p *project, one *loaded, file *replay.Recordings, models map[string]bool) *judgedKeys {
	return &judgedKeys{
		project: p, suite: one, file: file, models: models, read: newAnswerReader(),
		prompts: map[string][]*prompt.Prompt{}, used: map[string]bool{},
	}
}

// add finds what the checks of a case ask of the answer that is recorded for a request.
func (j *judgedKeys) add(c *eval.Case, request llm.Request, said eval.Said) error {
	questions, err := questionsOf(c, said, eval.Contract{Output: request.Output, Tools: request.Tools}, j.read)
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
		asked.Messages, asked.Options, asked.Output, asked.Tools = messages, found.Options, found.Output, found.Tools
		all = append(all, asked)
	}
	return all
}

// questionsOf are those that the checks of a case ask of an answer.
func questionsOf(c *eval.Case, said eval.Said, under eval.Contract, read eval.Read) ([]llm.Request, error) {
	reading := read(said, under)
	subject := eval.Subject{
		Answer: said.Answer, Value: reading.Value, Broken: reading.Broken, ToolCalls: reading.ToolCalls, Output: under.Output,
		Finish: said.Finish, Golden: c.Golden, Vars: c.Vars, Origin: llm.Origin{Suite: c.Suite, Case: c.ID},
	}
	return questionsAbout(c, subject)
}

func questionsAbout(c *eval.Case, subject eval.Subject) ([]llm.Request, error) {
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
