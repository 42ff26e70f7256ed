package verdict

import (
	"math"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// sight is how small a drop of accuracy the suite sees: by its calibration, else by the
// differences of this comparison. What moved the less, for the better or the worse, is
// taken as noise, twice: the rest may be what has changed. Nil where nothing is compared.
func (t *Tally) sight() *eval.Sight {
	if t.settings.Sight != nil {
		return t.settings.Sight
	}
	return t.sightAt(alpha)
}

// sightAt is that by the differences of this comparison, for a one-sided test at a level.
func (t *Tally) sightAt(level float64) *eval.Sight {
	var better, worse float64
	cases := 0
	add := func(d float64, count int) {
		cases += count
		if d > 0 {
			better += float64(count) * d * d
		} else {
			worse += float64(count) * d * d
		}
	}
	depends := t.accuracy.dependent(false)
	for _, s := range t.accuracy.strata.Sorted() {
		count := t.accuracy.strata[s]
		if depends != nil {
			count -= depends.strata[s]
		}
		add(s.Difference(), count)
	}
	if depends != nil { // a cluster is one observation
		for _, one := range depends.sums {
			add(one.sum/float64(one.size), 1)
		}
	}
	if cases == 0 {
		return nil
	}
	noise := 2 * min(better, worse) / float64(cases)
	return &eval.Sight{Drop: stats.DetectableBreak(noise, cases, level, power)}
}

// clusterCount is the number of clusters of the judged cases; 0 where each stands on its own.
func (t *Tally) clusterCount() int {
	if len(t.accuracy.clusters) == 0 {
		return 0
	}
	return t.accuracy.values().Clusters
}

// finite is nil for what JSON has no word for.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
