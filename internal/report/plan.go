package report

import (
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Plan is what a run would do, found out without asking a model.
type Plan struct {
	Version string
	Command string // of the run that is planned
	Replies string // replay, auto, record or live
	Fresh   bool   // everything is asked anew
	Neutral bool   // missing replies are no reason for exit 4
	Jobs    int
	Groups  []PlanGroup

	Stops    []string // what would end the run before its first request
	Ends     []string // what would end it before it is done
	Barred   []string // why missing replies would not be asked for
	Warnings []string
}

// PlanGroup is one suite on one model. Every reply is counted once, see Replies; a
// conversation has more of them than results.
type PlanGroup struct {
	Suite    string
	Model    string // or a route
	Prompt   llm.PromptRef
	At       string // the commit as of which it is asked beside; "" for now
	ByPrompt bool   // the suite is asked with several prompts
	Cases    int
	Results  int // cases × repeats
	Recorded int // a recording answers
	Cached   int // the exact cache answers, as it is now
	Shared   int // an equal request of the same run gets the answer
	Missing  int // nobody answers: there is no recording, and nobody may be asked

	Asked  Forecast // what would be asked
	Wanted Forecast // what asking for the missing replies would be

	// What checks would ask of answers, apart from what asking for these comes to.
	Unjudged      int      // results of the recorded and cached whose judges' answers are missing
	Judging       Forecast // what would be asked
	JudgingWanted Forecast // what asking for the missing would be
}

// beside is the prompt as a part of the group's name.
func (g PlanGroup) beside() string {
	if g.ByPrompt {
		return g.Prompt.String()
	}
	return ""
}

// Replies is how many replies the results need.
func (g PlanGroup) Replies() int {
	return g.Recorded + g.Cached + g.Shared + g.Missing + g.Asked.Requests
}

// Forecast is what some requests are about to come to. It counts no failures:
// each retry and each fallback is a request more.
type Forecast struct {
	Requests int
	Most     int // requests, if every cascade goes through all of its steps and every answer is asked for again
	Reasks   int // of Most: those that ask again for an answer that breaks its contract

	// Of the requests whose price is known: what they cost by the length of answer
	// that is expected, and by the longest that max_tokens lets be, through all steps
	// and all that is asked again.
	Cost     llm.Money
	MostCost llm.Money

	Unpriced   int      // requests whose price nobody knows
	Prices     []string // models without a price that these may go to
	Unbounded  int      // priced requests without max_tokens: MostCost is no bound
	FirstSteps int      // priced first steps of cascades, with no further step in Cost

	Input, Output int64 // tokens that are expected
	Basis         Basis
	Models        []PlanModel // who is asked first, by name
	Time          PlanTime
}

// PlanModel counts the requests that go to a model first.
type PlanModel struct {
	Model    string `json:"model"`
	Requests int    `json:"requests"`
}

// Basis says what the expected costs rest on, in requests.
type Basis struct {
	Recording int `json:"recording"`  // what the same request used when it was recorded
	Baseline  int `json:"baseline"`   // what the baseline says that the case cost
	Older     int `json:"older"`      // … by another version of the prompt
	Mean      int `json:"mean"`       // the mean length of the suite's recorded answers
	MaxTokens int `json:"max_tokens"` // no answer is known: as long as max_tokens lets it be
	Guess     int `json:"guess"`      // … and without max_tokens: 256 tokens
}

// PlanTime is how long the requests take.
type PlanTime struct {
	Took  time.Duration
	Known bool     // else Took is the least that it is, by what is known and by limits
	From  []string // what the latencies rest on
	Held  []string // limits that make it longer: "rpm 60 of small"
}

// Price is what is about to be paid; unknown where the price of one request is.
func (f Forecast) Price() llm.Cost { return llm.Cost{Amount: f.Cost, Known: f.Unpriced == 0} }

// Bound is the most that is paid if no request fails; unknown where there is none.
func (f Forecast) Bound() llm.Cost {
	return llm.Cost{Amount: f.MostCost, Known: f.Unpriced == 0 && f.Unbounded == 0}
}

// Plus adds two forecasts, of which one comes after the other.
func (f Forecast) Plus(g Forecast) Forecast {
	return Forecast{
		Requests: f.Requests + g.Requests, Most: f.Most + g.Most, Reasks: f.Reasks + g.Reasks,
		Cost: f.Cost + g.Cost, MostCost: f.MostCost + g.MostCost,
		Unpriced: f.Unpriced + g.Unpriced, Prices: union(f.Prices, g.Prices),
		Unbounded: f.Unbounded + g.Unbounded, FirstSteps: f.FirstSteps + g.FirstSteps,
		Input: f.Input + g.Input, Output: f.Output + g.Output,
		Basis: f.Basis.plus(g.Basis), Models: addModels(f.Models, g.Models), Time: f.plusTime(g),
	}
}

// plusTime adds times; who asks nobody takes none.
func (f Forecast) plusTime(g Forecast) PlanTime {
	switch {
	case g.Requests == 0:
		return f.Time
	case f.Requests == 0:
		return g.Time
	}
	return PlanTime{
		Took: f.Time.Took + g.Time.Took, Known: f.Time.Known && g.Time.Known,
		From: union(f.Time.From, g.Time.From), Held: union(f.Time.Held, g.Time.Held),
	}
}

func (b Basis) plus(c Basis) Basis {
	return Basis{
		Recording: b.Recording + c.Recording, Baseline: b.Baseline + c.Baseline, Older: b.Older + c.Older, Mean: b.Mean + c.Mean,
		MaxTokens: b.MaxTokens + c.MaxTokens, Guess: b.Guess + c.Guess,
	}
}

// Total sums the groups up; it has no suite and no model.
func (p Plan) Total() PlanGroup {
	var sum PlanGroup
	for _, g := range p.Groups {
		sum.Cases, sum.Results = sum.Cases+g.Cases, sum.Results+g.Results
		sum.Recorded, sum.Cached, sum.Shared, sum.Missing = sum.Recorded+g.Recorded, sum.Cached+g.Cached, sum.Shared+g.Shared, sum.Missing+g.Missing
		sum.Asked, sum.Wanted = sum.Asked.Plus(g.Asked), sum.Wanted.Plus(g.Wanted)
		sum.Unjudged += g.Unjudged
		sum.Judging, sum.JudgingWanted = sum.Judging.Plus(g.Judging), sum.JudgingWanted.Plus(g.JudgingWanted)
	}
	return sum
}

// union lists the words of two lists, each once, in their order.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, word := range b {
		if !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}

func addModels(a, b []PlanModel) []PlanModel {
	all := slices.Clone(a)
	for _, m := range b {
		if i := slices.IndexFunc(all, func(o PlanModel) bool { return o.Model == m.Model }); i >= 0 {
			all[i].Requests += m.Requests
			continue
		}
		all = append(all, m)
	}
	return all
}
