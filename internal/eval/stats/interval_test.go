package stats

import (
	"math"
	"testing"
)

// With one repeat the interval of the differences is Bonett and Price's.
func TestIntervalIsBonettAndPrice(t *testing.T) {
	for _, test := range []struct{ down, up, n int }{{0, 0, 10}, {12, 0, 40}, {3, 7, 25}, {209, 152, 1319}} {
		var d Differences
		d.Add(-1, test.down)
		d.Add(1, test.up)
		d.Add(0, test.n-test.down-test.up)
		low, high := d.Interval(0.95)
		wantLow, wantHigh := BonettPrice(test.down, test.up, test.n, 0.95)
		if math.Abs(low-wantLow) > 1e-12 || math.Abs(high-wantHigh) > 1e-12 {
			t.Errorf("%+v: %v … %v, want %v … %v", test, low, high, wantLow, wantHigh)
		}
	}
	if low, high := (Differences{N: 4, Clusters: 4, Sum: -4, Squares: 4, Cross: -4, Sizes: 4}).Clustered(0.95); low != -1 || high != -1 {
		t.Errorf("four equal differences: %v … %v", low, high)
	}
	// −0.5 and −0.1 five times each: mean −0.3, s² = 0.04·10/9, se = √(s²/10)
	var d Differences
	d.Add(-0.5, 5)
	d.Add(-0.1, 5)
	se := math.Sqrt(0.04 * 10 / 9 / 10)
	if low, high := d.Clustered(0.95); math.Abs(low-(-0.3-1.959964*se)) > 1e-6 || math.Abs(high-(-0.3+1.959964*se)) > 1e-6 {
		t.Errorf("%v … %v", low, high)
	}
}
