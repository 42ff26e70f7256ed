package runner

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/turns"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// converse carries one repeat of a conversation through the model: one call for each
// turn that asks. A turn whose reply is not there, or was refused, ends it.
func (j job) converse(ctx, stopped context.Context, plan Plan, model, asker llm.Model) (eval.Result, bool) {
	group := &plan.Groups[j.group]
	sum := newSum(j.c, eval.Result{
		Run: plan.Run, Suite: group.Suite, Case: j.c.ID, Tags: j.c.Tags,
		InputHash: j.c.InputHash, CriteriaHash: j.c.CriteriaHash, Treatment: group.Treatment,
		Prompt: group.Prompt, Model: group.Model, Arm: group.Arm, Repeat: j.repeat,
	})
	for {
		at, stuck, more := sum.walk.Next()
		if !more {
			result := sum.end(ctx, stuck)
			return result, ctx.Err() == nil
		}
		if stopped.Err() != nil {
			return eval.Result{}, false // the reply before is answered, and the next is not begun
		}
		reply, calls, ok := j.ask(ctx, stopped, plan, model, asker, &at)
		if !ok {
			return eval.Result{}, false
		}
		if !sum.add(&reply, calls) {
			result := sum.end(ctx, nil)
			return result, ctx.Err() == nil
		}
	}
}

// sum adds the replies of a conversation up to one result.
type sum struct {
	c       *eval.Case
	walk    *turns.Walk
	result  eval.Result
	stored  []string // who kept the replies, each once; "" for nobody
	scored  int      // replies with a repair score …
	repairs float64  // … and the sum of these
}

func newSum(c *eval.Case, begun eval.Result) *sum {
	begun.Status, begun.Cost, begun.Paid = eval.Pass, llm.KnownCost(0), llm.KnownCost(0)
	return &sum{c: c, walk: turns.Begin(c), result: begun}
}

// add takes the reply to the turn that waits for one, with its tool calls as they are
// passed on, and reports whether the conversation can go on.
func (s *sum) add(reply *eval.Result, calls []llm.ToolCall) bool {
	r, turn := &s.result, s.walk.Turn()
	for _, score := range reply.Scores {
		score.Turn = turn.Number
		r.Scores = append(r.Scores, score)
	}
	r.Steps = append(r.Steps, eval.Step{
		Turn: turn.Number, Said: s.walk.Said(), Answer: reply.Answer, ToolCalls: reply.ToolCalls,
		Valid: reply.Valid, Finish: reply.Finish, Failure: reply.Failure, Call: reply.CallID, StoredBy: reply.StoredBy,
	})
	s.addCall(reply)
	if reply.Failure != nil {
		failure := *reply.Failure
		failure.Message = eval.AtTurn(turn.Number, failure.Message)
		r.Failure = &failure
	}
	s.walk.Reply(reply.Answer, calls)
	switch {
	case !reply.Status.Judged():
		r.Status = reply.Status
		return false
	case reply.Status == eval.Fail:
		r.Status = eval.Fail
	}
	return reply.Failure == nil // what was refused is nothing to go on from
}

// addCall adds what a call was: its answer is the last one's, its figures are sums.
func (s *sum) addCall(reply *eval.Result) {
	r := &s.result
	if len(r.Steps) == 1 {
		r.Started, r.FirstToken = reply.Started, reply.FirstToken
	}
	r.Answer, r.ToolCalls, r.Finish = reply.Answer, reply.ToolCalls, reply.Finish
	r.CallID, r.Answered = reply.CallID, cmp.Or(reply.Answered, r.Answered)
	r.Turns, r.Attempts = r.Turns+reply.Turns, r.Attempts+reply.Attempts
	r.Usage, r.Cost, r.Paid = r.Usage.Plus(reply.Usage), r.Cost.Plus(reply.Cost), r.Paid.Plus(reply.Paid)
	r.Queue, r.Service = r.Queue+reply.Queue, r.Service+reply.Service
	r.Eval = r.Eval.Plus(reply.Eval)
	r.Valid, r.FirstTry = worse(r.Valid, reply.Valid), worse(r.FirstTry, reply.FirstTry)
	if score, ok := reply.Repaired(); ok {
		s.scored, s.repairs = s.scored+1, s.repairs+score
	}
	if !slices.Contains(s.stored, reply.StoredBy) {
		s.stored = append(s.stored, reply.StoredBy)
	}
	if reply.StoredAt.After(r.StoredAt) {
		r.StoredAt = reply.StoredAt
	}
	r.Origin = cmp.Or(r.Origin, reply.Origin)
}

// worse is the standing of two replies under the contract.
func worse(a, b eval.Validity) eval.Validity {
	if a == eval.Violated || b == eval.Violated {
		return eval.Violated
	}
	return cmp.Or(a, b)
}

// end closes the result. What was not asked, as the conversation did not come so far,
// has failed; then the case's own checks look at the whole of it.
func (s *sum) end(ctx context.Context, stuck *turns.Stuck) eval.Result {
	r, c := &s.result, s.c
	s.settle()
	if !r.Status.Judged() {
		return *r
	}
	if stuck != nil {
		r.Status = eval.Fail
		r.Scores = append(r.Scores, eval.Score{Check: "conversation", Turn: stuck.Turn, Reason: stuck.Reason})
	}
	for _, turn := range s.walk.Rest() {
		for _, check := range turn.Checks {
			score := eval.Score{Check: check.Name(), Metric: check.Metric(), Turn: turn.Number, Reason: "not asked: the conversation ended before"}
			if weight := eval.WeightOf(check); weight != 1 {
				score.Weight = weight
			}
			r.Scores = append(r.Scores, score)
		}
	}
	whole := *r
	whole.Eval = eval.Eval{}
	subject := subjectOf(c, r, llm.Output{})
	subject.Stored = r.StoredPart()
	if err := score(ctx, c, &whole, subject); err != nil {
		r.Status, r.Failure = eval.Error, llm.FailureOf(err)
		return *r
	}
	r.Scores, r.Eval = append(r.Scores, whole.Scores...), r.Eval.Plus(whole.Eval)
	if !passes(whole.Scores) {
		r.Status = eval.Fail
	}
	return *r
}

// settle makes what is of all replies together. A conversation is a stored one if
// every reply of it was.
func (s *sum) settle() {
	r := &s.result
	if len(r.Steps) > 0 {
		r.Digest = eval.DigestOfSteps(r.Steps)
	}
	if r.StoredBy = ""; !slices.Contains(s.stored, "") && len(s.stored) > 0 {
		r.StoredBy = s.stored[len(s.stored)-1]
	} else {
		r.StoredAt, r.Origin = time.Time{}, ""
	}
	if r.RepairScore = 0; r.Valid == eval.Valid {
		r.RepairScore = s.repairs / float64(s.scored)
	}
}

// rescoredTalk judges a stored conversation by the case's checks of today.
func rescoredTalk(ctx context.Context, c *eval.Case, old eval.Result, under eval.Contract, read eval.Read) (eval.Result, error) {
	sum := newSum(c, eval.Result{})
	for {
		at, stuck, more := sum.walk.Next()
		if !more {
			return sum.over(ctx, old, stuck), nil
		}
		turn := sum.walk.Turn().Number
		i := slices.IndexFunc(old.Steps, func(step eval.Step) bool { return step.Turn == turn })
		if i < 0 {
			return old, fault.New(fault.Unjudged, "the run did not come to turn %d of case %s, so there is no reply to score", turn, c.ID).
				WithHint("run it again: llmx test %s", old.Suite)
		}
		reply := rescored(ctx, &at, replyOf(&old.Steps[i], &old), under, read)
		if !sum.add(&reply, reply.ToolCalls) { // nothing is asked: only their names count
			return sum.over(ctx, old, nil), nil
		}
	}
}

// replyOf is a step of a stored conversation as the result of its call.
func replyOf(step *eval.Step, of *eval.Result) eval.Result {
	return eval.Result{
		Status: eval.Pass, Answer: step.Answer, ToolCalls: step.ToolCalls, Digest: eval.DigestOfAnswer(step.Answer, step.ToolCalls),
		Valid: step.Valid, Finish: step.Finish, Failure: step.Failure, CallID: step.Call, StoredBy: step.StoredBy,
		Answered: of.Answered, Started: of.Started,
	}
}

// over ends a conversation that was judged again: its calls are those of the old result.
func (s *sum) over(ctx context.Context, old eval.Result, stuck *turns.Stuck) eval.Result {
	c, now := s.c, &s.result
	said, steps, status, failure, valid := now.Scores, now.Steps, now.Status, now.Failure, now.Valid
	s.result = old
	now.CriteriaHash, now.Tags = c.CriteriaHash, c.Tags
	now.Scores, now.Steps, now.Status, now.Failure, now.Valid = said, steps, status, failure, valid
	return s.end(ctx, stuck)
}
