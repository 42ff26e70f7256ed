package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newBaseline(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Move the baseline on purpose: accept, show, merge",
		Long: `A baseline is the accepted results of a suite: suites/NAME.baseline.jsonl, a file
in git. llmx test compares every run with it.`,
		Example: "  llmx baseline accept\n  llmx baseline accept --case refund-angry --because \"refunds go to billing now\"\n  llmx baseline show triage\n  llmx baseline merge triage",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newBaselineAccept(w), newBaselineShow(w), newBaselineMerge(w))
	return cmd
}

type acceptOptions struct {
	suites  []string
	cases   []string
	because string
	prompt  string // whose results, of a run that asked several prompts
}

func newBaselineAccept(w *World) *cobra.Command {
	o := &acceptOptions{}
	cmd := &cobra.Command{
		Use:   "accept [RUN]",
		Short: "Make a run's results the baseline of its suites",
		Long: `Make a run (default: the last complete test) the baseline of its suites. The run must
be complete, unfiltered and free of errors; --case accepts single cases of any run
and keeps the reason. Of a run that asked several prompts one is accepted: --prompt says
which.`,
		Example: "  llmx baseline accept\n  llmx baseline accept --suite triage\n  llmx baseline accept --case refund-angry,late-fee --because \"refunds go to billing now\"",
		Args:    takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(o.cases) > 0 && strings.TrimSpace(o.because) == "" {
				return fault.New(fault.Usage, "single cases are accepted with a reason").WithHint("add --because \"…\"; the report shows it")
			}
			if len(o.cases) == 0 && o.because != "" {
				return fault.New(fault.Usage, "--because goes with --case")
			}
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				id, err := latestTest(ctx, s, firstArg(args, ""))
				if err != nil {
					return err
				}
				return runAccept(ctx, p, s, id, o)
			})
		},
	}
	cmd.Flags().StringSliceVar(&o.suites, "suite", nil, "only these suites of the run")
	cmd.Flags().StringSliceVar(&o.cases, "case", nil, "only these cases")
	cmd.Flags().StringVar(&o.prompt, "prompt", "", promptHelp)
	cmd.Flags().StringVar(&o.because, "because", "", "why single cases are accepted")
	return cmd
}

func runAccept(ctx context.Context, p *project, s *store.Store, id string, o *acceptOptions) error {
	run, err := s.Run(ctx, id)
	if err != nil {
		return err
	}
	if o.prompt, err = choosePrompt(run, o.prompt, "a baseline"); err != nil {
		return err
	}
	names := suitesOf(run)
	if len(names) == 0 {
		return fault.New(fault.Usage, "the run %s has no result: nothing was asked in it", run.ID).WithHint("name another: llmx baseline accept RUN; llmx runs lists them")
	}
	for _, name := range o.suites {
		if !slices.Contains(names, name) {
			return fault.New(fault.Usage, "the run %s has no suite %q", run.ID, name).WithHint("%s", fault.Allowed(name, names))
		}
	}
	if len(o.suites) > 0 {
		names = o.suites
	}
	if err := p.haveSuites(run, names); err != nil {
		return err
	}
	if len(o.cases) > 0 && len(names) > 1 {
		if names, err = suitesWithCases(ctx, s, run, names, o.cases); err != nil {
			return err
		}
	}
	// All are made before the first is written: none is accepted by half.
	made := map[string]*eval.Baseline{}
	for _, name := range names {
		if made[name], err = p.accepted(ctx, s, run, name, o); err != nil {
			return err
		}
	}
	for _, name := range names {
		file := baselineFile(name)
		if err := baseline.Write(p.root, file, made[name]); err != nil {
			return err
		}
		if err := p.tellAccepted(run, file, made[name]); err != nil {
			return err
		}
	}
	return nil
}

// tellAccepted says what became the baseline, and what the run had amounted to.
func (p *project) tellAccepted(run eval.Run, file string, b *eval.Baseline) error {
	passes, repeats := 0, 0
	for _, line := range b.Lines {
		passes, repeats = passes+line.Passes, repeats+line.Repeats
	}
	pass := "pass"
	if repeats == 1 {
		pass = "passes"
	}
	_, err := fmt.Fprintf(p.world.Stdout, "accepted run %s (%s) into %s: %d of %s %s, %s\n", run.ID, run.Word, file,
		passes, counted(repeats, "answer"), pass, counted(len(b.Headers), "model"))
	return err
}

func suitesOf(run eval.Run) []string {
	var names []string
	for _, group := range run.Groups {
		if !slices.Contains(names, group.Suite) {
			names = append(names, group.Suite)
		}
	}
	return names
}

// suitesWithCases finds the suites that hold the cases; a case that is in none,
// or in more than one, is refused.
func suitesWithCases(ctx context.Context, s *store.Store, run eval.Run, names, cases []string) ([]string, error) {
	var found []string
	for _, id := range cases {
		var in []string
		for r, err := range s.Results(ctx, run.ID, store.ResultFilter{Case: id}) {
			if err != nil {
				return nil, err
			}
			if slices.Contains(names, r.Suite) && !slices.Contains(in, r.Suite) {
				in = append(in, r.Suite)
			}
		}
		switch {
		case len(in) == 0:
			return nil, fault.New(fault.Usage, "the run %s has no case %q", run.ID, id).WithHint("llmx runs show %s --limit -1 lists its cases", run.ID)
		case len(in) > 1:
			return nil, fault.New(fault.Usage, "the case %q is in the suites %s", id, strings.Join(in, ", ")).WithHint("say which: --suite %s", in[0])
		case !slices.Contains(found, in[0]):
			found = append(found, in[0])
		}
	}
	if len(found) > 1 {
		return nil, fault.New(fault.Usage, "the cases are of the suites %s", strings.Join(found, ", ")).WithHint("accept them one suite at a time")
	}
	return found, nil
}

func (p *project) accepted(ctx context.Context, s *store.Store, run eval.Run, name string, o *acceptOptions) (*eval.Baseline, error) {
	old, err := baseline.Read(p.fs, baselineFile(name))
	if err != nil {
		return nil, err
	}
	results := s.Results(ctx, run.ID, store.ResultFilter{Suite: name, Prompt: o.prompt})
	if len(o.cases) > 0 {
		return baseline.AcceptCases(old, results, o.cases, o.because, p.world.Now().UTC().Format("2006-01-02"))
	}
	groups := slices.DeleteFunc(slices.Clone(run.Groups), func(g eval.Group) bool {
		return g.Suite != name || o.prompt != "" && g.Prompt.String() != o.prompt
	})
	fresh, err := baseline.FromResults(results, groups, run)
	if err != nil {
		return nil, err
	}
	return baseline.Keep(fresh, old), nil
}

// haveSuites refuses suites of a run that the project has no more: a baseline of one would
// be read by nobody.
func (p *project) haveSuites(run eval.Run, names []string) error {
	for _, name := range names {
		if _, err := fs.Stat(p.fs, suite.Dir+"/"+name+suite.Extension); errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Usage, "the run %s is of a suite that is there no more: %s", run.ID, suite.Dir+"/"+name+suite.Extension).
				WithHint("name the suites to accept: --suite NAME; or another run: llmx runs lists them")
		}
	}
	return nil
}

// baselineFile is where the baseline of a suite stands in the project.
func baselineFile(name string) string {
	return baseline.Path(suite.Dir + "/" + name + suite.Extension)
}

func newBaselineShow(w *World) *cobra.Command {
	return &cobra.Command{
		Use:               "show [SUITE…]",
		Short:             "What was accepted, from which run, and why",
		Example:           "  llmx baseline show\n  llmx baseline show triage",
		ValidArgsFunction: completeSuites(w),
		RunE: inProject(w, func(_ *cobra.Command, p *project, args []string) error {
			files, err := p.suiteFiles(args)
			if err != nil {
				return err
			}
			for _, file := range files {
				if err := p.showBaseline(baseline.Path(file)); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func (p *project) showBaseline(file string) error {
	w := p.world
	b, err := baseline.Read(p.fs, file)
	if err != nil {
		return err
	}
	if b == nil {
		_, err := fmt.Fprintf(w.Stdout, "%s: none yet; llmx baseline accept makes it from the last complete run\n", file)
		return err
	}
	fmt.Fprintf(w.Stdout, "%s\n", file)
	for _, h := range b.Headers {
		passes, repeats, cases := 0, 0, 0
		for _, line := range b.Lines {
			if line.Model == h.Model {
				passes, repeats, cases = passes+line.Passes, repeats+line.Repeats, cases+1
			}
		}
		// The file may come with a change of somebody else's: it is not to steer the terminal.
		show := func(format string, args ...any) {
			fmt.Fprintln(w.Stdout, report.Printable(fmt.Sprintf(format, args...)))
		}
		show("  %s: %s, run %s of %s, %s draws, answered by %s: %d of %d passed in %s",
			h.Model, h.Prompt, h.Run, h.Date, h.Draws, strings.Join(h.Answered, ", "), passes, repeats, counted(cases, "case"))
		for _, a := range h.Accepted {
			show("    accepted on %s: %s, because %s", a.Date, strings.Join(a.Cases, ", "), a.Because)
		}
	}
	return nil
}

func newBaselineMerge(w *World) *cobra.Command {
	return &cobra.Command{
		Use:               "merge SUITE",
		Short:             "Join both sides of a baseline that git left in conflict",
		Example:           "  llmx baseline merge triage",
		Args:              takes(1, 1),
		ValidArgsFunction: completeSuites(w),
		RunE: inProject(w, func(_ *cobra.Command, p *project, args []string) error {
			files, err := p.suiteFiles(args)
			if err != nil {
				return err
			}
			return p.mergeBaseline(args[0], baseline.Path(files[0]))
		}),
	}
}

func (p *project) mergeBaseline(name, file string) error {
	w := p.world
	data, err := os.ReadFile(filepath.Join(p.root, filepath.FromSlash(file)))
	if err != nil {
		return fault.New(fault.Invalid, "%s cannot be read: %s", file, reason(err)).Because(err)
	}
	merged, conflicts, err := baseline.Merge(data)
	if err != nil {
		return at(fault.Place{File: file}, err)
	}
	if err := baseline.Write(p.root, file, merged); err != nil {
		return err
	}
	fmt.Fprintf(w.Stdout, "merged %s: %d results\n", file, len(merged.Lines))
	for _, conflict := range conflicts {
		fmt.Fprintf(w.Stdout, "  unsettled: %s\n", conflict)
	}
	if len(conflicts) > 0 {
		fmt.Fprintf(w.Stdout, "settle it: llmx test %s && llmx baseline accept --suite %s\n", name, name)
	}
	return nil
}
