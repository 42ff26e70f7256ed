package cli

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
)

type serveOptions struct {
	addr  string
	draft bool
	model string
	log   string
}

const serveHelp = `Serve the prompts of the project over HTTP, through the runtime that tests them:
OpenAI's API with prompts, models and routes behind it, and a small one of our own.

POST /v1/chat/completions, /v1/responses, /v1/embeddings and GET /v1/models are as OpenAI's.
A model's name is a model, a route or prompt:NAME[@VERSION|@LABEL] of this project; a prompt's
inputs go into "prompt": {"variables": {…}}, and messages into its input of kind thread. Options,
tools and the model are the prompt's own, but for what llmx: {allow: […]} in its front matter names.
An answer under a contract is streamed once it is valid; llmx: {stream: optimistic} streams it
as it comes, and ends it with an error where it is not.
POST /v1/prompts/NAME takes {"variables": {…}} and gives the parsed value; GET /v1/prompts
lists the prompts, GET /v1/calls/ID says what llmx explain says, and POST
/v1/calls/ID/feedback takes {"score": 0..1, "correction": …, "comment": "…"}.
GET /v1/openapi.json describes all of it for programs, as OpenAPI 3.1.

Every answer has an x-request-id, which is the call's id. Headers (of a stream: trailers)
tell x-llmx-model, -prompt, -prompt-hash, -attempts, -turns, -fallback, -cache, -cost-usd and
-overhead-us: microseconds that were neither the provider's nor the caller's.

A bare prompt is its label production (llmx prompt label NAME production VERSION);
with --draft it is the draft, for development.

llmx.yaml and prompts/ are followed: what was changed is served as soon as all of it is
valid, and until then what was served before goes on. A prompt that is served and goes
from the files goes half a minute later. SIGHUP reads them at once.
llmx prompt label --server sets a label without a file.

Ctrl-C lets what is under way finish, at most for serve.drain. SIGTERM first says not
ready on /readyz, and goes on answering for serve.lame_duck, so that balancers see it.
A second signal leaves at once, with exit code 130.

llmx help api has the endpoints, headers and errors, llmx help safety keys, limits and TLS.`

const serveExamples = `  llmx serve
  llmx serve --draft --model sim       the drafts, answered by a simulated model: no key needed
  curl localhost:8787/v1/prompts/triage -d '{"variables": {"ticket": "I was charged twice"}}'`

func newServe(w *World) *cobra.Command {
	o := &serveOptions{}
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the prompts over HTTP, with OpenAI's API",
		Long:    serveHelp,
		Example: serveExamples,
		Args:    takes(0, 0),
		RunE: inProject(w, func(cmd *cobra.Command, p *project, _ []string) error {
			return runServe(cmd.Context(), w, p, o)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.addr, "addr", defaultAddr, "listen on this `HOST:PORT`; port 0 takes a free one")
	flags.BoolVar(&o.draft, "draft", false, "a bare prompt is its draft: for development")
	flags.StringVar(&o.model, "model", "", "ask this model or route in place of the prompts'")
	flags.StringVar(&o.log, "log", "text", "form of the log on stderr: `text|json`")
	_ = cmd.RegisterFlagCompletionFunc("model", completeModels(w))
	return cmd
}

const defaultAddr = "127.0.0.1:8787"

func runServe(ctx context.Context, w *World, p *project, o *serveOptions) error {
	log, written, err := o.logger(w)
	if err != nil {
		return err
	}
	defer written()
	tuneForServing()
	reload, unreload := w.reloads() // from the first moment: else the signal would end the process
	defer unreload()
	s, err := openServing(ctx, p, o, log)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return joined(fault.New(fault.Usage, "cannot listen on %s: %s", o.addr, reason(err)).WithHint("--addr HOST:PORT names another one").Because(err), s.close())
	}
	if err := s.mayListen(listener.Addr()); err != nil {
		return joined(err, joined(listener.Close(), s.close()))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bounds, scheme, err := s.guards(ctx)
	if err != nil {
		return joined(err, joined(listener.Close(), s.close()))
	}
	signals, release := w.signals()
	defer release()
	fmt.Fprintf(w.Stdout, "llmx serves on %s://%s\n", scheme, listener.Addr())
	return s.run(ctx, listener, bounds, signals, reload)
}
