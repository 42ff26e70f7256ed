package verdict

import (
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestSettleByRepeats(t *testing.T) {
	for _, test := range []struct {
		name              string
		margin            float64
		before, down, up  string // 14 cases stay, 8 go down, 8 up
		repeats           int
		both              bool
		fromNow, fromThen int
	}{
		{"the baseline has many: more of now do", 0.11, "pppppfffffpppppfffff", "f", "p", 15, false, 1, 20},
		{"the baseline has one: both must have more", 0.15, "", "f", "p", 7, true, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(maxDrop("accuracy", test.margin))
			b.settings.Jobs = 2
			add := func(n int, before, now string) {
				if before == "" {
					before = reversed(now)
				}
				b.many(n, before, now)
			}
			add(14, strings.Repeat("p", max(1, len(test.before))), "p")
			add(8, test.before, test.down)
			add(8, test.before, test.up)
			for _, r := range b.results {
				r.Service = time.Second
			}
			gate := gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop)
			if gate.Word != eval.Inconclusive || gate.Settle == nil || gate.Settle.Cases == nil || gate.Settle.Repeats == nil {
				t.Fatalf("%s %q %+v", gate.Word, gate.Note, gate.Settle)
			}
			s := gate.Settle
			if s.Both != test.both || s.Repeats.Repeats != test.repeats || s.Repeats.Cases != 30 {
				t.Errorf("both %v, %+v", s.Both, s.Repeats)
			}
			want := (test.repeats - test.fromNow) * 30
			if s.Both {
				want += (test.repeats - test.fromThen) * 30
			}
			if e := s.Repeats; e.Results != want || *e.Cost != llm.Money(1000*want) || e.Seconds != float64(want)/2 {
				t.Errorf("%d results for %v in %v s, want %d", e.Results, *e.Cost, e.Seconds, want)
			}
			if !strings.HasSuffix(gate.Note, priceOf(s)) || !strings.Contains(gate.Note, "could have been seen with 30 cases") {
				t.Errorf("note %q", gate.Note)
			}
		})
	}
}

// What is asked beside a commit is asked in both arms, more cases and more repeats.
func TestSettleInBothArms(t *testing.T) {
	fill := func(beside bool) *eval.Settle {
		b := newBench(maxDrop("accuracy", 0.15))
		if beside {
			b.settings.Against = &eval.Comparison{Ref: "main"}
		}
		b.many(14, "p", "p")
		b.many(8, "p", "f")
		b.many(8, "f", "p")
		gate := gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop)
		if gate.Word != eval.Inconclusive || gate.Settle == nil || gate.Settle.Cases == nil || gate.Settle.Repeats == nil {
			t.Fatalf("%s %q %+v", gate.Word, gate.Note, gate.Settle)
		}
		if strings.Contains(gate.Note, " in both arms, would settle it") != beside {
			t.Errorf("%q", gate.Note)
		}
		return gate.Settle
	}
	alone, both := fill(false), fill(true)
	if both.Cases.Results != 2*alone.Cases.Results || *both.Cases.Cost != 2**alone.Cases.Cost {
		t.Errorf("cases: %+v, alone %+v", both.Cases, alone.Cases)
	}
	if r := both.Repeats; !both.Both || r.Results != 2*30*(r.Repeats-1) {
		t.Errorf("repeats: %+v", r)
	}
	// Of a baseline with many repeats no more are needed; a commit is asked as often as now.
	b := newBench(maxDrop("accuracy", 0.11))
	b.settings.Against = &eval.Comparison{Ref: "main"}
	b.many(14, strings.Repeat("p", 20), "p")
	b.many(8, strings.Repeat("pf", 10), "f")
	b.many(8, strings.Repeat("pf", 10), "p")
	if s := gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop).Settle; s == nil || s.Repeats == nil || !s.Both {
		t.Errorf("%+v", s)
	}
}

// reversed swaps passes and fails.
func reversed(outcomes string) string {
	return strings.Map(func(r rune) rune {
		if r == 'p' {
			return 'f'
		}
		return 'p'
	}, outcomes)
}

func TestMoreRepeatsOnlyWhereNoiseIsWithinCases(t *testing.T) {
	// Every case that moved has moved for good: repeats say the same again.
	b := newBench(maxDrop("accuracy", 0.02))
	b.many(80, "ppppp", "ppppp")
	b.many(2, "ppppp", "fffff")
	b.many(2, "fffff", "ppppp")
	gate := gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop)
	if gate.Word != eval.Inconclusive || gate.Settle.Repeats != nil || gate.Settle.Cases == nil || gate.Settle.Cases.Repeats != 5 {
		t.Errorf("%s %q %+v", gate.Word, gate.Note, gate.Settle)
	}
	if e := gate.Settle.Cases; e.Results != 5*(e.Cases-84) {
		t.Errorf("%+v", e)
	}
}

// The hint counted cases as if each stood on its own, and said that ten clusters had seen
// what thirty cases see.
func TestSettleCountsClusters(t *testing.T) {
	b := newBench(maxDrop("accuracy", 0.02))
	b.settings.Clusters = map[uint64]bool{}
	for i := range 30 {
		before, now := "p", "p"
		switch i / 3 {
		case 0, 1:
			now = "f"
		case 2:
			before = "f"
		}
		b.many(1, before, now)
		b.cases[i].Cluster = string(rune('a' + i/3))
		b.settings.Clusters[b.cases[i].ClusterKey()] = true
	}
	gate := gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop)
	e := gate.Settle.Cases
	if gate.Word != eval.Inconclusive || e == nil || e.Cases < 100 || e.Clusters*3 < e.Cases || e.Clusters*3 > e.Cases+2 {
		t.Fatalf("%s %q %+v", gate.Word, gate.Note, e)
	}
	if *gate.Sees < 0.5 { // five of ten clusters must move
		t.Errorf("sees %v", *gate.Sees)
	}
	for _, want := range []string{"could have been seen with 30 cases in 10 clusters", " clusters would settle it"} {
		if !strings.Contains(gate.Note, want) {
			t.Errorf("%q lacks %q", gate.Note, want)
		}
	}
}
