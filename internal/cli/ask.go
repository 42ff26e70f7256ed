package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/report"
)

type askOptions struct {
	ref   string
	from  string // a call that is asked again
	vars  []string
	model string
	tags  []string
	fresh bool
	cache string
	json  bool
}

const askExamples = `  llmx ask triage -v ticket="I was charged twice"
  llmx ask triage@1.0.0 -v ticket=@ticket.txt --model large
  echo "I was charged twice" | llmx ask triage -v ticket=@-
  llmx ask --from-call 4f2a9c1d-17 --prompt triage@draft`

const askHelp = `Ask a prompt once, through the full engine and the exact cache. The answer goes
to stdout; what it cost, and the id for llmx explain, to stderr.

--from-call asks what a stored call asked, once more and past the cache: with its inputs
(-v puts another value in place of one, or adds one) and, if it named no prompt, with its
messages. The old answer and the new one stand side by side, with what differs. Without
--prompt it is the very version that the call asked, on the model or route that it asked;
--prompt NAME@draft asks the draft, on the draft's model. With --json the document also
has from_call, same, and before: answer, failure, prompt, model and answered of the call.`

func newAsk(w *World) *cobra.Command {
	o := &askOptions{}
	cmd := &cobra.Command{
		Use:     "ask PROMPT",
		Short:   "One answer through the full engine; or a stored call asked again",
		Long:    askHelp,
		Example: askExamples,
		Args:    takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.settle(cmd, args); err != nil {
				return err
			}
			if o.from != "" {
				return runAskAgain(cmd.Context(), w, o)
			}
			return runAsk(cmd.Context(), w, o)
		},
		ValidArgsFunction: completePrompts(w),
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.vars, "var", "v", nil, "an input, `NAME=VALUE`; VALUE may be @FILE, or @- for stdin (repeatable)")
	flags.StringVar(&o.from, "from-call", "", "ask again what this `call` asked, by its id or the beginning of it")
	flags.StringVar(&o.ref, "prompt", "", "with --from-call: ask this prompt in place of the call's own, `NAME or NAME@VERSION`")
	flags.StringVar(&o.model, "model", "", "ask this model or route in place of the prompt's")
	flags.StringSliceVar(&o.tags, "tag", nil, "tags for the rules of a route (repeatable)")
	flags.BoolVar(&o.fresh, "fresh", false, "ask anew: the same as --cache refresh")
	flags.StringVar(&o.cache, "cache", "on", "`on`: answer from the cache, and keep; read: keep nothing; refresh: ask anew, and keep; off: neither")
	flags.BoolVar(&o.json, "json", false, "print the answer with its cost and times as JSON")
	_ = cmd.RegisterFlagCompletionFunc("model", completeModels(w))
	_ = cmd.RegisterFlagCompletionFunc("prompt", completePrompts(w))
	_ = cmd.RegisterFlagCompletionFunc("cache", words(sortedWords(cacheModes)))
	return cmd
}

// settle says what is asked: a prompt by its name, or a call once more.
func (o *askOptions) settle(cmd *cobra.Command, args []string) error {
	if o.from == "" {
		if o.ref != "" {
			return fault.New(fault.Usage, "--prompt goes with --from-call").WithHint("write llmx ask %s -v NAME=VALUE", report.ShellWord(o.ref))
		}
		if err := takes(1, 1)(cmd, args); err != nil {
			return err
		}
		o.ref = args[0]
		return nil
	}
	if len(args) > 0 {
		return fault.New(fault.Usage, "--from-call takes its prompt by --prompt").
			WithHint("write llmx ask --from-call %s --prompt %s", report.ShellWord(o.from), report.ShellWord(args[0]))
	}
	if !cmd.Flags().Changed("cache") { // the answer of before is there already
		o.cache = "refresh"
	}
	return nil
}

func runAsk(ctx context.Context, w *World, o *askOptions) error {
	reuse, err := o.reuse()
	if err != nil {
		return err
	}
	p, err := openProject(w)
	if err != nil {
		return err
	}
	asked, err := p.prompts.Resolve(o.ref, prompt.Develop)
	if err != nil {
		return asUsage(err)
	}
	vars, err := p.readVars(asked, o.vars)
	if err != nil {
		return err
	}
	if err := asked.CheckVars(vars); err != nil {
		return asUsage(err)
	}
	model, place := o.model, fault.Place{}
	if model == "" {
		model, place = asked.Model, fault.Place{File: asked.File}
	}
	if model == "" {
		return fault.New(fault.Usage, "the prompt %s names no model", asked.Name).WithHint("say --model NAME; %s", fault.Allowed("", p.config.Names()))
	}
	response, err := p.ask(ctx, place, asked, llm.Request{Prompt: asked.Ref(), Vars: vars, Model: model, Tenant: "ask", Reuse: reuse, Tags: o.tags})
	if err != nil {
		return err
	}
	return w.printAnswer(response, o.json)
}

// cacheModes are the words of --cache.
var cacheModes = map[string]llm.Reuse{
	"on": llm.ReuseAllowed, "read": llm.ReuseRead, "refresh": llm.ReuseRefresh, "off": llm.ReuseOff,
}

func (o *askOptions) reuse() (llm.Reuse, error) {
	mode, ok := cacheModes[o.cache]
	switch {
	case !ok:
		return "", fault.New(fault.Usage, "--cache %s is not known", o.cache).WithHint("%s", fault.Allowed(o.cache, []string{"on", "read", "refresh", "off"}))
	case o.fresh && mode != llm.ReuseAllowed && mode != llm.ReuseRefresh:
		return "", fault.New(fault.Usage, "--fresh and --cache %s exclude each other", o.cache).WithHint("--fresh is --cache refresh")
	case o.fresh:
		return llm.ReuseRefresh, nil
	}
	return mode, nil
}

// ask asks a model, named at a place, once. asked is nil for a request that has its
// messages already.
func (p *project) ask(ctx context.Context, place fault.Place, asked *prompt.Prompt, req llm.Request) (llm.Response, error) {
	found, err := p.lookup(req.Model, place)
	if err != nil {
		return llm.Response{}, err
	}
	if err := p.pricedBudgets(); err != nil {
		return llm.Response{}, err
	}
	servers := newServers(p, 1)
	defer servers.close()
	for _, provider := range p.providersOf(found) {
		if err := servers.canAsk(provider); err != nil {
			return llm.Response{}, err
		}
	}
	kept, err := p.openStore(ctx, adds)
	if err != nil {
		return llm.Response{}, err
	}
	alerts := &alerts{}
	book, err := p.openBook(kept, nil, alerts)
	if err != nil {
		return llm.Response{}, joined(err, kept.Close())
	}
	prompts := map[llm.PromptRef]*prompt.Prompt{}
	if asked != nil {
		prompts[asked.Ref()] = asked
		err = kept.SavePrompt(asked.Ref(), asked.Flat())
	}
	var model llm.Model
	if err == nil {
		model, err = p.newEngine(engineParts{
			store: kept, book: book, servers: servers, prompts: prompts, models: []string{req.Model},
			wrap: func(_ string, next llm.Model) llm.Model { return next }, cached: true,
		})
	}
	if err != nil {
		return llm.Response{}, joined(joined(err, closeBook(book)), kept.Close())
	}
	ctx, release := p.world.cancelable(ctx)
	defer release()
	response, failure := llm.Collect(model.Stream(ctx, req))
	settled := closeBook(book)
	if err := report.Warnings(p.world.Stderr, alerts.take(), p.world.errorStyle()); err != nil {
		return response, err
	}
	if err := joined(joined(failure, settled), kept.Close()); err != nil {
		return response, explained(err, response.Call)
	}
	return response, nil
}

// joined keeps the first error; the second is what closing said.
func joined(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// explained adds the command that tells the whole story of a failed call.
func explained(err error, call *llm.Call) error {
	if call == nil {
		return err
	}
	e := *fault.As(err)
	if e.Hint != "" {
		e.Hint += "\n  "
	}
	e.Hint += "the whole story: llmx explain " + call.ID
	return &e
}

// forPeople lets nothing of a stranger's text command the terminal; into a file or
// a pipe it goes as it is.
func (w *World) forPeople(text string) string {
	if w.StdoutTerminal {
		return report.Printable(text)
	}
	return text
}

// answerDocument is an answer as JSON.
func answerDocument(response llm.Response) map[string]any {
	call := response.Call
	return map[string]any{
		"answer": response.Text, "value": response.End.Value, "tool_calls": response.ToolCalls, "finish": response.End.Finish, "call": call.ID,
		"prompt": call.Prompt, "model": call.Model, "answered": call.Answered, "cached": call.Stored != nil,
		"usage": call.Usage(), "cost_nano_usd": call.Cost().Amount, "cost_known": call.Cost().Known,
		"paid_nano_usd": call.Paid().Amount, "paid_known": call.Paid().Known,
		"turns": len(call.Turns), "attempts": call.Attempts(), "fallback": response.End.Fallback, "failed": response.End.Failed, "repairs": response.End.Repairs,
		"service_ms": call.Service.Milliseconds(), "first_token_ms": call.FirstToken.Milliseconds(),
	}
}

func (w *World) printDocument(document map[string]any) error {
	encoder := json.NewEncoder(w.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

func (w *World) printAnswer(response llm.Response, asJSON bool) error {
	if asJSON {
		return w.printDocument(answerDocument(response))
	}
	if _, err := fmt.Fprintln(w.Stdout, w.forPeople(llm.Shown(strings.TrimRight(response.Text, "\n"), response.ToolCalls))); err != nil {
		return err
	}
	return w.printSummary(response)
}

// printSummary says on stderr what an answer took.
func (w *World) printSummary(response llm.Response) error {
	call := response.Call
	from := fmt.Sprintf("%.2f s", call.Service.Seconds())
	if call.Stored != nil {
		from = "from the cache"
	}
	mark := ""
	if len(response.End.Failed) > 0 {
		mark = "; before: " + llm.ByModel(response.End.Failed)
	}
	if n := len(call.Turns); n > 1 {
		mark += fmt.Sprintf("; %d turns", n)
	}
	if repairs := response.End.Repairs; len(repairs) > 0 {
		mark += "; repaired: " + namesOf(repairs)
	}
	if response.End.Finish == llm.FinishLength {
		mark += "; CUT at the token limit"
	}
	_, err := fmt.Fprintf(w.Stderr, "%s by %s, %s, %s%s; llmx explain %s\n", call.Prompt, call.Answered, from, paidFor(call), mark, call.ID)
	return err
}

// paidFor says what was paid for a call.
func paidFor(call *llm.Call) string {
	paid := call.Paid()
	if !paid.Known {
		return "cost unknown"
	}
	return paid.String()
}

func namesOf(repairs []llm.Repair) string {
	names := make([]string, len(repairs))
	for i, r := range repairs {
		names[i] = r.Name
	}
	return strings.Join(names, ", ")
}
