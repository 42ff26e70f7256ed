package report

import (
	"fmt"
	"slices"
	"strings"
)

// planWarnings says what would keep the run from judging, and what is odd.
func (p *page) planWarnings(plan Plan, total PlanGroup) {
	var list []string
	for _, stop := range plan.Stops {
		list = append(list, "the run would stop before it asks anybody: "+stop)
	}
	list = append(list, plan.Ends...)
	if total.Missing > 0 {
		list = append(list, missingWarning(plan, total))
	}
	if total.Unjudged > 0 {
		list = append(list, unjudgedWarning(plan, total))
	}
	list = append(list, plan.Warnings...)
	if len(list) == 0 {
		return
	}
	if left := p.firstWarnings(list); left > 0 {
		p.line(span{"  … and " + number(left) + " more", faint})
	}
}

func missingWarning(plan Plan, total PlanGroup) string {
	s := count(total.Missing, "result would be unjudged, as its reply is", "results would be unjudged, as their replies are") + " not recorded"
	if len(plan.Barred) > 0 {
		s += " and cannot be asked for (" + strings.Join(plan.Barred, "; ") + ")"
	}
	if plan.Neutral {
		return s
	}
	return s + ": exit 4"
}

func unjudgedWarning(plan Plan, total PlanGroup) string {
	s := count(total.Unjudged, "answer would be unjudged, as what its checks ask", "answers would be unjudged, as what their checks ask") + " is not recorded"
	if total.Missing == 0 && len(plan.Barred) > 0 {
		s += " and cannot be asked for (" + strings.Join(plan.Barred, "; ") + ")"
	}
	if plan.Neutral {
		return s
	}
	return s + ": exit 4"
}

// planNotes says what the figures rest on, and what they leave out.
func planNotes(plan Plan, total PlanGroup) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if i := slices.IndexFunc(plan.Groups, func(g PlanGroup) bool { return g.At != "" }); i >= 0 {
		add("the plan is of both arms: the cases as they are asked now, and as they were at %s", plan.Groups[i].At)
	}
	if f := total.Asked.Plus(total.Wanted).Plus(total.Judging).Plus(total.JudgingWanted); f.Requests > 0 {
		if basis := basisOf(f.Basis); basis != "" {
			add("prices rest on %s; requests that fail and are made again are not in them", basis)
		}
		if f.Unpriced > 0 {
			add("the price of %s is not known; price: of a model in llmx.yaml tells it", some(f.Prices, 5))
		}
		if f.Unbounded > 0 {
			add("nothing bounds the answers to %s, nor so their price: max_tokens in the prompt's options would", count(f.Unbounded, "request", "requests"))
		}
		if f.Reasks > 0 {
			add("%s, and at most %s more where an answer breaks its contract and is asked for again; the price is without these", count(f.Requests, "request", "requests"), number(f.Reasks))
		}
		if f.FirstSteps > 0 {
			add("of %s the first step of a cascade is priced; how many go on to the next is not known", count(f.FirstSteps, "request", "requests"))
		}
	}
	if f := total.Asked.Plus(total.Judging); f.Requests > 0 {
		if len(f.Time.From) > 0 {
			add("times rest on the median latency of %s, with %s at once", some(f.Time.From, 3), count(plan.Jobs, "job", "jobs"))
		}
		if len(f.Time.Held) > 0 {
			add("limits hold the run back: %s", some(f.Time.Held, 3))
		}
	}
	if plan.Replies == "live" && plan.Fresh {
		add("--fresh asks past the cache")
	} else if plan.Replies == "live" {
		add("live asks for what the cache does not hold at that time; recordings are not used")
	}
	if total.Shared > 0 {
		add("%s asked for by an equal request of the same run already", count(total.Shared, "result is", "results are"))
	}
	return notes
}

// basisOf lists what prices rest on, the best first.
func basisOf(b Basis) string {
	var list []string
	for _, one := range []struct {
		requests int
		words    string
	}{
		{b.Recording, "what the same requests used when they were recorded"},
		{b.Baseline, "what the cases cost in the baseline"},
		{b.Older, "what the cases cost in the baseline, by another version of the prompt"},
		{b.Mean, "estimated input and the mean length of the suite's recorded answers"},
		{b.MaxTokens, "estimated input and answers as long as max_tokens lets them be"},
		{b.Guess, "estimated input and answers of 256 tokens"},
	} {
		if one.requests > 0 {
			list = append(list, fmt.Sprintf("%s (%s)", one.words, number(one.requests)))
		}
	}
	return strings.Join(list, ", ")
}

// planSteps chooses what to do next.
func planSteps(plan Plan, total PlanGroup) []step {
	record := strings.ReplaceAll(plan.Command, " --replay", "") + " --record"
	var steps []step
	missing := total.Missing + total.Unjudged
	if missing > 0 {
		steps = append(steps, step{record, "ask for the missing replies, " + about(total.Wanted.Plus(total.JudgingWanted)) + ", and keep them"})
	}
	switch asked := total.Asked.Requests + total.Judging.Requests; {
	case len(plan.Stops) > 0:
	case asked == 0 && missing == 0:
		steps = append(steps, step{plan.Command, "run it: nobody is asked"})
	case asked > 0:
		steps = append(steps, step{plan.Command, "run it"})
		if plan.Replies == "auto" && missing == 0 {
			steps = append(steps, step{record, "run it, and keep the replies"})
		}
	}
	return steps
}
