package cli

import (
	"context"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/report"
)

// survey lets every case through the engine, one after the other, and where it is asked
// as of a commit beside, once more through that of then.
func (d *dryRun) survey(ctx context.Context) error {
	now, err := d.engineOf(d.project, d.plan.prompts(), d.plan.models())
	if err != nil {
		return err
	}
	asked := runner.Plan{Groups: d.plan.groups, Reuse: d.options.replies.reuse()}
	for i := range asked.Groups {
		if asked.Groups[i].Arm == eval.Against {
			continue // comes with the group that it stands beside
		}
		both := []int{i}
		if beside := asked.Groups[i].Beside; beside > 0 {
			both = append(both, beside)
		}
		for _, group := range both {
			model, err := d.asking(d.plan.arms[group], now)
			if err != nil {
				return err
			}
			if err := d.surveyGroup(ctx, asked, group, i, model, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// asking is the engine that asks nobody for an arm; nil for now.
func (d *dryRun) asking(a *arm, now llm.Model) (llm.Model, error) {
	if a == nil {
		return now, nil
	}
	then, err := d.engineOf(a.project, promptsOf([]*arm{a}), []string{a.model})
	if err != nil {
		return nil, err
	}
	return a.asks(then), nil
}

// engineOf is the engine that asks nobody, over the models of a project.
func (d *dryRun) engineOf(p *project, prompts map[llm.PromptRef]*prompt.Prompt, models []string) (llm.Model, error) {
	return p.newEngine(engineParts{
		book: budget.Open(budget.Options{}), servers: d.servers.of(p), prompts: prompts, models: models,
		wrap: d.wrapFor(p), cached: d.mode == replay.Live, onlooker: d.onlooker,
	})
}

// surveyGroup adds a group to the plan, with the cases of the one that it stands beside,
// or its own. Judges are those of now in either arm.
func (d *dryRun) surveyGroup(ctx context.Context, asked runner.Plan, i, of int, model, judges llm.Model) error {
	group := &asked.Groups[i]
	priced, err := d.newAppraiser(group, d.plan.arms[i])
	if err != nil {
		return err
	}
	judging := d.newJudging(group, judges)
	g := report.PlanGroup{Suite: group.Suite, Model: group.Model, Prompt: group.Prompt, ByPrompt: group.ByPrompt, Cases: group.Group.Cases, Results: group.Planned}
	if group.Arm == eval.Against {
		g.At = d.plan.past.commit.String()
	}
	for c, err := range asked.Groups[of].Cases {
		if err == nil && ctx.Err() != nil {
			err = fault.New(fault.Canceled, "interrupted")
		}
		if err != nil {
			return err
		}
		for repeat := range max(1, c.Repeats) {
			err := d.surveyCase(&c, func(at *eval.Case) (llm.Response, error) {
				d.fate = fate{}
				response, failure := llm.Collect(model.Stream(ctx, asked.Request(i, at, repeat)))
				became := d.fate
				if err := d.count(&g, priced, &c, response.Call, failure); err != nil {
					return response, err
				}
				err := judging.survey(ctx, &g, priced, at, repeat, became, response, failure)
				d.fate = became
				return response, err
			})
			if err != nil {
				return err
			}
		}
	}
	if g.Asked, err = priced.forecast(&priced.asked); err != nil {
		return err
	}
	if g.Wanted, err = priced.forecast(&priced.wanted); err != nil {
		return err
	}
	if err := judging.sum(&g); err != nil {
		return err
	}
	d.found.Groups = append(d.found.Groups, g)
	return nil
}
