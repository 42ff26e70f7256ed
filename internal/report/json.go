package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// SchemaVersion names the shape of the JSON document. Keys may be added under the
// same version; a key that goes or changes its meaning makes a new one.
const SchemaVersion = "llmx.run/1"

// document is the JSON of a run. Its keys are always there, in this order, unless
// they are marked omitempty. Costs are integers of 10⁻⁹ USD and text; both say
// unknown (null, "unknown") rather than 0. Durations are milliseconds, times are
// RFC 3339 in UTC, shares run from 0 to 1.
type document struct {
	Schema     string          `json:"schema"`
	Run        string          `json:"run"`
	Version    string          `json:"llmx_version"`
	Command    string          `json:"command"`
	Replies    string          `json:"replies"` // replay, auto, record or live
	State      eval.RunState   `json:"state"`   // complete, interrupted or running
	Started    string          `json:"started"`
	DurationMS *int64          `json:"duration_ms"` // null while running
	Filtered   bool            `json:"filtered"`
	Verdict    documentVerdict `json:"verdict"`
	Groups     []documentGroup `json:"groups"`
	Flips      []eval.Flip     `json:"flips"`  // of all groups; at most eval.MaxFlips a group
	Failed     []documentCase  `json:"failed"` // likewise
	Warnings   []string        `json:"warnings"`
	Failure    *llm.Failure    `json:"failure"` // why the run could not go on, or null
}

// documentVerdict is what the run amounts to; without a verdict the word is "".
type documentVerdict struct {
	Word     eval.Word    `json:"word"`
	Exit     int          `json:"exit"`
	Sentence string       `json:"sentence"`
	Planned  int          `json:"planned"` // = judged + errors + unjudged
	Judged   int          `json:"judged"`
	Errors   int          `json:"errors"`
	Unjudged int          `json:"unjudged"`
	Cost     documentCost `json:"cost"` // of the answering paths, at list price
	Paid     documentCost `json:"paid"` // what was paid for answers in this run
	Eval     documentEval `json:"eval"` // what checks asked models: no part of cost and paid

	// Of a run against a commit: its name, and the groups in which nothing that decides
	// an answer differs there, which were not asked.
	Against   string       `json:"against,omitempty"`
	Unchanged []eval.Group `json:"unchanged,omitempty"`
	// Beside is what was asked at the commit: no part of the counts and costs above.
	Beside *documentBeside `json:"beside,omitempty"`
	// Confirming likewise, of what was asked to confirm flips, in both arms.
	Confirming *documentBeside `json:"confirming,omitempty"`
	// SideBySide is of suites that several models or prompts were asked: their figures, the
	// frontier of cost and accuracy, and each against the reference.
	SideBySide []eval.SideBySide `json:"side_by_side,omitempty"`
}

// documentBeside sums up what was asked beside the groups that are judged.
type documentBeside struct {
	Planned  int          `json:"planned"` // = judged + errors + unjudged
	Judged   int          `json:"judged"`
	Errors   int          `json:"errors"`
	Unjudged int          `json:"unjudged"`
	Cost     documentCost `json:"cost"`
	Paid     documentCost `json:"paid"`
	Eval     documentEval `json:"eval"`
}

// documentEval is what checks asked models.
type documentEval struct {
	Calls int          `json:"calls"` // questions
	Asked int          `json:"asked"` // … for which a model was asked in this run
	Cost  documentCost `json:"cost"`  // at list price
	Paid  documentCost `json:"paid"`
}

type documentCost struct {
	NanoUSD *int64 `json:"nano_usd"`
	USD     string `json:"usd"`
}

// documentGroup is one suite on one model.
type documentGroup struct {
	Suite         string            `json:"suite"`
	Model         string            `json:"model"`
	Prompt        llm.PromptRef     `json:"prompt"`
	Treatment     string            `json:"treatment"`
	Word          eval.Word         `json:"word"`
	Pass          bool              `json:"pass"`
	Cases         int               `json:"cases"`
	Planned       int               `json:"planned"`
	Judged        int               `json:"judged"`
	Errors        int               `json:"errors"`
	Unjudged      int               `json:"unjudged"`
	FailedCases   int               `json:"failed_cases"`
	FlipsDown     int               `json:"flips_down"`
	FlipsUp       int               `json:"flips_up"`
	HasBaseline   bool              `json:"has_baseline"`
	BaselineFrom  string            `json:"baseline_from"`
	SameTreatment bool              `json:"same_treatment"`
	Paired        int               `json:"paired"`
	New           int               `json:"new"`
	Gone          []string          `json:"gone"`
	Rebased       []string          `json:"rebased"`
	Rescored      int               `json:"rescored"`
	Eval          documentEval      `json:"eval"`
	Draws         string            `json:"draws"`
	DrawsFrom     string            `json:"draws_from"`
	DrawsTo       string            `json:"draws_to"`
	Answered      map[string]int    `json:"answered"`
	Metrics       []eval.Metric     `json:"metrics"`
	Gates         []eval.GateResult `json:"gates"`
	Labels        []eval.LabelTable `json:"labels,omitempty"`
	Quarantine    *eval.Quarantine  `json:"quarantine"`  // null where no case is in quarantine
	Alerts        []eval.Alert      `json:"alerts"`      // advisory
	Sight         *eval.Sight       `json:"sight"`       // null where nothing is compared
	CostChange    *eval.CostChange  `json:"cost_change"` // null where it cannot be told apart
	Clusters      int               `json:"clusters"`    // 0 where every case stands on its own
	ErrorClasses  []eval.ErrorClass `json:"error_classes"`
	Warnings      []string          `json:"warnings"`
	Confirmed     *eval.Confirmed   `json:"confirmed,omitempty"`   // what flipped was asked anew
	Drift         *eval.Drift       `json:"model_drift,omitempty"` // of llmx drift
	Against       *eval.Comparison  `json:"against,omitempty"`     // whose drift it is, of a run against a commit
}

type documentCase struct {
	Suite  string `json:"suite"`
	Model  string `json:"model"`
	Prompt string `json:"prompt,omitempty"` // name@version, where the run asks the suite with several
	eval.Failed
}

// JSON writes a run as one JSON document of a stable shape: see document. Control
// and bidirectional characters are written as \u escapes, so that the document
// can be shown on a terminal as it is.
func JSON(w io.Writer, run eval.Run) error { return writeDocument(w, documentOf(run)) }

func writeDocument(w io.Writer, document any) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(&escaper{out})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return err
	}
	return out.Flush()
}

func documentOf(run eval.Run) document {
	run = settling(run)
	d := document{
		Schema: SchemaVersion, Run: run.ID, Version: run.Version, Command: run.Command, Replies: run.Replies,
		State: run.State, Started: moment(run.Started), Filtered: run.Filtered,
		Verdict: documentVerdict{Word: run.Word, Exit: run.Exit, Cost: costOf(run.Spent), Paid: costOf(run.Spent), Eval: evalOf(eval.Eval{})},
		Groups:  []documentGroup{}, Flips: []eval.Flip{}, Failed: []documentCase{},
		Warnings: filled(run.Warnings), Failure: run.Failure,
	}
	if !run.Ended.IsZero() {
		ms := run.Ended.Sub(run.Started).Milliseconds()
		d.DurationMS = &ms
	}
	v := run.Verdict
	if v == nil {
		for _, g := range run.Groups {
			d.Groups = append(d.Groups, groupOf(eval.GroupVerdict{Group: g}))
		}
		return d
	}
	d.Verdict = documentVerdict{
		Word: v.Word, Exit: v.Exit, Sentence: v.Sentence, Planned: v.Planned, Judged: v.Judged,
		Errors: v.Errors, Unjudged: v.Unjudged, Cost: costOf(v.Cost), Paid: costOf(v.Paid), Eval: evalOf(v.Eval),
		Against: v.Against, Unchanged: v.Unchanged, SideBySide: v.SideBySide,
	}
	d.Verdict.Beside, d.Verdict.Confirming = besideDocument(v.Beside), besideDocument(v.Confirming)
	for _, g := range v.Groups {
		d.Groups = append(d.Groups, groupOf(g))
		d.Flips = append(d.Flips, g.Flips...)
		for _, f := range g.Failed {
			d.Failed = append(d.Failed, documentCase{g.Suite, g.Model, promptIn(g.Group), f})
		}
	}
	return d
}

func groupOf(g eval.GroupVerdict) documentGroup {
	answered := g.Answered
	if answered == nil {
		answered = map[string]int{}
	}
	return documentGroup{
		Suite: g.Suite, Model: g.Model, Prompt: g.Prompt, Treatment: g.Treatment, Word: g.Word, Pass: g.Pass,
		Cases: g.Cases, Planned: g.Planned, Judged: g.Judged, Errors: g.Errors, Unjudged: g.Unjudged,
		FailedCases: g.FailedCases, FlipsDown: g.FlipsDown, FlipsUp: g.FlipsUp,
		HasBaseline: g.HasBaseline, BaselineFrom: g.BaselineFrom, SameTreatment: g.SameTreatment,
		Paired: g.Paired, New: g.New, Gone: filled(g.Gone), Rebased: filled(g.Rebased), Rescored: g.Rescored,
		Eval: evalOf(g.Eval), Draws: g.Draws, DrawsFrom: moment(g.DrawsFrom), DrawsTo: moment(g.DrawsTo), Answered: answered,
		Metrics: finiteMetrics(g.Metrics), Gates: finiteGates(g.Gates), Labels: g.Labels,
		Quarantine: g.Quarantine, Alerts: filled(g.Alerts), Sight: g.Sight, CostChange: g.CostChange, Clusters: g.Clusters,
		ErrorClasses: filled(g.ErrorClasses), Warnings: filled(g.Warnings), Confirmed: g.Confirmed, Drift: g.Drift, Against: g.Against,
	}
}

func besideDocument(b *eval.Beside) *documentBeside {
	if b == nil {
		return nil
	}
	return &documentBeside{b.Planned, b.Judged, b.Errors, b.Unjudged, costOf(b.Cost), costOf(b.Paid), evalOf(b.Eval)}
}

func evalOf(e eval.Eval) documentEval {
	if e.Calls == 0 {
		e.Cost, e.Paid = llm.KnownCost(0), llm.KnownCost(0)
	}
	return documentEval{e.Calls, e.Asked, costOf(e.Cost), costOf(e.Paid)}
}

func costOf(c llm.Cost) documentCost {
	if !c.Known {
		return documentCost{USD: unknown}
	}
	nano := int64(c.Amount)
	return documentCost{&nano, strings.Replace(c.Amount.String(), "$", "", 1)}
}

// moment is a time in RFC 3339, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// filled makes an empty list of none, so that no list is null.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// finite keeps what JSON has no word for out of the document.
func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}

func finiteMetrics(metrics []eval.Metric) []eval.Metric {
	list := make([]eval.Metric, len(metrics))
	for i, m := range metrics {
		m.Value, m.Baseline, m.Paired = finite(m.Value), finite(m.Baseline), finite(m.Paired)
		m.Low, m.High = finite(m.Low), finite(m.High)
		list[i] = m
	}
	return list
}

func finiteGates(gates []eval.GateResult) []eval.GateResult {
	list := make([]eval.GateResult, len(gates))
	for i, g := range gates {
		g.Value, g.Baseline, g.P, g.Adjusted = finite(g.Value), finite(g.Baseline), finite(g.P), finite(g.Adjusted)
		g.Bound, g.Sees = finite(g.Bound), finite(g.Sees)
		list[i] = g
	}
	return list
}

// escaper writes JSON text with what a terminal would obey as \u escapes; in JSON
// such characters stand only in strings. The encoder writes whole documents, so
// that no character is torn between two writes.
type escaper struct{ w *bufio.Writer }

func (e *escaper) Write(data []byte) (int, error) {
	safe := 0 // where what may be written as it is begins
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == '\n' || !isUnsafe(r) {
			i += size
			continue
		}
		e.w.Write(data[safe:i])
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(e.w, `\u%04x\u%04x`, high, low)
		} else {
			fmt.Fprintf(e.w, `\u%04x`, r)
		}
		i += size
		safe = i
	}
	// The buffer keeps its first error, and its Flush gives it.
	e.w.Write(data[safe:])
	return len(data), nil
}
