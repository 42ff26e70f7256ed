package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

const callsPurgeHelp = `Remove calls for good: with their inputs, messages, answers, attempts and feedback, and
with their answers in the cache. What is removed is overwritten, the file is rewritten and
its log emptied, so that nothing of them stands in the store's files afterwards. A file of
more than 128 MB is rewritten with --rewrite alone, as other processes wait meanwhile;
until then copies may stand in unused parts of it.

Only calls outside of runs are removed: those of applications and of ask. Calls of test
runs go with their run (llmx runs prune), and so do the answers that results keep. Texts of
prompts stay, and so does what budgets have counted; llmx cost no longer has the calls.
Suites, baselines, recordings, and copies of the store are files of your own: nobody
looks into them here.`

// callsPurgeOptions are the flags of calls purge.
type callsPurgeOptions struct {
	which                callFlags
	ids                  []string
	before               string
	dryRun, yes, rewrite bool
	none                 bool // no call is selected: the file is rewritten, and that is all
}

func newCallsPurge(w *World) *cobra.Command {
	o := &callsPurgeOptions{}
	cmd := &cobra.Command{
		Use:     "purge",
		Short:   "Remove calls for good, such as all of one user",
		Long:    callsPurgeHelp,
		Example: "  llmx calls purge --user u-381 --dry-run\n  llmx calls purge --user u-381 --yes\n  llmx calls purge --before 30d --yes\n  llmx calls purge --grep jane@example.com --yes",
		Args:    takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := o.read(w.Now())
			if err != nil {
				return err
			}
			what := changes
			if o.dryRun || !o.yes {
				what = reads
			}
			return withStore(cmd.Context(), w, what, func(ctx context.Context, p *project, s *store.Store) error {
				return p.purgeCalls(ctx, s, filter, o)
			})
		},
	}
	o.which.who(cmd, w)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.ids, "call", nil, "only these calls, by `id` or the beginning of it (repeatable)")
	flags.StringVar(&o.which.filter.Grep, "grep", "", "only calls with this `text` in inputs, messages or answers, as it stands; case does not matter")
	flags.StringVar(&o.before, "before", "", "only calls before a `time`: 30d, 12h, or a day like 2026-11-01")
	flags.BoolVar(&o.dryRun, "dry-run", false, "only list what would be removed")
	flags.BoolVar(&o.yes, "yes", false, "remove it")
	flags.BoolVar(&o.rewrite, "rewrite", false, "rewrite the store's file also where it is large")
	return cmd
}

func (o *callsPurgeOptions) read(now time.Time) (store.CallFilter, error) {
	filter, err := o.which.read(now)
	if err != nil {
		return filter, err
	}
	if filter.Until, err = parseTime("--before", o.before, now); err != nil {
		return filter, err
	}
	f := filter
	o.none = f.Until.IsZero() && f.Key == "" && f.User == "" && f.Prompt == "" && f.Grep == "" && len(o.ids) == 0
	if o.none && !(o.rewrite && o.yes) {
		return filter, fault.New(fault.Usage, "nothing says which calls are to go").
			WithHint("--user, --key, --prompt, --grep, --call, --before 30d; all of them: --before 0d")
	}
	if o.dryRun && o.yes {
		return filter, fault.New(fault.Usage, "--dry-run and --yes exclude each other")
	}
	return filter, nil
}

func (p *project) purgeCalls(ctx context.Context, s *store.Store, filter store.CallFilter, o *callsPurgeOptions) error {
	if o.none {
		purged, err := s.Rewrite(ctx)
		return p.tellPurged(purged, err)
	}
	for _, id := range o.ids {
		call, err := findCall(ctx, s, id)
		if err != nil {
			return err
		}
		filter.IDs = append(filter.IDs, call.ID)
	}
	p.blind(filter)
	if err := selectsCalls(ctx, s, filter); err != nil {
		return err
	}
	out := p.world.Stdout
	going, staying, err := s.CallCount(ctx, filter)
	if err != nil {
		return err
	}
	if staying > 0 {
		fmt.Fprintf(p.world.Stderr, "note: %s of test runs stay: they go with their run (llmx runs prune)\n", counted(staying, "call"))
	}
	filter.Loose = true
	switch {
	case going == 0:
		_, err = fmt.Fprintln(out, "no call is stored that is like that; nothing is removed")
		return err
	case o.dryRun:
		shown := filter
		shown.Limit = 20
		if err := p.callList(ctx, s, shown, out); err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s would be removed\n", counted(going, "call"))
		return err
	case !o.yes:
		return fault.New(fault.Usage, "%s would be removed for good", counted(going, "call")).WithHint("say --yes; --dry-run lists them")
	}
	purged, err := s.PurgeCalls(ctx, filter, o.rewrite)
	return p.tellPurged(purged, err)
}

func (p *project) tellPurged(purged store.Purged, err error) error {
	if err != nil {
		return err
	}
	if purged.Calls == 0 {
		_, err = fmt.Fprintf(p.world.Stdout, "the file is %.1f MB smaller\n%s\n", float64(purged.Bytes)/1e6, leftBehind(purged, p.config.Store.Path))
		return err
	}
	_, err = fmt.Fprintf(p.world.Stdout, "removed %s and %s of theirs in the cache; the file is %.1f MB smaller\n%s\n",
		counted(purged.Calls, "call"), counted(purged.Cached, "answer"), float64(purged.Bytes)/1e6, leftBehind(purged, p.config.Store.Path))
	return err
}

// leftBehind says whether anything of what was removed can still be read from the file.
func leftBehind(purged store.Purged, file string) string {
	switch {
	case !purged.Rewritten:
		return fmt.Sprintf("%s is large and was not rewritten: copies of what was removed may stand in unused parts of it; llmx calls purge --rewrite --yes rewrites it, while other processes wait", file)
	case !purged.Emptied:
		return fmt.Sprintf("another process reads %s just now, so its log (%s-wal) still has what was removed: llmx calls purge --rewrite --yes once that has ended", file, file)
	}
	return fmt.Sprintf("%s was rewritten: nothing of what was removed stands in it any more", file)
}
