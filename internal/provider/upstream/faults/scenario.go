package faults

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Scenario is a row of a table of what goes wrong, with both sides of it: what the
// caller gets and when, and how often and when each model was asked.
type Scenario struct {
	Name   string
	Models []string             // in the order of the route; their names say what they do
	Set    map[string]Behaviour // of models whose names do not
	Ask    func(*llm.Request)   // changes the request; nil for none
	Within time.Duration        // the caller's own deadline; 0 for none

	// What the caller gets: the right answer to its prompt, unless Class or Text
	// says otherwise. After a failure what had come is a beginning of it.
	Class    fault.Class
	Text     func(string) string // what is expected in place of the right answer; nil for that
	Finish   llm.FinishReason    // "" for stop
	Answered string              // which model's name and usage are reported; "" is not looked at
	Failed   []string            // "model class" of what went wrong before the answer; nil is not looked at
	Nothing  bool                // with a failure no piece of an answer has come

	// When, from the call on, each with Slack for what is drawn by lot.
	First time.Duration // the first piece of an answer; 0 is not looked at
	After time.Duration // the end
	Slack time.Duration // how much later all of it may be

	// Asked is when each model was asked. One that is not named was not asked.
	Asked map[string][]time.Duration
	Left  []string // models whose last attempt the caller has left, all others being answered to their end
	// Either are models of which that is not looked at: whether the end of an answer is
	// sent before the caller has seen that he need not wait for it is drawn by lot.
	Either []string
}

// Prompt is what a scenario asks.
const Prompt = "what goes wrong?"

// outcome is what came of a scenario.
type outcome struct {
	llm.Response
	err          error
	first, after time.Duration
	attempts     []Attempt
}

// Run plays the scenario in a bubble, against the model that build makes of a server
// and the names of its models.
func (c Scenario) Run(t *testing.T, build func(t testing.TB, s *Server, models []string) llm.Model) {
	t.Run(c.Name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := NewInBubble(t)
			for name, behave := range c.Set {
				s.Set(name, behave)
			}
			request := llm.Request{Messages: []llm.Message{llm.Text(llm.User, Prompt)}}
			if c.Ask != nil {
				c.Ask(&request)
			}
			model := build(t, s, c.Models)
			ctx := t.Context()
			if c.Within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.Within)
				defer cancel()
			}
			var o outcome
			begin := time.Since(s.log.start)
			o.Response, o.err = llm.Collect(timed(model.Stream(ctx, request), &o.first))
			o.after = time.Since(s.log.start) - begin
			synctest.Wait() // until the server has seen who left
			o.attempts = s.Attempts("")
			for i := range o.attempts {
				o.attempts[i].At -= begin
			}
			for _, problem := range c.problems(o, Answer(request.Messages)) {
				t.Error(problem)
			}
		})
	})
}

// timed takes the time until the first piece of an answer.
func timed(events iter.Seq2[llm.Event, error], first *time.Duration) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		begin := time.Now()
		for event, err := range events {
			if *first == 0 && event.Begins() {
				*first = time.Since(begin)
			}
			if !yield(event, err) {
				return
			}
		}
	}
}

// problems are the ways in which an outcome is not what the scenario says.
func (c Scenario) problems(o outcome, right string) []string {
	return append(c.callersProblems(o, right), c.modelsProblems(o.attempts)...)
}

func (c Scenario) callersProblems(o outcome, right string) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if c.Text != nil {
		right = c.Text(right)
	}
	var class fault.Class
	if o.err != nil {
		class = fault.ClassOf(o.err)
	}
	switch {
	case class != c.Class:
		problem("the caller got %q (%v), want %q", class, o.err, c.Class)
	case class == "" && o.Text != right:
		problem("the caller got %q, want %q", o.Text, right)
	case class != "" && !strings.HasPrefix(right, o.Text):
		problem("before the failure came %q, which does not begin %q", o.Text, right)
	case class != "" && c.Nothing && o.Text+o.Reasoning != "":
		problem("before the failure came %q, want nothing", o.Text)
	}
	if finish := o.End.Finish; class == "" && finish != c.Finish && (c.Finish != "" || finish != llm.FinishStop) {
		problem("the finish reason is %q, want %q", finish, c.Finish)
	}
	if c.Answered != "" && (o.End.Model != Answered(c.Answered) || o.End.Usage != Used) {
		problem("%q is reported with %+v, want %q with %+v", o.End.Model, o.End.Usage, Answered(c.Answered), Used)
	}
	if c.Failed != nil {
		var failed []string
		for _, f := range o.End.Failed {
			failed = append(failed, fmt.Sprintf("%s %s", f.Model, f.Class))
		}
		if !slices.Equal(failed, c.Failed) {
			problem("failed before the answer: %q, want %q", failed, c.Failed)
		}
	}
	if c.First != 0 && !c.near(o.first, c.First) {
		problem("the first piece came after %v, want %v (+%v)", o.first, c.First, c.Slack)
	}
	if !c.near(o.after, c.After) {
		problem("the end came after %v, want %v (+%v)", o.after, c.After, c.Slack)
	}
	return problems
}

func (c Scenario) modelsProblems(attempts []Attempt) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	last := map[string]Attempt{}
	when := map[string][]time.Duration{}
	for _, a := range attempts {
		last[a.Model], when[a.Model] = a, append(when[a.Model], a.At)
		if len(c.Asked[a.Model]) == 0 && a.N == 1 {
			problem("model %q was asked after %v (%s), want it not asked", a.Model, a.At, a.Did)
		}
	}
	for model, want := range c.Asked {
		if !slices.EqualFunc(when[model], want, c.near) {
			problem("model %q was asked after %v, want %v (+%v)", model, when[model], want, c.Slack)
		}
	}
	for model, a := range last {
		if want := slices.Contains(c.Left, model); want != a.Gone && !slices.Contains(c.Either, model) {
			problem("model %q: the caller left %v, want %v", model, a.Gone, want)
		}
	}
	slices.Sort(problems)
	return problems
}

func (c Scenario) near(got, want time.Duration) bool { return got >= want && got <= want+c.Slack }
