package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// A metric that takes its cases one by one has the sums of one that was given whole clusters.
func TestAMetricSumsUpItsClusters(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for range 50 {
		var m meanMetric
		var whole stats.Clustered
		var differences stats.Differences
		m.keep = true
		type member struct {
			value, before float64
			cluster       uint64
		}
		var members []member
		for cluster := range 1 + random.IntN(20) {
			sum, moved, size := 0.0, 0.0, 1+random.IntN(4)
			for range size {
				one := member{value: float64(random.IntN(5)) / 4, before: float64(random.IntN(5)) / 4}
				if size > 1 {
					one.cluster = uint64(cluster + 1)
				}
				members = append(members, one)
				sum, moved = sum+one.value, moved+one.value-one.before
			}
			whole.Add(sum, size)
			differences.AddCluster(moved, size)
		}
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		for _, one := range members {
			m.add(one.value, 1, 0, one.cluster)
			m.pair(one.value, one.before, 1, 0, one.cluster)
		}
		got := m.values()
		if got.N != whole.N || got.Clusters != whole.Clusters || math.Abs(got.SE()-whole.SE()) > 1e-7 {
			t.Fatalf("%+v, want %+v", got, whole)
		}
		var sum stats.Differences
		m.clusters.each(m.diffs, sum.AddCluster)
		if sum.N != differences.N || math.Abs(sum.LossBound(0.95)-differences.LossBound(0.95)) > 1e-9 {
			t.Fatalf("%+v, want %+v", sum, differences)
		}
	}
}

// TestClustersKeepFalseAlarmsDown draws suites in which nothing has changed, and cases
// come out as the others of their cluster do. Taken as independent, they cry wolf.
func TestClustersKeepFalseAlarmsDown(t *testing.T) {
	const clusters, size, runs = 20, 6, 400
	random := rand.New(rand.NewPCG(3, 3))
	alarms := map[bool]int{}
	for range runs {
		baseline := &eval.Baseline{Headers: []eval.BaselineHeader{{Suite: "s", Model: "m"}}}
		keys := map[uint64]bool{}
		var cases []*eval.Case
		now := make([]bool, clusters)
		for cluster := range clusters {
			before := random.Float64() < 0.7
			now[cluster] = random.Float64() < 0.7
			for i := range size {
				c := &eval.Case{ID: fmt.Sprintf("c%02d-%d", cluster, i), Repeats: 1, InputHash: fmt.Sprint(cluster, i), CriteriaHash: "c", Cluster: fmt.Sprint(cluster)}
				keys[c.ClusterKey()] = true
				cases = append(cases, c)
				line := eval.BaselineLine{Case: c.ID, Model: "m", Input: c.InputHash, Criteria: "c", Repeats: 1, Valid: -1}
				if before {
					line.Passes = 1
				}
				line.Scores = map[string]float64{"helpful": float64(line.Passes)}
				baseline.Lines = append(baseline.Lines, line)
			}
		}
		for _, told := range []bool{false, true} {
			settings := Settings{Baseline: baseline, Gates: []eval.Gate{maxDrop("accuracy", 0), maxDrop("helpful", 0)}}
			if told {
				settings.Clusters = keys
			}
			tally := NewTally(eval.Group{Suite: "s", Model: "m", Planned: len(cases), Cases: len(cases)}, settings)
			for i, c := range cases {
				tally.Add(c, drawn(0, now[i/size]))
			}
			if v := Judge([]*Tally{tally}, Options{}); v.Word == eval.Regressed {
				alarms[told]++
			}
		}
	}
	alone, told := float64(alarms[false])/runs, float64(alarms[true])/runs
	t.Logf("regressed where nothing changed: %.3f of all runs, and %.3f where clusters are told", alone, told)
	if most := alpha + 3*math.Sqrt(alpha*(1-alpha)/runs); told > most || alone < 1.5*most {
		t.Errorf("%.3f with clusters, at most %.3f may be; %.3f without", told, most, alone)
	}
}
