package baseline

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// maxText is the longest answer, in bytes, whose text a baseline keeps.
const maxText = 2 << 10

// lineFold makes a case's line from its repeats.
type lineFold struct {
	id, model       string
	input, criteria string
	texts           bool

	passes, repeats, valid int
	first                  int
	contract               bool
	repaired               bool
	cost                   llm.Cost
	scores                 map[string]*scoreFold
	answers                []eval.BaselineAnswer
	service                time.Duration // of calls that were made now
	served                 int
}

type scoreFold struct{ sum, weight float64 }

func newLineFold(r *eval.Result, texts bool) *lineFold {
	return &lineFold{
		id: r.Case, model: r.Model, input: r.InputHash, criteria: r.CriteriaHash,
		texts: texts, cost: llm.KnownCost(0), scores: map[string]*scoreFold{},
	}
}

func (f *lineFold) add(r *eval.Result) {
	f.repeats++
	if r.Status == eval.Pass {
		f.passes++
	}
	if r.Valid != eval.NoContract {
		f.contract = true
	}
	if r.Valid == eval.Valid {
		f.valid++
	}
	if cmp.Or(r.FirstTry, r.Valid) == eval.Valid {
		f.first++
	}
	if score, ok := r.Repaired(); ok {
		f.score(eval.MetricRepair, score, 1)
		f.repaired = f.repaired || r.Valid == eval.Valid && score < 1
	}
	f.cost = f.cost.Plus(r.Cost)
	if !r.StoredPart() {
		f.service += r.Service
		f.served++
	}
	for _, score := range r.Scores {
		if score.Metric == "" {
			continue
		}
		f.score(score.Metric, score.Value, score.Weighs())
	}
	f.addAnswer(r)
}

func (f *lineFold) score(metric string, value, weight float64) {
	fold := f.scores[metric]
	if fold == nil {
		fold = new(scoreFold)
		f.scores[metric] = fold
	}
	fold.sum += value * weight
	fold.weight += weight
}

// addAnswer counts equal answers together; one that was stopped by length or a
// filter is another answer than the same text that ended by itself.
func (f *lineFold) addAnswer(r *eval.Result) {
	digest := cmp.Or(r.Digest, eval.DigestOf(r.Answer))
	finish := r.Finish
	if finish == llm.FinishStop {
		finish = ""
	}
	passes := 0
	if r.Status == eval.Pass {
		passes = 1
	}
	for i := range f.answers {
		if f.answers[i].Digest == digest && f.answers[i].Finish == finish {
			f.answers[i].Count++
			f.answers[i].Passes += passes
			return
		}
	}
	answer := eval.BaselineAnswer{Digest: digest, Count: 1, Passes: passes, Finish: finish}
	if f.texts && kept(r, digest) && keepsText(r) {
		said := r.Answer
		if len(r.Steps) > 0 {
			said, answer.Steps = r.Transcript(), stepsOf(r)
		}
		text := strings.Clone(said)
		answer.Text = &text
		for _, call := range r.ToolCalls {
			if len(r.Steps) == 0 {
				answer.ToolCalls = append(answer.ToolCalls, eval.BaselineCall{Name: call.Name, Arguments: call.Arguments})
			}
		}
	}
	if r.Valid == eval.Violated {
		answer.Broken = cmp.Or(r.Reason(), "the output contract")
	}
	f.answers = append(f.answers, answer)
}

// keepsText reports whether what was said is short enough, the arguments of tool calls
// with it, and is UTF-8: JSON cannot hold another as it was given.
func keepsText(r *eval.Result) bool {
	if len(r.Steps) > 0 {
		said := r.Transcript()
		return len(said) <= maxText && utf8.ValidString(said)
	}
	size, valid := len(r.Answer), utf8.ValidString(r.Answer)
	for _, call := range r.ToolCalls {
		size += len(call.Name) + len(call.Arguments)
		valid = valid && utf8.ValidString(call.Name) && utf8.ValidString(call.Arguments)
	}
	return size <= maxText && valid
}

// kept reports whether the result has what was said: the store may have left it out.
func kept(r *eval.Result, digest string) bool {
	if len(r.Steps) > 0 {
		return digest == eval.DigestOfSteps(r.Steps)
	}
	return r.Answer != "" || digest == eval.DigestOfAnswer("", r.ToolCalls)
}

// stepsOf are the replies of a conversation, nil where one of them is not all of it:
// what a call failed by, no check can find again.
func stepsOf(r *eval.Result) []eval.BaselineStep {
	var steps []eval.BaselineStep
	for i := range r.Steps {
		step := &r.Steps[i]
		if f := step.Failure; f != nil && f.Class != fault.Contract && f.Class != fault.Length {
			return nil
		}
		kept := eval.BaselineStep{Turn: step.Turn, Answer: step.Answer, ToolCalls: step.ToolCalls, Finish: step.Finish}
		if kept.Finish == llm.FinishStop {
			kept.Finish = ""
		}
		steps = append(steps, kept)
	}
	return steps
}

func (f *lineFold) line() eval.BaselineLine {
	line := eval.BaselineLine{
		Case: f.id, Model: f.model, Input: f.input, Criteria: f.criteria,
		Passes: f.passes, Repeats: f.repeats, Valid: -1, Answers: f.answers,
	}
	if f.contract {
		line.Valid = f.valid
		if f.first != f.valid {
			line.FirstTry = &f.first
		}
	}
	if !f.repaired {
		delete(f.scores, eval.MetricRepair) // the valid ones say it
	}
	if len(f.scores) > 0 {
		line.Scores = make(map[string]float64, len(f.scores))
		for metric, fold := range f.scores {
			line.Scores[metric] = fold.sum / fold.weight
		}
	}
	if f.cost.Known {
		mean := llm.Money(math.Round(float64(f.cost.Amount) / float64(f.repeats)))
		line.Cost = &mean
	}
	slices.SortFunc(line.Answers, func(a, b eval.BaselineAnswer) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Digest, b.Digest), strings.Compare(string(a.Finish), string(b.Finish)))
	})
	return line
}

// headerFold makes a model's header from its results.
type headerFold struct {
	group     eval.Group
	results   int
	answered  map[string]bool
	latencies []time.Duration // of calls that were made now
	spend     map[string]*eval.BaselineSpend
	unpriced  bool
}

func (f *headerFold) add(r *eval.Result) {
	f.results++
	if r.Answered != "" {
		f.answered[r.Answered] = true
	}
	f.addSpend(r)
	if r.StoredBy == "" && !slices.Contains(r.Tags, eval.TagQuarantine) {
		f.latencies = append(f.latencies, r.Service)
	}
}

func (f *headerFold) addSpend(r *eval.Result) {
	if slices.Contains(r.Tags, eval.TagQuarantine) {
		return
	}
	f.unpriced = f.unpriced || !r.Cost.Known
	if f.spend == nil {
		f.spend = map[string]*eval.BaselineSpend{}
	}
	sum := f.spend[r.Answered]
	if sum == nil {
		sum = &eval.BaselineSpend{Answered: r.Answered}
		f.spend[r.Answered] = sum
	}
	sum.Results++
	sum.Input += r.Usage.Input
	sum.Output += r.Usage.Output
	sum.Cost += r.Cost.Amount
}

// maxSpend bounds the models that a header tells apart.
const maxSpend = 20

func (f *headerFold) spent() []eval.BaselineSpend {
	if f.unpriced || len(f.spend) > maxSpend {
		return nil
	}
	var list []eval.BaselineSpend
	for _, sum := range f.spend {
		if sum.Input+sum.Output == 0 {
			return nil // nobody counted
		}
		list = append(list, *sum)
	}
	slices.SortFunc(list, func(a, b eval.BaselineSpend) int { return strings.Compare(a.Answered, b.Answered) })
	return list
}

func (f *headerFold) header(run eval.Run) eval.BaselineHeader {
	header := eval.BaselineHeader{
		Suite: f.group.Suite, Model: f.group.Model, Answered: []string{},
		Treatment: f.group.Treatment, Prompt: f.group.Prompt,
		Draws: "recorded", Date: run.Started.UTC().Format(time.DateOnly), Run: run.ID,
		Spend: f.spent(),
	}
	for name := range f.answered {
		header.Answered = append(header.Answered, name)
	}
	slices.Sort(header.Answered)
	if n := len(f.latencies); n > 0 {
		header.Draws = "live"
		slices.Sort(f.latencies)
		header.LatencyP50 = f.latencies[(n+1)/2-1]
		header.LatencyP95 = f.latencies[(n*95+99)/100-1]
	}
	return header
}
