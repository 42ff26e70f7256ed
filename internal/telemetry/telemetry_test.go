package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var begun = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// troubled is a call in which small failed twice, and large broke the contract once.
func troubled() *llm.Call {
	overloaded := &llm.Failure{Class: fault.Overloaded}
	attempt := func(model string, failure *llm.Failure) llm.Attempt {
		a := llm.Attempt{Provider: "up", Model: model, Wire: "wire-" + model, Started: begun, Queue: time.Second, Service: 2 * time.Second, Failure: failure,
			Cost: llm.KnownCost(0), Paid: llm.KnownCost(0)}
		if failure == nil {
			a.Answered, a.ResponseID, a.Finish, a.FirstToken = "said-"+model, "id-1", llm.FinishStop, 300*time.Millisecond
			a.Usage, a.Paid = llm.Usage{Input: 10, CachedInput: 4, Output: 5}, llm.KnownCost(2_000_000)
		}
		return a
	}
	return &llm.Call{
		ID: "c1", Started: begun, Prompt: llm.PromptRef{Name: "triage", Version: "1.0.0", Hash: "h"}, Model: "main", Key: "k1",
		Total: 9 * time.Second, FirstToken: 300 * time.Millisecond,
		Turns: []llm.Turn{
			{Kind: llm.TurnAsk, Output: llm.Output{Kind: llm.OutputJSON}, Violation: "no JSON", Attempts: []llm.Attempt{
				attempt("small", overloaded), attempt("small", overloaded), {Model: "small", Unasked: true, Cost: llm.KnownCost(0), Paid: llm.KnownCost(0), Failure: &llm.Failure{Class: fault.BreakerOpen}}, attempt("large", nil),
			}},
			{Kind: llm.TurnReask, Output: llm.Output{Kind: llm.OutputJSON}, Repairs: []llm.Repair{{Name: "fence"}}, Attempts: []llm.Attempt{attempt("large", nil)}},
		},
	}
}

// scraped are the lines of GET /metrics that are our own.
func scraped(t *testing.T, tel *Telemetry) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	lines := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && strings.HasPrefix(name, "llmx_") {
			lines[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "llmx_") {
			lines[name] = value
		}
	}
	return lines
}

func newTest(t *testing.T, o Options) *Telemetry {
	t.Helper()
	tel, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

func TestACallIsCountedByWhatItsRecordSays(t *testing.T) {
	tel := newTest(t, Options{Version: "1.2.3", KeyName: func(id string) string { return "name of " + id }})
	tel.Record(troubled())
	got := scraped(t, tel)
	const of = `key="name of k1",model="main"`
	for series, want := range map[string]string{
		`llmx_calls_total{` + of + `,outcome="ok",prompt="triage",version="1.0.0"}`:                            "1",
		`llmx_attempts_total{model="small",outcome="overloaded"}`:                                              "2",
		`llmx_attempts_total{model="large",outcome="ok"}`:                                                      "2",
		`llmx_retries_total{model="small"}`:                                                                    "1",
		`llmx_fallbacks_total{model="large",route="main"}`:                                                     "1",
		`llmx_contract_violations_total{model="main",prompt="triage",version="1.0.0"}`:                         "1",
		`llmx_reasks_total{model="main",prompt="triage",version="1.0.0"}`:                                      "1",
		`llmx_repairs_total{model="main",prompt="triage",version="1.0.0"}`:                                     "1",
		`llmx_cache_requests_total{result="miss"}`:                                                             "1",
		`llmx_cost_usd_total{` + of + `,prompt="triage",version="1.0.0"}`:                                      "0.004",
		`llmx_tokens_total{key="name of k1",kind="input",model="main",prompt="triage",version="1.0.0"}`:        "20",
		`llmx_tokens_total{key="name of k1",kind="cached_input",model="main",prompt="triage",version="1.0.0"}`: "8",
		`llmx_time_to_first_token_seconds_bucket{model="large",le="0.5"}`:                                      "1",
		`llmx_time_to_first_token_seconds_bucket{model="large",le="0.25"}`:                                     "0",
		`llmx_call_duration_seconds_sum{model="main",prompt="triage"}`:                                         "9",
		`llmx_build_info{version="1.2.3"}`:                                                                     "1",
	} {
		if got[series] != want {
			t.Errorf("%s is %q, want %s", series, got[series], want)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(slices.Sorted(maps.Keys(got)), "\n"))
	}
}

func TestWhatIsStoredCostsAndCountsNothing(t *testing.T) {
	tel := newTest(t, Options{})
	call := troubled()
	call.Stored = &llm.Stored{By: "cache"}
	call.Turns = []llm.Turn{{Attempts: []llm.Attempt{{Model: "small", Stored: call.Stored, Usage: llm.Usage{Input: 7}, Paid: llm.KnownCost(0)}}}}
	tel.Record(call)
	for series := range scraped(t, tel) {
		for _, none := range []string{"llmx_tokens_total", "llmx_attempts_total", "llmx_time_to_first_token", "llmx_retries"} {
			if strings.HasPrefix(series, none) {
				t.Errorf("a kept answer counts in %s", series)
			}
		}
	}
	if got := scraped(t, tel)[`llmx_cache_requests_total{result="hit"}`]; got != "1" {
		t.Errorf("hits: %q", got)
	}
}

func TestAnUnknownPriceIsNotNothing(t *testing.T) {
	tel := newTest(t, Options{})
	call := troubled()
	call.Turns[0].Attempts[3].Paid = llm.Cost{}
	tel.Record(call)
	got := scraped(t, tel)
	if got[`llmx_calls_without_price_total{model="main"}`] != "1" || len(got) == 0 {
		t.Error("it is not counted")
	}
	for series := range got {
		if strings.HasPrefix(series, "llmx_cost_usd_total") {
			t.Errorf("it counts as dollars in %s", series)
		}
	}
}

func TestLabelsAreBounded(t *testing.T) {
	tel := newTest(t, Options{})
	for i := range 3 * mostValues {
		tel.Record(&llm.Call{Prompt: llm.PromptRef{Name: "p", Version: fmt.Sprint(i)}, Model: "m"})
	}
	n := 0
	for series := range scraped(t, tel) {
		if strings.HasPrefix(series, "llmx_calls_total") {
			n++
		}
	}
	if n != mostValues+1 {
		t.Errorf("%d series, want %d and one for all others", n, mostValues)
	}
}

func TestBreakersAreCountedByModel(t *testing.T) {
	tel := newTest(t, Options{})
	open := func() string { return scraped(t, tel)[`llmx_breaker_open{model="small"}`] }
	tel.Breaker("small", true)
	if tel.Breaker("small", true); open() != "2" {
		t.Errorf("of two policies: %q", open())
	}
	tel.Breaker("small", false)
	if tel.Breaker("small", false); open() != "0" || scraped(t, tel)[`llmx_breaker_opened_total{model="small"}`] != "2" {
		t.Errorf("closed again: %q", open())
	}
}

func TestGaugesAreReadWhenAskedFor(t *testing.T) {
	well := true
	tel := newTest(t, Options{Gauges: Gauges{
		Budgets:   func() []Budget { return []Budget{{Scope: "project", Per: "day", Share: 0.25}} },
		Recording: func() (bool, int64) { return well, 7 },
		Reloaded:  func() bool { return !well },
	}})
	got := scraped(t, tel)
	if got["llmx_store_recording"] != "1" || got["llmx_calls_not_recorded_total"] != "7" || got["llmx_config_current"] != "0" ||
		got[`llmx_budget_spent_ratio{per="day",scope="project",value=""}`] != "0.25" {
		t.Error(got)
	}
	well = false
	if got := scraped(t, tel); got["llmx_store_recording"] != "0" || got["llmx_config_current"] != "1" {
		t.Error(got)
	}
}

// pushed is a Telemetry whose spans and metrics stay here.
func pushed(t *testing.T) (*Telemetry, *tracetest.InMemoryExporter, *sdkmetric.ManualReader) {
	t.Helper()
	spans, figures := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	tel := newTest(t, Options{})
	var err error
	if tel.otel, err = newPushTo(sdktrace.NewSimpleSpanProcessor(spans), figures, resource.Empty(), "v"); err != nil {
		t.Fatal(err)
	}
	return tel, spans, figures
}

func TestSpansFollowTheConventionsAndTheCaller(t *testing.T) {
	tel, spans, _ := pushed(t)
	header := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	tel.Begin()(Request{Pattern: "POST /v1/chat/completions", ID: "c1", Header: header, Begun: begun, Took: 9 * time.Second, Status: 200, Call: troubled()})
	got := spans.GetSpans()
	if len(got) != 5 {
		t.Fatalf("%d spans, want one of the server and four attempts", len(got))
	}
	server := got[len(got)-1]
	if server.Name != "POST /v1/chat/completions" || server.SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" ||
		server.Parent.SpanID().String() != "b7ad6b7169203331" || !server.EndTime.Equal(begun.Add(9*time.Second)) {
		t.Errorf("server: %+v", server)
	}
	has := func(span tracetest.SpanStub, key string) string {
		for _, a := range span.Attributes {
			if string(a.Key) == key {
				return a.Value.String()
			}
		}
		return ""
	}
	for key, want := range map[string]string{
		"gen_ai.prompt.name": "triage", "llmx.prompt.version": "1.0.0", "http.route": "/v1/chat/completions", "http.request.method": "POST",
		"http.response.status_code": "200", "llmx.call.id": "c1", "llmx.attempts": "4",
	} {
		if has(server, key) != want {
			t.Errorf("server: %s is %q, want %q", key, has(server, key), want)
		}
	}
	failed, answered := got[0], got[3]
	if failed.Name != "chat wire-small" || has(failed, "error.type") != "overloaded" || failed.Status.Description != "overloaded" {
		t.Errorf("failed: %+v", failed)
	}
	for key, want := range map[string]string{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "up", "gen_ai.request.model": "wire-large", "gen_ai.response.model": "said-large",
		"gen_ai.response.id": "id-1", "gen_ai.usage.input_tokens": "10", "gen_ai.usage.cache_read.input_tokens": "4", "gen_ai.usage.output_tokens": "5",
		"gen_ai.output.type": "json", "gen_ai.response.finish_reasons": `["stop"]`, "llmx.turn": "re-ask",
	} {
		if has(answered, key) != want {
			t.Errorf("attempt: %s is %q, want %q", key, has(answered, key), want)
		}
	}
	if answered.Parent.SpanID() != server.SpanContext.SpanID() || !answered.StartTime.Equal(begun.Add(time.Second)) || !answered.EndTime.Equal(begun.Add(3*time.Second)) {
		t.Errorf("attempt: %+v", answered)
	}
}

func TestMetricsOfTheConventions(t *testing.T) {
	tel, _, figures := pushed(t)
	tel.Record(troubled())
	var all metricdata.ResourceMetrics
	if err := figures.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	counts := map[string]uint64{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, point := range data.DataPoints {
				counts[m.Name] += point.Count
			}
		case metricdata.Histogram[int64]:
			for _, point := range data.DataPoints {
				kind, _ := point.Attributes.Value(attribute.Key("gen_ai.token.type"))
				counts[m.Name+" "+kind.AsString()] += uint64(point.Sum)
			}
		}
	}
	want := map[string]uint64{
		"gen_ai.client.operation.duration": 4, "gen_ai.client.operation.time_to_first_chunk": 2,
		"gen_ai.client.token.usage input": 20, "gen_ai.client.token.usage output": 10,
	}
	if !maps.Equal(counts, want) {
		t.Errorf("got %v, want %v", counts, want)
	}
}

// A collector gets what is left when the server ends, over HTTP.
func TestWhatIsLeftIsPushedAtTheEnd(t *testing.T) {
	paths := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Header.Get("X-Collector-Key") != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		paths <- r.URL.Path
	}))
	defer collector.Close()
	tel := newTest(t, Options{OTLP: &OTLP{Endpoint: collector.URL, Headers: map[string]string{"X-Collector-Key": "secret"}, Service: "llmx"}})
	tel.Record(troubled())
	tel.Begin()(Request{Begun: begun, Call: troubled()})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := tel.Close(ctx); err != nil {
		t.Fatal(err)
	}
	close(paths)
	got := slices.Sorted(func(yield func(string) bool) {
		for p := range paths {
			if !yield(p) {
				return
			}
		}
	})
	if !slices.Equal(got, []string{"/v1/metrics", "/v1/traces"}) {
		t.Errorf("pushed to %v", got)
	}
}

// A collector that is not there keeps nobody waiting beyond the bound.
func TestACollectorThatIsNotThere(t *testing.T) {
	tel := newTest(t, Options{Trouble: func(error) {}, OTLP: &OTLP{Endpoint: "http://127.0.0.1:1", Service: "llmx"}})
	tel.Begin()(Request{Begun: begun, Call: troubled()})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := tel.Close(ctx); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("closed with %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
