package verdict

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// quarantineTally counts the cases that are kept out of every metric and gate.
type quarantineTally struct {
	cases, failing   int
	judged           int
	errors, unjudged int // results
	failed           keeper[eval.Failed]
}

func newQuarantineTally() quarantineTally {
	return quarantineTally{failed: keeper[eval.Failed]{before: failedBefore}}
}

func failedBefore(a, b *eval.Failed) int { return strings.Compare(a.Case, b.Case) }

// count takes what became of a result.
func (q *quarantineTally) count(r *eval.Result) {
	switch {
	case r.Status.Judged():
		q.judged++
	case r.Status == eval.Unjudged:
		q.unjudged++
	default:
		q.errors++
	}
}

// shut takes a case in quarantine whose repeats have all come. The baseline still has it.
func (t *Tally) shut(f *caseFold) {
	q := &t.quarantine
	q.cases++
	known := t.base != nil && t.base.find(f.c) != nil
	if f.passes < f.judged {
		q.failing++
		q.failed.add(f.asFailed(known))
	}
}

// asFailed is the case as one that does not pass now.
func (f *caseFold) asFailed(known bool) eval.Failed {
	return eval.Failed{Case: f.c.ID, Tags: f.c.Tags, Passes: outOf(f.passes, f.judged), Reason: f.reason, Call: f.failCall, Talk: f.failTalk, Known: known}
}

// described is nil where no case is in quarantine.
func (q *quarantineTally) described() *eval.Quarantine {
	if q.cases == 0 {
		return nil
	}
	failed := q.failed.sorted()
	for i := eval.MaxTalks; i < len(failed); i++ {
		failed[i].Talk = nil
	}
	return &eval.Quarantine{Cases: q.cases, Failing: q.failing, Missing: q.errors + q.unjudged, Failed: failed}
}

// errors and unjudged are the results that were not judged and that a gate waits for.
// Missing counts what was not judged and is not in quarantine.
func (t *Tally) Missing() (errors, unjudged int) { return t.errors(), t.unjudged() }

func (t *Tally) errors() int   { return t.group.Errors - t.quarantine.errors }
func (t *Tally) unjudged() int { return t.group.Unjudged - t.quarantine.unjudged }

// allShut reports whether nothing but cases in quarantine was judged.
func (t *Tally) allShut() bool {
	return t.quarantine.cases > 0 && t.group.Judged == t.quarantine.judged
}
