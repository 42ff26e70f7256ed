package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

// goldensOfTurns are the answers of a conversation as golden values, by the turns that are
// named; without a name those that have a golden answer.
func goldensOfTurns(ctx context.Context, s *store.Store, c *eval.Case, r *eval.Result, named []int) (suite.TurnGoldens, error) {
	steps := map[int]*eval.Step{}
	var answered []string
	for i := range r.Steps {
		steps[r.Steps[i].Turn] = &r.Steps[i]
		answered = append(answered, fmt.Sprint(r.Steps[i].Turn))
	}
	taken := slices.Clone(named)
	for i := range c.Turns {
		if turn := &c.Turns[i]; len(named) == 0 && turn.Golden != nil {
			taken = append(taken, turn.Number)
		}
	}
	if len(taken) == 0 {
		return nil, fault.New(fault.Usage, "the case %s is a conversation, and no turn of it has a golden answer yet", c.ID).
			WithHint("say whose answer is right: --turn %s; llmx explain %s shows what was said", strings.Join(answered, ", "), c.ID)
	}
	goldens := suite.TurnGoldens{}
	var problems fault.List
	for _, number := range taken {
		step := steps[number]
		if step == nil {
			problems.Add(fault.New(fault.Usage, "turn %d of the case %s was not answered in that run", number, c.ID).
				WithHint("answered: %s", strings.Join(answered, ", ")))
			continue
		}
		reply := *r
		reply.Case = fmt.Sprintf("turn %d of %s", number, c.ID)
		reply.Answer, reply.ToolCalls, reply.Valid, reply.Finish, reply.CallID = step.Answer, step.ToolCalls, step.Valid, step.Finish, step.Call
		value, err := goldenOf(ctx, s, &reply)
		problems.Add(err)
		goldens[number] = value
	}
	return goldens, problems.Err()
}
