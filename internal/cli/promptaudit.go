package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newPromptAudit(w *World) *cobra.Command {
	var at string
	var asJSON bool
	limit := 20
	cmd := &cobra.Command{
		Use:   "audit [PROMPT]",
		Short: "Who set which label on running servers, when and why",
		Long: `List the labels that were set on running servers, the newest first: from the store of
this project, or with --server from that of a server.`,
		Example:           "  llmx prompt audit\n  llmx prompt audit triage --server http://127.0.0.1:8787",
		Args:              takes(0, 1),
		ValidArgsFunction: completePrompts(w),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return fault.New(fault.Usage, "--limit %d lists nothing", limit).WithHint("it is 1 or more")
			}
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			log, err := labelLog(cmd.Context(), w, at, name, limit)
			if err != nil {
				return err
			}
			if asJSON {
				for _, o := range log {
					if err := json.NewEncoder(w.Stdout).Encode(o); err != nil {
						return err
					}
				}
				return nil
			}
			return report.LabelLog(w.Stdout, log, w.outputStyle())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&at, "server", "", "ask the server at this `URL`")
	flags.IntVar(&limit, "limit", limit, "list the newest `N`")
	flags.BoolVar(&asJSON, "json", false, "a line of JSON each: id, prompt, label, version, percent, before, until, because, by, at, ended, how")
	return cmd
}

func labelLog(ctx context.Context, w *World, at, name string, limit int) (log []prompt.Override, err error) {
	if at == "" {
		err = withStore(ctx, w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
			log, err = s.OverrideLog(ctx, name, limit)
			return err
		})
		return log, err
	}
	if err := checkServer(at); err != nil {
		return nil, err
	}
	var body struct {
		Log []prompt.Override `json:"log"`
	}
	err = askServer(ctx, w, http.MethodGet, at, "/v1/labels?prompt="+url.QueryEscape(name), nil, &body)
	return body.Log[:min(limit, len(body.Log))], err
}
