package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/report"
)

func newPrompt(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prompt",
		Short: "Drafts, releases, labels: list, show, render, diff, release, label, rollback, audit",
		Long: `A prompt is a directory in prompts/: the draft that is edited, releases that are
frozen and locked, and labels that point to releases.`,
		Example: "  llmx prompt list\n  llmx prompt diff triage@1.0.0 triage@draft\n  llmx prompt release triage --minor\n  llmx prompt label triage production 1.1.0",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newPromptList(w), newPromptShow(w), newPromptRender(w), newPromptDiff(w),
		newPromptRelease(w), newPromptLabel(w), newPromptRollback(w), newPromptAudit(w))
	return cmd
}

func newPromptList(w *World) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Every prompt with its releases and labels",
		Example: "  llmx prompt list",
		Args:    takes(0, 0),
		RunE: inProject(w, func(_ *cobra.Command, p *project, _ []string) error {
			names, err := p.prompts.Names()
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := p.listPrompt(name); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

// listPrompt writes a prompt's draft and releases, the highest first.
func (p *project) listPrompt(name string) error {
	out := p.world.Stdout
	versions, err := p.prompts.Versions(name)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, name)
	if draft, err := p.prompts.Resolve(name+"@draft", prompt.Develop); err == nil {
		fmt.Fprintf(out, "  %-10s %.12s  %s\n", "draft", draft.Hash, draft.Description)
	}
	for _, v := range versions {
		notes := strings.Join(v.Labels, ", ")
		if v.Drift != nil {
			notes = strings.TrimPrefix(notes+", DRIFTED", ", ")
		}
		parent := "first release"
		if v.Parent != "" {
			parent = "from " + v.Parent
		}
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %-10s %.12s  %-14s  %s", v.Version, v.Hash, parent, notes), " "))
	}
	return nil
}

func newPromptShow(w *World) *cobra.Command {
	return &cobra.Command{
		Use:               "show PROMPT[@VERSION]",
		Short:             "A prompt as a release would freeze it: includes and schema in place",
		Example:           "  llmx prompt show triage\n  llmx prompt show triage@1.0.0",
		Args:              takes(1, 1),
		ValidArgsFunction: completePrompts(w),
		RunE: inProject(w, func(_ *cobra.Command, p *project, args []string) error {
			found, err := p.prompts.Resolve(args[0], prompt.Develop)
			if err != nil {
				return asUsage(err)
			}
			_, err = w.Stdout.Write(found.Flat())
			return err
		}),
	}
}

func newPromptDiff(w *World) *cobra.Command {
	return &cobra.Command{
		Use:               "diff A [B]",
		Short:             "Two versions of a prompt side by side",
		Long:              "Compare two versions. With one name: its highest release against its draft.",
		Example:           "  llmx prompt diff triage\n  llmx prompt diff triage@1.0.0 triage@production",
		Args:              takes(1, 2),
		ValidArgsFunction: completePrompts(w),
		RunE: inProject(w, func(_ *cobra.Command, p *project, args []string) error {
			if len(args) == 1 {
				both, err := p.releaseAndDraft(args[0])
				if err != nil {
					return err
				}
				args = both
			}
			a, err := p.prompts.Resolve(args[0], prompt.Develop)
			if err != nil {
				return asUsage(err)
			}
			b, err := p.prompts.Resolve(args[1], prompt.Develop)
			if err != nil {
				return asUsage(err)
			}
			return report.PromptDiff(w.Stdout, a.Ref().String(), b.Ref().String(), a.Flat(), b.Flat(), w.outputStyle())
		}),
	}
}

func (p *project) releaseAndDraft(name string) ([]string, error) {
	name, _, _ = strings.Cut(name, "@")
	versions, err := p.prompts.Versions(name)
	if err != nil {
		return nil, asUsage(err)
	}
	if len(versions) == 0 {
		return nil, fault.New(fault.Usage, "the prompt %s has no release to compare with", name).WithHint("llmx prompt release %s --major makes the first", name)
	}
	return []string{name + "@" + versions[0].Version, name + "@draft"}, nil
}
