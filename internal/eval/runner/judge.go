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
func (j job) judge(ctx, stopped context.Context, plan Plan, model llm.Model) (eval.Result, bool) {
	group := &plan.Groups[j.group]
	asking, call := llm.WithUnderway(ctx)
	defer call.End()
	defer context.AfterFunc(stopped, call.Stop)()
	response, err := llm.Collect(model.Stream(asking, plan.Request(j.group, j.c, j.repeat)))
	if ctx.Err() != nil || asking.Err() != nil && err != nil {
		return eval.Result{}, false
	}
	result := eval.Result{
		Run: plan.Run, Suite: group.Suite, Case: j.c.ID, Tags: j.c.Tags,
		InputHash: j.c.InputHash, CriteriaHash: j.c.CriteriaHash, Treatment: group.Treatment,
		Prompt: group.Prompt, Model: group.Model, Repeat: j.repeat, Answer: response.Text, ToolCalls: response.ToolCalls,
	}
	var output llm.Output
	if call := response.Call; call != nil {
		output = describe(&result, call)
	}
	subject := subjectOf(j.c, &result, response.End.Value, output)
	subject.Repairs, subject.Ask = response.End.Repairs, model
	conclude(ctx, j.c, &result, subject, err)
	if ctx.Err() != nil {
		return eval.Result{}, false
	}
	return result, true
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

// describe copies what the call's record says, and returns the contract.
func describe(r *eval.Result, call *llm.Call) llm.Output {
	r.Started, r.CallID = call.Started, call.ID
	r.Answer, r.Answered, r.Finish = call.Answer, call.Answered, call.Finish
	r.Turns, r.Attempts = len(call.Turns), call.Attempts()
	r.Usage, r.Cost, r.Paid = call.Usage(), call.Cost(), call.Paid()
	r.Queue, r.Service, r.FirstToken = call.Queue, call.Service, call.FirstToken
	if call.Stored != nil {
		r.StoredBy, r.StoredAt, r.Origin = call.Stored.By, call.Stored.At, call.Stored.Origin
	}
	if turn := call.Turn(); turn != nil {
		return turn.Output
	}
	return llm.Output{}
}

func subjectOf(c *eval.Case, r *eval.Result, value any, output llm.Output) eval.Subject {
	return eval.Subject{
		Answer: r.Answer, Value: value, Output: output, Golden: c.Golden, Vars: c.Vars,
		Finish: r.Finish, Usage: r.Usage, Cost: r.Cost, Service: r.Service,
		Attempts: r.Attempts, Stored: r.StoredBy != "", StoredBy: r.StoredBy, ToolCalls: r.ToolCalls, Turns: r.Turns,
		Origin: llm.Origin{Run: r.Run, Suite: r.Suite, Case: r.Case},
	}
}

// conclude turns what happened into a status: a fail is the model's doing, an
// error is not.
func conclude(ctx context.Context, c *eval.Case, r *eval.Result, subject eval.Subject, failure error) {
	r.Failure = llm.FailureOf(failure)
	if r.Answer != "" || len(r.ToolCalls) > 0 || failure == nil {
		r.Digest = eval.DigestOfAnswer(r.Answer, r.ToolCalls)
	}
	hasContract := !subject.Output.IsText()
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

// Read gives an answer's value under a contract, what was repaired of it, or what
// the contract refuses.
type Read func(answer string, output llm.Output) (value any, repairs []llm.Repair, broken string)

// Rescore runs a case's checks over a stored result again, without a call. A result
// that was not judged stays as it is.
func Rescore(ctx context.Context, c *eval.Case, old eval.Result, output llm.Output, read Read) (eval.Result, error) {
	if !old.Status.Judged() {
		return old, nil
	}
	if old.Answer == "" && old.Digest != "" && old.Digest != eval.DigestOfAnswer("", old.ToolCalls) {
		return old, fault.New(fault.Unjudged, "the answer to case %s is not stored, so it cannot be scored again", c.ID).
			WithHint("store.content in llmx.yaml says what is kept: full keeps answers")
	}
	if old.InputHash != c.InputHash {
		return old, fault.New(fault.Invalid, "the input of case %s has changed since the run", c.ID).
			WithHint("run it again: llmx test %s", old.Suite)
	}
	for _, check := range c.Checks {
		if !check.Deterministic() {
			return old, fault.New(fault.Invalid, "the check %s of case %s may score otherwise another time, as it asks a model or says so: it is not run again", check.Name(), c.ID)
		}
	}
	r := old
	r.CriteriaHash, r.Tags, r.Scores, r.Failure = c.CriteriaHash, c.Tags, nil, nil
	r.Valid, r.RepairScore = eval.NoContract, 0
	subject := subjectOf(c, &r, nil, output)
	failure := kept(old)
	if failure == nil {
		var broken string
		subject.Value, subject.Repairs, broken = read(r.Answer, output)
		if broken != "" {
			failure = fault.New(fault.Contract, "%s", broken)
		}
	}
	conclude(ctx, c, &r, subject, failure)
	return r, nil
}

// kept is the failure of an old result that does not depend on its checks: how
// the model stopped. A broken contract is found again by parsing.
func kept(old eval.Result) error {
	if old.Failure == nil || old.Failure.Class == fault.Contract {
		return nil
	}
	if old.Failure.Class == fault.Length && old.Valid == eval.NoContract {
		return nil // plain text: concluded again from the finish reason
	}
	return fault.New(old.Failure.Class, "%s", old.Failure.Message)
}
