package verdict

import (
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// clusterSum gathers the cases of a metric that are not independent of each other.
type clusterSum struct {
	cases   int
	value   float64 // sum of the cases' values now
	squares float64 // of these

	paired     int
	diff       float64 // sum of now − before
	best       float64 // likewise at best
	bestPaired int
	places     []int32 // of the differences that the metric keeps
}

// clusters are those of a metric, by eval.Case.ClusterKey. Cases that are a cluster of
// their own are not in it: of most suites it is empty.
type clusters map[uint64]*clusterSum

// of gives a cluster's sum; nil for key 0, a case on its own.
func (m *clusters) of(key uint64) *clusterSum {
	if key == 0 {
		return nil
	}
	if *m == nil {
		*m = clusters{}
	}
	sum := (*m)[key]
	if sum == nil {
		sum = new(clusterSum)
		(*m)[key] = sum
	}
	return sum
}

// sorted lists the clusters in one order, so that sums of floats come out the same.
func (m clusters) sorted() []*clusterSum {
	var list []*clusterSum
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[key])
	}
	return list
}

// values sums up the metric's cases for its standard error.
func (m *meanMetric) values() stats.Clustered {
	sum := stats.Clustered{N: m.cases, Clusters: m.cases, Sum: m.sum, Squares: m.squares, Cross: m.sum, Sizes: float64(m.cases)}
	if len(m.clusters) == 0 {
		return sum
	}
	// What stands in clusters is taken out as single cases, and put in as clusters.
	for _, one := range m.clusters.sorted() {
		k := float64(one.cases)
		sum.Clusters -= max(0, one.cases-1)
		sum.Squares += one.value*one.value - one.squares
		sum.Cross += (k - 1) * one.value
		sum.Sizes += k*k - k
	}
	return sum
}

// each visits the differences that a metric keeps: of each cluster the sum and the size,
// and every other as it is.
func (m clusters) each(differences []float64, visit func(sum float64, size int)) {
	within := map[int32]bool{}
	for _, one := range m.sorted() {
		sum := 0.0
		for _, place := range one.places {
			within[place] = true
			sum += differences[place]
		}
		if len(one.places) > 0 {
			visit(sum, len(one.places))
		}
	}
	for i, d := range differences {
		if len(within) == 0 || !within[int32(i)] {
			visit(d, 1)
		}
	}
}

// dependent are the cases that depend on each other, as a metric of passes has them: which strata
// stand in clusters, and what each cluster sums up to.
type dependent struct {
	strata stats.Strata
	sums   []clusterMove
}

type clusterMove struct {
	sum  float64 // of the differences
	size int
}

// dependent is nil where every case stands on its own.
func (m *shareMetric) dependent(best bool) *dependent {
	if len(m.clusters) == 0 {
		return nil
	}
	d := &dependent{strata: m.clustered}
	if best {
		d.strata = m.bestClustered
	}
	for _, one := range m.clusters.sorted() {
		switch {
		case best && one.bestPaired > 0:
			d.sums = append(d.sums, clusterMove{one.best, one.bestPaired})
		case !best && one.paired > 0:
			d.sums = append(d.sums, clusterMove{one.diff, one.paired})
		}
	}
	return d
}

// clusterOf is the cluster of a case, 0 for one that stands on its own.
func (t *Tally) clusterOf(f *caseFold) uint64 {
	if len(t.settings.Clusters) == 0 {
		return 0
	}
	if key := f.c.ClusterKey(); t.settings.Clusters[key] {
		return key
	}
	return 0
}
