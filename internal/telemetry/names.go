package telemetry

// Metric is one that GET /metrics shows.
type Metric struct {
	Name   string
	Help   string
	Labels []string
}

// The metrics of Prometheus. The dashboard, the alert rules and the documentation name
// them; a test holds those against this table.
var (
	requestsTotal    = Metric{"llmx_requests_total", "HTTP requests that were answered.", []string{"endpoint", "status"}}
	requestSeconds   = Metric{"llmx_request_duration_seconds", "From the request's head to the end of its answer.", []string{"endpoint"}}
	requestsInFlight = Metric{"llmx_requests_in_flight", "HTTP requests under way.", nil}
	overheadSeconds  = Metric{"llmx_overhead_seconds", "What a request took besides its provider and the waiting for a place.", nil}

	callsTotal      = Metric{"llmx_calls_total", "Calls, by how they ended: ok, cached, or a class of failure.", []string{"prompt", "version", "model", "key", "outcome"}}
	callSeconds     = Metric{"llmx_call_duration_seconds", "From the ask to the whole answer, waiting and retries included.", []string{"prompt", "model"}}
	firstToken      = Metric{"llmx_time_to_first_token_seconds", "From the answering attempt to its first token.", []string{"model"}}
	tokensTotal     = Metric{"llmx_tokens_total", "Tokens, by kind: input, cached_input (part of input), output, reasoning (part of output).", []string{"prompt", "version", "model", "key", "kind"}}
	costTotal       = Metric{"llmx_cost_usd_total", "Dollars paid, at the prices of llmx.yaml or of the built-in table.", []string{"prompt", "version", "model", "key"}}
	unpricedTotal   = Metric{"llmx_calls_without_price_total", "Calls whose cost nobody knows: they are not in llmx_cost_usd_total.", []string{"model"}}
	attemptsTotal   = Metric{"llmx_attempts_total", "Requests to providers, by model and how they ended: ok, or a class of failure.", []string{"model", "outcome"}}
	retriesTotal    = Metric{"llmx_retries_total", "Attempts after one that failed on the same model.", []string{"model"}}
	fallbacksTotal  = Metric{"llmx_fallbacks_total", "Answers of another model than the route asks first.", []string{"route", "model"}}
	violationsTotal = Metric{"llmx_contract_violations_total", "Answers that broke their contract, those that were asked for again included.", []string{"prompt", "version", "model"}}
	reasksTotal     = Metric{"llmx_reasks_total", "Answers that were asked for again as they broke their contract.", []string{"prompt", "version", "model"}}
	repairsTotal    = Metric{"llmx_repairs_total", "Answers that were put right.", []string{"prompt", "version", "model"}}
	cacheTotal      = Metric{"llmx_cache_requests_total", "Calls, by what the cache did: hit, shared (with an equal call under way) or miss.", []string{"result"}}

	breakersOpen  = Metric{"llmx_breaker_open", "Breakers of a model that are open: 0 is well.", []string{"model"}}
	breakerOpened = Metric{"llmx_breaker_opened_total", "How often a breaker of a model has opened.", []string{"model"}}

	budgetShare = Metric{"llmx_budget_spent_ratio", "Share of a budget that is spent in its period.", []string{"scope", "value", "per"}}
	recording   = Metric{"llmx_store_recording", "1 while calls are kept in the store, else 0.", nil}
	dropped     = Metric{"llmx_calls_not_recorded_total", "Calls that were answered and could not be kept.", nil}
	reloaded    = Metric{"llmx_config_current", "1 while the files as they stand are what is served, 0 after a reload that failed.", nil}
	buildInfo   = Metric{"llmx_build_info", "Always 1; the version is its label.", []string{"version"}}
)

// Metrics lists every metric, for documentation and tests.
func Metrics() []Metric {
	return []Metric{
		requestsTotal, requestSeconds, requestsInFlight, overheadSeconds,
		callsTotal, callSeconds, firstToken, tokensTotal, costTotal, unpricedTotal, attemptsTotal, retriesTotal, fallbacksTotal,
		violationsTotal, reasksTotal, repairsTotal, cacheTotal,
		breakersOpen, breakerOpened, budgetShare, recording, dropped, reloaded, buildInfo,
	}
}

// The names of OpenTelemetry's conventions for generative AI, as far as they are used:
// https://opentelemetry.io/docs/specs/semconv/gen-ai/ (status: development), and of HTTP
// and errors. Those that begin with llmx. are our own.
const (
	scope = "github.com/llmx-dev/llmx"

	genAIOperation    = "gen_ai.operation.name" // chat or embeddings
	genAIProvider     = "gen_ai.provider.name"
	genAIRequestModel = "gen_ai.request.model"
	genAIModel        = "gen_ai.response.model"
	genAIResponseID   = "gen_ai.response.id"
	genAIFinish       = "gen_ai.response.finish_reasons"
	genAIInput        = "gen_ai.usage.input_tokens"
	genAIOutput       = "gen_ai.usage.output_tokens"
	genAICachedInput  = "gen_ai.usage.cache_read.input_tokens"
	genAIOutputType   = "gen_ai.output.type" // text or json
	genAIPrompt       = "gen_ai.prompt.name"
	genAITokenType    = "gen_ai.token.type" // input or output
	errorType         = "error.type"
	httpMethod        = "http.request.method"
	httpRoute         = "http.route"
	httpStatus        = "http.response.status_code"

	llmxCall     = "llmx.call.id" // also the x-request-id; llmx explain takes it
	llmxVersion  = "llmx.prompt.version"
	llmxHash     = "llmx.prompt.hash"
	llmxKey      = "llmx.key"
	llmxAttempts = "llmx.attempts"
	llmxTurn     = "llmx.turn" // ask, re-ask or cascade
	llmxStored   = "llmx.stored"
	llmxCost     = "llmx.cost.usd"
	llmxQueue    = "llmx.queue_seconds"

	durationMetric   = "gen_ai.client.operation.duration"
	tokenMetric      = "gen_ai.client.token.usage"
	firstChunkMetric = "gen_ai.client.operation.time_to_first_chunk"
)
