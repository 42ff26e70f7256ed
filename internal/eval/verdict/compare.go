package verdict

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/eval/turns"
	"github.com/llmx-dev/llmx/internal/llm"
)

// reference is the baseline of one model.
type reference struct {
	baseline *eval.Baseline
	header   *eval.BaselineHeader
	lines    []int32 // places in baseline.Lines, sorted by case id
	seen     []bool  // by place in lines: the case is still there, with the same input
	accepted map[string]string
}

// newReference is nil where the baseline knows nothing of the model.
func newReference(b *eval.Baseline, model string) *reference {
	if b == nil {
		return nil
	}
	ref := &reference{baseline: b, accepted: map[string]string{}}
	for i := range b.Headers {
		if b.Headers[i].Model == model {
			ref.header = &b.Headers[i]
		}
	}
	if ref.header == nil {
		return nil
	}
	for _, accept := range ref.header.Accepted {
		for _, id := range accept.Cases {
			ref.accepted[id] = accept.Because
		}
	}
	for i := range b.Lines {
		if b.Lines[i].Model == model && b.Lines[i].Repeats > 0 {
			ref.lines = append(ref.lines, int32(i))
		}
	}
	slices.SortFunc(ref.lines, func(x, y int32) int { return strings.Compare(b.Lines[x].Case, b.Lines[y].Case) })
	ref.seen = make([]bool, len(ref.lines))
	return ref
}

// find marks and gives the line of a case with the same input, or nil.
func (ref *reference) find(c *eval.Case) *eval.BaselineLine {
	i, ok := slices.BinarySearchFunc(ref.lines, c.ID, func(place int32, id string) int {
		return strings.Compare(ref.baseline.Lines[place].Case, id)
	})
	if !ok {
		return nil
	}
	line := &ref.baseline.Lines[ref.lines[i]]
	if line.Input != c.InputHash {
		return nil // another case under the same name: a new one, and one that is gone
	}
	ref.seen[i] = true
	return line
}

// gone lists the baseline's cases that did not come.
func (ref *reference) gone() []string {
	gone := []string{}
	for i, seen := range ref.seen {
		if !seen {
			gone = append(gone, ref.baseline.Lines[ref.lines[i]].Case)
		}
	}
	return gone
}

// pairing counts how cases met the baseline.
type pairing struct {
	paired, identical, fresh, rescored int
	rebased                            []string
}

// before is a baseline line under the case's present criteria.
type before struct {
	passes, repeats int
	passText        *string
	failText        *string
	scores          map[string]float64
}

// compare pairs a case with the baseline.
func (t *Tally) compare(f *caseFold, cluster uint64) {
	line := t.base.find(f.c)
	if line == nil {
		t.pair.fresh++
		return
	}
	past, ok := t.past(f.c, line)
	if !ok {
		t.pair.rebased = append(t.pair.rebased, f.c.ID)
		return
	}
	missing := f.missing()
	t.accuracy.pair(f.passes, f.judged, missing, past.passes, past.repeats, cluster)
	if line.Valid >= 0 && (f.contract || t.hasContract()) {
		t.validity.pair(f.valid, f.judged, missing, line.Valid, line.Repeats, cluster)
		t.firstTry.pair(f.first, f.judged, missing, line.First(), line.Repeats, cluster)
	}
	t.cost.pair(f, line.Cost, cluster)
	t.service.pair(f, line.Service, cluster)
	for metric, value := range past.scores {
		if m := f.scores[metric]; m != nil {
			t.metric(metric).pair(m.value(), value, f.judged, missing, cluster)
		} else if f.judged == 0 {
			t.metric(metric).pair(0, value, 0, missing, cluster)
		}
	}
	if f.judged == 0 {
		return
	}
	t.pair.paired++
	if !t.unwatched {
		t.look.add(f.c, stats.Stratum{A: f.passes, N: f.judged, B: past.passes, M: past.repeats})
	}
	if sameAnswers(f, line) {
		t.pair.identical++
	}
	t.flip(f, past)
}

// past is the line as it stands under the case's criteria: as stored, or scored
// again where the criteria have changed. Not ok: it cannot be scored again.
func (t *Tally) past(c *eval.Case, line *eval.BaselineLine) (past before, ok bool) {
	if line.Criteria != c.CriteriaHash {
		past, ok = t.rescore(c, line)
		if ok {
			past.scores = withRepair(past.scores, line)
			t.pair.rescored++
		}
		return past, ok
	}
	past = before{passes: line.Passes, repeats: line.Repeats, scores: withRepair(line.Scores, line)}
	for i := range line.Answers {
		past.text(line.Answers[i].Shown(), line.Answers[i].Passes > 0, line.Answers[i].Passes < line.Answers[i].Count)
	}
	return past, true
}

// withRepair adds how far the line's answers were as the contract asks: as it says,
// else none was repaired, and each was valid or refused. It does not depend on criteria.
func withRepair(scores map[string]float64, line *eval.BaselineLine) map[string]float64 {
	score, known := line.Scores[eval.MetricRepair]
	if !known {
		score = share(line.Valid, line.Repeats)
	}
	if line.Valid < 0 {
		return scores
	}
	all := make(map[string]float64, len(scores)+1)
	maps.Copy(all, scores)
	all[eval.MetricRepair] = score
	return all
}

// text keeps the most frequent answer that passed, and that failed.
func (p *before) text(text *string, passed, failed bool) {
	if passed && p.passText == nil {
		p.passText = text
	}
	if failed && p.failText == nil {
		p.failText = text
	}
}

// rescore judges the stored answers by the case's present checks. It needs every
// text, and checks that give the same score for the same answer without a call;
// operational ones speak of calls that are long over, and are left out.
func (t *Tally) rescore(c *eval.Case, line *eval.BaselineLine) (past before, ok bool) {
	if c.HasCheck(func(check eval.Check) bool { return !check.Operational() && !check.Deterministic() }) {
		return before{}, false
	}
	for i := range line.Answers {
		if !canRescore(c, &line.Answers[i]) {
			return before{}, false
		}
	}
	past = before{repeats: line.Repeats}
	sums := map[string]*mean{}
	for i := range line.Answers {
		answer := &line.Answers[i]
		pass, ok := t.rescoreAnswer(c, answer, sums)
		if !ok {
			return before{}, false
		}
		if pass {
			past.passes += answer.Count
		}
		past.text(answer.Shown(), pass, !pass)
	}
	past.scores = make(map[string]float64, len(sums))
	for metric, m := range sums {
		past.scores[metric] = m.value()
	}
	return past, true
}

// canRescore reports whether the baseline has all that was said: not of a text that it
// left out, nor of a tool call that was accepted before baselines had them.
func canRescore(c *eval.Case, answer *eval.BaselineAnswer) bool {
	switch {
	case answer.Text == nil:
		return false
	case len(c.Turns) > 0:
		return len(answer.Steps) > 0
	}
	return answer.Finish != llm.FinishToolCalls || len(answer.ToolCalls) > 0
}

func (t *Tally) rescoreAnswer(c *eval.Case, answer *eval.BaselineAnswer, sums map[string]*mean) (pass, ok bool) {
	if len(c.Turns) > 0 {
		return t.rescoreTalk(c, answer, sums)
	}
	pass, _, ok = t.rescoreReply(c, eval.BaselineStep{Answer: *answer.Text, ToolCalls: answer.Calls(), Finish: answer.Finish}, answer.Count, sums)
	return pass, ok
}

// rescoreReply judges one answer, which stands for so many equal ones. whole is false
// for one that the contract refuses, or that was stopped before its end.
func (t *Tally) rescoreReply(c *eval.Case, reply eval.BaselineStep, times int, sums map[string]*mean) (pass, whole, ok bool) {
	subject := eval.Subject{
		Answer: reply.Answer, Output: t.settings.Contract.Output, Golden: c.Golden, Vars: c.Vars,
		Finish: reply.Finish, Stored: true, ToolCalls: reply.ToolCalls, Origin: llm.Origin{Suite: c.Suite, Case: c.ID},
	}
	if subject.Finish == "" {
		subject.Finish = llm.FinishStop
	}
	if t.settings.Read != nil {
		said := eval.Said{Answer: subject.Answer, ToolCalls: subject.ToolCalls, Finish: subject.Finish}
		reading := t.settings.Read(said, t.settings.Contract)
		subject.Value, subject.Repairs, subject.Broken = reading.Value, reading.Repairs, reading.Broken
		if reading.Broken == "" {
			subject.ToolCalls = reading.ToolCalls
		}
	}
	// What the call itself failed by, no check can mend.
	whole = subject.Broken == "" && subject.Finish != llm.FinishLength && subject.Finish != llm.FinishContentFilter
	pass = whole
	for _, check := range c.Checks {
		if check.Operational() {
			continue
		}
		score, err := check.Score(context.Background(), subject)
		if err != nil {
			return false, whole, false
		}
		pass = pass && score.Pass
		if score.Metric != "" {
			addTo(sums, score.Metric, score.Value, score.Weighs()*float64(times))
		}
	}
	return pass, whole, true
}

func addTo(sums map[string]*mean, metric string, value, weight float64) {
	m := sums[metric]
	if m == nil {
		m = new(mean)
		sums[metric] = m
	}
	m.add(value, weight)
}

// rescoreTalk judges a conversation by its replies. Not ok: it did not come so far as
// the checks of today would have let it.
func (t *Tally) rescoreTalk(c *eval.Case, answer *eval.BaselineAnswer, sums map[string]*mean) (pass, ok bool) {
	walk := turns.Begin(c)
	pass = true
	for {
		at, stuck, more := walk.Next()
		if !more {
			pass = pass && stuck == nil
			break
		}
		i := slices.IndexFunc(answer.Steps, func(step eval.BaselineStep) bool { return step.Turn == walk.Turn().Number })
		if i < 0 {
			return false, false
		}
		step := answer.Steps[i]
		right, whole, ok := t.rescoreReply(&at, step, answer.Count, sums)
		if !ok {
			return false, false
		}
		pass = pass && right
		walk.Reply(step.Answer, step.ToolCalls)
		if !whole {
			pass = false
			break
		}
	}
	for _, turn := range walk.Rest() { // not asked, and failed
		for _, check := range turn.Checks {
			if metric := check.Metric(); metric != "" {
				addTo(sums, metric, 0, eval.WeightOf(check)*float64(answer.Count))
			}
		}
	}
	return pass, true
}

// sameAnswers reports whether the case was answered as in the baseline, repeat for
// repeat; of tool calls, as they were proposed.
func sameAnswers(f *caseFold, line *eval.BaselineLine) bool {
	if f.judged != line.Repeats {
		return false
	}
	marks := uint64(0)
	for i := range line.Answers {
		marks += uint64(line.Answers[i].Count) * markOf(line.Answers[i].Digest, line.Answers[i].Finish)
	}
	return marks == f.digests
}

// flip lists the case if its share of passes moved.
func (t *Tally) flip(f *caseFold, past before) {
	moved := f.passes*past.repeats - past.passes*f.judged
	if t.settings.Shares {
		t.shares[f.c.ID] = outOf(past.passes, past.repeats) + " -> " + outOf(f.passes, f.judged)
		if 2*past.passes < past.repeats && 2*f.passes < f.judged {
			t.bothFail++
		}
	}
	if moved == 0 {
		return
	}
	if t.settings.Confirms {
		t.flipped[f.c.ID] = true
	}
	flip := eval.Flip{
		Suite: t.group.Suite, Model: t.group.Model, Case: f.c.ID, Tags: f.c.Tags,
		Before: outOf(past.passes, past.repeats), After: outOf(f.passes, f.judged),
		Worse: moved < 0, Accepted: t.base.accepted[f.c.ID],
	}
	if t.group.ByPrompt {
		flip.Prompt = t.group.Prompt.String()
	}
	if flip.Worse {
		t.flipsDown++
		flip.Reason, flip.Old, flip.New, flip.Call = f.reason, past.passText, f.failAnswer, f.failCall
		flip.Talk = f.failTalk
	} else {
		t.flipsUp++
		flip.Reason, flip.Old, flip.New, flip.Call = f.reason, past.failText, f.passAnswer, f.passCall
		flip.Talk = f.passTalk
	}
	t.flips.add(flip)
}
