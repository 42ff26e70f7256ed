package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newRuns(w *World) *cobra.Command {
	limit := 20
	cmd := &cobra.Command{
		Use:     "runs",
		Short:   "What is stored: the newest runs first",
		Example: "  llmx runs\n  llmx runs show latest\n  llmx runs prune --keep 50",
		Args:    unknownSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return fault.New(fault.Usage, "--limit %d is negative", limit).WithHint("0 lists all")
			}
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				runs, err := s.Runs(ctx, limit)
				if err != nil {
					return err
				}
				for i := range runs {
					if err := countStored(ctx, s, &runs[i]); err != nil {
						return err
					}
				}
				return report.RunList(w.Stdout, runs, w.outputStyle())
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "list so many (0: all)")
	cmd.AddCommand(newRunsShow(w), newRunsMerge(w), newRunsPrune(w))
	return cmd
}

// countStored says of a run that came to no end how many of its results were judged: nobody
// has written it down.
func countStored(ctx context.Context, s *store.Store, run *eval.Run) error {
	if run.State == eval.Complete {
		return nil
	}
	for i := range run.Groups {
		g := &run.Groups[i]
		g.Judged = 0
		for _, status := range []eval.Status{eval.Pass, eval.Fail} {
			filter := resultsOfGroup(*g, "")
			filter.Status = status
			n, err := s.ResultCount(ctx, run.ID, filter)
			if err != nil {
				return err
			}
			g.Judged += n
		}
	}
	return nil
}

// withStore opens the project and its store around a piece of work.
func withStore(ctx context.Context, w *World, what access, work func(context.Context, *project, *store.Store) error) error {
	p, err := openProject(w)
	if err != nil {
		return err
	}
	s, err := p.openStore(ctx, what)
	if err != nil {
		return err
	}
	ctx, release := w.cancelable(ctx)
	defer release()
	return joined(work(ctx, p, s), s.Close())
}

func newRunsShow(w *World) *cobra.Command {
	var filter store.ResultFilter
	var status string
	var asJSON bool
	limit := 0
	cmd := &cobra.Command{
		Use:     "show [RUN]",
		Short:   "One run: its verdict and its results, those that did not pass first",
		Example: "  llmx runs show\n  llmx runs show 20261122-0215 --status fail\n  llmx runs show latest --json | jq .answer",
		Args:    takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch filter.Status = eval.Status(status); filter.Status {
			case "", eval.Pass, eval.Fail, eval.Error, eval.Unjudged:
			default:
				return fault.New(fault.Usage, "--status %s is not known", status).WithHint("allowed: pass, fail, error, unjudged")
			}
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
				run, err := s.Run(ctx, firstArg(args, store.Latest))
				if err != nil {
					return err
				}
				if err := selects(ctx, s, run, filter); err != nil {
					return err
				}
				if asJSON {
					return writeResults(ctx, w, s, run.ID, filter)
				}
				style := w.outputStyle()
				style.Limit = limit
				return report.RunShow(w.Stdout, run, s.Results(ctx, run.ID, filter), style)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&filter.Suite, "suite", "", "only results of this suite")
	flags.StringVar(&filter.Model, "model", "", "only results of this model")
	flags.StringVar(&filter.Prompt, "prompt", "", "only results by this `NAME@VERSION`")
	flags.StringVar(&filter.Case, "case", "", "only results of this case")
	flags.StringVar(&status, "status", "", "only results that are `pass|fail|error|unjudged`")
	flags.IntVar(&limit, "limit", 20, "list so many results (-1: all)")
	flags.BoolVar(&asJSON, "json", false, "print every result as a line of JSON")
	return cmd
}

// selects refuses a filter that selects nothing, with the names there are.
func selects(ctx context.Context, s *store.Store, run eval.Run, filter store.ResultFilter) error {
	if filter == (store.ResultFilter{}) {
		return nil
	}
	n, err := s.ResultCount(ctx, run.ID, filter)
	if err != nil || n > 0 {
		return err
	}
	var suites, models, prompts []string
	for _, g := range run.Groups {
		suites, models, prompts = append(suites, g.Suite), append(models, g.Model), append(prompts, g.Prompt.String())
	}
	nothing := fault.New(fault.NoMatch, "no result of run %s is selected", run.ID)
	switch {
	case filter.Suite != "" && !slices.Contains(suites, filter.Suite):
		return nothing.WithHint("its suites: %s", fault.Allowed(filter.Suite, distinctWords(suites)))
	case filter.Model != "" && !slices.Contains(models, filter.Model):
		return nothing.WithHint("its models: %s", fault.Allowed(filter.Model, distinctWords(models)))
	}
	if filter.Prompt != "" && !slices.Contains(prompts, filter.Prompt) {
		return nothing.WithHint("its prompts: %s", fault.Allowed(filter.Prompt, distinctWords(prompts)))
	}
	return nothing.WithHint("llmx runs show %s --limit -1 lists all", run.ID)
}

func distinctWords(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// resultLine is a stored result as JSON, for other programs. Keys may be added.
type resultLine struct {
	Run       string         `json:"run"`
	Suite     string         `json:"suite"`
	Case      string         `json:"case"`
	Tags      []string       `json:"tags,omitempty"`
	Prompt    string         `json:"prompt"`
	Model     string         `json:"model"`
	Answered  string         `json:"answered,omitempty"`
	Repeat    int            `json:"repeat"`
	Status    eval.Status    `json:"status"`
	Scores    []eval.Score   `json:"scores"`
	Reason    string         `json:"reason,omitempty"`
	Answer    string         `json:"answer"`
	ToolCalls []llm.ToolCall `json:"tool_calls,omitempty"` // that the model proposed
	Steps     []eval.Step    `json:"steps,omitempty"`      // of a conversation
	Call      string         `json:"call,omitempty"`
	Input     int64          `json:"input_tokens"`
	Output    int64          `json:"output_tokens"`
	Cost      *int64         `json:"cost_nano_usd"` // null for unknown
	QueueMS   float64        `json:"queue_ms"`
	ServiceMS float64        `json:"service_ms"`
	FirstMS   float64        `json:"first_token_ms"`
	StoredBy  string         `json:"stored_by,omitempty"`
	Treatment string         `json:"treatment"`
	InputHash string         `json:"input_hash"`
	Criteria  string         `json:"criteria_hash"`
}

func writeResults(ctx context.Context, w *World, s *store.Store, run string, filter store.ResultFilter) error {
	encoder := json.NewEncoder(w.Stdout)
	for r, err := range s.Results(ctx, run, filter) {
		if err != nil {
			return err
		}
		line := resultLine{
			Run: r.Run, Suite: r.Suite, Case: r.Case, Tags: r.Tags, Prompt: r.Prompt.String(), Model: r.Model, Answered: r.Answered,
			Repeat: r.Repeat, Status: r.Status, Scores: r.Scores, Reason: r.Reason(), Answer: r.Answer, ToolCalls: r.ToolCalls, Steps: r.Steps, Call: r.CallID,
			Input: r.Usage.Input, Output: r.Usage.Output,
			QueueMS: ms(r.Queue), ServiceMS: ms(r.Service), FirstMS: ms(r.FirstToken),
			StoredBy: r.StoredBy, Treatment: r.Treatment, InputHash: r.InputHash, Criteria: r.CriteriaHash,
		}
		if r.Cost.Known {
			amount := int64(r.Cost.Amount)
			line.Cost = &amount
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func newRunsPrune(w *World) *cobra.Command {
	keep, older := 100, time.Duration(0)
	cmd := &cobra.Command{
		Use:     "prune",
		Short:   "Remove old runs with their calls",
		Example: "  llmx runs prune --keep 50\n  llmx runs prune --keep 10 --older 720h",
		Args:    takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep < 0 || older < 0 {
				return fault.New(fault.Usage, "--keep and --older cannot be negative")
			}
			return withStore(cmd.Context(), w, changes, func(ctx context.Context, _ *project, s *store.Store) error {
				before := time.Time{}
				if older > 0 {
					before = w.Now().Add(-older)
				}
				runs, bytes, err := s.PruneRuns(ctx, keep, before)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(w.Stdout, "removed %d runs, %.1f MB\n", runs, float64(bytes)/1e6)
				return err
			})
		},
	}
	cmd.Flags().IntVar(&keep, "keep", keep, "keep so many of the newest runs")
	cmd.Flags().DurationVar(&older, "older", 0, "remove only runs older than this")
	return cmd
}

func firstArg(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}
