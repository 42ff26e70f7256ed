package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

func TestAlertsByTagAndCase(t *testing.T) {
	b := newBench(maxDrop("accuracy", 1))
	tagged := func(n int, before, now string, tags ...string) {
		from := len(b.cases)
		b.many(n, before, now)
		for _, c := range b.cases[from:] {
			c.Tags = tags
		}
	}
	tagged(10, "p", "f", "billing")
	tagged(90, "p", "p", "bug")
	tagged(5, "p", "f", "five") // p = 1/32 alone; of three tags that is 0.047
	v := b.judge()
	g := v.Groups[0]
	if v.Exit != 0 {
		t.Errorf("alerts gate: exit %d, %s", v.Exit, v.Sentence)
	}
	if len(g.Alerts) != 2 || g.Alerts[0].Tag != "billing" || g.Alerts[1].Tag != "five" {
		t.Fatalf("alerts %+v", g.Alerts)
	}
	a := g.Alerts[0]
	if a.Cases != 10 || a.Down != 10 || a.Before != 1 || a.After != 0 || !near(a.P, 1.0/1024, 1e-12) || !near(a.Adjusted, 3.0/1024, 1e-12) {
		t.Errorf("alert %+v", a)
	}
	if a := g.Alerts[1]; !near(a.Adjusted, 1.5/32, 1e-12) {
		t.Errorf("alert %+v", a)
	}
	// A fourth tag takes it away.
	tagged(1, "p", "p", "other")
	if g := b.judge().Groups[0]; len(g.Alerts) != 1 {
		t.Errorf("alerts %+v", g.Alerts)
	}
}

func TestAlertsOnSingleCasesNeedRepeats(t *testing.T) {
	b := newBench(maxDrop("accuracy", 1))
	b.many(1, "pppppppppp", "ffffffffff")
	b.many(20, "p", "f") // one repeat convinces nobody of one case
	b.many(20, "pppp", "pppp")
	alerts := b.judge().Groups[0].Alerts
	if len(alerts) != 1 || alerts[0].Case != "c00000" || alerts[0].Before != 1 || alerts[0].After != 0 {
		t.Fatalf("alerts %+v", alerts)
	}
	// One of 184,756 ways, among 41 cases.
	if a := alerts[0]; !near(a.P, 1.0/184756, 1e-12) || !near(a.Adjusted, 41.0/184756, 1e-12) {
		t.Errorf("alert %+v", a)
	}
}

func TestAlertsAreBound(t *testing.T) {
	b := newBench(maxDrop("accuracy", 1))
	b.many(3000, "pppppppppp", "ffffffffff")
	for i, c := range b.cases {
		c.Tags = []string{fmt.Sprintf("t%d", i%900)}
	}
	alerts := b.judge().Groups[0].Alerts
	if len(alerts) > 2*eval.MaxAlerts || len(alerts) < eval.MaxAlerts {
		t.Errorf("%d alerts", len(alerts))
	}
	for i, c := range b.cases { // a tag for every case says nothing
		c.Tags = []string{fmt.Sprintf("t%d", i)}
	}
	for _, a := range b.judge().Groups[0].Alerts {
		if a.Tag != "" {
			t.Fatalf("tag %s", a.Tag)
		}
	}
}

// near is strings' neighbour: equal but for rounding.
func near(a, b, slack float64) bool { return a-b <= slack && b-a <= slack }

func TestClustersCountOnce(t *testing.T) {
	// Ten cases of one cluster fall together: that is one observation, and shows nothing.
	build := func(clustered bool) eval.Verdict {
		b := newBench(maxDrop("accuracy", 0))
		b.many(40, "p", "p")
		b.many(10, "p", "f")
		for _, c := range b.cases[40:] {
			c.Cluster = "one document"
		}
		if clustered {
			b.settings.Clusters = map[uint64]bool{b.cases[40].ClusterKey(): true}
		}
		return b.judge()
	}
	alone, together := build(false), build(true)
	if alone.Word != eval.Regressed {
		t.Fatalf("alone: %s", alone.Sentence)
	}
	gate := gateOf(t, together, "accuracy", eval.GateMaxDrop)
	if together.Word != eval.Inconclusive || !near(*gate.P, 0.5, 1e-12) || !strings.Contains(gate.Test, "sign-flip") {
		t.Errorf("together: %s, p %v by %s", together.Sentence, *gate.P, gate.Test)
	}
	if before := gateOf(t, alone, "accuracy", eval.GateMaxDrop); *gate.Bound <= *before.Bound {
		t.Errorf("bound %v with clusters, %v without", *gate.Bound, *before.Bound)
	}
	if g := together.Groups[0]; g.Clusters != 41 {
		t.Errorf("%d clusters, want 41", g.Clusters)
	}
	a, b := metricOf(t, alone, "accuracy"), metricOf(t, together, "accuracy")
	if *b.High-*b.Low <= *a.High-*a.Low {
		t.Errorf("the interval %v … %v is no wider than %v … %v", *b.Low, *b.High, *a.Low, *a.High)
	}
}

func TestUnequalRepeatsAreExact(t *testing.T) {
	// Of 2 passes among 3 + 1 answers none is among the 3 now with chance 0, one with
	// C(3,1)·C(1,1)/C(4,2) = 1/2: over four such cases P(ΣA ≤ 4) = 1/16.
	b := newBench(maxDrop("accuracy", 0))
	b.many(4, "p", "pff")
	v := b.judge()
	if gate := gateOf(t, v, "accuracy", eval.GateMaxDrop); !near(*gate.P, 1.0/16, 1e-12) || gate.Down != 4 {
		t.Errorf("p = %v, %d down", *gate.P, gate.Down)
	}
	// Of 3 passes among 3 + 1 answers two or fewer are among the 3 now with chance
	// C(3,2)·C(1,1)/C(4,3) = 3/4: over five such cases (3/4)⁵, where the signs alone say 1/32.
	b = newBench(maxDrop("accuracy", 0))
	b.many(5, "p", "ppf")
	if gate := gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop); !near(*gate.P, 243.0/1024, 1e-12) || gate.Down != 5 || gate.Word != eval.Inconclusive {
		t.Errorf("%s: p = %v, %d down", gate.Word, *gate.P, gate.Down)
	}
	// As often as before is no move, whatever the number of repeats.
	b = newBench(maxDrop("accuracy", 0))
	b.many(4, "pf", "ppff")
	b.many(4, "p", "ppp")
	if v := b.judge(); v.Word != eval.Unchanged {
		t.Errorf("%s", v.Sentence)
	}
}
