// Package telemetry tells Prometheus and OpenTelemetry what a server does. All that it
// knows of a call it reads from the call's record, once the call has ended: nothing is
// measured twice, and nothing waits for it. It alone imports client_golang and
// OpenTelemetry's SDK; besides them llm and fault.
package telemetry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Options of a Telemetry.
type Options struct {
	Version string                 // of llmx
	KeyName func(id string) string // of a caller's key, for people; nil: its id
	OTLP    *OTLP                  // where traces and metrics are pushed to; nil: nowhere
	Trouble func(error)            // told of what cannot be pushed; nil: nobody
	Gauges  Gauges                 // asked when metrics are read
}

// Gauges are read when they are asked for. nil functions are left out.
type Gauges struct {
	Budgets func() []Budget // how far budgets are spent
	// Recording reports whether calls are being kept, and how many were not since the start.
	Recording func() (ok bool, dropped int64)
	// Reloaded reports whether the files as they stand are what is served.
	Reloaded func() bool
}

// Budget is how far one is spent.
type Budget struct {
	Scope, Value, Per string
	Share             float64 // of the limit
}

// Telemetry counts, and makes spans. It is safe for concurrent use.
type Telemetry struct {
	keyName func(string) string
	prom    *prom
	otel    *push // nil: nothing is pushed
}

// New makes a Telemetry; Close must be called.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{keyName: o.KeyName, prom: newProm(o)}
	if t.keyName == nil {
		t.keyName = func(id string) string { return id }
	}
	if o.OTLP != nil {
		if o.Trouble != nil {
			otel.SetErrorHandler(otel.ErrorHandlerFunc(o.Trouble)) // the SDK has one for the process
		}
		pushed, err := newPush(ctx, o.Version, *o.OTLP)
		if err != nil {
			return nil, err
		}
		t.otel = pushed
	}
	return t, nil
}

// Close pushes what is left, as long as ctx lets it.
func (t *Telemetry) Close(ctx context.Context) error {
	if t.otel == nil {
		return nil
	}
	return errors.Join(t.otel.traces.Shutdown(ctx), t.otel.metrics.Shutdown(ctx))
}

// Handler answers GET /metrics in Prometheus' text form.
func (t *Telemetry) Handler() http.Handler { return t.prom.handler }

// Record counts a call that has ended.
func (t *Telemetry) Record(call *llm.Call) {
	t.prom.record(call, t.keyName(call.Key))
	if t.otel != nil {
		t.otel.record(call)
	}
}

// Breaker tells that a breaker of a model has opened, or is open no more.
func (t *Telemetry) Breaker(alias string, open bool) {
	change := -1.0
	if open {
		change = 1
		t.prom.breakerOpened.WithLabelValues(alias).Inc()
	}
	t.prom.breakersOpen.WithLabelValues(alias).Add(change)
}

// Request is an HTTP request that was answered.
type Request struct {
	Pattern  string // METHOD /path/{name}; "" where there is none
	ID       string
	Header   http.Header // of the request: its traceparent is the parent of our spans
	Begun    time.Time
	Took     time.Duration
	Status   int
	Overhead time.Duration // of a call that was made
	Call     *llm.Call     // nil for none
}

// Begin counts a request as being under way; done counts its end.
func (t *Telemetry) Begin() (done func(Request)) {
	t.prom.inFlight.Inc()
	return func(r Request) {
		t.prom.inFlight.Dec()
		t.prom.request(r)
		if t.otel != nil {
			t.otel.request(r, t.keyName)
		}
	}
}
