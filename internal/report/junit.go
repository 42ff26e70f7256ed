package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// JUnit writes a run as JUnit XML: a suite for each group, a test case for each
// result, and a suite "gates" with a test case for each gate. A fail is a failure
// where its group does not pass; within gates that hold it is skipped, so that a
// run that passes has no failures. An error is an error, an unjudged result is
// skipped. The results are ranged over
// twice (the counts stand before the cases), are never held in memory, and must
// be sorted by suite, model and prompt both times. Answers are cut after a few thousand
// bytes.
func JUnit(w io.Writer, run eval.Run, results iter.Seq2[eval.Result, error]) error {
	tallies, err := tallyResults(results, groupsOf(run))
	if err != nil {
		return err
	}
	gates := gateCases(run)
	sum := tallyCases(gates)
	for _, t := range tallies.list {
		sum.add(t.tally)
	}
	j := &junit{w: bufio.NewWriter(w)}
	j.raw(xml.Header)
	j.open("testsuites", "name", "llmx", "tests", fmt.Sprint(sum.tests), "failures", fmt.Sprint(sum.failures),
		"errors", fmt.Sprint(sum.errors), "time", secondsOf(took(run)))
	if err := j.results(tallies, results, moment(run.Started)); err != nil {
		return err
	}
	j.gates(gates, moment(run.Started))
	j.raw("</testsuites>\n")
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// groupKey tells the groups of a run apart; prompt is "" where a suite has one.
type groupKey struct{ suite, model, prompt string }

func keyOf(g eval.Group) groupKey { return groupKey{g.Suite, g.Model, promptIn(g)} }

// groupsByResult finds the group of a result.
type groupsByResult struct {
	byPrompt map[[2]string]bool // suites on models that have several prompts
	within   map[groupKey]bool  // whose fails are within their gates
}

func groupsOf(run eval.Run) groupsByResult {
	found := groupsByResult{byPrompt: map[[2]string]bool{}, within: map[groupKey]bool{}}
	for _, g := range run.Groups {
		found.byPrompt[[2]string{g.Suite, g.Model}] = g.ByPrompt
	}
	if run.Verdict != nil {
		for _, g := range run.Verdict.Groups {
			found.within[keyOf(g.Group)] = g.Pass || run.Verdict.Exit == fault.ExitOK
		}
	}
	return found
}

func (f groupsByResult) key(r *eval.Result) groupKey {
	key := groupKey{suite: r.Suite, model: r.Model}
	if f.byPrompt[[2]string{r.Suite, r.Model}] {
		key.prompt = r.Prompt.String()
	}
	return key
}

// statusOf is how a result counts in JUnit.
func statusOf(r *eval.Result, within bool) eval.Status {
	if r.Status == eval.Fail && within || quarantined(r) {
		return eval.Unjudged
	}
	return r.Status
}

// quarantined reports a result that does not pass, of a case that is in no gate.
func quarantined(r *eval.Result) bool {
	return r.Status != eval.Pass && slices.Contains(r.Tags, eval.TagQuarantine)
}

func took(run eval.Run) time.Duration {
	if run.Ended.IsZero() {
		return 0
	}
	return run.Ended.Sub(run.Started)
}

// served is what a result took in this run: nothing for a stored answer.
func served(r eval.Result) time.Duration {
	if r.StoredBy != "" {
		return 0
	}
	return r.Service
}

func secondsOf(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }

// tally counts test cases as JUnit does.
type tally struct {
	tests, failures, errors, skipped int
	time                             time.Duration
	repeats                          bool // more than one repeat: names carry it
}

func (t *tally) add(u tally) {
	t.tests += u.tests
	t.failures += u.failures
	t.errors += u.errors
	t.skipped += u.skipped
	t.time += u.time
}

func (t *tally) count(status eval.Status) {
	t.tests++
	switch status {
	case eval.Fail:
		t.failures++
	case eval.Error:
		t.errors++
	case eval.Unjudged:
		t.skipped++
	}
}

type groupTally struct {
	groupKey
	within bool // fails are within the gates
	tally
}

type groupTallies struct {
	list   []*groupTally
	groups groupsByResult
}

// tallyResults is the first pass.
func tallyResults(results iter.Seq2[eval.Result, error], groups groupsByResult) (groupTallies, error) {
	all := groupTallies{groups: groups}
	seen := map[groupKey]bool{}
	var now *groupTally
	for r, err := range results {
		if err != nil {
			return all, err
		}
		if key := groups.key(&r); now == nil || now.groupKey != key {
			if seen[key] {
				return all, fault.New(fault.Internal, "the results of %s are not sorted by suite, model and prompt", named(key.suite, key.model, key.prompt))
			}
			seen[key] = true
			now = &groupTally{groupKey: key, within: groups.within[key]}
			all.list = append(all.list, now)
		}
		now.count(statusOf(&r, now.within))
		now.time += served(r)
		now.repeats = now.repeats || r.Repeat > 0
	}
	return all, nil
}

type junit struct {
	w   *bufio.Writer
	err error
}

func (j *junit) raw(s string) {
	if j.err == nil {
		_, j.err = j.w.WriteString(s)
	}
}

// open writes a start tag; attributes come in pairs.
func (j *junit) open(tag string, attributes ...string) {
	j.raw("<" + tag)
	for i := 0; i+1 < len(attributes); i += 2 {
		j.raw(" " + attributes[i] + `="` + xmlText(attributes[i+1]) + `"`)
	}
	j.raw(">\n")
}

// results is the second pass. It must see what the first pass counted.
func (j *junit) results(tallies groupTallies, results iter.Seq2[eval.Result, error], started string) error {
	at, left := -1, 0
	for r, err := range results {
		if err != nil {
			return err
		}
		if left == 0 {
			j.closeSuite(at)
			at++
			if at == len(tallies.list) {
				return errChanged()
			}
			left = tallies.list[at].tests
			j.suite(named(tallies.list[at].suite, tallies.list[at].model, tallies.list[at].prompt), tallies.list[at].tally, started)
		}
		if tallies.groups.key(&r) != tallies.list[at].groupKey {
			return errChanged()
		}
		left--
		j.result(&r, tallies.list[at])
	}
	if left > 0 || at+1 != len(tallies.list) {
		return errChanged()
	}
	j.closeSuite(at)
	return j.err
}

func errChanged() error {
	return fault.New(fault.Internal, "the results differ between two readings of the same run")
}

func (j *junit) closeSuite(at int) {
	if at >= 0 {
		j.raw("  </testsuite>\n")
	}
}

func (j *junit) suite(name string, t tally, started string) {
	j.raw("  ")
	j.open("testsuite", "name", name, "tests", fmt.Sprint(t.tests), "failures", fmt.Sprint(t.failures),
		"errors", fmt.Sprint(t.errors), "skipped", fmt.Sprint(t.skipped), "time", secondsOf(t.time), "timestamp", strings.TrimSuffix(started, "Z"))
}

// class is how JUnit calls the group.
func (k groupKey) class() string {
	if k.prompt == "" {
		return k.suite + "." + k.model
	}
	return k.suite + "." + k.model + "." + k.prompt
}

func (j *junit) result(r *eval.Result, g *groupTally) {
	title := r.Case
	if g.repeats {
		title += fmt.Sprintf(" #%d", r.Repeat+1)
	}
	c := testcase{class: g.class(), name: title, time: served(*r), status: statusOf(r, g.within)}
	if r.Status != eval.Pass {
		c.message = r.Reason()
		if quarantined(r) {
			c.message = strings.TrimSuffix("in quarantine: "+c.message, ": ")
		} else if c.status != r.Status {
			c.message = strings.TrimSuffix("fails, within the gates: "+c.message, ": ")
		}
		c.kind = string(r.Status)
		if r.Failure != nil {
			c.kind = string(r.Failure.Class)
		}
		c.body = bodyOf(r)
	}
	j.testcase(c)
}

const maxBody = 4000

func bodyOf(r *eval.Result) string {
	var b strings.Builder
	talk := r.Talk()
	for _, score := range r.Scores {
		if !score.Pass && talk == nil { // else it stands within the conversation
			b.WriteString(clip(score.Why(), maxBody) + "\n")
		}
	}
	if r.CallID != "" {
		b.WriteString("call: " + r.CallID + "\n")
	}
	switch answer := r.Shown(); {
	case talk != nil:
		for _, line := range talkLines(talk, maxTalkLines) {
			b.WriteString(line.text() + "\n")
		}
	case answer != "":
		b.WriteString("answer: " + clip(answer, maxBody) + "\n")
	}
	return b.String()
}
