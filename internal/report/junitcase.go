package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// testcase is one test case of JUnit.
type testcase struct {
	class, name string
	time        time.Duration
	status      eval.Status
	kind        string // what kind of failure
	message     string
	body        string
}

func tallyCases(cases []testcase) tally {
	var t tally
	for _, c := range cases {
		t.count(c.status)
	}
	return t
}

// gateCases makes a test case of every gate, and one of a run that was broken off.
func gateCases(run eval.Run) []testcase {
	var cases []testcase
	if run.Verdict != nil {
		for _, g := range run.Verdict.Groups {
			units := map[string]string{}
			for _, m := range g.Metrics {
				units[m.Name] = m.Unit
			}
			for _, gate := range g.Gates {
				cases = append(cases, gateCase(g, gate, units[gate.Metric]))
			}
		}
	}
	if run.Failure != nil {
		cases = append(cases, testcase{class: "llmx", name: "run", status: eval.Error, kind: string(run.Failure.Class), message: run.Failure.Message})
	}
	return cases
}

func gateCase(g eval.GroupVerdict, gate eval.GateResult, unit string) testcase {
	c := testcase{
		class: keyOf(g.Group).class(), name: gate.Metric + " " + limit(gate.Gate, unit),
		status: eval.Pass, kind: string(gate.Word),
	}
	switch {
	case gate.Word == eval.NotGated:
		c.status = eval.Unjudged
	case !gate.Pass:
		c.status = eval.Fail
	}
	c.message = wordInText(gate.Word) + ": now " + figure(unit, gate.Value)
	if gate.Baseline != nil {
		c.message += ", baseline " + figure(unit, gate.Baseline)
	}
	if gate.P != nil {
		c.message += ", " + pValue(*gate.P)
	}
	c.body = gate.Note
	return c
}

func (j *junit) gates(cases []testcase, started string) {
	if len(cases) == 0 {
		return
	}
	j.suite("gates", tallyCases(cases), started)
	for _, c := range cases {
		j.testcase(c)
	}
	j.raw("  </testsuite>\n")
}

var tags = map[eval.Status]string{eval.Fail: "failure", eval.Error: "error", eval.Unjudged: "skipped"}

func (j *junit) testcase(c testcase) {
	j.raw(fmt.Sprintf(`    <testcase classname="%s" name="%s" time="%s"`, xmlText(c.class), xmlText(c.name), secondsOf(c.time)))
	tag, ok := tags[c.status]
	if !ok {
		j.raw("/>\n")
		return
	}
	j.raw(">\n      <" + tag + ` message="` + xmlText(clip(c.message, maxBody)) + `"`)
	if c.status != eval.Unjudged {
		j.raw(` type="` + xmlText(c.kind) + `"`)
	}
	j.raw(">" + xmlText(c.body) + "</" + tag + ">\n    </testcase>\n")
}

// xmlText escapes a text for XML. What XML 1.0 has no way to say (control
// characters, broken UTF-8) is taken out.
func xmlText(s string) string {
	legal := strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000 && r <= 0x10ffff:
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	var b strings.Builder
	// Writing into a Builder cannot fail.
	_ = xml.EscapeText(&b, []byte(legal))
	return b.String()
}
