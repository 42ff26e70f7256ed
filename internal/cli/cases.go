package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

func newCases(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cases",
		Short:   "Calls of applications become cases of a suite",
		Example: "  llmx cases from-calls triage --feedback bad --dry-run",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newCasesFromCalls(w))
	return cmd
}

const fromCallsHelp = `Append calls to a suite, as cases: their inputs, and as golden answer what somebody
has said would have been right (feedback with a correction). The cases go to the end of
the suite's file, or with --into to a .jsonl or .yaml file that the suite names in from:.
What stands there already stays as it is.

Which calls: by default the newest 20 of the suite's prompt that applications and ask have
made; those of test runs are cases already. --sample N draws N of all that are selected,
the same ones for the same --seed. A case is called call-ID and bears the tag from-call; meta
says when and of which prompt version the call was. A call that is in the suite already, or
asks what a case asks, is left out and counted.

--golden corrections (the default) takes golden answers from feedback alone; answers takes
what the model said where there is no correction, which nobody has checked; none takes
neither. A case that nothing else would check gets expect: [schema], where the prompt has a
contract.

Redaction: keys, tokens, passwords, e-mail addresses, phone numbers, IBANs, card numbers,
IP addresses and the call's user are replaced by placeholders, [email-1], the same ones for
the same values within a case. They are found by their form: names and postal addresses,
and what images and files show, are NOT. Read the cases before you commit them.`

const fromCallsExamples = `  llmx cases from-calls triage --feedback bad --dry-run
  llmx cases from-calls triage --feedback bad --since 7d
  llmx cases from-calls triage --call 4f2a9c1d-17
  llmx cases from-calls triage --status contract --limit 10
  llmx cases from-calls triage --sample 50 --seed 1 --golden none --into tickets.jsonl`

// fromCallsOptions are the flags of cases from-calls.
type fromCallsOptions struct {
	suite  string
	which  callFlags
	ids    []string
	limit  int
	sample int
	seed   uint64
	golden string
	redact string
	into   string
	dryRun bool
}

// What golden answers are taken from.
var goldenSources = []string{"corrections", "answers", "none"}

func newCasesFromCalls(w *World) *cobra.Command {
	o := &fromCallsOptions{}
	cmd := &cobra.Command{
		Use:     "from-calls SUITE",
		Short:   "Append calls to a suite, without secrets and personal data",
		Long:    fromCallsHelp,
		Example: fromCallsExamples,
		Args:    takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.suite = args[0]
			filter, err := o.read(cmd, w)
			if err != nil {
				return err
			}
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				return p.casesFromCalls(ctx, s, filter, o)
			})
		},
		ValidArgsFunction: completeSuites(w),
	}
	o.which.who(cmd, w)
	o.which.what(cmd, w)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.ids, "call", nil, "these calls, by `id` or the beginning of it (repeatable)")
	flags.IntVar(&o.limit, "limit", 20, "append at most so many (0: all)")
	flags.IntVar(&o.sample, "sample", 0, "draw so `many` of the selected calls, whatever --limit says")
	flags.Uint64Var(&o.seed, "seed", 0, "what --sample draws by")
	flags.StringVar(&o.golden, "golden", goldenSources[0], "golden answers from `corrections|answers|none`")
	flags.StringVar(&o.redact, "redact", "on", "`on`: without secrets and personal data; off: as they are")
	flags.StringVar(&o.into, "into", "", "append to this `file` of rows, as the suite names it in from:")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the cases, and write nothing")
	_ = cmd.RegisterFlagCompletionFunc("golden", words(goldenSources))
	_ = cmd.RegisterFlagCompletionFunc("redact", words([]string{"on", "off"}))
	return cmd
}

func (o *fromCallsOptions) read(cmd *cobra.Command, w *World) (store.CallFilter, error) {
	filter, err := o.which.read(w.Now())
	if err != nil {
		return filter, err
	}
	for _, one := range []struct {
		flag, word string
		allowed    []string
	}{{"--golden", o.golden, goldenSources}, {"--redact", o.redact, []string{"on", "off"}}} {
		if !slices.Contains(one.allowed, one.word) {
			return filter, fault.New(fault.Usage, "%s %s is not known", one.flag, one.word).WithHint("%s", fault.Allowed(one.word, one.allowed))
		}
	}
	switch {
	case o.limit < 0 || o.sample < 0:
		return filter, fault.New(fault.Usage, "--limit and --sample cannot be negative").WithHint("--limit 0 is all")
	case len(o.ids) > 0 && o.sample > 0:
		return filter, fault.New(fault.Usage, "--call and --sample exclude each other")
	case cmd.Flags().Changed("seed") && o.sample == 0:
		return filter, fault.New(fault.Usage, "--seed goes with --sample").WithHint("say how many: --sample 50")
	}
	if len(o.ids) == 0 {
		filter.Loose = true
	}
	return filter, nil
}
