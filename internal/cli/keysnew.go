package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/price"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/store"
)

const keysNewHelp = `Make a key. Its text is written to stdout, once; nobody can show it again.

--prompts and --models say what it may ask: a prompt by its name, or a model or a route
by its own. With one of the two alone the key may ask nothing of the other kind; '*' is
all of them, and so is neither. A prompt brings its own model.

--rpm, --tpm and --concurrency bound it in any minute, and at once. What is too much is
refused at once with 429, Retry-After and x-ratelimit-… headers, and never queued. Each
server counts for itself.

--usd with --per bounds what it may spend, over all servers on this store and across
their restarts; a budget with scope: key in llmx.yaml holds besides, and of the two the
lower.

Two tenants never share a cached answer. A key without --tenant is a tenant of its own;
keys of the same tenant share.`

type newKeyOptions struct {
	prompts, models       []string
	rpm, tpm, concurrency int
	usd, per              string
	tenant, expires       string
	admin                 bool
}

func newKeysNew(w *World) *cobra.Command {
	o := &newKeyOptions{}
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a key, and show it once",
		Long:  keysNewHelp,
		Example: `  llmx keys new shop
  llmx keys new shop --prompts triage,reply --rpm 600 --concurrency 20
  llmx keys new intern --models small --usd 5 --per day --expires 90d
  llmx keys new shop > shop.key`,
		Args: takes(1, 1),
		RunE: inProject(w, func(cmd *cobra.Command, p *project, args []string) error {
			key, err := o.key(p, args[0])
			if err != nil {
				return err
			}
			s, err := p.openStore(cmd.Context(), adds)
			if err != nil {
				return err
			}
			ctx, release := w.cancelable(cmd.Context())
			defer release()
			return joined(makeKey(ctx, p, s, key), s.Close())
		}),
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.prompts, "prompts", nil, "it may ask these prompts, `NAME,NAME` or '*'")
	flags.StringSliceVar(&o.models, "models", nil, "it may ask these models and routes, `NAME,NAME` or '*'")
	flags.IntVar(&o.rpm, "rpm", 0, "requests in any minute (0: no bound)")
	flags.IntVar(&o.tpm, "tpm", 0, "tokens in any minute, in and out (0: no bound)")
	flags.IntVar(&o.concurrency, "concurrency", 0, "requests at once (0: no bound)")
	flags.StringVar(&o.usd, "usd", "", "it may spend so many `dollars`; with --per")
	flags.StringVar(&o.per, "per", "", "… each `day|month`, of UTC")
	flags.StringVar(&o.tenant, "tenant", "", "share cached answers with the keys of this tenant alone")
	flags.StringVar(&o.expires, "expires", "", "until a `time`: 90d, 12h, or a day like 2026-12-31 (default: for ever)")
	flags.BoolVar(&o.admin, "admin", false, "it may also set labels on a running server: llmx prompt label --server")
	_ = cmd.RegisterFlagCompletionFunc("prompts", completePrompts(w))
	_ = cmd.RegisterFlagCompletionFunc("models", completeModels(w))
	return cmd
}

// makeKey keeps a key and shows its text.
func makeKey(ctx context.Context, p *project, s *store.Store, key store.Key) error {
	text := server.NewKeyText()
	key.Hash = server.HashKey(text)
	if err := s.AddKey(ctx, key); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(p.world.Stdout, text); err != nil {
		return err
	}
	fmt.Fprintf(p.world.Stderr, "note: this is the key %s (%s); it is not shown again\n", key.Name, key.ID)
	if unchosen := p.unchosen(); unchosen != nil {
		return writeWarnings(p.world, []*fault.Error{fault.At(unchosen.Place, "%s; llmx serve will not start", unchosen.Message).WithHint("%s", unchosen.Hint)})
	}
	return nil
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)

// key reads the flags.
func (o *newKeyOptions) key(p *project, name string) (store.Key, error) {
	key := store.Key{
		ID: "key-" + randomHex(5), Name: name, Tenant: o.tenant, Created: p.world.Now(),
		RPM: o.rpm, TPM: o.tpm, Concurrency: o.concurrency, Per: budget.Per(o.per), Admin: o.admin,
	}
	if !keyName.MatchString(name) {
		return key, fault.New(fault.Usage, "a key cannot be called %q", name).
			WithHint("allowed: at most 64 letters, digits and . _ @ + -, beginning with a letter or digit")
	}
	if o.tenant != "" && !keyName.MatchString(o.tenant) {
		return key, fault.New(fault.Usage, "a tenant cannot be called %q", o.tenant).
			WithHint("allowed: at most 64 letters, digits and . _ @ + -, beginning with a letter or digit")
	}
	for _, one := range []struct {
		flag string
		n    int
	}{{"rpm", o.rpm}, {"tpm", o.tpm}, {"concurrency", o.concurrency}} {
		if one.n < 0 || one.n > 1_000_000_000 {
			return key, fault.New(fault.Usage, "--%s %d is no limit", one.flag, one.n).WithHint("1 to 1,000,000,000, or 0 for none")
		}
	}
	if err := o.mayAsk(p, &key); err != nil {
		return key, err
	}
	if err := o.budget(p, &key); err != nil {
		return key, err
	}
	var err error
	key.Expires, err = parseExpiry(o.expires, p.world.Now())
	return key, err
}

// mayAsk reads --prompts and --models.
func (o *newKeyOptions) mayAsk(p *project, key *store.Key) error {
	if o.prompts == nil && o.models == nil {
		return nil
	}
	names, err := p.prompts.Names()
	if err != nil {
		return err
	}
	if key.Prompts, err = chosen("--prompts", "prompt", o.prompts, names); err != nil {
		return err
	}
	key.Models, err = chosen("--models", "model or route", o.models, p.config.Names())
	return err
}

// chosen are the names of a flag, sorted: nil for all, empty for none.
func chosen(flag, what string, given, known []string) ([]string, error) {
	if len(given) == 1 && given[0] == "*" {
		return nil, nil
	}
	names := []string{}
	for _, name := range given {
		if name = strings.TrimSpace(name); !slices.Contains(known, name) {
			return nil, fault.New(fault.Usage, "%s: there is no %s %q", flag, what, name).WithHint("%s", fault.Allowed(name, known))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// budget reads --usd and --per.
func (o *newKeyOptions) budget(p *project, key *store.Key) error {
	switch {
	case o.usd == "" && o.per == "":
		return nil
	case o.usd == "":
		return fault.New(fault.Usage, "--per %s says how often, and not how much", o.per).WithHint("add --usd 5")
	case key.Per != budget.PerDay && key.Per != budget.PerMonth:
		return fault.New(fault.Usage, "--usd %s needs a period, and --per %q is none", o.usd, o.per).WithHint("allowed: --per day, --per month")
	}
	limit, err := price.ParseUSD(o.usd)
	if err != nil || limit == 0 {
		return fault.New(fault.Usage, "--usd %s is no amount in dollars", o.usd).WithHint("write it like 0.50 or 20")
	}
	key.Limit = limit
	return p.pricedFor("the key has a budget in dollars")
}

// pricedFor refuses models whose price nobody knows: what cannot be counted cannot be
// bounded.
func (p *project) pricedFor(because string) error {
	var problems fault.List
	for _, alias := range p.config.ModelNames() {
		found, err := p.priceOf(alias)
		problems.Add(err)
		if err == nil && !found.Known {
			problems.Add(config.Unpriced(alias, p.config.Models[alias], because))
		}
	}
	return problems.Err()
}

// parseExpiry reads a time from now on, or a day of UTC; zero for "".
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if !day.After(now) {
			return time.Time{}, fault.New(fault.Usage, "--expires %s is over", text).WithHint("name a day that comes, or 90d")
		}
		return day, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil && n > 0 {
			return now.Add(time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if in, err := time.ParseDuration(text); err == nil && in > 0 {
		return now.Add(in), nil
	}
	return time.Time{}, fault.New(fault.Usage, "--expires %s is no time", text).WithHint("write 90d, 12h, or a day like 2026-12-31")
}
