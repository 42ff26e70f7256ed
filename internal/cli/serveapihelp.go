package cli

import (
	"io"

	"github.com/spf13/cobra"
)

const apiHelp = `What llmx serve answers: endpoints, names, streams, headers, errors.

ENDPOINTS
  POST /v1/chat/completions      as OpenAI's; so unmodified clients work with another base URL
  POST /v1/responses             as OpenAI's, without what would have to be kept (previous_response_id)
  POST /v1/embeddings            as OpenAI's
  GET  /v1/models                models, routes and prompt:NAME that the key may ask
  POST /v1/prompts/NAME          {"variables": {…}, "version": …, "user": …} gives the parsed value in output
  GET  /v1/prompts               the prompts, their inputs, schemas and labels
  GET  /v1/calls/ID              what llmx explain ID --json says; a key sees its own calls
  POST /v1/calls/ID/feedback     {"score": 0..1, "correction": …, "comment": "…"}
  GET, POST /v1/labels           for llmx prompt label, rollback and audit --server
  GET  /metrics /livez /readyz   for Prometheus and balancers

NAMES
  model is a model or a route of llmx.yaml, or prompt:NAME. A bare prompt is its label production
  (with --draft its draft); prompt:NAME@1.2.0 and prompt:NAME@LABEL are exact. Inputs of a prompt
  go into "prompt": {"id": …, "version": …, "variables": {…}} (extra_body in Python's client), and
  messages into its input of kind thread; without one they are refused. What else a request may set
  of a prompt (options, model, tools) the prompt names: llmx: {allow: [temperature, tools]}.
  user, else the key, decides which release of a canary is given, the same one every time.

STREAMS
  Under a contract nothing is sent until the answer is valid, but ": waiting" every 10 s.
  llmx: {stream: optimistic} of a prompt sends it as it comes; one that breaks its contract ends
  in data: {"error": {"code": "contract_violation", …}} and without [DONE].

HEADERS (of a stream: trailers, but for the first three)
  x-request-id                   of every answer but those to probes; the call's id, for llmx explain
  x-llmx-prompt                  name@version
  x-llmx-prompt-hash             of its content
  x-llmx-model                   that answered, in the provider's words
  x-llmx-attempts                requests to providers
  x-llmx-turns                   more than one where a contract was asked for again, or in a cascade
  x-llmx-fallback                true where not the first model of the route answered
  x-llmx-cache                   hit or miss
  x-llmx-cost-usd                at the list price, or unknown
  x-llmx-overhead-us             microseconds that were neither the provider's nor the caller's
  x-ratelimit-…                  of a key with limits
  retry-after                    when it is of use to ask again, where that is known
  x-should-retry: false          our own retries are spent: a client's would multiply them

ERRORS, as {"error": {"message", "type", "param", "code"}}
  400  invalid_request, bad_request (the provider's), context_length_exceeded
  401  missing_api_key, invalid_api_key
  403  prompt_not_allowed, model_not_allowed, not_allowed, loopback_only, host_not_allowed, origin_not_allowed
  404  model_not_found, prompt_not_found, call_not_found, unknown_url; 405 method_not_allowed
  408  request_timeout: the body did not come
  413  body_too_large; 415 unsupported_media_type
  422  contract_violation, length, content_filter; label_refused
  429  rate_limit_exceeded (the key's limits, or the provider's), insufficient_quota (a budget)
  499  in the log alone: the caller went away, and the model was told to stop
  500  internal_error
  502  server_error, network, malformed, cut, auth, not_found: the provider's, or its key in llmx.yaml
  503  overloaded, breaker_open, quota_exhausted, keys_unavailable, store, missing_reply
  504  timeout_connect, timeout_first_token, timeout_idle, timeout_total

LIFE
  serve: {reload: 1s, lame_duck: 1s, drain: 30s} in llmx.yaml, with their defaults: how often the
  files are looked at; how long it goes on after SIGTERM while /readyz says no; and the bound of
  what is under way then. /readyz tells with reasons what is not as it should be.

WITHOUT THE STORE
  A store that is full, locked or lost stops no answer: the log, /readyz and /metrics say what is
  not recorded. Budgets refuse then, or with serve: {budgets_without_store: open} count in memory.

Keys, limits and TLS: llmx help safety.
`

// newAPITopic is the help topic on what a server answers.
func newAPITopic() *cobra.Command {
	topic := &cobra.Command{Use: "api", Short: "What llmx serve answers: endpoints, names, streams, headers, errors"}
	topic.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, _ = io.WriteString(cmd.OutOrStdout(), apiHelp) // output remembers a write that fails
	})
	return topic
}
