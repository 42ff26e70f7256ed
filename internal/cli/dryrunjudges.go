package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
)

// judging finds out what the checks of a group would ask. Of an answer that is kept
// that is known; of one that is still to be asked for a text of the usual length
// stands in.
type judging struct {
	run    *dryRun
	suite  string
	model  llm.Model
	read   eval.Read
	usual  *habits
	prices map[judged]*appraiser
}

// judged is a judge prompt on a model, as they are asked; "" for embeddings.
type judged struct{ prompt, model string }

func (d *dryRun) newJudging(group *runner.Group, model llm.Model) *judging {
	return &judging{
		run: d, suite: group.Suite, model: model, read: newAnswerReader(), prices: map[judged]*appraiser{},
		usual: &habits{recordings: d.files[group.Suite], judging: true},
	}
}

// survey counts the questions on a result, of which answered says what becomes of the
// answer itself.
func (j *judging) survey(ctx context.Context, g *report.PlanGroup, priced *appraiser, c *eval.Case, repeat int, answered fate, response llm.Response, failure error) error {
	var questions []llm.Request
	var err error
	switch {
	case answered.shared:
		return nil // judged with its twin
	case answered.asked != nil:
		questions, err = j.planned(priced, c, repeat, *answered.asked)
	case answered.missing != nil:
		questions, err = j.planned(priced, c, repeat, *answered.missing)
	case failure != nil || response.Call == nil:
		return nil // it breaks its contract: nobody is asked
	default:
		turn := response.Call.Turn()
		said := eval.Said{Answer: response.Call.Answer, ToolCalls: turn.ToolCalls, Finish: response.Call.Finish}
		questions, err = questionsOf(c, said, eval.Contract{Output: turn.Output, Tools: turn.Tools}, j.read)
	}
	missing := 0
	for _, question := range questions {
		if err != nil {
			break
		}
		err = j.ask(ctx, g, c, question, answered.missing != nil, &missing)
	}
	if missing > 0 && answered.asked == nil && answered.missing == nil {
		g.Unjudged++
	}
	return err
}

// planned are the questions on an answer that nobody has given yet.
func (j *judging) planned(priced *appraiser, c *eval.Case, repeat int, asked ask) ([]llm.Request, error) {
	use, _, err := priced.expect(asked)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s/%d ", c.ID, repeat) // no other answer is the same
	text += strings.Repeat(" x", int(max(0, min(4*use.Output, maxStandIn)-int64(len(text))))/2)
	subject := eval.Subject{Answer: text, Planned: true, Golden: c.Golden, Vars: c.Vars, Origin: llm.Origin{Suite: c.Suite, Case: c.ID}}
	return questionsAbout(c, subject)
}

// maxStandIn bounds a text that stands in for an answer, in bytes.
const maxStandIn = 1 << 20

// ask lets a question through the engine, and puts it on its tab. The answer to it may
// be missing like the one that it is about.
func (j *judging) ask(ctx context.Context, g *report.PlanGroup, c *eval.Case, question llm.Request, unanswered bool, missing *int) error {
	d := j.run
	d.fate = fate{}
	question.Reuse = d.options.replies.reuseJudges()
	_, failure := llm.Collect(j.model.Stream(ctx, question))
	switch class := fault.ClassOf(failure); {
	case d.fate.shared:
		return nil
	case d.fate.asked != nil:
		priced, err := j.appraiser(question)
		if err != nil {
			return err
		}
		if unanswered { // its answer is not there to be judged
			return priced.add(&priced.wanted, c, *d.fate.asked)
		}
		return priced.add(&priced.asked, c, *d.fate.asked)
	case d.fate.missing != nil && class == fault.Missing:
		*missing++
		priced, err := j.appraiser(question)
		if err != nil {
			return err
		}
		return priced.add(&priced.wanted, c, *d.fate.missing)
	case failure != nil && !class.CountsAsFail():
		return failure
	}
	return nil
}

func (j *judging) appraiser(question llm.Request) (*appraiser, error) {
	key := judged{question.Prompt.Name, question.Model}
	if known := j.prices[key]; known != nil {
		return known, nil
	}
	found, err := j.run.project.lookup(question.Model, fault.Place{})
	if err != nil {
		return nil, err
	}
	made, err := j.run.appraise(j.run.project, found, j.run.files[j.suite], j.usual)
	j.prices[key] = made
	return made, err
}

// sum puts what was found into the group's plan, in the order of the judges.
func (j *judging) sum(g *report.PlanGroup) error {
	for _, key := range slices.SortedFunc(maps.Keys(j.prices), func(a, b judged) int {
		return strings.Compare(a.prompt+"\x00"+a.model, b.prompt+"\x00"+b.model)
	}) {
		priced := j.prices[key]
		asked, err := priced.forecast(&priced.asked)
		if err != nil {
			return err
		}
		wanted, err := priced.forecast(&priced.wanted)
		if err != nil {
			return err
		}
		g.Judging, g.JudgingWanted = g.Judging.Plus(asked), g.JudgingWanted.Plus(wanted)
		j.run.judged[key.prompt] = j.run.judged[key.prompt].Plus(asked)
	}
	return nil
}
