package price

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestParseUSD(t *testing.T) {
	tests := map[string]llm.Money{
		"0.15": 150_000_000, "0.075": 75_000_000, "20": 20_000_000_000, "0": 0, "0.000000001": 1,
		"1000000": 1_000_000_000_000_000, "2.50": 2_500_000_000, "0.100000000000": 100_000_000, "007.5": 7_500_000_000,
		"0.29": 290_000_000, // 0.29 × 10⁹ in floating point is 289999999.99…
	}
	for text, want := range tests {
		if got, err := ParseUSD(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "1_000", "1,5", " 1", "$1", "0x1", "1.2.3", "0.0000000001", "1000001", strings.Repeat("9", 400), "١", "NaN"} {
		got, err := ParseUSD(text)
		if err == nil || fault.ClassOf(err) != fault.Invalid {
			t.Errorf("%q: got %d, %v; want an error of class invalid", text, got, err)
		}
		if err != nil && len(err.Error()) > 150 {
			t.Errorf("%.20q: the message repeats all of it", text)
		}
	}
}

func TestCost(t *testing.T) {
	small := Price{Input: 150_000_000, CachedInput: 75_000_000, Output: 600_000_000, Known: true}
	tests := []struct {
		name  string
		price Price
		usage llm.Usage
		want  llm.Cost
	}{
		{"input and output", small, llm.Usage{Input: 1000, Output: 100}, llm.KnownCost(150_000 + 60_000)},
		{"cached input is priced apart", small, llm.Usage{Input: 1000, CachedInput: 400}, llm.KnownCost(90_000 + 30_000)},
		{"reasoning is part of the output", small, llm.Usage{Output: 100, Reasoning: 90}, llm.KnownCost(60_000)},
		{"nothing", small, llm.Usage{}, llm.KnownCost(0)},
		{"rounded half up", Price{Input: 1, Known: true}, llm.Usage{Input: 500_000}, llm.KnownCost(1)},
		{"rounded down below", Price{Input: 1, Known: true}, llm.Usage{Input: 499_999}, llm.KnownCost(0)},
		{"rounded once, not a part at a time", Price{Input: 1, CachedInput: 1, Output: 1, Known: true}, llm.Usage{Input: 400_000, CachedInput: 200_000, Output: 200_000}, llm.KnownCost(1)},
		{"negative counts", small, llm.Usage{Input: -5, CachedInput: -3, Output: -1}, llm.KnownCost(0)},
		{"more cached than read", small, llm.Usage{Input: 1000, CachedInput: 5000}, llm.KnownCost(75_000)},
		{"absurd counts", small, llm.Usage{Input: math.MaxInt64}, llm.KnownCost(150_000_000 * 1_000_000)},
		{"beyond what money holds", Price{Input: math.MaxInt64, CachedInput: math.MaxInt64, Output: math.MaxInt64, Known: true}, llm.Usage{Input: math.MaxInt64, Output: math.MaxInt64}, llm.KnownCost(math.MaxInt64)},
		{"just beyond what money holds", Price{Input: math.MaxInt64, Known: true}, llm.Usage{Input: 1_000_001}, llm.KnownCost(math.MaxInt64)},
		{"the first sum whose quotient needs more than 64 bits", Price{Input: 18_446_744_073_710, Known: true}, llm.Usage{Input: mostTokens}, llm.KnownCost(math.MaxInt64)},
		{"free is not unknown", Price{Known: true}, llm.Usage{Input: 1}, llm.KnownCost(0)},
		{"unknown stays unknown", Price{Input: 5}, llm.Usage{Input: 1}, llm.Cost{}},
	}
	for _, test := range tests {
		if got := test.price.Cost(test.usage); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestCostProperties holds the cost against exact arithmetic, and checks that more
// tokens never cost less and that splitting a usage changes only the rounding.
func TestCostProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		p := Price{Input: amount(random), CachedInput: amount(random), Output: amount(random), Known: true}
		u, v := usage(random), usage(random)
		a, b := p.Cost(u).Amount, p.Cost(v).Amount
		if want := exact(p, u); a != want {
			t.Fatalf("%+v under %+v: got %d, want %d", u, p, a, want)
		}
		sum := p.Cost(u.Plus(v)).Amount
		if sum < a+b-1 || sum > a+b+1 {
			t.Fatalf("%+v and %+v under %+v: together %d, apart %d and %d", u, v, p, sum, a, b)
		}
		if sum < a || sum < b {
			t.Fatalf("%+v and %+v under %+v: more tokens cost less", u, v, p)
		}
	}
}

func amount(random *rand.Rand) llm.Money { return llm.Money(random.Int64N(1 << random.IntN(40))) }

func usage(random *rand.Rand) llm.Usage {
	input := random.Int64N(1 << random.IntN(24))
	return llm.Usage{Input: input, CachedInput: random.Int64N(input + 1), Output: random.Int64N(1 << random.IntN(24))}
}

func exact(p Price, u llm.Usage) llm.Money {
	sum := new(big.Int)
	for _, part := range [][2]int64{{u.Input - u.CachedInput, int64(p.Input)}, {u.CachedInput, int64(p.CachedInput)}, {u.Output, int64(p.Output)}} {
		sum.Add(sum, new(big.Int).Mul(big.NewInt(part[0]), big.NewInt(part[1])))
	}
	sum.Add(sum, big.NewInt(500_000))
	return llm.Money(sum.Div(sum, big.NewInt(1_000_000)).Int64())
}

func TestOf(t *testing.T) {
	got, err := Of("0.15", "0.60", "0.075")
	if want := (Price{Input: 150_000_000, CachedInput: 75_000_000, Output: 600_000_000, Known: true}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if got, err := Of("2", "4", ""); err != nil || got.CachedInput != got.Input {
		t.Errorf("without a cached price: got %+v, %v", got, err)
	}
	for _, bad := range [][3]string{{"x", "1", "1"}, {"1", "x", "1"}, {"1", "1", "x"}} {
		if got, err := Of(bad[0], bad[1], bad[2]); err == nil || got.Known {
			t.Errorf("%v: got %+v, want an error and an unknown price", bad, got)
		}
	}
}

func TestTable(t *testing.T) {
	known, ok := Lookup("gpt-4o-mini")
	if want := (Price{Input: 150_000_000, CachedInput: 75_000_000, Output: 600_000_000, Known: true}); !ok || known != want {
		t.Errorf("gpt-4o-mini: got %+v, %t", known, ok)
	}
	if snapshot, ok := Lookup("gpt-4o-2024-08-06"); !ok || snapshot.Input != 2_500_000_000 {
		t.Errorf("gpt-4o-2024-08-06: got %+v, %t", snapshot, ok)
	}
	if first, ok := Lookup("gpt-4o-2024-05-13"); !ok || first.Input != 5_000_000_000 {
		t.Errorf("gpt-4o-2024-05-13 has its own price: got %+v, %t", first, ok)
	}
	for _, unlisted := range []string{"", "gpt-4o-2031-01-01", "openai/gpt-4o", "GPT-4o", "llama3"} {
		if got, ok := Lookup(unlisted); ok || got.Known {
			t.Errorf("%q: got %+v, want unknown", unlisted, got)
		}
	}
	if _, err := time.Parse(time.DateOnly, Checked()); err != nil {
		t.Error(err)
	}
	names := Models()
	if len(names) < 30 || !slices.IsSorted(names) {
		t.Errorf("%d names, sorted %t", len(names), slices.IsSorted(names))
	}
	for _, name := range names {
		p, _ := Lookup(name)
		if p.Input <= 0 || p.Output < p.Input || p.CachedInput <= 0 || p.CachedInput > p.Input {
			t.Errorf("%s: a price that cannot be: %+v", name, p)
		}
	}
}

func TestReadTableRefuses(t *testing.T) {
	tests := map[string]string{
		`{"models": [{"names": ["a"], "source": "x", "input": "1", "output": "1"}]}`:                             "not listed",
		`{"sources": {"x": "y"}, "models": [{"names": ["a"], "source": "x", "input": "1", "output": "1.x"}]}`:    "1.x",
		`{"sources": {"x": "y"}, "models": [{"names": ["a", "a"], "source": "x", "input": "1", "output": "1"}]}`: "twice",
		`{"sourcse": {}}`: "unknown field",
	}
	for text, want := range tests {
		if _, _, err := readTable([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func FuzzParseUSD(f *testing.F) {
	for _, seed := range []string{"0.15", "1e3", "999999.999999999", "-0", "1."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseUSD(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || want.Cmp(big.NewRat(int64(got), int64(llm.USD))) != 0 {
			t.Fatalf("%q: got %d nano-USD", text, got)
		}
	})
}
