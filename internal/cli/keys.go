package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

const keysHelp = `Keys of those who may ask llmx serve: new, list, revoke.

Without a key llmx serve serves this machine alone, and needs none. With the first key
everybody needs one: Authorization: Bearer KEY, as OpenAI's clients send it. Of a key
only a hash is kept. Servers that are running take a new key, and drop a revoked one,
within a second.

What a key may ask, how much at once and what it may spend is said when it is made, and
does not change: make another one, and revoke the old one once nobody uses it. See llmx
help safety.`

func newKeys(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "keys",
		Short:   "Keys of those who may ask llmx serve: new, list, revoke",
		Long:    keysHelp,
		Example: "  llmx keys new shop --prompts triage --rpm 60 --usd 5 --per day\n  llmx keys list\n  llmx keys revoke shop",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newKeysNew(w), newKeysList(w), newKeysRevoke(w))
	return cmd
}

func newKeysList(w *World) *cobra.Command {
	all, asJSON := false, false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "The keys, and what they may do",
		Long: `List the keys: what each may ask, its limits, its budget, and whose cache it has.

With --json every key is a line of JSON: name, id, state (live, expired, revoked), prompts
and models (null for all), rpm, tpm, concurrency (0: no bound), limit_nano_usd, per, tenant
(null for its own), admin (it may set labels), created, expires and revoked (null for never).`,
		Example: "  llmx keys list\n  llmx keys list --all --json | jq -r .name",
		Args:    takes(0, 0),
		RunE: inProject(w, func(cmd *cobra.Command, p *project, _ []string) error {
			keys, err := p.keys(cmd.Context())
			if err != nil {
				return err
			}
			var rows []report.KeyRow
			for _, k := range keys {
				if all || k.Revoked.IsZero() {
					rows = append(rows, keyRow(k))
				}
			}
			if asJSON {
				return writeKeys(w, rows)
			}
			return report.KeyList(w.Stdout, rows, w.Now(), w.outputStyle())
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that were revoked")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print every key as a line of JSON")
	return cmd
}

// keys are all keys of the project; where nothing is stored there are none.
func (p *project) keys(ctx context.Context) ([]store.Key, error) {
	if _, err := os.Stat(p.storePath()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	s, err := p.openStore(ctx, reads)
	if err != nil {
		return nil, err
	}
	keys, err := s.Keys(ctx)
	return keys, joined(err, s.Close())
}

func keyRow(k store.Key) report.KeyRow {
	return report.KeyRow{
		Name: k.Name, ID: k.ID, Tenant: k.Tenant, Prompts: k.Prompts, Models: k.Models,
		RPM: k.RPM, TPM: k.TPM, Concurrency: k.Concurrency, Limit: k.Limit, Per: string(k.Per), Admin: k.Admin,
		Created: k.Created, Expires: k.Expires, Revoked: k.Revoked,
	}
}

func writeKeys(w *World, rows []report.KeyRow) error {
	for i := range rows {
		k := &rows[i]
		line, err := json.Marshal(struct {
			Name        string     `json:"name"`
			ID          string     `json:"id"`
			State       string     `json:"state"`
			Prompts     []string   `json:"prompts"`
			Models      []string   `json:"models"`
			RPM         int        `json:"rpm"`
			TPM         int        `json:"tpm"`
			Concurrency int        `json:"concurrency"`
			Limit       int64      `json:"limit_nano_usd"`
			Per         *string    `json:"per"`
			Tenant      *string    `json:"tenant"`
			Admin       bool       `json:"admin"`
			Created     time.Time  `json:"created"`
			Expires     *time.Time `json:"expires"`
			Revoked     *time.Time `json:"revoked"`
		}{k.Name, k.ID, k.State(w.Now()), k.Prompts, k.Models, k.RPM, k.TPM, k.Concurrency, int64(k.Limit),
			orNull(k.Per), orNull(k.Tenant), k.Admin, k.Created, orNull(k.Expires), orNull(k.Revoked)})
		if err != nil {
			return fault.New(fault.Internal, "the key %s cannot be written: %v", k.ID, err)
		}
		if _, err := fmt.Fprintf(w.Stdout, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// orNull is nil for the empty value.
func orNull[T comparable](value T) *T {
	var empty T
	if value == empty {
		return nil
	}
	return &value
}

func newKeysRevoke(w *World) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke NAME|ID",
		Short:   "End a key for good; servers that are running drop it within a second",
		Example: "  llmx keys revoke shop",
		Args:    takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, changes, func(ctx context.Context, _ *project, s *store.Store) error {
				revoked, err := s.RevokeKey(ctx, args[0])
				if err != nil {
					return err
				}
				keys, err := s.Keys(ctx)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintf(w.Stdout, "revoked %s (%s)\n", revoked.Name, revoked.ID); err != nil {
					return err
				}
				if !slices.ContainsFunc(keys, func(k store.Key) bool { return k.Revoked.IsZero() }) {
					fmt.Fprintln(w.Stderr, "note: it was the last key: servers serve their own machine alone from now on, without a key")
				}
				return nil
			})
		},
		ValidArgsFunction: completeKeys(w),
	}
}

// completeKeys offers the names of the keys that are not revoked.
func completeKeys(w *World) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		p, err := openProject(w)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		keys, _ := p.keys(cmd.Context())
		var names []string
		for _, k := range keys {
			if k.Revoked.IsZero() {
				names = append(names, k.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// unchosen says which keys of store: have to be chosen as there are keys; nil where
// they are.
func (p *project) unchosen() *fault.Error {
	missing := p.config.Store.Said.Missing()
	if len(missing) == 0 {
		return nil
	}
	place := p.config.Store.Place
	if place.File == "" {
		place = fault.Place{File: configFile}
	}
	lines := map[string]string{"content": "content: full", "keep": "keep: 90d"}
	var add []string
	for _, key := range missing {
		add = append(add, lines[key])
	}
	return fault.At(place, "there are keys, so others ask here, and nobody has chosen what is kept of their words, and for how long").
		WithHint("write store: {%s} into it; content is full, redacted or none, keep is a time, or 0s for ever", strings.Join(add, ", "))
}

// lintKeys warns of what llmx serve will refuse as there are keys. A store that cannot
// be read has none.
func (p *project) lintKeys() []*fault.Error {
	unchosen := p.unchosen()
	if unchosen == nil {
		return nil
	}
	if _, err := os.Stat(p.storePath()); err != nil {
		return nil
	}
	s, err := p.openStore(context.Background(), looks)
	if err != nil {
		return nil
	}
	defer s.Close()
	keys, err := s.Keys(context.Background())
	if err != nil || !slices.ContainsFunc(keys, func(k store.Key) bool { return k.Revoked.IsZero() }) {
		return nil
	}
	return []*fault.Error{unchosen}
}
