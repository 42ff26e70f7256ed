package scorer

import (
	"cmp"
	"context"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// tenant is whose cache holds what checks ask: judges share nothing with the answers
// that they judge.
const tenant = "judge"

// inquiry is a check that asks a model: the questions that it poses, and what it
// makes of the answers. Everything that is asked is known before, so that a plan can
// count it.
type inquiry struct {
	check   string // its name
	whom    string // who is asked, for messages; "" is the judge
	extract *extraction
	// pose gives the questions on a part of an answer. It fills Prompt and Vars, or
	// Messages and Output, and Model.
	pose func(s *eval.Subject, answer string) ([]llm.Request, error)
	// weigh makes a score of the answers, one a question. An error says why they are
	// no verdict.
	weigh func(answers []llm.Response) (value float64, reason string, err error)
	// orders says which place won in each order; nil where nothing is asked in two.
	orders func(answers []llm.Response) []string
}

// rule completes a rule that asks.
func (q inquiry) rule(r rule) rule {
	r.asksModel, r.ask, r.questions = true, q.ask, q.questions
	return r
}

// part takes what is judged of a subject. Where there is nothing to judge nobody is
// asked: an answer that breaks its contract, or is empty, scores 0.
func (q inquiry) part(s *eval.Subject) (answer, reason string) {
	switch {
	case s.Planned:
		return s.Answer, ""
	case s.Broken != "":
		return "", "not asked: the answer breaks its contract: " + cutReason(s.Broken)
	}
	answer, ok, reason := q.extract.from(s)
	switch {
	case !ok:
		return "", "not asked: " + reason
	case strings.TrimSpace(answer) == "" && len(s.ToolCalls) > 0:
		return "", "not asked: there are tool calls, and no text to judge"
	case strings.TrimSpace(answer) == "":
		return "", "not asked: the answer is empty"
	}
	return answer, ""
}

// questions are those that ask is going to ask.
func (q inquiry) questions(s *eval.Subject) ([]llm.Request, error) {
	answer, reason := q.part(s)
	if reason != "" {
		return nil, nil
	}
	questions, err := q.pose(s, answer)
	for i := range questions {
		asked := &questions[i]
		asked.Tenant, asked.Origin = tenant, s.Origin
		asked.Origin.Check = q.check
	}
	return questions, err
}

// ask asks the questions, one after the other.
func (q inquiry) ask(ctx context.Context, s *eval.Subject) (value float64, reason string, asked *eval.Asked, err error) {
	if _, reason := q.part(s); reason != "" {
		return 0, reason, nil, nil
	}
	questions, err := q.questions(s)
	if err != nil {
		return 0, "", nil, err
	}
	if s.Ask == nil {
		return 0, "", nil, fault.New(fault.Invalid, "it asks a model, and none may be asked here")
	}
	answers := make([]llm.Response, len(questions))
	for i, question := range questions {
		answers[i], err = llm.Collect(s.Ask.Stream(ctx, question))
		asked = asked.Plus(askedOf(question, answers[i]))
		if err != nil {
			return 0, "", asked, q.noVerdict(err)
		}
		if answers[i].End.Finish == llm.FinishLength {
			return 0, "", asked, q.noVerdict(fault.New(fault.Length, "the answer stopped at the token limit"))
		}
	}
	value, reason, err = q.weigh(answers)
	if err != nil {
		return 0, "", asked, fault.New(fault.Judge, "what %s answered cannot be used: %s", q.who(), fault.As(err).Message).Because(err)
	}
	if q.orders != nil {
		asked.Orders = q.orders(answers)
	}
	return value, reason, asked, nil
}

func (q inquiry) who() string { return cmp.Or(q.whom, "the judge") }

// noVerdict keeps what is the judge's own fault from counting as that of the model
// under test.
func (q inquiry) noVerdict(err error) error {
	e := fault.As(err)
	if !e.Class.CountsAsFail() {
		return err
	}
	return fault.New(fault.Judge, "what %s answered cannot be used: %s", q.who(), e.Message).WithHint("%s", e.Hint).Because(err)
}

// askedOf says whom a question went to, and what that cost.
func askedOf(question llm.Request, answer llm.Response) *eval.Asked {
	whom := &eval.Asked{
		Prompt: question.Prompt.String(), Model: answer.End.Model,
		Eval: eval.Eval{Calls: 1, Cost: llm.KnownCost(0), Paid: llm.KnownCost(0)},
	}
	if call := answer.Call; call != nil {
		whom.Calls, whom.Model = []string{call.ID}, call.Answered
		whom.Cost, whom.Paid = call.Cost(), call.Paid()
		if call.Stored == nil && call.Attempts() > 0 && (call.Failure == nil || call.Failure.Class != fault.Missing) {
			whom.Asked = 1
		}
	}
	if whom.Model == "" {
		whom.Model = question.Model
	}
	return whom
}
