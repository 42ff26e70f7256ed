package eval

import "github.com/llmx-dev/llmx/internal/llm"

// SideBySide says how the models and prompts that a run asked the same cases of a suite
// do beside each other. It is advisory: gates compare with the baseline.
type SideBySide struct {
	Suite      string      `json:"suite"`
	Reference  string      `json:"reference"`  // name of the candidate that the others are compared with
	Candidates []Contender `json:"candidates"` // in the order in which they were named
	// Cases are those of which every candidate has a judged result; of Planned, none of
	// them in quarantine. The figures that candidates are ranked by are of these alone.
	Cases   int `json:"cases"`
	Planned int `json:"planned"`
	// Tests is by how many p-values Holm's correction divides: those of all comparisons of
	// the whole run.
	Tests int      `json:"tests"`
	Notes []string `json:"notes"` // what readers of the figures must know
}

// Contender is one model with one prompt, as it did beside the others.
type Contender struct {
	Name      string        `json:"name"` // what tells it apart: model, prompt, or "prompt · model"
	Model     string        `json:"model"`
	Prompt    llm.PromptRef `json:"prompt"`
	Reference bool          `json:"reference"`
	Missing   int           `json:"missing"` // results that were not judged, quarantine left out

	// Over the cases that all candidates have; nil for unknown.
	Accuracy *float64 `json:"accuracy"`
	Low      *float64 `json:"low"` // 95 % interval of the accuracy
	High     *float64 `json:"high"`
	Cost     *float64 `json:"cost_per_case"` // USD at list price

	// Over all calls of the candidate; seconds.
	LatencyP50  *float64 `json:"latency_p50"`
	LatencyP95  *float64 `json:"latency_p95"`
	Calls       int      `json:"calls"`        // that the latency is of
	LatencyKept bool     `json:"latency_kept"` // no call was made now: it is what kept answers took once

	// Frontier says that no other candidate is as accurate for less, or more accurate for
	// as much, by the figures above; else By names the cheapest that is, or Outside says
	// why the candidate has no place.
	Frontier bool   `json:"frontier"`
	By       string `json:"dominated_by,omitempty"`
	Outside  string `json:"outside,omitempty"`

	Contrasts []Contrast `json:"comparisons"` // with the reference; none of the reference itself
}

// Contrast compares one metric of a candidate with the reference, over the cases of which
// both have a judged result.
type Contrast struct {
	Metric    string   `json:"metric"`
	Unit      string   `json:"unit"` // of Value and Reference
	Word      Word     `json:"word"`
	Value     *float64 `json:"value"`
	Reference *float64 `json:"reference"`
	// Change is the difference of a share, and of cost the share of the reference's by which
	// the typical case costs more: 0.1 is 10 points, or 10 %. Low … High is its 95 % interval.
	Change *float64 `json:"change"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	P      *float64 `json:"p"`          // two-sided; nil where no case differs
	Holm   *float64 `json:"p_adjusted"` // after Holm over all comparisons of the run
	Test   string   `json:"test,omitempty"`
	N      int      `json:"n"`     // cases
	Worse  int      `json:"worse"` // of these, those where the candidate does worse than the reference
	Better int      `json:"better"`
	Margin float64  `json:"margin"`                 // that held speaks of: the suite's max_drop or max_rise, else 0
	Sees   *float64 `json:"sees,omitempty"`         // of an inconclusive accuracy: about the least difference that so many cases show
	Needs  int      `json:"cases_needed,omitempty"` // … and about how many cases would show the difference that was seen
	Note   string   `json:"note,omitempty"`
}
