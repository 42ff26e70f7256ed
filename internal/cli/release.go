package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

func newPromptRelease(w *World) *cobra.Command {
	var patch, minor, major bool
	cmd := &cobra.Command{
		Use:   "release PROMPT --patch|--minor|--major",
		Short: "Freeze the draft as a release",
		Long: `Freeze the draft: includes and schema are flattened in, the release and its hash are
written to prompts/. The first release is 1.0.0 with --major, else 0.1.0.`,
		Example:           "  llmx prompt release triage --minor",
		Args:              takes(1, 1),
		ValidArgsFunction: completePrompts(w),
		RunE: func(_ *cobra.Command, args []string) error {
			var bumps []prompt.Bump
			for bump, given := range map[prompt.Bump]bool{prompt.Patch: patch, prompt.Minor: minor, prompt.Major: major} {
				if given {
					bumps = append(bumps, bump)
				}
			}
			if len(bumps) != 1 {
				return fault.New(fault.Usage, "say how the version is raised").WithHint("give one of --patch, --minor, --major")
			}
			p, err := openProject(w)
			if err != nil {
				return err
			}
			version, err := prompt.Release(p.root, args[0], bumps[0])
			if err != nil {
				return asUsage(err)
			}
			_, err = fmt.Fprintf(w.Stdout, "released %s@%s\nnext: llmx prompt label %s production %s\n", args[0], version, args[0], version)
			return err
		},
	}
	cmd.Flags().BoolVar(&patch, "patch", false, "1.2.3 becomes 1.2.4")
	cmd.Flags().BoolVar(&minor, "minor", false, "1.2.3 becomes 1.3.0")
	cmd.Flags().BoolVar(&major, "major", false, "1.2.3 becomes 2.0.0")
	return cmd
}

func newPromptLabel(w *World) *cobra.Command {
	var o onServers
	cmd := &cobra.Command{
		Use:   "label PROMPT LABEL VERSION",
		Short: "Point a label to a release",
		Long:  "Point a label to a release, in prompts/PROMPT/labels.yaml." + onServersHelp,
		Example: `  llmx prompt label triage production 1.1.0
  llmx prompt label triage canary 1.2.0 --percent 1 --server http://127.0.0.1:8787 --because "first callers of 1.2.0"`,
		Args:              takes(3, 3),
		ValidArgsFunction: completePrompts(w),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked, err := o.asked(w.Now())
			switch {
			case err != nil:
				return err
			case asked:
				return o.setLabels(cmd.Context(), w, map[string]any{"prompt": args[0], "label": args[1], "version": args[2]})
			}
			p, err := openProject(w)
			if err != nil {
				return err
			}
			if err := prompt.SetLabel(p.root, args[0], args[1], args[2]); err != nil {
				return asUsage(err)
			}
			_, err = fmt.Fprintf(w.Stdout, "%s@%s is %s now\n", args[0], args[1], args[2])
			return err
		},
	}
	o.add(cmd.Flags())
	return cmd
}

func newPromptRollback(w *World) *cobra.Command {
	var o onServers
	label := "production"
	cmd := &cobra.Command{
		Use:   "rollback PROMPT [LABEL]",
		Short: "Point a label back to the release before",
		Long:  "Point a label, production where none is named, back to the release that the one of now descends from." + onServersHelp,
		Example: `  llmx prompt rollback triage
  llmx prompt rollback triage staging
  llmx prompt rollback triage --server http://10.0.0.1:8787,http://10.0.0.2:8787 --because "it asks twice" --until 2h`,
		Args:              takes(1, 2),
		ValidArgsFunction: completePrompts(w),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				if cmd.Flags().Changed("label") {
					return fault.New(fault.Usage, "the label is named twice").WithHint("llmx prompt rollback %s %s", args[0], args[1])
				}
				label = args[1]
			}
			asked, err := o.asked(w.Now())
			switch {
			case err != nil:
				return err
			case asked:
				return o.setLabels(cmd.Context(), w, map[string]any{"prompt": args[0], "label": label, "rollback": true})
			}
			p, err := openProject(w)
			if err != nil {
				return err
			}
			version, err := prompt.Rollback(p.root, args[0], label)
			if err != nil {
				return asUsage(err)
			}
			_, err = fmt.Fprintf(w.Stdout, "%s@%s is %s now\n", args[0], label, version)
			return err
		},
	}
	cmd.Flags().StringVar(&label, "label", label, "the label")
	o.add(cmd.Flags())
	return cmd
}
