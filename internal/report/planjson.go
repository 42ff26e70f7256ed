package report

import (
	"io"

	"github.com/llmx-dev/llmx/internal/llm"
)

// PlanSchema names the shape of a plan's JSON document, as SchemaVersion does for a
// run's.
const PlanSchema = "llmx.plan/1"

// planDocument is the JSON of a plan; see Plan for what the counts mean. Costs and
// times that nobody knows are null and "unknown", never 0.
type planDocument struct {
	Schema   string              `json:"schema"`
	Version  string              `json:"llmx_version"`
	Command  string              `json:"command"` // of the run that is planned
	Replies  string              `json:"replies"` // replay, auto, record or live
	Fresh    bool                `json:"fresh"`
	Jobs     int                 `json:"jobs"`
	Total    planCounts          `json:"total"`
	Groups   []planDocumentGroup `json:"groups"`
	Stops    []string            `json:"stops"`  // what would end the run before its first request
	Ends     []string            `json:"ends"`   // what would end it before it is done
	Barred   []string            `json:"barred"` // why missing replies would not be asked for
	Warnings []string            `json:"warnings"`
}

type planDocumentGroup struct {
	Suite  string        `json:"suite"`
	Model  string        `json:"model"`
	Prompt llm.PromptRef `json:"prompt"`
	At     string        `json:"at,omitempty"` // the commit as of which it is asked, beside the group of now before it
	planCounts
}

// planCounts: replies = recorded + cached + shared + missing + to_ask.requests; results
// are as many, but that one of a conversation takes several replies.
type planCounts struct {
	Cases    int          `json:"cases"`
	Results  int          `json:"results"`
	Replies  int          `json:"replies"`
	Recorded int          `json:"recorded"`
	Cached   int          `json:"cached"`
	Shared   int          `json:"shared"`
	Missing  int          `json:"missing"`
	ToAsk    planForecast `json:"to_ask"`
	ToRecord planForecast `json:"to_record"` // what asking for the missing replies would be
	Judges   *planJudges  `json:"judges"`    // what checks ask of answers, no part of the counts above; null for nothing
}

// planForecast is what requests come to, if none fails.
type planForecast struct {
	Requests     int          `json:"requests"`
	MostRequests int          `json:"at_most_requests"` // with every step of cascades, and all that is asked again
	MostReasks   int          `json:"at_most_reasks"`   // of these: what asks again for an answer that breaks its contract
	Cost         documentCost `json:"cost"`
	MostCost     documentCost `json:"at_most_cost"`
	Priced       documentCost `json:"cost_of_priced"` // of the requests whose price is known
	Unpriced     int          `json:"unpriced_requests"`
	UnpricedOf   []string     `json:"unpriced_models"`
	Unbounded    int          `json:"unbounded_requests"` // without max_tokens
	FirstSteps   int          `json:"first_steps"`        // of cascades, with no further step in cost
	Input        int64        `json:"input_tokens"`
	Output       int64        `json:"output_tokens"`
	RestsOn      Basis        `json:"rests_on"` // requests by what their cost was told from
	Models       []PlanModel  `json:"models"`   // asked first
	Time         planTime     `json:"time"`
}

type planTime struct {
	Seconds *float64 `json:"seconds"`          // null where nobody knows
	AtLeast *float64 `json:"at_least_seconds"` // by what is known, and by limits; null where seconds is not
	RestsOn []string `json:"rests_on"`
	HeldBy  []string `json:"held_by"`
}

// PlanJSON writes a plan as one JSON document, in the manner of JSON.
func PlanJSON(w io.Writer, plan Plan) error {
	d := planDocument{
		Schema: PlanSchema, Version: plan.Version, Command: plan.Command, Replies: plan.Replies, Fresh: plan.Fresh, Jobs: plan.Jobs,
		Total: planCountsOf(plan.Total()), Groups: []planDocumentGroup{},
		Stops: filled(plan.Stops), Ends: filled(plan.Ends), Barred: filled(plan.Barred), Warnings: filled(plan.Warnings),
	}
	for _, g := range plan.Groups {
		d.Groups = append(d.Groups, planDocumentGroup{g.Suite, g.Model, g.Prompt, g.At, planCountsOf(g)})
	}
	return writeDocument(w, d)
}

func planCountsOf(g PlanGroup) planCounts {
	return planCounts{
		Cases: g.Cases, Results: g.Results, Replies: g.Replies(), Recorded: g.Recorded, Cached: g.Cached, Shared: g.Shared, Missing: g.Missing,
		ToAsk: forecastOf(g.Asked), ToRecord: forecastOf(g.Wanted),
		Judges: planJudgesOf(g),
	}
}

// planJudges is what checks ask of answers.
type planJudges struct {
	Unjudged int          `json:"unjudged"` // results with an answer, whose judges' answers are missing
	ToAsk    planForecast `json:"to_ask"`
	ToRecord planForecast `json:"to_record"`
}

func planJudgesOf(g PlanGroup) *planJudges {
	if g.Judging.Requests == 0 && g.JudgingWanted.Requests == 0 {
		return nil
	}
	return &planJudges{g.Unjudged, forecastOf(g.Judging), forecastOf(g.JudgingWanted)}
}

func forecastOf(f Forecast) planForecast {
	return planForecast{
		Requests: f.Requests, MostRequests: f.Most, MostReasks: f.Reasks, Cost: costOf(f.Price()), MostCost: costOf(f.Bound()),
		Priced: costOf(llm.KnownCost(f.Cost)), Unpriced: f.Unpriced, UnpricedOf: filled(f.Prices),
		Unbounded: f.Unbounded, FirstSteps: f.FirstSteps, Input: f.Input, Output: f.Output,
		RestsOn: f.Basis, Models: filled(f.Models), Time: planTimeOf(f),
	}
}

func planTimeOf(f Forecast) planTime {
	t := planTime{RestsOn: filled(f.Time.From), HeldBy: filled(f.Time.Held)}
	seconds := f.Time.Took.Seconds()
	switch {
	case f.Requests == 0 || f.Time.Known:
		t.Seconds = &seconds
	case seconds > 0:
		t.AtLeast = &seconds
	}
	return t
}
