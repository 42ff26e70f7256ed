package stats

import (
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oracles are the worked examples of testdata/oracles.json.
type oracles struct {
	Source  string
	McNemar []struct {
		B, C            int
		OneSided        string  `json:"one_sided"`
		TwoSided        string  `json:"two_sided"`
		TwoSidedDecimal float64 `json:"two_sided_decimal"`
	} `json:"mcnemar_exact"`
	Stratified []struct {
		Candidate  []int
		CandidateN []int `json:"candidate_n"`
		Baseline   []int
		BaselineN  []int `json:"baseline_n"`
		Observed   *int
		Expected   string
		Variance   string
		OneSided   string `json:"one_sided"`
	} `json:"stratified_exact"`
	Wilson []struct {
		Passes, N int
		Low, High float64
	} `json:"wilson_95"`
	ClopperPearson []struct {
		Passes, N int
		Low, High float64
	} `json:"clopper_pearson_95"`
	BonettPrice []struct {
		B, C, N   int
		Low, High float64
	} `json:"bonett_price_95"`
	Clustered []struct {
		Clusters [][]float64
		Mean     string
		SE       float64 `json:"clustered_se"`
	} `json:"clustered_se"`
	SignFlip []struct {
		Differences   []float64
		P             string
		HodgesLehmann float64 `json:"hodges_lehmann"`
	} `json:"sign_flip_exact_two_sided"`
	Ratio []struct {
		Baseline, Candidate []float64
		RatioOfMeans        float64    `json:"ratio_of_means"`
		GeometricMean       float64    `json:"geometric_mean_ratio"`
		Shift               float64    `json:"hodges_lehmann_ratio"`
		Wilcoxon            string     `json:"wilcoxon_two_sided"`
		Interval            [2]float64 `json:"hodges_lehmann_95"`
	} `json:"paired_log_ratio"`
	Holm  []struct{ P, Adjusted []float64 }
	Power []struct {
		Psi, Delta, Alpha, Power float64
		NTwoSided                float64 `json:"n_two_sided"`
		NOneSided                float64 `json:"n_one_sided"`
	} `json:"power_paired_binary"`
	Quantile []struct {
		Quantile, Confidence float64
		N                    int
	} `json:"quantile_gate_min_n"`
	Kappa []struct {
		Table [2][2]int
		Kappa string
	} `json:"cohen_kappa"`
}

func readOracles(t *testing.T) oracles {
	t.Helper()
	raw, err := os.ReadFile("testdata/oracles.json")
	if err != nil {
		t.Fatal(err)
	}
	var o oracles
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// The examples here are all that the project was given, as they were given. Those of
// GSM8K are verdicts, and are held by internal/eval/verdict.
func TestOraclesAreAllThatThereAre(t *testing.T) {
	raw, err := os.ReadFile("../../../../shared/oracles/stats.json")
	if err != nil {
		t.Skip("the oracles are not beside the repository:", err)
	}
	var given, here map[string]any
	if err := json.Unmarshal(raw, &given); err != nil {
		t.Fatal(err)
	}
	if raw, err = os.ReadFile("testdata/oracles.json"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &here); err != nil {
		t.Fatal(err)
	}
	delete(here, "source")
	maps.DeleteFunc(given, func(name string, _ any) bool { return strings.HasPrefix(name, "gsm8k_") })
	if diff := cmp.Diff(given, here); diff != "" {
		t.Error(diff)
	}
}

// An oracle without an example would hold nothing.
func TestEveryOracleHasAnExample(t *testing.T) {
	o := reflect.ValueOf(readOracles(t))
	for i := range o.NumField() {
		if field := o.Field(i); field.Kind() == reflect.Slice && field.Len() == 0 {
			t.Errorf("of %s there is no example", o.Type().Field(i).Name)
		}
	}
}

func fraction(t *testing.T, text string) float64 {
	t.Helper()
	rat, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("not a fraction: %q", text)
	}
	f, _ := rat.Float64()
	return f
}

// near fails unless got is want up to a relative (or, below 1, absolute) tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*max(1, math.Abs(want)) {
		t.Errorf("%s = %.15g, want %.15g ± %g", what, got, want, tolerance)
	}
}

func TestOraclesOfPassFail(t *testing.T) {
	o := readOracles(t)
	for _, c := range o.McNemar {
		p := McNemar(c.B, c.C)
		if c.OneSided != "" {
			near(t, "McNemar one-sided", p.Less, fraction(t, c.OneSided), 1e-15)
			near(t, "McNemar two-sided", p.TwoSided, fraction(t, c.TwoSided), 1e-15)
		} else {
			near(t, "McNemar two-sided", p.TwoSided, c.TwoSidedDecimal, 1e-14)
		}
	}
	for _, c := range o.Stratified {
		counts := Strata{}
		for i := range c.Candidate {
			counts[Stratum{c.Candidate[i], c.CandidateN[i], c.Baseline[i], c.BaselineN[i]}]++
		}
		got := StratifiedExact(counts)
		near(t, "stratified one-sided", got.Less, fraction(t, c.OneSided), 1e-15)
		if c.Observed != nil && counts.passes() != *c.Observed {
			t.Errorf("the example has %d passes, want %d", counts.passes(), *c.Observed)
		}
		if c.Expected != "" {
			near(t, "expected", got.Expected, fraction(t, c.Expected), 1e-14)
			near(t, "variance", got.Variance, fraction(t, c.Variance), 1e-14)
		}
	}
	for _, c := range o.Power {
		if got := PairsNeeded(c.Psi, c.Delta, c.Alpha, c.Power); got != c.NOneSided {
			t.Errorf("pairs needed one-sided = %v, want %v", got, c.NOneSided)
		}
		if got := PairsNeeded(c.Psi, c.Delta, c.Alpha/2, c.Power); got != c.NTwoSided {
			t.Errorf("pairs needed two-sided = %v, want %v", got, c.NTwoSided)
		}
		near(t, "detectable loss", DetectableLoss(c.Psi, int(c.NOneSided), c.Alpha, c.Power), c.Delta, 1e-3)
		near(t, "never below five cases", DetectableLoss(0.0001, 50, c.Alpha, c.Power), 0.1, 1e-12)
	}
}

func TestOraclesOfIntervals(t *testing.T) {
	o := readOracles(t)
	for _, c := range o.Wilson {
		low, high := Wilson(float64(c.Passes)/float64(c.N), float64(c.N), 0.95)
		near(t, "Wilson low", low, c.Low, 6e-8)
		near(t, "Wilson high", high, c.High, 6e-8)
		if c.Passes == 9 { // given to ten digits
			near(t, "Wilson low", low, c.Low, 6e-11)
			near(t, "Wilson high", high, c.High, 6e-11)
		}
	}
	for _, c := range o.ClopperPearson {
		low, high := ClopperPearson(c.Passes, c.N, 0.95)
		near(t, "Clopper–Pearson low", low, c.Low, 6e-11)
		near(t, "Clopper–Pearson high", high, c.High, 6e-11)
	}
	for _, c := range o.BonettPrice {
		low, high := BonettPrice(c.B, c.C, c.N, 0.95)
		near(t, "Bonett–Price low", low, c.Low, 6e-8)
		near(t, "Bonett–Price high", high, c.High, 6e-8)
		var d Differences
		d.Add(-1, c.B)
		d.Add(1, c.C)
		d.Add(0, c.N-c.B-c.C)
		near(t, "the bound of the loss, one side of it", d.LossBound(0.975), -c.Low, 6e-8)
	}
	for _, c := range o.Clustered {
		sum, squares := 0.0, 0.0
		for _, cluster := range c.Clusters {
			mean := 0.0
			for _, x := range cluster {
				mean += x / float64(len(cluster))
			}
			sum += mean
			squares += mean * mean
		}
		n := len(c.Clusters)
		near(t, "mean", sum/float64(n), fraction(t, c.Mean), 1e-14)
		near(t, "clustered standard error", ClusteredSE(sum, squares, n), c.SE, 6e-8)
	}
	for _, c := range o.Quantile {
		if got := QuantileMinN(c.Quantile, c.Confidence); got != c.N {
			t.Errorf("QuantileMinN = %d, want %d", got, c.N)
		}
	}
}

func TestOraclesOfScores(t *testing.T) {
	o := readOracles(t)
	for _, c := range o.SignFlip {
		near(t, "sign flip two-sided", SignFlip(c.Differences, 1).TwoSided, fraction(t, c.P), 1e-15)
		near(t, "Hodges–Lehmann", HodgesLehmann(c.Differences), c.HodgesLehmann, 1e-14)
	}
	for _, c := range o.Ratio {
		var logs []float64
		before, now := 0.0, 0.0
		for i := range c.Baseline {
			r, ok := LogRatio(c.Baseline[i], c.Candidate[i])
			if !ok {
				t.Fatal("no ratio of", c.Baseline[i], c.Candidate[i])
			}
			logs = append(logs, r)
			before += c.Baseline[i]
			now += c.Candidate[i]
		}
		got := PairedRatio(logs, 0.95)
		near(t, "ratio of means", now/before, c.RatioOfMeans, 6e-11)
		near(t, "geometric mean", got.GeometricMean, c.GeometricMean, 6e-11)
		near(t, "shift", got.Shift, c.Shift, 6e-11)
		near(t, "Wilcoxon", got.TwoSided, fraction(t, c.Wilcoxon), 1e-15)
		near(t, "interval low", got.Low, c.Interval[0], 6e-7)
		near(t, "interval high", got.High, c.Interval[1], 6e-7)
	}
	for _, c := range o.Holm {
		for i, got := range Holm(c.P) {
			near(t, "Holm", got, c.Adjusted[i], 1e-12)
		}
		backwards := slices.Clone(c.P)
		slices.Reverse(backwards)
		if got := Holm(backwards); math.Abs(got[0]-c.Adjusted[len(c.P)-1]) > 1e-12 {
			t.Errorf("Holm does not keep the order of its argument: %v", got)
		}
	}
}
