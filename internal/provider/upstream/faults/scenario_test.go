package faults

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// A scenario that sees nothing wrong proves nothing.
func TestScenarioSeesWhatIsNotAsItSays(t *testing.T) {
	const right, s = "the right answer", time.Second
	late := fault.New(fault.TimeoutIdle, "late")
	good := outcome{
		Response: llm.Response{Text: right, End: llm.End{
			Finish: llm.FinishStop, Usage: Used, Model: Answered("b"), Failed: []llm.Failed{{Model: "a", Class: fault.Overloaded}},
		}},
		first: 2 * s, after: 3 * s,
		attempts: []Attempt{{Model: "a", N: 1, At: 0}, {Model: "a", N: 2, At: s}, {Model: "b", N: 1, At: 2 * s}},
	}
	says := Scenario{
		Answered: "b", Failed: []string{"a overloaded"}, First: 2 * s, After: 3 * s,
		Asked: map[string][]time.Duration{"a": {0, s}, "b": {2 * s}},
	}
	failed := Scenario{Class: fault.TimeoutIdle, After: 3 * s, Asked: says.Asked}
	for name, test := range map[string]struct {
		says   Scenario
		change func(*Scenario, *outcome)
		want   string // "" for no problem
	}{
		"all as it says":         {says, func(*Scenario, *outcome) {}, ""},
		"within its slack":       {says, func(c *Scenario, o *outcome) { c.Slack = s; o.first += s; o.after += s; o.attempts[1].At += s }, ""},
		"a failure":              {says, func(_ *Scenario, o *outcome) { o.err = late }, `got "timeout_idle"`},
		"an error of nobody's":   {says, func(_ *Scenario, o *outcome) { o.err = errors.New("x") }, `got "internal"`},
		"a truncated answer":     {says, func(_ *Scenario, o *outcome) { o.Text = right[:5] }, `got "the r"`},
		"another's answer":       {says, func(_ *Scenario, o *outcome) { o.Text = "wrong" }, `got "wrong"`},
		"another finish reason":  {says, func(_ *Scenario, o *outcome) { o.End.Finish = llm.FinishLength }, "finish reason"},
		"the first one's name":   {says, func(_ *Scenario, o *outcome) { o.End.Model = Answered("a") }, "reported"},
		"no usage":               {says, func(_ *Scenario, o *outcome) { o.End.Usage = llm.Usage{} }, "reported"},
		"nothing of the failure": {says, func(_ *Scenario, o *outcome) { o.End.Failed = nil }, "failed before"},
		"late first piece":       {says, func(_ *Scenario, o *outcome) { o.first++ }, "first piece"},
		"late end":               {says, func(_ *Scenario, o *outcome) { o.after++ }, "the end came"},
		"early end":              {says, func(_ *Scenario, o *outcome) { o.after-- }, "the end came"},
		"asked too early":        {says, func(_ *Scenario, o *outcome) { o.attempts[1].At-- }, `model "a" was asked`},
		"asked too often":        {says, func(_ *Scenario, o *outcome) { o.attempts = append(o.attempts, o.attempts[1]) }, `model "a" was asked`},
		"not asked":              {says, func(_ *Scenario, o *outcome) { o.attempts = o.attempts[:2] }, `model "b" was asked after []`},
		"another one asked":      {says, func(_ *Scenario, o *outcome) { o.attempts = append(o.attempts, Attempt{Model: "c", N: 1}) }, `model "c" was asked`},
		"left":                   {says, func(_ *Scenario, o *outcome) { o.attempts[2].Gone = true }, "the caller left true"},
		"not left":               {says, func(c *Scenario, _ *outcome) { c.Left = []string{"b"} }, "the caller left false"},

		"a failure it says":        {failed, func(_ *Scenario, o *outcome) { o.err, o.Text = late, right[:5] }, ""},
		"an answer in its place":   {failed, func(*Scenario, *outcome) {}, `got ""`},
		"a failure after nonsense": {failed, func(_ *Scenario, o *outcome) { o.err, o.Text = late, "wrong" }, "does not begin"},
		"a failure after a piece":  {failed, func(c *Scenario, o *outcome) { c.Nothing, o.err, o.Text = true, late, right[:5] }, "want nothing"},
	} {
		o := good
		o.attempts = slices.Clone(good.attempts)
		test.change(&test.says, &o)
		problems := strings.Join(test.says.problems(o, right), "\n")
		if (problems == "") != (test.want == "") || !strings.Contains(problems, test.want) {
			t.Errorf("%s: %q, want %q in it", name, problems, test.want)
		}
	}
}
