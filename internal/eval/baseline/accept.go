package baseline

import (
	"iter"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// maxTexts is the number of results up to which a baseline keeps the answers' texts.
const maxTexts = 5000

// FromResults makes the baseline of one suite from a run's results: groups are
// the suite's groups of the run, results of other groups are passed over. Results
// come sorted by suite, model, case and repeat, and are read once.
//
// The run must be complete, without filter and without error: a run that was
// filtered is refused with class Usage, else class Unjudged.
func FromResults(results iter.Seq2[eval.Result, error], groups []eval.Group, run eval.Run) (*eval.Baseline, error) {
	if err := acceptable(groups, run); err != nil {
		return nil, err
	}
	planned := 0
	for _, group := range groups {
		planned += group.Planned
	}
	b := new(eval.Baseline)
	var folds []*headerFold
	for _, group := range groups {
		folds = append(folds, &headerFold{group: group, answered: map[string]bool{}})
	}
	var open *lineFold
	var current *headerFold
	finish := func() {
		if open != nil {
			b.Lines = append(b.Lines, open.line())
		}
	}
	for result, err := range results {
		if err != nil {
			return nil, err
		}
		fold := foldOf(folds, &result)
		if fold == nil {
			continue
		}
		if !result.Status.Judged() {
			return nil, unjudged(&result)
		}
		if open == nil || fold != current || open.id != result.Case {
			finish()
			open, current = newLineFold(&result, planned <= maxTexts), fold
		}
		open.add(&result)
		fold.add(&result)
	}
	finish()
	for _, fold := range folds {
		if fold.results != fold.group.Planned {
			return nil, fault.New(fault.Unjudged, "the run %s has %d of %d results of %s", run.ID, fold.results, fold.group.Planned, fold.group.Name()).
				WithHint("run it again with llmx test, then accept")
		}
		b.Headers = append(b.Headers, fold.header(run))
	}
	order(b)
	return b, nil
}

// acceptable refuses a run that cannot be a baseline, naming the reason.
func acceptable(groups []eval.Group, run eval.Run) error {
	if part := run.Selection.Shard; run.Filtered && part != "" {
		return fault.New(fault.Usage, "the run %s is part %s of a run, a baseline needs every case", run.ID, part).
			WithHint("join the parts: llmx runs merge; then accept that run")
	}
	if run.Filtered {
		return fault.New(fault.Usage, "the run %s was filtered, a baseline needs every case", run.ID).
			WithHint("run llmx test without --filter, --tag and --sample, or accept single cases with --case and --because")
	}
	if run.State != eval.Complete {
		return fault.New(fault.Unjudged, "the run %s is not complete: it is %s", run.ID, run.State).
			WithHint("run it again with llmx test, then accept")
	}
	if len(groups) == 0 {
		return fault.New(fault.Unjudged, "the run %s has no results of this suite", run.ID)
	}
	for _, group := range groups {
		if group.Errors+group.Unjudged > 0 || !group.Settled() || group.Planned == 0 {
			return fault.New(fault.Unjudged, "the run %s did not judge all of %s: %d of %d results, %d errors, %d unjudged",
				run.ID, group.Name(), group.Judged, group.Planned, group.Errors, group.Unjudged).
				WithHint("%s", whole(group))
		}
	}
	return nil
}

// whole says what makes a run that can be accepted.
func whole(group eval.Group) string {
	if group.Unjudged > 0 {
		return "a baseline needs every case: llmx test " + group.Suite + " --record asks for the replies that are missing"
	}
	return "a baseline needs every case: run llmx test again once nothing fails to answer"
}

func unjudged(r *eval.Result) error {
	return fault.New(fault.Unjudged, "case %q on %s has no verdict: %s", r.Case, r.Model, reasonOf(r)).
		WithHint("run llmx test again; only judged cases can be accepted")
}

func reasonOf(r *eval.Result) string {
	if reason := r.Reason(); reason != "" {
		return reason
	}
	return string(r.Status)
}

// AcceptCases replaces the lines of single cases by what a run made of them, for
// every model of the results that the baseline knows, and keeps the reason in the
// headers. The run may have been filtered; results of other suites are passed
// over. date is YYYY-MM-DD. b is not changed.
//
// Class Usage: no reason, no baseline, a case the run does not have. Class
// Unjudged: one of the cases has an error.
func AcceptCases(b *eval.Baseline, results iter.Seq2[eval.Result, error], cases []string, because, date string) (*eval.Baseline, error) {
	switch {
	case strings.TrimSpace(because) == "":
		return nil, fault.New(fault.Usage, "accepting single cases needs a reason").WithHint("--because \"…\"")
	case b == nil || len(b.Headers) == 0:
		return nil, fault.New(fault.Usage, "there is no baseline yet").WithHint("accept a whole run first: llmx baseline accept")
	case len(cases) == 0:
		return nil, fault.New(fault.Usage, "no case is named").WithHint("--case a,b")
	}
	fresh, known, err := linesOf(b, results, cases)
	if err != nil {
		return nil, err
	}
	for _, id := range cases {
		if !slices.ContainsFunc(fresh, func(line eval.BaselineLine) bool { return line.Case == id }) {
			return nil, fault.New(fault.Usage, "the run has no case %q", id).WithHint("%s", fault.Allowed(id, known))
		}
	}
	out := &eval.Baseline{Headers: slices.Clone(b.Headers)}
	replaced := func(line eval.BaselineLine) bool {
		return slices.ContainsFunc(fresh, func(f eval.BaselineLine) bool { return f.Case == line.Case && f.Model == line.Model })
	}
	for _, line := range b.Lines {
		if !slices.Contains(cases, line.Case) || !replaced(line) {
			out.Lines = append(out.Lines, line)
		}
	}
	out.Lines = append(out.Lines, fresh...)
	for i := range out.Headers {
		if slices.ContainsFunc(fresh, func(f eval.BaselineLine) bool { return f.Model == out.Headers[i].Model }) {
			out.Headers[i].Spend = nil // of all lines as they were
		}
		out.Headers[i].Accepted = withAccepted(out.Headers[i], fresh, because, date)
	}
	order(out)
	return out, nil
}

// linesOf folds the named cases' results; known lists the run's case ids, up to a bound.
func linesOf(b *eval.Baseline, results iter.Seq2[eval.Result, error], cases []string) (lines []eval.BaselineLine, known []string, err error) {
	const mostKnown = 1000
	wanted := map[string]bool{}
	for _, id := range cases {
		wanted[id] = true
	}
	stored := 0
	for _, line := range b.Lines {
		stored += line.Repeats
	}
	var open *lineFold
	finish := func() {
		if open != nil {
			lines = append(lines, open.line())
		}
		open = nil
	}
	for result, err := range results {
		if err != nil {
			return nil, nil, err
		}
		if result.Suite != b.Headers[0].Suite {
			continue
		}
		if n := len(known); n < mostKnown && (n == 0 || known[n-1] != result.Case) {
			known = append(known, result.Case)
		}
		if !wanted[result.Case] {
			continue
		}
		if HeaderOf(b, result.Model) == nil {
			return nil, nil, fault.New(fault.Usage, "the baseline does not know the model %q", result.Model).
				WithHint("accept a whole run of it first: llmx baseline accept")
		}
		if !result.Status.Judged() {
			return nil, nil, unjudged(&result)
		}
		if open == nil || open.id != result.Case || open.model != result.Model {
			finish()
			open = newLineFold(&result, stored <= maxTexts)
		}
		open.add(&result)
	}
	finish()
	slices.Sort(known)
	return lines, slices.Compact(known), nil
}

// withAccepted adds the cases that were accepted for the header's model; a case
// keeps its last reason only.
func withAccepted(header eval.BaselineHeader, fresh []eval.BaselineLine, because, date string) []eval.BaselineAccept {
	now := eval.BaselineAccept{Because: because, Date: date}
	for _, line := range fresh {
		if line.Model == header.Model {
			now.Cases = append(now.Cases, line.Case)
		}
	}
	if len(now.Cases) == 0 {
		return header.Accepted
	}
	slices.Sort(now.Cases)
	var all []eval.BaselineAccept
	for _, accept := range header.Accepted {
		left := slices.DeleteFunc(slices.Clone(accept.Cases), func(id string) bool { return slices.Contains(now.Cases, id) })
		if len(left) > 0 {
			all = append(all, eval.BaselineAccept{Cases: left, Because: accept.Because, Date: accept.Date})
		}
	}
	return append(all, now)
}

func foldOf(folds []*headerFold, r *eval.Result) *headerFold {
	for _, fold := range folds {
		if fold.group.Has(r) {
			return fold
		}
	}
	return nil
}
