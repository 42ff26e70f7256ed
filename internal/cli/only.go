package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

// earlier are cases by how they came out before.
type earlier struct {
	kind  string                     // one of onlyKinds
	run   string                     // id of the run; "" for flaky, which is told by all runs
	cases map[string]map[string]bool // ids, by suite
}

// onlyKinds say how cases came out, in the words of --only.
var onlyKinds = []string{"failed", "errored", "flaky", "flipped"}

// checkOnly refuses what cannot be told of an earlier run.
func (o *testOptions) checkOnly() error {
	switch {
	case o.only == "" && o.of == "":
		return nil
	case o.only == "":
		return fault.New(fault.Usage, "--of names the run that --only speaks of").WithHint("--only failed --of %s", o.of)
	case !slices.Contains(onlyKinds, o.only):
		return fault.New(fault.Usage, "--only %s is not known", o.only).WithHint("%s", fault.Allowed(o.only, onlyKinds))
	case o.only == "flaky" && o.of != "":
		return fault.New(fault.Usage, "which cases are flaky is told by all stored runs, not by one").WithHint("leave --of out")
	case o.shard != "" && o.only == "flaky":
		return fault.New(fault.Usage, "--shard and --only flaky do not go together: which cases are flaky is told by all runs of a store, and each machine has a store of its own").
			WithHint("leave one of them out; --only failed --of RUN goes with --shard")
	case o.shard != "" && o.of == "":
		return fault.New(fault.Usage, "--only stands beside --shard, and each machine would take the newest run of a store of its own").
			WithHint("name the run, which every machine has to have in its store: --only %s --of RUN", o.only)
	}
	return nil
}

// choose finds the cases that --only means; nil where it does not stand.
func (o *testOptions) choose(ctx context.Context, p *project) (*earlier, error) {
	if o.only == "" {
		return nil, nil
	}
	if o.chosen != nil { // by the run that goes on
		return chosenBefore(o.only, o.of, o.chosen), nil
	}
	s, err := p.openStore(ctx, reads)
	if err != nil {
		return nil, err
	}
	found, err := o.earlier(ctx, s)
	if err == nil {
		o.chosen = found.ids()
	}
	return found, joined(err, s.Close())
}

// chosenBefore are the cases that a run had chosen.
func chosenBefore(kind, run string, ids map[string][]string) *earlier {
	found := &earlier{kind: kind, run: run, cases: map[string]map[string]bool{}}
	for suite, list := range ids {
		for _, id := range list {
			found.add(suite, id)
		}
	}
	return found
}

// ids lists the cases by suite, sorted.
func (e *earlier) ids() map[string][]string {
	all := map[string][]string{}
	for suite, cases := range e.cases {
		all[suite] = slices.Sorted(maps.Keys(cases))
	}
	return all
}

func (o *testOptions) earlier(ctx context.Context, s *store.Store) (*earlier, error) {
	found := &earlier{kind: o.only, cases: map[string]map[string]bool{}}
	if o.only == "flaky" {
		flaky, err := flakyCases(ctx, s, "")
		for _, row := range flaky.Rows {
			found.add(row.Suite, row.Case)
		}
		if err == nil && len(found.cases) == 0 {
			err = fault.New(fault.NoMatch, "no case is flaky in the stored runs: there is nothing to ask").WithHint("llmx flaky says of how many that is known")
		}
		return found, err
	}
	id, err := o.of, error(nil)
	if id == "" {
		id, err = newestTest(ctx, s, store.Latest, func(*eval.Run) bool { return true })
	}
	if err != nil {
		return nil, err
	}
	run, err := s.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	found.run, o.of = run.ID, run.ID // who goes on with this run later means the same one
	if o.only == "flipped" {
		err = found.flipped(&run)
	} else {
		err = found.judged(ctx, s)
	}
	if err == nil && len(found.cases) == 0 {
		err = fault.New(fault.NoMatch, "no case of run %s %s: there is nothing to ask", run.ID, o.only).WithHint("--of RUN names another; llmx runs lists them")
	}
	return found, err
}

func (e *earlier) add(suite, id string) {
	if e.cases[suite] == nil {
		e.cases[suite] = map[string]bool{}
	}
	e.cases[suite][id] = true
}

// judged takes the cases of which a repeat failed, or was not judged; none that was in
// quarantine, as it holds nothing up.
func (e *earlier) judged(ctx context.Context, s *store.Store) error {
	for r, err := range s.Results(ctx, e.run, store.ResultFilter{}) {
		if err != nil {
			return err
		}
		if slices.Contains(r.Tags, eval.TagQuarantine) {
			continue
		}
		if r.Status == eval.Fail && e.kind == "failed" || !r.Status.Judged() && e.kind == "errored" {
			e.add(r.Suite, r.Case)
		}
	}
	return nil
}

// flipped takes the cases that passed more or less often than in the baseline.
func (e *earlier) flipped(run *eval.Run) error {
	if run.Verdict == nil {
		return fault.New(fault.Usage, "run %s has no verdict, and so no flips", run.ID).WithHint("llmx test --resume %s goes on with it; --of RUN names another", run.ID)
	}
	for i := range run.Verdict.Groups {
		g := &run.Verdict.Groups[i]
		if flips := g.FlipsDown + g.FlipsUp; flips > len(g.Flips) {
			return fault.New(fault.Usage, "%d cases of %s flipped in run %s, and a run keeps %d by name", flips, g.Name(), run.ID, len(g.Flips)).
				WithHint("ask the whole suite: llmx test %s", g.Suite)
		}
		for _, flip := range g.Flips {
			e.add(g.Suite, flip.Case)
		}
	}
	return nil
}
