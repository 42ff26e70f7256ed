package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sandwich is the cluster-robust standard error of a mean, by its definition.
func sandwich(clusters [][]float64) float64 {
	n, sum := 0, 0.0
	for _, values := range clusters {
		for _, v := range values {
			sum, n = sum+v, n+1
		}
	}
	mean := sum / float64(n)
	spread := 0.0
	for _, values := range clusters {
		residual := 0.0
		for _, v := range values {
			residual += v - mean
		}
		spread += residual * residual
	}
	g := float64(len(clusters))
	return math.Sqrt(spread*g/(g-1)) / float64(n)
}

func randomClusters(random *rand.Rand, biggest int) [][]float64 {
	clusters := make([][]float64, 2+random.IntN(40))
	for i := range clusters {
		for range 1 + random.IntN(biggest) {
			clusters[i] = append(clusters[i], float64(random.IntN(3))/2)
		}
	}
	return clusters
}

func TestClusteredIsTheSandwich(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		clusters := randomClusters(random, 5)
		var sum Clustered
		for _, values := range clusters {
			total := 0.0
			for _, v := range values {
				total += v
			}
			sum.Add(total, len(values))
		}
		near(t, "SE", sum.SE(), sandwich(clusters), 1e-7)
		var d Differences
		for _, values := range clusters {
			total := 0.0
			for _, v := range values {
				total += (v - 0.5) / 100 // no end is cut
			}
			d.AddCluster(total, len(values))
		}
		low, high := d.Clustered(0.95)
		near(t, "interval of differences", (high-low)/2, 1.959964*sandwich(clusters)/100, 1e-7)
		if sum.Clusters != len(clusters) {
			t.Fatalf("%d clusters of %d", sum.Clusters, len(clusters))
		}
	}
}

// Cases on their own are clusters of one, and cases that only repeat others say nothing.
func TestClustersOfOneAndOfTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	for range 100 {
		var once, twice Clustered
		var alone, single, triple Differences
		plain, squares, n := 0.0, 0.0, 60+random.IntN(100)
		for range n {
			v := float64(random.IntN(5))/2 - 1
			once.Add(v, 1)
			twice.Add(2*v, 2)
			plain, squares = plain+v, squares+v*v
			alone.Add(v, 1)
			single.AddCluster(v, 1)
			triple.AddCluster(3*v, 3)
		}
		near(t, "SE of single cases", once.SE(), ClusteredSE(plain, squares, n), 1e-7)
		near(t, "SE of cases that stand there twice", twice.SE(), once.SE(), 1e-7)
		if alone != single {
			t.Fatalf("%+v and %+v", alone, single)
		}
		// The pseudo-cases weigh less beside three times the cases, the rest is the same.
		if bound := triple.LossBound(0.95); bound < alone.LossBound(0.95)-0.03 || bound > alone.LossBound(0.95)+0.03 {
			t.Errorf("bound %v, and with every case three times %v", alone.LossBound(0.95), bound)
		}
		var independent Differences
		independent.N, independent.Clusters, independent.Sum, independent.Squares, independent.Cross, independent.Sizes = 3*n, 3*n, 3*plain, 3*squares, 3*plain, float64(3*n)
		if squares > 0 && triple.Moved() <= independent.Moved() {
			t.Errorf("cases that repeat others are taken for new ones: %v, %v", triple.Moved(), independent.Moved())
		}
	}
}

func TestDetectableBreak(t *testing.T) {
	for _, n := range []int{1, 4, 5} { // five of five must break, whatever the power
		if got := DetectableBreak(0, n, 0.05, 0.8); got != 1 {
			t.Errorf("%d pairs show %v", n, got)
		}
	}
	before := 1.0
	for _, n := range []int{10, 30, 100, 400, 10_000} {
		for _, noise := range []float64{0, 0.1, 0.5} {
			got := DetectableBreak(noise, n, 0.05, 0.8)
			switch floor := 5 / float64(n); {
			case got < floor:
				t.Errorf("noise %v, %d pairs: %v is less than five of them", noise, n, got)
			case got < 1 && PairsNeeded(noise+got, got, 0.05, 0.8) > float64(n):
				t.Errorf("noise %v, %d pairs do not show %v", noise, n, got)
			case got > floor && PairsNeeded(noise+got-0.001, got-0.001, 0.05, 0.8) <= float64(n):
				t.Errorf("noise %v, %d pairs show less than %v", noise, n, got)
			}
			if noise == 0.1 {
				if got > before {
					t.Errorf("%d pairs see %v, fewer saw %v", n, got, before)
				}
				before = got
			}
		}
	}
}

func TestBenjaminiHochbergOfTheSmallest(t *testing.T) {
	all := []float64{0.001, 0.01, 0.02, 0.03, 0.2, 0.9}
	whole, part := BenjaminiHochberg(all), BenjaminiHochbergOf(all[:4], len(all))
	for i, p := range part {
		if p < whole[i] || p > 0.05 != (whole[i] > 0.05) {
			t.Errorf("%v: %v of the smallest, %v of all", all[i], p, whole[i])
		}
	}
}

func TestDetectableRise(t *testing.T) {
	// Half of the interval is 1.645 standard errors of 0.02; 80 % power needs 2.486 of them.
	r := Ratio{Low: math.Exp(-1.6448536269514722 * 0.02), High: math.Exp(1.6448536269514722 * 0.02)}
	near(t, "rise", r.DetectableRise(0.95, 0.8), math.Exp(0.02*(1.6448536269514722+0.8416212335729143))-1, 1e-9)
}
