package scorer

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

func TestParseDecimalRefuses(t *testing.T) {
	for _, text := range []string{"", "-", "+", ".", "e5", "1e", "1e1.5", "1,000", "0x10", " 1", "1 ", "--1", "1.2.3", "NaN", "1e99999999999", "1e2000000", strings.Repeat("9", 1001)} {
		if d, ok := parseDecimal(text); ok {
			t.Errorf("%q is read as %+v", text, d)
		}
	}
}

func TestDecimalsCompareAsNumbers(t *testing.T) {
	rising := []string{"-1e9", "-10.5", "-10", "-9.99", "-0.001", "0", "1e-9", "0.001", "0.1", "0.10000001", "1", "9.99", "10", "10.5", "99", "100", "1e9"}
	for i, a := range rising {
		for j, b := range rising {
			d, _ := parseDecimal(a)
			e, _ := parseDecimal(b)
			if got, want := d.compare(e), sign(i-j); got != want {
				t.Errorf("compare(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"1", "1.0"}, {"-0", "0.00"}, {"0e5", "0"}, {"10", "1e1"}, {"0.5", ".5"}, {"+5.", "5"}, {"1200", "0.0012e6"}, {"007", "7"}} {
		if !sameNumber(same[0], same[1]) {
			t.Errorf("%s and %s are not the same", same[0], same[1])
		}
	}
}

// The oracle is math/big.
func FuzzDecimal(f *testing.F) {
	for _, seed := range [][2]string{{"1", "1.0"}, {"-0.10", "1e-1"}, {"120e-3", ".12"}, {"9007199254740993", "9007199254740992"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 40 || len(b) > 40 {
			return
		}
		d, ok := parseDecimal(a)
		e, also := parseDecimal(b)
		if json.Valid([]byte(a)) && !strings.ContainsAny(a, "eE\"[{tfn \t\r\n") && !ok {
			t.Fatalf("%q is a JSON number and was refused", a)
		}
		if !ok || !also || d.exp > 300 || d.exp < -300 || e.exp > 300 || e.exp < -300 {
			return
		}
		r, fine := new(big.Rat).SetString(a)
		s, good := new(big.Rat).SetString(b)
		if !fine || !good {
			t.Fatalf("%q or %q is no number to math/big", a, b)
		}
		if got, want := d.compare(e), r.Cmp(s); got != want {
			t.Fatalf("compare(%q, %q) = %d, want %d", a, b, got, want)
		}
		if exact, ok := d.rat(); !ok || exact.Cmp(r) != 0 {
			t.Fatalf("rat(%q) = %v, want %v", a, exact, r)
		}
	})
}
