package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

// callFlags are the flags that say which calls are meant.
type callFlags struct {
	filter       store.CallFilter
	since, until string
}

// who adds the flags that a person's request to see or to remove their calls needs.
func (f *callFlags) who(cmd *cobra.Command, w *World) {
	flags := cmd.Flags()
	flags.StringVar(&f.filter.Prompt, "prompt", "", "only calls of this prompt, `NAME or NAME@VERSION`")
	flags.StringVar(&f.filter.Key, "key", "", "only calls that came by this key, by its `name` or id")
	flags.StringVar(&f.filter.User, "user", "", "only calls for this user, by the `name` that the caller gave")
	_ = cmd.RegisterFlagCompletionFunc("prompt", completePrompts(w))
	_ = cmd.RegisterFlagCompletionFunc("key", completeCalls(w, func(n store.CallNames) []string { return n.Keys }))
	_ = cmd.RegisterFlagCompletionFunc("user", completeCalls(w, func(n store.CallNames) []string { return n.Users }))
}

// runs adds the flags that choose among the calls of tests.
func (f *callFlags) runs(cmd *cobra.Command, w *World) {
	flags := cmd.Flags()
	flags.StringVar(&f.filter.Run, "run", "", "only calls of this run")
	flags.StringVar(&f.filter.Suite, "suite", "", "only calls of this suite")
	flags.StringVar(&f.filter.Case, "case", "", "only calls of this case")
	_ = cmd.RegisterFlagCompletionFunc("suite", completeSuites(w))
}

// what adds the flags that choose by what was asked, and what came of it.
func (f *callFlags) what(cmd *cobra.Command, w *World) {
	flags := cmd.Flags()
	flags.StringVar(&f.filter.Model, "model", "", "only calls that asked this model or route, also as a fallback")
	flags.StringVar(&f.filter.Status, "status", "", "only calls of which this came: ok, failed, cached, fallback, …; or a `class` of failure")
	flags.StringVar(&f.filter.Feedback, "feedback", "", "only calls with `good|bad|any|none` feedback")
	flags.StringVar(&f.filter.Grep, "grep", "", "only calls with this `text` in inputs, messages or answers, as it stands; case does not matter")
	flags.BoolVar(&f.filter.Failed, "failed", false, "only calls that failed: the same as --status failed")
	flags.StringVar(&f.since, "since", "", "only calls since a `time`: 7d, 12h, or a day like 2026-11-01")
	flags.StringVar(&f.until, "until", "", "only calls before a `time`: likewise")
	_ = cmd.RegisterFlagCompletionFunc("model", completeModels(w))
	_ = cmd.RegisterFlagCompletionFunc("status", words(store.CallStatuses()))
	_ = cmd.RegisterFlagCompletionFunc("feedback", words(store.FeedbackWords))
}

// read gives the filter that the flags say.
func (f *callFlags) read(now time.Time) (store.CallFilter, error) {
	filter := f.filter
	if filter.Limit < 0 {
		return filter, fault.New(fault.Usage, "--limit %d is negative", filter.Limit).WithHint("0 is all")
	}
	var err error
	if filter.Since, err = parseTime("--since", f.since, now); err != nil {
		return filter, err
	}
	if filter.Until, err = parseTime("--until", f.until, now); err != nil {
		return filter, err
	}
	if !filter.Until.IsZero() && !filter.Since.Before(filter.Until) {
		return filter, fault.New(fault.Usage, "no time lies between --since %s and --until %s", f.since, f.until).
			WithHint("--since 7d --until 1d is all but the last day of a week")
	}
	filter.Prompt, filter.Version, _ = strings.Cut(filter.Prompt, "@")
	return filter, nil
}

// blind says that a text, or a user, is looked for where none is kept.
func (p *project) blind(filter store.CallFilter) {
	content := store.Content(p.config.Store.Content)
	if content == "" || content == store.ContentFull {
		return
	}
	for _, one := range []struct{ flag, value string }{{"--grep", filter.Grep}, {"--user", filter.User}} {
		if one.value != "" {
			fmt.Fprintf(p.world.Stderr, "note: %s finds nothing in calls whose contents are not stored (store.content: %s in llmx.yaml)\n", one.flag, content)
		}
	}
}

// selectsCalls refuses a name that no stored call has, with those that there are.
// That no call of a name failed, or none is young enough, is an answer.
func selectsCalls(ctx context.Context, s *store.Store, f store.CallFilter) error {
	f.Limit = 1
	f.Grep = "" // it is no name, and takes its time
	for _, err := range s.Calls(ctx, f) {
		return err
	}
	names, err := s.CallNames(ctx)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		what, name string
		known      []string
	}{
		{"of a suite", f.Suite, names.Suites}, {"of a prompt", f.Prompt, names.Prompts}, {"of a model or route", f.Model, names.Models},
		{"by a key", f.Key, names.Keys}, {"for a user", f.User, names.Users},
	} {
		if one.name != "" && !slices.Contains(one.known, one.name) {
			hint := fault.Allowed(one.name, one.known)
			if len(one.known) == 0 {
				hint = "no stored call names one"
			}
			return fault.New(fault.NoMatch, "no stored call is %s %q", one.what, one.name).WithHint("%s", hint)
		}
	}
	return nil
}
