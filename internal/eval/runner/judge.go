package runner

import (
	"context"
	"strconv"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// judge asks for one case × repeat and scores what comes back. It reports false
// when the run was ended meanwhile, or was stopped while it waited: then there is no
// result.
func (j job) judge(ctx, stopped context.Context, plan Plan, model, asker llm.Model) (eval.Result, bool) {
	ctx = llm.WithRound(ctx, j.round)
	if len(j.c.Turns) > 0 {
		return j.converse(ctx, stopped, plan, model, asker)
	}
	result, _, ok := j.ask(ctx, stopped, plan, model, asker, j.c)
	return result, ok
}

// ask makes one call for a case, or for a case as it stands at one of its turns. It gives
// the tool calls as they are passed on, too: in the result they are as the model gave them.
func (j job) ask(ctx, stopped context.Context, plan Plan, model, asker llm.Model, c *eval.Case) (_ eval.Result, calls []llm.ToolCall, ok bool) {
	group := &plan.Groups[j.group]
	asking, call := llm.WithUnderway(ctx)
	defer call.End()
	defer context.AfterFunc(stopped, call.Stop)()
	response, err := llm.Collect(model.Stream(asking, plan.Request(j.group, c, j.repeat)))
	if ctx.Err() != nil || asking.Err() != nil && err != nil {
		return eval.Result{}, nil, false
	}
	result := eval.Result{
		Run: plan.Run, Suite: group.Suite, Case: c.ID, Tags: c.Tags,
		InputHash: c.InputHash, CriteriaHash: c.CriteriaHash, Treatment: group.Treatment,
		Prompt: group.Prompt, Model: group.Model, Arm: group.Arm, Repeat: j.repeat, Answer: response.Text, ToolCalls: response.ToolCalls,
	}
	var under eval.Contract
	if call := response.Call; call != nil {
		under = describe(&result, call)
	}
	subject := subjectOf(c, &result, under.Output)
	if err == nil {
		subject.Value, subject.ToolCalls = response.End.Value, response.ToolCalls
	}
	subject.Repairs, subject.Ask = response.End.Repairs, asker
	conclude(ctx, c, &result, subject, under.Binds(), err)
	if ctx.Err() != nil || stopped.Err() != nil && result.Status == eval.Error && result.Failure.Class == fault.Canceled {
		return eval.Result{}, nil, false // a judge that was waiting was left
	}
	result.FirstTry = firstTry(&result, response.Call)
	return result, subject.ToolCalls, true
}

// Request is what a run asks for a case of one of its groups.
func (p Plan) Request(group int, c *eval.Case, repeat int) llm.Request {
	g := &p.Groups[group]
	request := llm.Request{
		Prompt: g.Prompt, Vars: c.Vars, Model: g.Model,
		Repeat: repeat, Tenant: "test", Reuse: p.Reuse,
		Origin: llm.Origin{Run: p.Run, Suite: g.Suite, Case: c.ID},
		Tags:   c.Tags,
		// A weighted route keeps its draw for a case when the prompt is edited.
		Sticky: c.InputHash + "/" + strconv.Itoa(repeat),
	}
	if c.Golden != nil {
		request.Hint = c.Golden.Value
	}
	return request
}

// describe copies what the call's record says, and returns the contract. The answer
// and its tool calls are kept as the model gave them.
func describe(r *eval.Result, call *llm.Call) eval.Contract {
	r.Started, r.CallID = call.Started, call.ID
	r.Answer, r.Answered, r.Finish = call.Answer, call.Answered, call.Finish
	r.Turns, r.Attempts = len(call.Turns), call.Attempts()
	r.Usage, r.Cost, r.Paid = call.Usage(), call.Cost(), call.Paid()
	r.Queue, r.Service, r.FirstToken = call.Queue, call.Service, call.FirstToken
	if call.Stored != nil {
		r.StoredBy, r.StoredAt, r.Origin = call.Stored.By, call.Stored.At, call.Stored.Origin
	}
	if turn := call.Turn(); turn != nil {
		r.ToolCalls = turn.ToolCalls
		return eval.Contract{Output: turn.Output, Tools: turn.Tools}
	}
	return eval.Contract{}
}

// firstTry is the standing of the call's first turn: what a check of a cascade refuses
// has kept its contract.
func firstTry(r *eval.Result, call *llm.Call) eval.Validity {
	if r.Valid == eval.NoContract || call == nil || len(call.Turns) < 2 {
		return r.Valid
	}
	if first := &call.Turns[0]; first.Violation != "" && !first.Declined {
		return eval.Violated
	}
	return eval.Valid
}

func subjectOf(c *eval.Case, r *eval.Result, output llm.Output) eval.Subject {
	return eval.Subject{
		Answer: r.Answer, Output: output, Golden: c.Golden, Vars: c.Vars,
		Finish: r.Finish, Usage: r.Usage, Cost: r.Cost, Service: r.Service,
		Attempts: r.Attempts, Stored: r.StoredBy != "", StoredBy: r.StoredBy, ToolCalls: r.ToolCalls, Turns: r.Turns,
		Origin: llm.Origin{Run: r.Run, Suite: r.Suite, Case: r.Case},
	}
}

// conclude turns what happened into a status: a fail is the model's doing, an
// error is not.
func conclude(ctx context.Context, c *eval.Case, r *eval.Result, subject eval.Subject, hasContract bool, failure error) {
	r.Failure = llm.FailureOf(failure)
	if r.Answer != "" || len(r.ToolCalls) > 0 || failure == nil {
		r.Digest = eval.DigestOfAnswer(r.Answer, r.ToolCalls)
	}
	switch class := fault.ClassOf(failure); {
	case failure == nil:
		if hasContract {
			r.Valid, r.RepairScore = eval.Valid, llm.RepairScore(subject.Repairs)
		}
	case class == fault.Missing:
		r.Status = eval.Unjudged
		return
	case class.CountsAsFail():
		subject.Broken = r.Failure.Message
		if hasContract && class != fault.ContextLength {
			r.Valid = eval.Violated
		}
	default:
		r.Status = eval.Error
		return
	}
	if err := score(ctx, c, r, subject); err != nil {
		r.Status, r.Failure = eval.Error, llm.FailureOf(err)
		if r.Failure.Class == fault.Missing { // the answer is there, and nobody may be asked to judge it
			r.Status = eval.Unjudged
		}
		return
	}
	r.Status = eval.Pass
	if failure != nil || !passes(r.Scores) {
		r.Status = eval.Fail
	}
	if failure == nil && r.Finish == llm.FinishLength && !asksFinish(c) {
		r.Status = eval.Fail
		r.Failure = &llm.Failure{Class: fault.Length, Message: "the answer stopped at the token limit"}
	}
}

// score runs every check. One that cannot judge makes the result an error; what it
// spent until then was spent.
func score(ctx context.Context, c *eval.Case, r *eval.Result, subject eval.Subject) error {
	r.Scores = make([]eval.Score, 0, len(c.Checks))
	for _, check := range c.Checks {
		s, err := check.Score(ctx, subject)
		if s.Asked != nil {
			r.Eval = r.Eval.Plus(s.Asked.Eval)
		}
		if err != nil {
			f := fault.As(err)
			return fault.New(f.Class, "the check %s could not judge: %s", check.Name(), f.Message).Because(err)
		}
		r.Scores = append(r.Scores, s)
	}
	return nil
}

func passes(scores []eval.Score) bool {
	for _, s := range scores {
		if !s.Pass && !s.Operational {
			return false
		}
	}
	return true
}

// asksFinish reports whether the case has a check of why the model stopped, so that
// it is not judged twice.
func asksFinish(c *eval.Case) bool {
	for _, check := range c.Checks {
		if eval.Needs(check)&eval.NeedFinish != 0 {
			return true
		}
	}
	return false
}

// Rescore runs a case's checks over a stored result again, without a call. A result
// that was not judged stays as it is.
func Rescore(ctx context.Context, c *eval.Case, old eval.Result, under eval.Contract, read eval.Read) (eval.Result, error) {
	if !old.Status.Judged() {
		return old, nil
	}
	if !kept(c, &old) {
		return old, fault.New(fault.Unjudged, "the answer to case %s is not stored, so it cannot be scored again", c.ID).
			WithHint("store.content in llmx.yaml says what is kept: full keeps answers")
	}
	if old.InputHash != c.InputHash {
		return old, fault.New(fault.Invalid, "the input of case %s has changed since the run", c.ID).
			WithHint("run it again: llmx test %s", old.Suite)
	}
	for check := range c.AllChecks() {
		if !check.Deterministic() {
			return old, fault.New(fault.Invalid, "the check %s of case %s may score otherwise another time, as it asks a model or says so: it is not run again", check.Name(), c.ID)
		}
	}
	if len(c.Turns) > 0 {
		return rescoredTalk(ctx, c, old, under, read)
	}
	return rescored(ctx, c, old, under, read), nil
}

// kept reports whether what was said is stored with a result.
func kept(c *eval.Case, old *eval.Result) bool {
	if len(c.Turns) > 0 {
		return len(old.Steps) > 0 && old.Digest == eval.DigestOfSteps(old.Steps)
	}
	return old.Answer != "" || old.Digest == "" || old.Digest == eval.DigestOfAnswer("", old.ToolCalls)
}

// rescored judges one stored reply again.
func rescored(ctx context.Context, c *eval.Case, old eval.Result, under eval.Contract, read eval.Read) eval.Result {
	r := old
	r.CriteriaHash, r.Tags, r.Scores, r.Failure = c.CriteriaHash, c.Tags, nil, nil
	r.Valid, r.RepairScore = eval.NoContract, 0
	subject := subjectOf(c, &r, under.Output)
	failure := failureOf(old)
	if failure == nil {
		reading := read(eval.Said{Answer: r.Answer, ToolCalls: r.ToolCalls, Finish: r.Finish}, under)
		subject.Value, subject.ToolCalls, subject.Repairs = reading.Value, reading.ToolCalls, reading.Repairs
		if reading.Broken != "" {
			failure = fault.New(fault.Contract, "%s", reading.Broken)
			subject.ToolCalls = r.ToolCalls
		}
	}
	conclude(ctx, c, &r, subject, under.Binds(), failure)
	if r.Turns < 2 || r.Valid == eval.NoContract || old.FirstTry == eval.NoContract {
		r.FirstTry = r.Valid // else the first answer is not there to be read again
	}
	return r
}

// failureOf is the failure of an old result that does not depend on its checks: how
// the model stopped. A broken contract is found again by parsing.
func failureOf(old eval.Result) error {
	if old.Failure == nil || old.Failure.Class == fault.Contract {
		return nil
	}
	if old.Failure.Class == fault.Length && old.Valid == eval.NoContract {
		return nil // plain text: concluded again from the finish reason
	}
	return fault.New(old.Failure.Class, "%s", old.Failure.Message)
}
