package telemetry

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// OTLP is a collector, asked by OTLP over HTTP. What it does not say the variables of
// OpenTelemetry's SDK do (OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, …), which the
// SDK reads itself.
type OTLP struct {
	Endpoint string            // its address up to, and without, /v1/traces; "": as the variables say
	Headers  map[string]string // with secrets
	Service  string            // service.name
	Every    time.Duration     // how often metrics are pushed; 0: 60 s
}

// push sends spans and metrics to a collector, from goroutines of its own. What it
// cannot send in time it drops.
type push struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	tracer  trace.Tracer

	duration, firstChunk metric.Float64Histogram
	tokens               metric.Int64Histogram
}

var (
	durationBounds = []float64{.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	chunkBounds    = []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
	tokenBounds    = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
)

func newPush(ctx context.Context, version string, o OTLP) (*push, error) {
	var toTraces []otlptracehttp.Option
	var toMetrics []otlpmetrichttp.Option
	if o.Endpoint != "" {
		base := strings.TrimSuffix(o.Endpoint, "/")
		toTraces = append(toTraces, otlptracehttp.WithEndpointURL(base+"/v1/traces"))
		toMetrics = append(toMetrics, otlpmetrichttp.WithEndpointURL(base+"/v1/metrics"))
	}
	if len(o.Headers) > 0 {
		toTraces = append(toTraces, otlptracehttp.WithHeaders(o.Headers))
		toMetrics = append(toMetrics, otlpmetrichttp.WithHeaders(o.Headers))
	}
	spans, err := otlptracehttp.New(ctx, toTraces...)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the collector of traces cannot be used: %v", err).Because(err)
	}
	figures, err := otlpmetrichttp.New(ctx, toMetrics...)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the collector of metrics cannot be used: %v", err).Because(err)
	}
	every := o.Every
	if every <= 0 {
		every = time.Minute
	}
	named := []attribute.KeyValue{attribute.String("service.name", o.Service), attribute.String("service.version", version)}
	of, err := resource.New(ctx, resource.WithAttributes(named...), resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, fault.New(fault.Invalid, "OTEL_RESOURCE_ATTRIBUTES cannot be used: %v", err).Because(err)
	}
	return newPushTo(sdktrace.NewBatchSpanProcessor(spans), sdkmetric.NewPeriodicReader(figures, sdkmetric.WithInterval(every)), of, version)
}

func newPushTo(spans sdktrace.SpanProcessor, figures sdkmetric.Reader, of *resource.Resource, version string) (*push, error) {
	p := &push{
		traces:  sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithResource(of)),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(figures), sdkmetric.WithResource(of)),
	}
	p.tracer = p.traces.Tracer(scope, trace.WithInstrumentationVersion(version))
	meter := p.metrics.Meter(scope, metric.WithInstrumentationVersion(version))
	var err error
	float := func(name, unit, what string, bounds []float64) metric.Float64Histogram {
		h, failed := meter.Float64Histogram(name, metric.WithUnit(unit), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
		if failed != nil {
			err = failed
		}
		return h
	}
	p.duration = float(durationMetric, "s", "How long a request to a model took.", durationBounds)
	p.firstChunk = float(firstChunkMetric, "s", "How long until its first piece.", chunkBounds)
	tokens, failed := meter.Int64Histogram(tokenMetric, metric.WithUnit("{token}"), metric.WithDescription("Tokens of a request to a model."), metric.WithExplicitBucketBoundaries(tokenBounds...))
	if failed != nil {
		err = failed
	}
	p.tokens = tokens
	if err != nil {
		return nil, fault.New(fault.Internal, "a metric cannot be made: %v", err)
	}
	return p, nil
}

// record tells of every attempt of a call.
func (p *push) record(c *llm.Call) {
	ctx := context.Background()
	for i := range c.Turns {
		for j := range c.Turns[i].Attempts {
			a := &c.Turns[i].Attempts[j]
			if a.Unasked || a.Stored != nil {
				continue
			}
			set := attributesOf(&c.Turns[i], a)
			if a.Failure != nil {
				set = append(set, attribute.String(errorType, string(a.Failure.Class)))
			}
			with := metric.WithAttributes(set...)
			p.duration.Record(ctx, a.Service.Seconds(), with)
			if a.FirstToken > 0 {
				p.firstChunk.Record(ctx, a.FirstToken.Seconds(), with)
			}
			for kind, n := range map[string]int64{"input": a.Usage.Input, "output": a.Usage.Output} {
				if n > 0 {
					p.tokens.Record(ctx, n, with, metric.WithAttributes(attribute.String(genAITokenType, kind)))
				}
			}
		}
	}
}

// attributesOf are what spans and metrics of an attempt have in common.
func attributesOf(t *llm.Turn, a *llm.Attempt) []attribute.KeyValue {
	set := []attribute.KeyValue{
		attribute.String(genAIOperation, operationOf(t)), attribute.String(genAIProvider, a.Provider), attribute.String(genAIRequestModel, a.Wire),
	}
	if a.Answered != "" {
		set = append(set, attribute.String(genAIModel, a.Answered))
	}
	return set
}

func operationOf(t *llm.Turn) string {
	if t.Output.Kind == llm.OutputEmbedding {
		return "embeddings"
	}
	return "chat"
}

// request makes the spans of a request: one of the server, and below it one for every
// attempt. They are made when all is over, with the times that the record has.
func (p *push) request(r Request, keyName func(string) string) {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(r.Header))
	method, route, _ := strings.Cut(r.Pattern, " ")
	set := []attribute.KeyValue{attribute.Int(httpStatus, r.Status), attribute.String(llmxCall, r.ID)}
	if route != "" {
		set = append(set, attribute.String(httpMethod, method), attribute.String(httpRoute, route))
	}
	if r.Call != nil {
		set = append(set, callAttributes(r.Call, keyName)...)
	}
	name := r.Pattern
	if name == "" {
		name = "HTTP"
	}
	ctx, span := p.tracer.Start(ctx, name, trace.WithTimestamp(r.Begun), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(set...))
	if r.Status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(r.Status))
	}
	if r.Call != nil {
		p.attempts(ctx, r.Call)
	}
	span.End(trace.WithTimestamp(r.Begun.Add(r.Took)))
}

func callAttributes(c *llm.Call, keyName func(string) string) []attribute.KeyValue {
	set := []attribute.KeyValue{attribute.Int(llmxAttempts, c.Attempts())}
	if c.Prompt.Name != "" {
		set = append(set, attribute.String(genAIPrompt, c.Prompt.Name), attribute.String(llmxVersion, c.Prompt.Version), attribute.String(llmxHash, c.Prompt.Hash))
	}
	if c.Key != "" {
		set = append(set, attribute.String(llmxKey, keyName(c.Key)))
	}
	if c.Stored != nil {
		set = append(set, attribute.String(llmxStored, c.Stored.By))
	}
	if cost := c.Cost(); cost.Known {
		set = append(set, attribute.Float64(llmxCost, float64(cost.Amount)/1e9))
	}
	if c.Failure != nil {
		set = append(set, attribute.String(errorType, string(c.Failure.Class)))
	}
	return set
}

func (p *push) attempts(ctx context.Context, c *llm.Call) {
	for i := range c.Turns {
		t := &c.Turns[i]
		for j := range t.Attempts {
			a := &t.Attempts[j]
			if a.Unasked || a.Stored != nil {
				continue
			}
			begun := a.Started.Add(a.Queue)
			_, span := p.tracer.Start(ctx, operationOf(t)+" "+a.Wire, trace.WithTimestamp(begun), trace.WithSpanKind(trace.SpanKindClient),
				trace.WithAttributes(attributesOf(t, a)...), trace.WithAttributes(spanAttributes(t, a)...))
			if a.Failure != nil {
				span.SetStatus(codes.Error, string(a.Failure.Class))
				span.SetAttributes(attribute.String(errorType, string(a.Failure.Class)))
			}
			span.End(trace.WithTimestamp(begun.Add(a.Service)))
		}
	}
}

func spanAttributes(t *llm.Turn, a *llm.Attempt) []attribute.KeyValue {
	set := []attribute.KeyValue{
		attribute.String(llmxTurn, t.Kind), attribute.Float64(llmxQueue, a.Queue.Seconds()),
		attribute.Int64(genAIInput, a.Usage.Input), attribute.Int64(genAIOutput, a.Usage.Output),
	}
	output := "text"
	if t.Output.Kind == llm.OutputJSON {
		output = "json"
	}
	set = append(set, attribute.String(genAIOutputType, output))
	if a.Usage.CachedInput > 0 {
		set = append(set, attribute.Int64(genAICachedInput, a.Usage.CachedInput))
	}
	if a.ResponseID != "" {
		set = append(set, attribute.String(genAIResponseID, a.ResponseID))
	}
	if a.Finish != "" {
		set = append(set, attribute.StringSlice(genAIFinish, []string{string(a.Finish)}))
	}
	return set
}
