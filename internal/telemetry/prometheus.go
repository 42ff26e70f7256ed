package telemetry

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/llmx-dev/llmx/internal/llm"
)

// prom has the metrics of one server in a registry of its own.
type prom struct {
	handler http.Handler
	names   bounded

	requests, calls, tokens, cost, unpriced, attempts, retries, fallbacks, violations, reasks, repairs, cache, breakerOpened *prometheus.CounterVec
	requestSeconds, callSeconds, firstToken                                                                                  *prometheus.HistogramVec
	overhead                                                                                                                 prometheus.Histogram
	inFlight                                                                                                                 prometheus.Gauge
	breakersOpen                                                                                                             *prometheus.GaugeVec
}

// Of answers in seconds: a model needs between a tenth of a second and minutes.
var seconds = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120}

// Of our own work in seconds.
var smallSeconds = []float64{.00005, .0001, .00015, .00025, .0005, .001, .0025, .005, .01, .025, .1, 1}

func newProm(o Options) *prom {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counter := func(m Metric) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
		registry.MustRegister(c)
		return c
	}
	histogram := func(m Metric, buckets []float64) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: buckets}, m.Labels)
		registry.MustRegister(h)
		return h
	}
	gauge := func(m Metric) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, m.Labels)
		registry.MustRegister(g)
		return g
	}
	p := &prom{
		handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		requests: counter(requestsTotal), calls: counter(callsTotal), tokens: counter(tokensTotal), cost: counter(costTotal), unpriced: counter(unpricedTotal),
		attempts: counter(attemptsTotal), retries: counter(retriesTotal), fallbacks: counter(fallbacksTotal), violations: counter(violationsTotal),
		reasks: counter(reasksTotal), repairs: counter(repairsTotal), cache: counter(cacheTotal), breakerOpened: counter(breakerOpened),
		requestSeconds: histogram(requestSeconds, seconds), callSeconds: histogram(callSeconds, seconds), firstToken: histogram(firstToken, seconds),
		inFlight: gauge(requestsInFlight).WithLabelValues(), breakersOpen: gauge(breakersOpen),
	}
	overhead := prometheus.NewHistogram(prometheus.HistogramOpts{Name: overheadSeconds.Name, Help: overheadSeconds.Help, Buckets: smallSeconds})
	registry.MustRegister(overhead, gaugesOf(o.Gauges))
	p.overhead = overhead
	gauge(buildInfo).WithLabelValues(o.Version).Set(1)
	return p
}

func (p *prom) request(r Request) {
	endpoint := r.Pattern
	if endpoint == "" {
		endpoint = "unknown"
	}
	p.requests.WithLabelValues(endpoint, strconv.Itoa(r.Status)).Inc()
	p.requestSeconds.WithLabelValues(endpoint).Observe(r.Took.Seconds())
	if r.Call != nil {
		p.overhead.Observe(r.Overhead.Seconds())
	}
}

// record counts a call with all its turns and attempts.
func (p *prom) record(c *llm.Call, key string) {
	prompt, version, model := p.names.of("prompt", c.Prompt.Name), p.names.of("version", c.Prompt.Version), p.names.of("model", c.Model)
	key = p.names.of("key", key)
	p.calls.WithLabelValues(prompt, version, model, key, outcomeOf(c)).Inc()
	p.callSeconds.WithLabelValues(prompt, model).Observe(c.Total.Seconds())
	p.cache.WithLabelValues(cacheOf(c)).Inc()
	if paid := c.Paid(); paid.Known {
		p.cost.WithLabelValues(prompt, version, model, key).Add(float64(paid.Amount) / 1e9)
	} else {
		p.unpriced.WithLabelValues(model).Inc()
	}
	if c.Stored == nil {
		u := c.Usage()
		for _, one := range []struct {
			kind string
			n    int64
		}{{"input", u.Input}, {"cached_input", u.CachedInput}, {"output", u.Output}, {"reasoning", u.Reasoning}} {
			if one.n > 0 {
				p.tokens.WithLabelValues(prompt, version, model, key, one.kind).Add(float64(one.n))
			}
		}
		if c.FirstToken > 0 {
			p.firstToken.WithLabelValues(p.names.of("model", answeredBy(c))).Observe(c.FirstToken.Seconds())
		}
	}
	for i := range c.Turns {
		p.turn(&c.Turns[i], prompt, version, model)
	}
}

func (p *prom) turn(t *llm.Turn, prompt, version, model string) {
	if t.Violation != "" && !t.Declined {
		p.violations.WithLabelValues(prompt, version, model).Inc()
	}
	if t.Kind == llm.TurnReask {
		p.reasks.WithLabelValues(prompt, version, model).Inc()
	}
	if len(t.Repairs) > 0 {
		p.repairs.WithLabelValues(prompt, version, model).Inc()
	}
	var before string
	for i := range t.Attempts {
		a := &t.Attempts[i]
		if a.Unasked || a.Stored != nil {
			continue
		}
		alias := p.names.of("model", a.Model)
		p.attempts.WithLabelValues(alias, failureOf(a.Failure)).Inc()
		if before == a.Model {
			p.retries.WithLabelValues(alias).Inc()
		}
		before = a.Model
	}
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1].Failure == nil && t.Attempts[n-1].Model != t.Attempts[0].Model {
		p.fallbacks.WithLabelValues(model, p.names.of("model", t.Attempts[n-1].Model)).Inc()
	}
}

// outcomeOf is how a call ended.
func outcomeOf(c *llm.Call) string {
	if c.Failure == nil && c.Stored != nil {
		return "cached"
	}
	return failureOf(c.Failure)
}

func failureOf(f *llm.Failure) string {
	if f == nil {
		return "ok"
	}
	return string(f.Class)
}

func cacheOf(c *llm.Call) string {
	switch {
	case c.Stored == nil:
		return "miss"
	case c.Stored.By == "shared":
		return "shared"
	}
	return "hit"
}

// answeredBy is the alias of the last attempt, "" for none.
func answeredBy(c *llm.Call) string {
	if turn := c.Turn(); turn != nil && len(turn.Attempts) > 0 {
		return turn.Attempts[len(turn.Attempts)-1].Model
	}
	return ""
}

// mostValues bounds the values of a label: each is a series for good.
const mostValues = 200

// bounded lets the first values of a label through, and calls all others "other".
type bounded struct {
	mu   sync.RWMutex
	seen map[string]map[string]bool
}

func (b *bounded) of(label, value string) string {
	b.mu.RLock()
	known, n := b.seen[label][value], len(b.seen[label])
	b.mu.RUnlock()
	switch {
	case known:
		return value
	case n >= mostValues:
		return "other"
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = map[string]map[string]bool{}
	}
	if b.seen[label] == nil {
		b.seen[label] = map[string]bool{}
	}
	if !b.seen[label][value] && len(b.seen[label]) >= mostValues {
		return "other"
	}
	b.seen[label][value] = true
	return value
}

// gaugesOf reads what others know, when it is asked for.
type gaugesOf Gauges

var (
	budgetDesc    = descOf(budgetShare)
	recordingDesc = descOf(recording)
	droppedDesc   = descOf(dropped)
	reloadedDesc  = descOf(reloaded)
)

func descOf(m Metric) *prometheus.Desc { return prometheus.NewDesc(m.Name, m.Help, m.Labels, nil) }

// Describe lists the gauges.
func (g gaugesOf) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{budgetDesc, recordingDesc, droppedDesc, reloadedDesc} {
		to <- desc
	}
}

// Collect reads them.
func (g gaugesOf) Collect(to chan<- prometheus.Metric) {
	if g.Budgets != nil {
		for _, b := range g.Budgets() {
			to <- prometheus.MustNewConstMetric(budgetDesc, prometheus.GaugeValue, b.Share, b.Scope, b.Value, b.Per)
		}
	}
	if g.Recording != nil {
		ok, lost := g.Recording()
		to <- prometheus.MustNewConstMetric(recordingDesc, prometheus.GaugeValue, one(ok))
		to <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(lost))
	}
	if g.Reloaded != nil {
		to <- prometheus.MustNewConstMetric(reloadedDesc, prometheus.GaugeValue, one(g.Reloaded()))
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
