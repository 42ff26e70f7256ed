package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/report"
)

func newLint(w *World) *cobra.Command {
	return &cobra.Command{
		Use:   "lint",
		Short: "Validate every file, schema and template; no model is called",
		Long: `Validate llmx.yaml, every prompt, release, lock, label, suite, baseline and
recording. All problems are reported at once; no model is called. It warns of golden answers, of
paths in checks and of tools that no valid answer of the prompt can have.`,
		Example: "  llmx lint",
		Args:    takes(0, 0),
		RunE:    func(*cobra.Command, []string) error { return runLint(w) },
	}
}

func runLint(w *World) error {
	p, err := openProject(w)
	if err != nil {
		return err
	}
	var problems fault.List
	warnings, err := p.prompts.Check()
	problems.Add(err)
	problems.Add(p.lintModels())
	problems.Add(p.pricedBudgets())
	_, err = p.cascades(p.config.RouteNames())
	problems.Add(err)
	suites, cases := 0, 0
	asked := map[string][]string{} // the models that suites ask, by the prompt's file
	files, err := p.suiteFiles(nil)
	if err != nil && fault.ClassOf(err) != fault.Empty { // a project may begin with prompts
		problems.Add(err)
	}
	warnings = append(append(warnings, p.lintLeft(files)...), p.lintConflicts()...)
	for _, file := range files {
		one, err := p.loadSuite(file, selection{}, false)
		if err != nil {
			problems.Add(err)
			continue
		}
		suites, cases = suites+1, cases+one.Count
		asked[one.prompt.File] = append(asked[one.prompt.File], one.models...)
		problems.Add(p.lintBeside(one))
		warnings = append(warnings, one.judges.lint(one)...)
		for _, look := range []func(*loaded) ([]*fault.Error, error){lintGoldens, lintFields, lintTools, lintTags, p.lintSight} {
			unmet, err := look(one)
			problems.Add(err)
			warnings = append(warnings, unmet...)
		}
	}
	warnings = append(warnings, p.lintKeys()...)
	if err := writeWarnings(w, warnings); err != nil {
		return err
	}
	if err := distinct(problems).Err(); err != nil {
		return err
	}
	names, err := p.prompts.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := p.noteTelling(name, asked); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w.Stdout, "ok: %s, %s, %s, %s\n",
		counted(len(names), "prompt"), counted(suites, "suite"), counted(cases, "case"), counted(len(warnings), "warning"))
	return err
}

// noteTelling writes what the models of a prompt, and of the suites that ask it, are not
// told of its contract.
func (p *project) noteTelling(name string, asked map[string][]string) error {
	found, err := p.prompts.Resolve(name, prompt.Develop)
	if err != nil {
		return err
	}
	note := p.lintTelling(found, append([]string{found.Model}, asked[found.File]...))
	if note == "" {
		return nil
	}
	_, err = fmt.Fprintf(p.world.Stderr, "note: %s\n", note)
	return err
}

// lintBeside checks what stands beside a suite: its gates' prices, baseline and
// recordings.
func (p *project) lintBeside(one *loaded) error {
	var problems fault.List
	plan := planner{project: p}
	size, err := plan.survey(context.Background(), one) // a signal ends lint as a whole
	problems.Add(err)
	for _, name := range one.models {
		found, err := p.lookup(name, fault.Place{})
		problems.Add(err)
		if err == nil {
			problems.Add(plan.needsPrice(one, found, size))
		}
	}
	_, err = baseline.Read(p.fs, baseline.Path(one.File))
	problems.Add(err)
	file, err := p.openRecordings(one.Name)
	problems.Add(err)
	if err == nil {
		for _, err := range file.All() {
			problems.Add(err)
		}
		_ = file.Close() // it was only read
	}
	return problems.Err()
}

// distinct drops problems that two readers of the same file have both found.
func distinct(problems fault.List) fault.List {
	seen := map[string]bool{}
	var once fault.List
	for _, problem := range problems {
		if text := problem.Error(); !seen[text] {
			seen[text] = true
			once = append(once, problem)
		}
	}
	return once
}

func writeWarnings(w *World, warnings []*fault.Error) error {
	lines := make([]string, len(warnings))
	for i, warning := range warnings {
		lines[i] = warning.Error()
	}
	return report.Warnings(w.Stderr, lines, w.errorStyle())
}
