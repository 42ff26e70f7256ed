package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

func TestOraclesOfManyTests(t *testing.T) {
	raw, err := os.ReadFile("testdata/oracles.json")
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		BH    []struct{ P, Adjusted []float64 } `json:"benjamini_hochberg"`
		PassK []struct {
			N, C, K int
			At      string `json:"pass_at_k"`
			All     string `json:"pass_all_k"`
		} `json:"pass_at_k"`
		AllPass []struct {
			K     int
			Bound float64
		} `json:"all_pass_upper_bound_on_failure_95"`
		Evidence []struct {
			B, C int
			E    string
		} `json:"e_process"`
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	if len(o.BH)*len(o.PassK)*len(o.AllPass)*len(o.Evidence) == 0 {
		t.Fatal("an oracle has no example")
	}
	for _, c := range o.BH {
		for i, got := range BenjaminiHochberg(c.P) {
			near(t, "Benjamini–Hochberg", got, c.Adjusted[i], 6e-7)
		}
		backwards := slices.Clone(c.P)
		slices.Reverse(backwards)
		near(t, "the order of the argument", BenjaminiHochberg(backwards)[0], c.Adjusted[len(c.P)-1], 6e-7)
	}
	for _, c := range o.PassK {
		near(t, "pass@k", PassAtK(c.N, c.C, c.K), fraction(t, c.At), 1e-15)
		near(t, "pass^k", PassAllK(c.N, c.C, c.K), fraction(t, c.All), 1e-15)
	}
	for _, c := range o.AllPass {
		near(t, "bound of failure", AllPassBound(c.K, 0.95), c.Bound, 5e-4)
		low, _ := ClopperPearson(c.K, c.K, 0.90) // one side of it
		near(t, "bound of failure", AllPassBound(c.K, 0.95), 1-low, 1e-12)
	}
	for _, c := range o.Evidence {
		near(t, "evidence", Evidence(c.B, c.C), fraction(t, c.E), 1e-12)
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	for _, c := range [][3]int{{5, 3, 6}, {5, 3, 0}, {5, 6, 2}, {5, -1, 2}} {
		if got := PassAtK(c[0], c[1], c[2]); !math.IsNaN(got) {
			t.Errorf("PassAtK%v = %v", c, got)
		}
		if got := PassAllK(c[0], c[1], c[2]); !math.IsNaN(got) {
			t.Errorf("PassAllK%v = %v", c, got)
		}
	}
	if got := AllPassBound(0, 0.95); got != 1 {
		t.Errorf("after no attempt the bound is %v", got)
	}
	if got := Evidence(0, 0); math.Abs(got-1) > 1e-12 {
		t.Errorf("of no pair the evidence is %v", got)
	}
	if got := Evidence(4000, 1000); math.IsNaN(got) || got < 1e100 {
		t.Errorf("of many pairs the evidence is %v", got)
	}
}

// Where nothing has changed, evidence that is looked at after every pair reaches
// 1/α in at most a share α of all sequences.
func TestEvidenceMayBeLookedAtAnyTime(t *testing.T) {
	const sequences, pairs, alpha = 4000, 200, 0.05
	random := rand.New(rand.NewPCG(1, 2))
	alarms := 0
	for range sequences {
		b, c := 0, 0
		for range pairs {
			if random.IntN(2) == 0 {
				b++
			} else {
				c++
			}
			if Evidence(b, c) >= 1/alpha {
				alarms++
				break
			}
		}
	}
	rate := float64(alarms) / sequences
	if slack := 3 * math.Sqrt(alpha*(1-alpha)/sequences); rate > alpha+slack || rate == 0 {
		t.Errorf("a false alarm in %.3f of all sequences, at most %v is promised", rate, alpha)
	}
}
