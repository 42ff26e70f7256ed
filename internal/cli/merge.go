package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/store"
)

func newRunsMerge(w *World) *cobra.Command {
	o := &testOptions{}
	cmd := &cobra.Command{
		Use:   "merge PART PART…",
		Short: "Join the parts of a run that machines shared (llmx test --shard)",
		Long: `Make one run of all parts of a run, judge it, and keep it. A part is the id of a run in
this project's store, or the store file of another machine, whose newest run is taken. The
suites must be here as they were there; nothing is asked.

The verdict is that of a run that was never cut into parts, and so is the exit code.`,
		Example: "  llmx runs merge part-1/llmx.db part-2/llmx.db part-3/llmx.db\n  llmx runs merge 20261122-0215 20261122-0216 --report markdown=out.md",
		Args:    takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			reports, err := parseReports(w, o.reports)
			if err != nil {
				return err
			}
			p, err := openProjectBeside(w, reports)
			if err != nil {
				return err
			}
			s, err := p.openStore(cmd.Context(), adds)
			if err != nil {
				return err
			}
			ctx, release := w.cancelable(cmd.Context())
			defer release()
			m := &merger{project: p, store: s, options: o, reports: reports, copied: map[string]bool{}}
			return joined(joined(m.merge(ctx, args), m.close()), s.Close())
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the run as JSON")
	cmd.Flags().StringArrayVar(&o.reports, "report", nil, "write a report, `KIND=FILE`: json, junit or markdown (repeatable)")
	return cmd
}

// merger makes one run of its parts.
type merger struct {
	project *project
	store   *store.Store
	options *testOptions
	reports []reportFile

	parts  []part
	opened []*store.Store // of other machines
	run    *testRun
	copied map[string]bool // calls that are here, by id: checks share theirs
}

// part is one part of a run, and where it is stored.
type part struct {
	run   eval.Run
	store *store.Store
	name  string // as it was given
}

func (m *merger) close() error {
	var problems fault.List
	for _, s := range m.opened {
		problems.Add(s.Close())
	}
	return problems.Err()
}

func (m *merger) merge(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := m.open(ctx, name); err != nil {
			return err
		}
	}
	if err := m.fit(); err != nil {
		return err
	}
	if err := m.plan(ctx); err != nil {
		return err
	}
	for _, p := range m.parts {
		if changes := changedGroups(p.run.Groups, m.groupsOf(p)); len(changes) > 0 {
			return fault.New(fault.Invalid, "%s does not fit the project: %s", p.name, strings.Join(changes, "; ")).
				WithHint("merge where the files are as they were in the run, or run the parts again")
		}
	}
	if len(m.run.plan.groups) == 0 {
		m.options.command = m.run.run.Command
		return m.run.unchanged(ctx)
	}
	if err := m.check(ctx); err != nil {
		return err
	}
	if err := m.store.BeginRun(ctx, m.run.run); err != nil {
		return err
	}
	return m.run.finish(ctx, m.collect(ctx))
}

// groupsOf are the groups of the whole that a part has cases of, with the part's counts: a
// suite may have less cases than there are parts. What is missing in all is found later.
func (m *merger) groupsOf(p part) (out []eval.Group) {
	for _, g := range m.run.run.Groups {
		i := slices.IndexFunc(p.run.Groups, func(of eval.Group) bool { return of.Suite == g.Suite && of.Model == g.Model })
		if i >= 0 {
			g.Planned = p.run.Groups[i].Planned
			out = append(out, g)
		}
	}
	return out
}

// open finds a part by the id of a run, or in a store file.
func (m *merger) open(ctx context.Context, name string) error {
	from, id := m.store, name
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(m.project.world.Dir, filepath.FromSlash(name))
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return fault.New(fault.Usage, "%s is a directory", name).WithHint("name the store file in it, as llmx.yaml does: .llmx/llmx.db where it says nothing else")
	}
	if err == nil {
		if !isDatabase(path) {
			return fault.New(fault.Usage, "%s is no store of llmx", name).
				WithHint("a part is the store file of its machine, .llmx/llmx.db there where llmx.yaml says nothing else; a report is not enough")
		}
		other, err := store.Open(ctx, path, store.Options{Now: m.project.world.Now, ReadOnly: true, Name: name})
		if err != nil {
			return err
		}
		m.opened = append(m.opened, other)
		from, id = other, store.Latest
	}
	run, err := from.Run(ctx, id)
	if err != nil {
		return err
	}
	if run.State != eval.Complete {
		return fault.New(fault.Usage, "%s is not complete: run %s was cut short", name, run.ID).WithHint("go on with it there: llmx test --resume %s", run.ID)
	}
	m.parts = append(m.parts, part{run, from, name})
	return nil
}

// isDatabase reports a file that begins as SQLite's do; of one that cannot be read the
// store says why.
func isDatabase(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return true
	}
	defer file.Close()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	_, err = io.ReadFull(file, head)
	return err == nil && string(head) == magic
}

// fit refuses runs that are no parts of one, and parts that are missing or there twice.
func (m *merger) fit() error {
	first := m.parts[0].run.Selection
	seen := map[int]string{}
	of := 0
	for _, p := range m.parts {
		s, err := parseShard(p.run.Selection.Shard)
		switch {
		case err != nil:
			return err
		case s.of == 0:
			return fault.New(fault.Usage, "%s is a whole run, and no part of one", p.name).WithHint("llmx test --shard 1/4 runs a part")
		case of != 0 && s.of != of:
			return fault.New(fault.Usage, "%s is part %s, and %s is part %s: they are of different runs", m.parts[0].name, first.Shard, p.name, s)
		case seen[s.part] != "":
			return fault.New(fault.Usage, "%s and %s are both part %s", seen[s.part], p.name, s)
		case !alike(first, p.run.Selection):
			return fault.New(fault.Usage, "%s and %s were asked for different things", m.parts[0].name, p.name).
				WithHint("give every part the same suites and flags, but for --shard: %s; %s", m.parts[0].run.Command, p.run.Command)
		}
		of, seen[s.part] = s.of, p.name
	}
	for i := range of {
		if seen[i+1] == "" {
			return fault.New(fault.Usage, "part %d/%d is missing", i+1, of).WithHint("give all parts of the run")
		}
	}
	return nil
}

// alike reports whether two parts were asked for the same but for which part.
func alike(a, b eval.Selection) bool {
	return slices.Equal(a.Suites, b.Suites) && a.Prompt == b.Prompt && a.Reference == b.Reference && slices.Equal(a.Models, b.Models) &&
		a.Filter == b.Filter && slices.Equal(a.Tags, b.Tags) && a.Sample == b.Sample && a.Repeats == b.Repeats && a.Missing == b.Missing &&
		a.Commit == b.Commit && a.Only == b.Only && a.Of == b.Of && maps.EqualFunc(a.Chosen, b.Chosen, slices.Equal)
}

// plan makes the whole run that the parts are of.
func (m *merger) plan(ctx context.Context) error {
	first := m.parts[0].run
	asked := first.Selection
	asked.Shard, asked.Cases = "", nil
	m.options.missing = cmp.Or(asked.Missing, "error")
	chosen, err := newPick(asked.Filter, asked.Tags)
	if err != nil {
		return err
	}
	chosen.sample = asked.Sample
	if asked.Only != "" {
		chosen.only = chosenBefore(asked.Only, asked.Of, asked.Chosen)
	}
	suites, err := m.project.loadSuites(selection{names: asked.Suites, prompts: promptWords(asked.Prompt), models: asked.Models})
	if err != nil {
		return err
	}
	then, err := m.project.pastOf(ctx, asked.Commit, asked.Against)
	if err != nil {
		return err
	}
	if then != nil {
		defer then.close()
	}
	planned, err := planner{project: m.project, pick: chosen, repeats: asked.Repeats, read: newAnswerReader(), past: then, models: asked.Models}.plan(ctx, suites)
	if err != nil {
		return err
	}
	if err := planned.putSideBySide(m.project, asked.Reference); err != nil {
		return err
	}
	asked.Cases = planned.hashes
	m.run = &testRun{
		project: m.project, options: m.options, reports: m.reports, store: m.store, filtered: chosen.active(), plan: planned,
		mode: replay.Mode(first.Replies),
	}
	m.run.run = eval.Run{
		ID: newRunID(m.project.world.Now()), Started: m.project.world.Now(), State: eval.Running, Replies: first.Replies, Version: Version(),
		Command:  strings.Replace(first.Command, " --shard "+first.Selection.Shard, "", 1),
		Filtered: chosen.active(), Groups: planned.evalGroups(), Selection: asked, Spent: llm.KnownCost(0),
	}
	for _, p := range m.parts {
		m.run.run.Spent = m.run.run.Spent.Plus(p.run.Spent)
		for _, warning := range p.run.Warnings {
			if !slices.Contains(m.run.run.Warnings, warning) {
				m.run.run.Warnings = append(m.run.run.Warnings, warning)
			}
		}
	}
	return nil
}

// check refuses parts that are not the whole, before anything of it is stored: a run that
// was begun would be one to resume.
func (m *merger) check(ctx context.Context) error {
	return m.eachCase(func(group int, c *eval.Case) error { return m.checkCase(ctx, group, c) })
}

// checkCase counts the results of a case in a group, and holds them against the suite.
func (m *merger) checkCase(ctx context.Context, group int, c *eval.Case) error {
	g := m.run.plan.groups[group].Group
	n := 0
	for _, p := range m.parts {
		for r, err := range p.store.Results(ctx, p.run.ID, resultsOfGroup(g, c.ID)) {
			switch {
			case err != nil:
				return err
			case r.InputHash != c.InputHash || r.CriteriaHash != c.CriteriaHash:
				return fault.New(fault.Invalid, "case %s of suite %s is another one in %s", c.ID, g.Suite, p.name).
					WithHint("merge where the suites are as they were in the run")
			}
			n++
		}
	}
	if n != max(1, c.Repeats) {
		return fault.New(fault.Invalid, "case %s of suite %s has %d results in all parts, want %d", c.ID, g.Suite, n, max(1, c.Repeats)).
			WithHint("merge where the suites are as they were in the run")
	}
	return nil
}

// collect puts every result of the parts into the whole, with the call behind it.
func (m *merger) collect(ctx context.Context) error {
	err := m.eachCase(func(group int, c *eval.Case) error { return m.collectCase(ctx, group, c) })
	if err == nil && m.run.plan.past != nil {
		return m.run.compareArms(ctx)
	}
	return err
}

// eachCase visits the cases of every group, and of what stands beside it.
func (m *merger) eachCase(visit func(group int, c *eval.Case) error) error {
	for i := range m.run.plan.groups {
		group := &m.run.plan.groups[i]
		if group.Arm != eval.Candidate {
			continue // comes with the group that it stands beside
		}
		for c, err := range group.Cases {
			if err == nil {
				err = visit(i, &c)
			}
			if err == nil && group.Beside > 0 {
				err = visit(group.Beside, &c)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// collectCase puts all results of a case in a group into the whole.
func (m *merger) collectCase(ctx context.Context, group int, c *eval.Case) error {
	for _, p := range m.parts {
		for r, err := range p.store.Results(ctx, p.run.ID, resultsOfGroup(m.run.plan.groups[group].Group, c.ID)) {
			if err == nil {
				err = m.take(ctx, p, group, c, &r)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// take puts a part's result into the whole.
func (m *merger) take(ctx context.Context, p part, group int, c *eval.Case, r *eval.Result) error {
	r.Run = m.run.run.ID
	if m.run.plan.past == nil { // else both arms are compared once they are in
		m.run.plan.add(group, c, r)
	}
	if err := m.store.AddResult(*r); err != nil {
		return err
	}
	for _, id := range callsOf(r) {
		if err := m.copyCall(ctx, p, id); err != nil {
			return err
		}
	}
	return nil
}

// callsOf are the calls behind a result: those of a conversation, and what checks asked.
func callsOf(r *eval.Result) []string {
	ids := []string{r.CallID}
	for i := range r.Steps {
		ids = append(ids, r.Steps[i].Call)
	}
	for i := range r.Scores {
		if asked := r.Scores[i].Asked; asked != nil {
			ids = append(ids, asked.Calls...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// copyCall brings the call of a result from another machine's store; those of this one
// are found where they are.
func (m *merger) copyCall(ctx context.Context, p part, id string) error {
	if p.store == m.store || id == "" || m.copied[id] {
		return nil
	}
	m.copied[id] = true
	if _, err := m.store.Call(ctx, id); err == nil {
		return nil // merged before
	}
	call, err := p.store.Call(ctx, id)
	if fault.ClassOf(err) == fault.Usage {
		return nil // pruned there
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	call.Origin.Run = m.run.run.ID
	m.store.Record(call)
	return nil
}
