package suite

import (
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// unit is what a metric counts in, which decides the limits that make sense.
type unit struct {
	name  string
	kinds []eval.GateKind
}

var (
	share   = unit{"share", []eval.GateKind{eval.GateMin, eval.GateMaxDrop}}
	usd     = unit{"USD", []eval.GateKind{eval.GateMax, eval.GateMaxRise}}
	seconds = unit{"seconds", []eval.GateKind{eval.GateMax, eval.GateMaxRise}}
	scores  = unit{"score", []eval.GateKind{eval.GateMin, eval.GateMax, eval.GateMaxDrop, eval.GateMaxRise}}
)

// builtin are the metrics that every suite has.
func builtin() []metric {
	return []metric{{"accuracy", share}, {"schema_validity", share}, {"first_try_validity", share}, {"cost_per_case", usd}, {"latency_p50", seconds}, {"latency_p95", seconds}, {eval.MetricOperational, share}, {eval.MetricRepair, scores}}
}

type metric struct {
	name string
	unit unit
}

func unitOf(name string) (u unit, isBuiltin bool) {
	for _, m := range builtin() {
		if m.name == name {
			return m.unit, true
		}
	}
	return scores, false
}

// gate is a gate with its places.
type gate struct {
	eval.Gate
	place  fault.Place // of the limit
	metric fault.Place // of the metric's name
}

// readGates reads every limit, in the order of the file.
func readGates(n strictyaml.Node, problems *fault.List) []gate {
	if !n.Exists() {
		return nil
	}
	if n.Kind() != strictyaml.Mapping {
		problems.Add(n.Mismatch("a mapping of metrics to limits").WithHint("write accuracy: {min: 0.95}"))
		return nil
	}
	var gates []gate
	for _, field := range n.Fields() {
		gates = append(gates, readGate(field, problems)...)
	}
	return gates
}

func readGate(field strictyaml.Field, problems *fault.List) []gate {
	u, _ := unitOf(field.Key)
	limits := field.Value
	if limits.Kind() != strictyaml.Mapping || len(limits.Fields()) == 0 {
		problems.Add(limits.Mismatch("limits").WithHint("write %s: {%s: …}; %s", field.Key, u.kinds[0], fault.Allowed("", words(u.kinds))))
		return nil
	}
	var gates []gate
	for _, limit := range limits.Fields() {
		kind := eval.GateKind(limit.Key)
		if !slices.Contains(u.kinds, kind) {
			problems.Add(fault.At(limit.Place, "%q is no limit of %s", limit.Key, field.Key).WithHint("%s", fault.Allowed(limit.Key, words(u.kinds))))
			continue
		}
		value, err := readLimit(limit.Value, kind, u)
		if err != nil {
			problems.Add(err)
			continue
		}
		gates = append(gates, gate{
			Gate:  eval.Gate{Metric: field.Key, Kind: kind, Limit: value},
			place: limit.Value.Place(), metric: field.Place,
		})
	}
	if low, high := find(gates, eval.GateMin), find(gates, eval.GateMax); low != nil && high != nil && low.Limit > high.Limit {
		problems.Add(fault.At(low.place, "min %v is above max %v: nothing can hold", low.Limit, high.Limit))
	}
	return gates
}

func words(kinds []eval.GateKind) []string {
	list := make([]string, len(kinds))
	for i, kind := range kinds {
		list[i] = string(kind)
	}
	return list
}

func find(gates []gate, kind eval.GateKind) *gate {
	for i := range gates {
		if gates[i].Kind == kind {
			return &gates[i]
		}
	}
	return nil
}

// maxRise is the largest rise that can be meant as a share: ten times as much again.
const maxRise = 10

// readLimit reads a limit in the metric's unit, or for max_rise as a share of the
// baseline's value, and refuses percentages.
func readLimit(n strictyaml.Node, kind eval.GateKind, u unit) (float64, error) {
	if kind == eval.GateMax && u.name == seconds.name {
		var limit time.Duration
		if err := n.Decode(&limit); err != nil {
			return 0, err
		}
		if limit == 0 {
			return 0, n.Errorf("no answer comes in no time").WithHint("write a duration such as 500ms or 3s")
		}
		return limit.Seconds(), nil
	}
	var limit float64
	if err := n.Decode(&limit); err != nil {
		return 0, err
	}
	most := 1.0
	switch {
	case limit < 0:
		return 0, n.Errorf("a limit cannot be negative: %v", limit)
	case kind == eval.GateMaxRise:
		most = maxRise
	case u.name == usd.name:
		return limit, nil
	}
	if limit > most {
		return 0, n.Errorf("%s is %v; it is a share, at most %v", kind, limit, most).WithHint("write percents as a fraction: %v", limit/100)
	}
	return limit, nil
}

// settleGates checks the metrics' names, which are known after the first pass; counted
// are those that come from labels.
func (s *Suite) settleGates(gates []gate, counted []string, problems *fault.List) {
	var known []string
	for _, m := range builtin() {
		known = append(known, m.name)
	}
	known = append(append(known, s.Metrics...), counted...)
	refused := map[string]bool{}
	for _, g := range gates {
		s.Gates = append(s.Gates, g.Gate)
		s.GatePlaces = append(s.GatePlaces, g.place)
		if slices.Contains(counted, g.Metric) && g.Kind.Relative() {
			problems.Add(fault.At(g.place, "%s is no limit of %s: it is no mean over cases, so no test pairs it with the baseline", g.Kind, g.Metric).
				WithHint("allowed: min, max; a drop of right labels is tested by %s", labelFamily(g.Metric)+eval.LabelAccuracy+": {max_drop: …}"))
		}
		if !slices.Contains(known, g.Metric) && !refused[g.Metric] {
			refused[g.Metric] = true
			problems.Add(fault.At(g.metric, "unknown metric %q", g.Metric).
				WithHint("%s; a check names its own with metric: %s", fault.Allowed(g.Metric, known), g.Metric))
		}
	}
}
