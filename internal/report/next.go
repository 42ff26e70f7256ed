package report

import (
	"regexp"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// step is a command to paste, and what it is for.
type step struct{ command, why string }

// next writes what to do now, as commands to paste.
func (p *page) next(run eval.Run) { p.steps(stepsFor(run)) }

func (p *page) steps(steps []step) {
	if len(steps) == 0 {
		return
	}
	p.space()
	p.line(span{"Next", strong})
	longest := 0
	for _, s := range steps {
		longest = max(longest, width(clean(s.command)))
	}
	for _, s := range steps {
		if longest+width(s.why)+6 <= p.width {
			p.long(text("  "+pad(clean(s.command), longest, false)+"  "), span{"# " + s.why, faint})
			continue
		}
		p.long(text("  "), span{"# " + s.why, faint})
		p.long(text("  " + s.command))
	}
}

// stepsFor chooses by the situation: first what keeps from judging, then what
// got worse, then moving the baseline.
func stepsFor(run eval.Run) []step {
	again := run.Command
	if again == "" {
		again = "llmx test"
	}
	v := run.Verdict
	if v == nil || run.State != eval.Complete {
		if goesOn := askingAgain(run, again); goesOn != again {
			return []step{{goesOn, "go on with it"}}
		}
		return []step{{again, "run it again"}}
	}
	var steps []step
	if v.Unjudged > 0 && run.Replies != "replay" && strings.Contains(again, " --max-cost") {
		// Under the same limit they would be missing again.
		steps = append(steps, step{again + " --dry-run", "what the " + count(v.Unjudged, "missing reply", "missing replies") + " may cost, beside --max-cost; it asks nobody"})
	} else if v.Unjudged > 0 {
		steps = append(steps, step{recording(again),
			"ask for " + count(v.Unjudged, "missing reply", "missing replies") + estimate(v) + ", and keep them"})
	}
	if overBudget(v) {
		steps = append(steps, step{"llmx cost", "how far the budgets are spent"})
	}
	if v.Errors > 0 && run.Replies == "replay" && onlyJudges(v) {
		steps = append(steps, step{recording(again), "ask the judge again; what was no verdict is recorded"})
	} else if lost := errorsOf(v); lost > 0 && !hopeless(v) {
		steps = append(steps, stepAgain(run, again, lost))
	}
	down, up, failed := moved(v)
	if down > 0 || failed > 0 {
		steps = append(steps, step{"llmx runs show " + ShellWord(run.ID), "every result, failures first, with call ids"},
			step{"llmx explain " + firstCall(v), "why the model said that"})
	}
	return append(steps, acceptSteps(run, down, up)...)
}

// recording is a command with --record in place of --replay.
func recording(command string) string {
	command = strings.ReplaceAll(command, " --replay", "")
	if strings.Contains(command, " --record") {
		return command
	}
	return command + " --record"
}

// errorsOf counts the errors of all that was asked, beside what is judged too.
func errorsOf(v *eval.Verdict) int {
	n := v.Errors
	for _, beside := range []*eval.Beside{v.Beside, v.Confirming} {
		if beside != nil {
			n += beside.Errors
		}
	}
	return n
}

// stepAgain asks for what ended in an error, alone where the run can go on.
func stepAgain(run eval.Run, again string, lost int) step {
	if alone := askingAgain(run, again); alone != again {
		return step{alone, "ask again for what ended in an error: " + count(lost, "result", "results")}
	}
	return step{again, "ask all of it again; " + count(lost, "result", "results") + " ended in an error"}
}

// askingAgain is the command that asks for nothing but what a run lacks; of one that
// cannot go on, its own.
func askingAgain(run eval.Run, again string) string {
	if run.ID == "" || run.Selection.Drift || run.Replies == "stored" {
		return again
	}
	if run.Selection.Calibration {
		return "llmx calibrate " + ShellWord(strings.Join(run.Selection.Suites, " ")) + " --resume " + ShellWord(run.ID)
	}
	return "llmx test --resume " + ShellWord(run.ID) + strings.Join(reportFlags.FindAllString(run.Command, -1), "")
}

// reportFlags are those of a command that say where reports are written: a run that goes on
// does not know them.
var reportFlags = regexp.MustCompile(` --report[ =]('[^']*'|\S+)`)

// onlyJudges reports a run whose errors are all of judges that gave no verdict.
func onlyJudges(v *eval.Verdict) bool {
	for _, g := range v.Groups {
		if slices.ContainsFunc(g.ErrorClasses, func(c eval.ErrorClass) bool { return c.Class != fault.Judge && c.Class != fault.Missing }) {
			return false
		}
	}
	return true
}

// hopeless reports a run whose errors all stay until something else is changed: a
// budget, a key, a model's name.
func hopeless(v *eval.Verdict) bool {
	stays := func(class fault.Class) bool {
		return slices.Contains([]fault.Class{fault.Budget, fault.Auth, fault.NotFound, fault.BadRequest, fault.QuotaExhausted}, class)
	}
	for _, g := range v.Groups {
		if slices.ContainsFunc(g.ErrorClasses, func(c eval.ErrorClass) bool { return !stays(c.Class) }) {
			return false
		}
		var whys []string
		if c := g.Against; c != nil && c.MissingErrors > 0 {
			whys = append(whys, c.MissingWhy)
		}
		if c := g.Confirmed; c != nil && c.Missing > 0 {
			whys = append(whys, c.MissingWhy)
		}
		for _, why := range whys {
			if class, _, _ := strings.Cut(why, ":"); !stays(fault.Class(class)) {
				return false
			}
		}
	}
	return true
}

// overBudget reports a run that a budget has stopped.
func overBudget(v *eval.Verdict) bool {
	for _, g := range v.Groups {
		if slices.ContainsFunc(g.ErrorClasses, func(c eval.ErrorClass) bool { return c.Class == fault.Budget }) {
			return true
		}
	}
	return false
}

// estimate is what the missing replies would cost, where that can be told.
func estimate(v *eval.Verdict) string {
	sum := llm.KnownCost(0)
	for _, g := range v.Groups {
		sum = sum.Plus(g.MissingCost)
	}
	if !sum.Known {
		return ""
	}
	return ", about " + sum.Amount.String()
}

// firstCall is the call to look at first: that of the first flip, else of the
// first case that fails.
func firstCall(v *eval.Verdict) string {
	worse, _, failed := sortCases(v)
	for _, f := range worse {
		if f.Call != "" {
			return f.Call
		}
	}
	for _, f := range failed {
		if f.Call != "" {
			return f.Call
		}
	}
	return "CALL"
}

func moved(v *eval.Verdict) (down, up, failed int) {
	for _, g := range v.Groups {
		down, up, failed = down+g.FlipsDown, up+g.FlipsUp, failed+g.FailedCases
	}
	return down, up, failed
}

// acceptSteps moves the baseline. That needs a complete, unfiltered, error-free run.
func acceptSteps(run eval.Run, down, up int) []step {
	v := run.Verdict
	if run.Filtered || v.Errors > 0 || v.Unjudged > 0 || v.Judged == 0 {
		return nil
	}
	accept := "llmx baseline accept " + ShellWord(run.ID)
	if n := len(v.Groups); n > 0 && v.Groups[n-1].ByPrompt {
		accept += " --prompt " + ShellWord(v.Groups[n-1].Prompt.String()) // or another of them: a baseline is of one
	}
	missing := slices.ContainsFunc(v.Groups, func(g eval.GroupVerdict) bool { return !g.HasBaseline })
	switch {
	case v.Exit == fault.ExitGate && down > 0:
		return []step{{accept, "if it is meant to be so: the new baseline"}}
	case missing && v.Exit == fault.ExitUnjudged:
		return []step{{accept, "all were judged, and there is nothing to compare with yet: the first baseline"}}
	case v.Exit != fault.ExitOK:
		return nil
	case missing:
		return []step{{accept, "keep these answers as the baseline"}}
	case down+up > 0:
		return []step{{accept, "make this run the new baseline"}}
	}
	return nil
}

// ShellWord quotes a word where a shell would read something else.
func ShellWord(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@:=,+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
