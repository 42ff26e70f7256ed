package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// labelled begins the name under which recordings of labels stand in place of a case's:
// fixtures prune leaves them.
const labelled = "label "

// calibration holds a check against what people say of the same answers.
type calibration struct {
	project *project
	options *calibrateOptions
	suite   *loaded
	rows    []humanLabel
	jobs    int
	found   *report.Calibration

	id     string // stands for a run in budgets and calls
	store  *store.Store
	alerts alerts
}

// run scores every answer: with an engine, where the check asks a model.
func (c *calibration) run(ctx context.Context) error {
	if !slices.ContainsFunc(c.rows, func(row humanLabel) bool { return !row.check.Deterministic() }) {
		return c.score(ctx, nil)
	}
	mode, err := c.options.replies.mode(c.project.config.Test.Replies)
	if err != nil {
		return err
	}
	limit, err := parseMaxCost(c.options.maxCost)
	if err != nil {
		return err
	}
	names := c.suite.judges.models()
	if err := c.project.priced(limit, names); err != nil {
		return err
	}
	servers := newServers(c.project, c.jobs)
	defer servers.close()
	if asksProviders(mode) {
		if err := servers.checkKeys(names); err != nil {
			return err
		}
	}
	files := map[string]*replay.Recordings{}
	if mode != replay.Live {
		if files[c.suite.Name], err = c.project.openRecordings(c.suite.Name); err != nil {
			return err
		}
	}
	if c.store, err = c.project.openStore(ctx, adds); err == nil {
		err = joined(c.ask(ctx, servers, mode, files, limit), c.store.Close())
	}
	if lost := closeAll(files); lost != nil { // what was paid for is gone
		return lost
	}
	return err
}

// ask scores every answer through the engine.
func (c *calibration) ask(ctx context.Context, s *servers, mode replay.Mode, files map[string]*replay.Recordings, limit *llm.Money) error {
	book, err := c.project.openBook(c.store, limit, &c.alerts)
	if err != nil {
		return err
	}
	asked := plan{suites: []*loaded{c.suite}}
	model, err := c.project.newEngine(engineParts{
		store: c.store, book: book, servers: s, prompts: asked.prompts(), models: c.suite.judges.models(),
		wrap: s.recorded(recordingMode{mode: mode, files: files}), cached: mode == replay.Live, jobs: c.jobs,
	})
	if err == nil {
		err = c.keepPrompts(&asked)
	}
	if err == nil {
		err = c.score(ctx, runner.NewAsker(model, c.options.replies.judging(mode), ctx))
	}
	return joined(err, joined(closeBook(book), c.tellAlerts()))
}

// keepPrompts lets llmx explain show what a judge was asked by.
func (c *calibration) keepPrompts(asked *plan) error {
	for _, ref := range refsOf(asked.prompts()) {
		if err := c.store.SavePrompt(ref, asked.prompts()[ref].Flat()); err != nil {
			return err
		}
	}
	return nil
}

func (c *calibration) tellAlerts() error {
	told := c.alerts.take()
	if len(told) == 0 {
		return nil
	}
	return report.Warnings(c.project.world.Stderr, told, c.project.world.errorStyle())
}

// score holds the check against every label. An answer that it cannot judge is left
// out, and counted.
func (c *calibration) score(ctx context.Context, ask llm.Model) error {
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(max(1, c.jobs))
	read, under := newAnswerReader(), contractOf(c.suite.prompt)
	watch := newWatch(c.project.world, len(c.rows))
	defer watch.clear()
	var turn sync.Mutex
	problems := make([]string, len(c.rows))
	for i := range c.rows {
		workers.Go(func() error {
			row := &c.rows[i]
			score, err := row.check.Score(working, row.subject(llm.Origin{Run: c.id, Suite: c.suite.Name, Case: labelled + row.place.String()}, ask, read, under))
			if working.Err() != nil {
				return fault.New(fault.Canceled, "interrupted")
			}
			turn.Lock()
			defer turn.Unlock()
			seen := eval.Result{Status: eval.Pass, Paid: llm.KnownCost(0)}
			if score.Asked != nil && fault.ClassOf(err) != fault.Missing { // else it is what asking would cost
				c.found.Eval, seen.Eval = c.found.Eval.Plus(score.Asked.Eval), score.Asked.Eval
			}
			why, unasked := unasked(&score, row.check)
			switch {
			case err != nil:
				seen.Status, problems[i] = eval.Error, fmt.Sprintf("%s: %s", row.place, fault.As(err).Message)
			case unasked:
				seen.Status, problems[i] = eval.Error, fmt.Sprintf("%s: not shown to the judge: %s", row.place, why)
			default:
				c.take(row, score)
			}
			watch.see(&seen)
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	for _, problem := range problems {
		if problem != "" {
			c.found.Errors++
			c.found.Problems = append(c.found.Problems, problem)
		}
	}
	c.found.Problems = c.found.Problems[:min(len(c.found.Problems), report.MaxProblems)]
	return nil
}

func (c *calibration) take(row *humanLabel, score eval.Score) {
	c.found.Agreement.Add(row.pass, score.Pass)
	if score.Asked != nil && len(score.Asked.Orders) == 2 {
		c.found.Order.Add(scorer.PlaceOf(score.Asked.Orders[0]), scorer.PlaceOf(score.Asked.Orders[1]))
	}
}

// subject is the labelled answer as the check of a run would see it.
func (l *humanLabel) subject(origin llm.Origin, ask llm.Model, read eval.Read, under eval.Contract) eval.Subject {
	said := eval.Said{Answer: l.answer, Finish: llm.FinishStop}
	reading := read(said, under)
	return eval.Subject{
		Answer: l.answer, Value: reading.Value, Broken: reading.Broken, Repairs: reading.Repairs, Output: under.Output,
		Golden: l.golden, Vars: l.vars, Finish: said.Finish, Stored: true, Ask: ask,
		Origin: origin,
	}
}
