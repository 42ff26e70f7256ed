package eval

import (
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Word is what a gate, a suite or a run amounts to.
type Word string

// The words of relative gates, then those of absolute gates and of whole runs.
const (
	Regressed    Word = "regressed"
	Held         Word = "held"
	Improved     Word = "improved"
	Unchanged    Word = "unchanged"
	Inconclusive Word = "inconclusive"

	Met      Word = "met"      // an absolute gate holds
	Missed   Word = "missed"   // an absolute gate fails
	NotGated Word = "unjudged" // nothing to speak of: no data, or too little

	// Of runs that ask whether a model has moved since the baseline.
	Drifted Word = "drifted"
	Steady  Word = "steady" // no drift shown
)

// MetricOperational is the share of results that keep their bounds on cost, time
// and attempts. Those checks are no part of accuracy; where a suite has some, it is
// gated by min: 1 unless the suite says otherwise.
const MetricOperational = "operational"

// MetricRepair is the mean of Result.Repaired over the results under a contract.
const MetricRepair = "repair_score"

// MetricCritical is the share of cases with the tag critical that pass every judged
// repeat. It is gated by min: 1, and by nothing else.
const MetricCritical = "critical"

// GateKind tells specifications from tests.
type GateKind string

// The kinds of a gate.
const (
	GateMin     GateKind = "min"
	GateMax     GateKind = "max"
	GateMaxDrop GateKind = "max_drop"
	GateMaxRise GateKind = "max_rise"
)

// Relative gates compare with the baseline.
func (k GateKind) Relative() bool { return k == GateMaxDrop || k == GateMaxRise }

// Gate is one rule over one metric. The limit's unit is the metric's: a share
// for accuracy, USD for cost_per_case, seconds for latency_*. max_drop is in the
// metric's unit; max_rise is a share of the baseline's value.
type Gate struct {
	Metric  string   `json:"metric"`
	Kind    GateKind `json:"kind"`
	Limit   float64  `json:"limit"`
	Default bool     `json:"default,omitempty"` // nobody wrote it: the rule where accuracy has no gate
}

// OnInconclusive says what an inconclusive relative gate does.
type OnInconclusive string

// What an inconclusive gate does.
const (
	InconclusivePass  OnInconclusive = "pass"
	InconclusiveFail  OnInconclusive = "fail"
	InconclusiveWorse OnInconclusive = "fail_if_worse"
)

// GateResult is how one gate came out.
type GateResult struct {
	Gate
	Word     Word     `json:"word"`
	Pass     bool     `json:"pass"`
	Value    *float64 `json:"value"`                // now; nil for unknown
	Baseline *float64 `json:"baseline,omitempty"`   // nil where there is none
	P        *float64 `json:"p,omitempty"`          // one-sided, before correction
	Adjusted *float64 `json:"p_adjusted,omitempty"` // after Holm over the run's relative gates
	Test     string   `json:"test,omitempty"`       // name of the test that gave P
	N        int      `json:"n"`                    // cases it speaks of
	Down     int      `json:"down,omitempty"`       // cases that got worse
	Up       int      `json:"up,omitempty"`         // cases that got better
	Note     string   `json:"note,omitempty"`       // one sentence for people

	// Of a gate that was tested, in the unit of the limit, positive for worse.
	Bound  *float64 `json:"bound,omitempty"` // one-sided 95 % upper bound of the loss
	Sees   *float64 `json:"sees,omitempty"`  // the least loss that so many cases show in four runs of five
	Settle *Settle  `json:"settle,omitempty"`
}

// Settle is what would settle an inconclusive gate, by estimate: more cases, or more
// repeats of those that there are. Nil is a way that does not lead there.
type Settle struct {
	Cases   *Effort `json:"cases,omitempty"`
	Repeats *Effort `json:"repeats,omitempty"`
	// Both says that the repeats are meant of the baseline, too: its own few are what
	// keeps the gate open.
	Both bool `json:"both,omitempty"`
}

// Effort is how much is to be asked, and what that costs and takes.
type Effort struct {
	Cases    int        `json:"cases"`
	Clusters int        `json:"clusters,omitempty"` // that the cases stand in, where some depend on each other
	Repeats  int        `json:"repeats"`            // of a case; 0 where cases have different ones
	Results  int        `json:"results"`            // to be asked for beyond those that there are
	Cost     *llm.Money `json:"cost_nano_usd"`      // of these, at list price; nil for unknown
	Seconds  float64    `json:"seconds"`            // 0 where no answer says how long one takes
	Command  string     `json:"command,omitempty"`
}

// Metric is a figure over all cases of a group.
type Metric struct {
	Name     string   `json:"name"`
	Unit     string   `json:"unit"`               // "share", "USD", "seconds" or "score"
	Value    *float64 `json:"value"`              // nil for unknown
	N        int      `json:"n"`                  // cases (or calls, for latency) in it
	Baseline *float64 `json:"baseline,omitempty"` // over the paired cases
	Paired   *float64 `json:"paired,omitempty"`   // now, over the same paired cases
	Low      *float64 `json:"low,omitempty"`      // 95 % interval of Value
	High     *float64 `json:"high,omitempty"`
	Note     string   `json:"note,omitempty"`
}

// Flip is a case whose share of passes moved against the baseline.
type Flip struct {
	Suite    string   `json:"suite"`
	Model    string   `json:"model"`
	Prompt   string   `json:"prompt,omitempty"` // name@version, where the run asks the suite with several
	Case     string   `json:"case"`
	Tags     []string `json:"tags,omitempty"`
	Before   string   `json:"before"`         // "3/3"
	After    string   `json:"after"`          // "1/3"
	Anew     string   `json:"anew,omitempty"` // asked anew in both arms: "5/5 -> 1/5", "not judged"
	Worse    bool     `json:"worse"`
	Reason   string   `json:"reason,omitempty"` // what failed now
	Old      *string  `json:"old_answer"`       // nil where the baseline left the text out
	New      string   `json:"new_answer"`
	Accepted string   `json:"accepted,omitempty"`     // why, if the case was accepted on its own
	Call     string   `json:"call,omitempty"`         // id of the call that gave New
	Talk     *Talk    `json:"conversation,omitempty"` // where New is one; of the first MaxTalks
}

// GroupVerdict judges one group.
type GroupVerdict struct {
	Group
	Word           Word           `json:"word"`
	Pass           bool           `json:"pass"`
	Metrics        []Metric       `json:"metrics"`
	Gates          []GateResult   `json:"gates"`
	Labels         []LabelTable   `json:"labels,omitempty"`
	Flips          []Flip         `json:"flips"` // worse first, then by case id; at most MaxFlips
	FlipsDown      int            `json:"flips_down"`
	FlipsUp        int            `json:"flips_up"`
	Failed         []Failed       `json:"failed"` // cases that fail now, by id; at most MaxFlips
	FailedCases    int            `json:"failed_cases"`
	Quarantine     *Quarantine    `json:"quarantine,omitempty"`
	Alerts         []Alert        `json:"alerts"`          // advisory; tags, then cases, each by p
	Sight          *Sight         `json:"sight,omitempty"` // how small a drop of accuracy the suite sees
	CostChange     *CostChange    `json:"cost_change,omitempty"`
	Clusters       int            `json:"clusters,omitempty"` // of the judged cases, where some are not independent
	Paired         int            `json:"paired"`             // cases compared with the baseline
	New            int            `json:"new"`                // cases that the baseline does not know
	Gone           []string       `json:"gone"`               // cases of the baseline that are no more
	Rebased        []string       `json:"rebased"`            // other criteria, and the stored answer cannot be scored again
	Rescored       int            `json:"rescored"`           // other criteria, scored again
	HasBaseline    bool           `json:"has_baseline"`
	BaselineFrom   string         `json:"baseline_from,omitempty"`   // "triage@1.2.0 of 2026-11-12"
	BaselinePrompt string         `json:"baseline_prompt,omitempty"` // the release that it was made with, where that can be asked again
	BaselineCommit string         `json:"baseline_commit,omitempty"` // that has what it was made with, where a gate wants that asked again and no release is it
	SameTreatment  bool           `json:"same_treatment"`
	Asked          int            `json:"asked"`               // results for which a model was asked in this run
	Eval           Eval           `json:"eval"`                // what checks asked models, apart from the cost of answers
	Draws          string         `json:"draws"`               // "recorded", "cached", "live" or "mixed"; "" where nothing was judged
	DrawsFrom      time.Time      `json:"draws_from,omitzero"` // of recorded and cached draws: the oldest
	DrawsTo        time.Time      `json:"draws_to,omitzero"`   // … the newest
	ErrorClasses   []ErrorClass   `json:"error_classes"`
	Origins        []string       `json:"origins,omitempty"` // who wrote the recorded replies, where recordings say so; at most 5
	MissingCost    llm.Cost       `json:"missing_cost"`      // estimate of what asking for the unjudged results would cost
	Answered       map[string]int `json:"answered"`          // who answered, and how often
	Warnings       []string       `json:"warnings"`
	Confirmed      *Confirmed     `json:"confirmed,omitempty"`   // what flipped was asked anew, and accuracy is tested by that
	Drift          *Drift         `json:"model_drift,omitempty"` // of a run that asks whether the model has moved: since the baseline
	Against        *Comparison    `json:"against,omitempty"`     // of a run against a commit: the baseline is what was asked beside
}

// Confirmed is what came of asking the cases that flipped anew, in both arms.
type Confirmed struct {
	Times int `json:"times"` // each case, in each arm
	Cases int `json:"cases"` // that flipped, and were asked
	Down  int `json:"down"`  // of these, passed less often now than what they are compared with
	Up    int `json:"up"`
	Same  int `json:"same"` // as often

	Missing    int    `json:"missing,omitempty"`     // of the answers, in both arms: not judged
	MissingWhy string `json:"missing_why,omitempty"` // one of the reasons, the same in every run
	LeftOut    int    `json:"left_out,omitempty"`    // cases that have none that was judged in one of the arms
}

// Comparison is what a group was compared with in a run against a commit: its cases,
// asked as they would have been then, side by side with those of now.
type Comparison struct {
	Ref    string `json:"ref"` // as it was named
	Commit string `json:"commit"`
	Asked  Group  `json:"asked"` // as it was asked beside
	// Of these, what is missing and not in quarantine.
	MissingErrors   int    `json:"missing_errors"`
	MissingUnjudged int    `json:"missing_unjudged"`
	MissingWhy      string `json:"missing_why,omitempty"` // one of the reasons, the same in every run
	Model           *Drift `json:"model_drift"`           // from the stored baseline to what was asked beside; nil where it cannot be told
	Unknown         string `json:"unknown"`               // … why
	Since           string `json:"since"`                 // date of the stored baseline, YYYY-MM-DD
	Prompt          *Drift `json:"prompt_drift"`          // from what was asked beside to what is judged; nil without a pair
	Sentence        string `json:"sentence"`              // both, in words
	Untold          string `json:"untold,omitempty"`      // why nothing is said of the edit: too much is missing
}

// Drift is how far accuracy moved, over the cases that both sides have.
type Drift struct {
	Change float64 `json:"change"` // of the mean share of passes; negative is worse
	Low    float64 `json:"low"`    // 95 % interval
	High   float64 `json:"high"`
	P      float64 `json:"p"` // two-sided, before Holm's correction
	N      int     `json:"n"` // cases
	Shown  bool    `json:"shown"`
}

// Failed is a case that does not pass now.
type Failed struct {
	Case   string   `json:"case"`
	Tags   []string `json:"tags,omitempty"`
	Passes string   `json:"passes"` // "0/1"
	Reason string   `json:"reason"`
	Call   string   `json:"call,omitempty"`         // id of the call of the first repeat that failed
	Talk   *Talk    `json:"conversation,omitempty"` // of that repeat; of the first MaxTalks
	Known  bool     `json:"in_baseline"`            // the baseline has the case: it failed there too, or is listed as a flip
}

// Quarantine are the cases with the tag quarantine: they are asked, judged, stored and
// shown, and are in no metric and no gate.
type Quarantine struct {
	Cases   int      `json:"cases"`
	Failing int      `json:"failing"` // of these, those that do not pass every judged repeat
	Missing int      `json:"missing"` // results of theirs that were not judged
	Failed  []Failed `json:"failed"`  // the failing ones, by id; at most MaxFlips
}

// The tags that mean something to a verdict.
const (
	TagCritical   = "critical"   // every repeat must pass
	TagQuarantine = "quarantine" // in the report, and out of every gate
)

// Alert is a tag or a case that got worse by more than chance makes likely, among all
// that were looked at (Benjamini and Hochberg, 5 %). It gates nothing.
type Alert struct {
	Tag      string  `json:"tag,omitempty"`
	Case     string  `json:"case,omitempty"`
	Cases    int     `json:"cases"`
	Before   float64 `json:"before"` // mean share of passes
	After    float64 `json:"after"`
	Down     int     `json:"down"` // cases that got worse
	Up       int     `json:"up"`
	P        float64 `json:"p"`          // one-sided, for worse
	Adjusted float64 `json:"p_adjusted"` // after Benjamini and Hochberg
}

// MaxAlerts bounds the alerts on tags, and those on cases.
const MaxAlerts = 50

// Sight is the least drop of accuracy that a suite shows as regressed in four runs of
// five.
type Sight struct {
	Drop       float64 `json:"drop"`                 // 1: none
	Calibrated string  `json:"calibrated,omitempty"` // date of the calibration; "" for an estimate from this comparison
}

// CostChange tells apart what has changed the cost of a case. The parts are USD, and sum
// up to after − before. Nil stands where that cannot be told: other cases than in the
// baseline, unknown prices, or a baseline that was accepted before it had the figures.
type CostChange struct {
	Before  float64 `json:"before"`
	After   float64 `json:"after"`
	Tokens  float64 `json:"tokens"`  // other numbers of tokens, at the prices of now
	Price   float64 `json:"price"`   // other prices, for the tokens of before
	Routing float64 `json:"routing"` // other shares of the models that answered
}

// MaxFlips bounds the flips and failed cases that a group's verdict carries; the
// counts beside them are whole, and the store has the rest.
const MaxFlips = 1000

// Verdict is what a run amounts to.
type Verdict struct {
	Word     Word           `json:"word"`
	Exit     int            `json:"exit"`
	Sentence string         `json:"sentence"` // the verdict in one line for people
	Groups   []GroupVerdict `json:"groups"`
	Planned  int            `json:"planned"`
	Judged   int            `json:"judged"`
	Errors   int            `json:"errors"`
	Unjudged int            `json:"unjudged"`
	Cost     llm.Cost       `json:"cost"` // of the answering paths, at list price
	Paid     llm.Cost       `json:"paid"`
	Eval     Eval           `json:"eval"` // what checks asked models; no part of cost and paid

	// Against is the commit of a run against one; Unchanged are the groups that were not
	// asked, as nothing that decides an answer differs there.
	Against   string  `json:"against,omitempty"`
	Unchanged []Group `json:"unchanged,omitempty"`
	Beside    *Beside `json:"beside,omitempty"`

	Confirming *Beside `json:"confirming,omitempty"` // what was asked to confirm flips, in both arms

	SideBySide []SideBySide `json:"side_by_side,omitempty"` // one a suite that several models or prompts were asked
}

// Missing counts what was not judged of all that was asked for the verdict: of what is
// judged, of what it is compared with, and of what confirms flips.
func (v *Verdict) Missing() int {
	n := v.Errors + v.Unjudged
	for _, beside := range []*Beside{v.Beside, v.Confirming} {
		if beside != nil {
			n += beside.Errors + beside.Unjudged
		}
	}
	return n
}

// Beside sums up what was asked beside the groups that are judged; it is no part of
// their counts and costs.
type Beside struct {
	Planned  int      `json:"planned"`
	Judged   int      `json:"judged"`
	Errors   int      `json:"errors"`
	Unjudged int      `json:"unjudged"`
	Cost     llm.Cost `json:"cost"`
	Paid     llm.Cost `json:"paid"`
	Eval     Eval     `json:"eval"`
}

// Plus adds another sum; the zero value is nothing.
func (b Beside) Plus(other Beside) Beside {
	if b.Planned == 0 {
		return other
	}
	return Beside{
		Planned: b.Planned + other.Planned, Judged: b.Judged + other.Judged, Errors: b.Errors + other.Errors, Unjudged: b.Unjudged + other.Unjudged,
		Cost: b.Cost.Plus(other.Cost), Paid: b.Paid.Plus(other.Paid), Eval: b.Eval.Plus(other.Eval),
	}
}
