package price

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

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
	small := Price{Rates: Rates{Input: 150_000_000, CachedInput: 75_000_000, Output: 600_000_000}, Known: true}
	tiered := Price{
		Rates: Rates{Input: 1_000_000, CachedInput: 100_000, Output: 5_000_000},
		Long:  LongContext{Above: 1000, Rates: Rates{Input: 2_000_000, CachedInput: 200_000, Output: 8_000_000}},
		Known: true,
	}
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
		{"rounded half up", Price{Rates: Rates{Input: 1}, Known: true}, llm.Usage{Input: 500_000}, llm.KnownCost(1)},
		{"rounded down below", Price{Rates: Rates{Input: 1}, Known: true}, llm.Usage{Input: 499_999}, llm.KnownCost(0)},
		{"rounded once, not a part at a time", Price{Rates: Rates{Input: 1, CachedInput: 1, Output: 1}, Known: true}, llm.Usage{Input: 400_000, CachedInput: 200_000, Output: 200_000}, llm.KnownCost(1)},
		{"negative counts", small, llm.Usage{Input: -5, CachedInput: -3, Output: -1}, llm.KnownCost(0)},
		{"more cached than read", small, llm.Usage{Input: 1000, CachedInput: 5000}, llm.KnownCost(75_000)},
		{"absurd counts", small, llm.Usage{Input: math.MaxInt64}, llm.KnownCost(150_000_000 * 1_000_000)},
		{"beyond what money holds", Price{Rates: Rates{Input: math.MaxInt64, CachedInput: math.MaxInt64, Output: math.MaxInt64}, Known: true}, llm.Usage{Input: math.MaxInt64, Output: math.MaxInt64}, llm.KnownCost(math.MaxInt64)},
		{"just beyond what money holds", Price{Rates: Rates{Input: math.MaxInt64}, Known: true}, llm.Usage{Input: 1_000_001}, llm.KnownCost(math.MaxInt64)},
		{"the first sum whose quotient needs more than 64 bits", Price{Rates: Rates{Input: 18_446_744_073_710}, Known: true}, llm.Usage{Input: mostTokens}, llm.KnownCost(math.MaxInt64)},
		{"free is not unknown", Price{Known: true}, llm.Usage{Input: 1}, llm.KnownCost(0)},
		{"as long as the tier's edge is not above it", tiered, llm.Usage{Input: 1000, Output: 10}, llm.KnownCost(1000 + 50)},
		{"above it all tokens cost more, not only those beyond", tiered, llm.Usage{Input: 1001, Output: 10}, llm.KnownCost(2002 + 80)},
		{"cached tokens count towards the edge, and have a price of their own above it", tiered, llm.Usage{Input: 1010, CachedInput: 1000}, llm.KnownCost(20 + 200)},
		{"the output does not count towards the edge", tiered, llm.Usage{Input: 1, Output: 2000}, llm.KnownCost(1 + 10_000)},
		{"absurd counts above the edge", tiered, llm.Usage{Input: math.MaxInt64}, llm.KnownCost(2_000_000 * 1_000_000)},
		{"unknown stays unknown, above an edge too", Price{Long: tiered.Long}, llm.Usage{Input: 2000}, llm.Cost{}},
		{"unknown stays unknown", Price{Rates: Rates{Input: 5}}, llm.Usage{Input: 1}, llm.Cost{}},
	}
	for _, test := range tests {
		if got := test.price.Cost(test.usage); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestCostIsExact holds the cost against arithmetic in fractions.
func TestCostIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		p, u := Price{Rates: rates(random), Known: true}, usage(random)
		if random.IntN(2) == 0 {
			p.Long = LongContext{Above: 1 + random.Int64N(1<<24), Rates: rates(random)}
			if random.IntN(4) == 0 { // at the edge, where a slip would show
				p.Long.Above = max(1, u.Input-1+random.Int64N(3))
			}
		}
		if got, want := p.Cost(u).Amount, exact(p, u); got != want {
			t.Fatalf("%+v under %+v: got %d, want %d", u, p, got, want)
		}
	}
}

// TestCostProperties checks that more tokens never cost less, and that splitting a
// usage changes only the rounding where there is no tier.
func TestCostProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		p := Price{Rates: rates(random), Known: true}
		u, v := usage(random), usage(random)
		a, b, sum := p.Cost(u).Amount, p.Cost(v).Amount, p.Cost(u.Plus(v)).Amount
		if sum < a+b-1 || sum > a+b+1 {
			t.Fatalf("%+v and %+v under %+v: together %d, apart %d and %d", u, v, p, sum, a, b)
		}
		p.Long = LongContext{Above: 1 + random.Int64N(1<<24), Rates: Rates{Input: 2 * p.Input, CachedInput: 2 * p.CachedInput, Output: 2 * p.Output}}
		if sum := p.Cost(u.Plus(v)).Amount; sum < p.Cost(u).Amount || sum < p.Cost(v).Amount {
			t.Fatalf("%+v and %+v under %+v: more tokens cost less", u, v, p)
		}
	}
}

func rates(random *rand.Rand) Rates {
	amount := func() llm.Money { return llm.Money(random.Int64N(1 << random.IntN(40))) }
	return Rates{Input: amount(), CachedInput: amount(), Output: amount()}
}

func usage(random *rand.Rand) llm.Usage {
	input := random.Int64N(1 << random.IntN(24))
	return llm.Usage{Input: input, CachedInput: random.Int64N(input + 1), Output: random.Int64N(1 << random.IntN(24))}
}

// exact is the cost by the rule, said another way: a fraction of a nano-USD, half up.
func exact(p Price, u llm.Usage) llm.Money {
	r := p.Rates
	if edge := p.Long.Above; edge != 0 && !(u.Input <= edge) {
		r = p.Long.Rates
	}
	sum := big.NewRat(1, 2)
	for _, part := range []struct {
		tokens int64
		price  llm.Money
	}{{u.Input - u.CachedInput, r.Input}, {u.CachedInput, r.CachedInput}, {u.Output, r.Output}} {
		each := big.NewRat(int64(part.price), 1_000_000)
		sum.Add(sum, each.Mul(each, new(big.Rat).SetInt64(part.tokens)))
	}
	return llm.Money(new(big.Int).Div(sum.Num(), sum.Denom()).Int64())
}

func TestOf(t *testing.T) {
	got, err := Of("0.15", "0.60", "0.075")
	if want := (Price{Rates: Rates{Input: 150_000_000, CachedInput: 75_000_000, Output: 600_000_000}, Known: true}); err != nil || got != want {
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

func TestWithLongContext(t *testing.T) {
	base, err := Of("1.25", "10", "0.125")
	if err != nil {
		t.Fatal(err)
	}
	got, err := base.WithLongContext(200_000, "2.50", "15", "0.25")
	want := base
	want.Long = LongContext{Above: 200_000, Rates: Rates{Input: 2_500_000_000, CachedInput: 250_000_000, Output: 15_000_000_000}}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if got, err := base.WithLongContext(1, "2", "15", ""); err != nil || got.Long.CachedInput != got.Long.Input {
		t.Errorf("without a cached price, cached tokens cost what other long ones do: got %+v, %v", got, err)
	}
	for _, bad := range []struct {
		above                 int64
		input, output, cached string
	}{{0, "1", "1", "1"}, {-1, "1", "1", "1"}, {1, "x", "1", "1"}, {1, "1", "", "1"}, {1, "1", "1", "x"}} {
		if got, err := base.WithLongContext(bad.above, bad.input, bad.output, bad.cached); fault.ClassOf(err) != fault.Invalid || got.Known {
			t.Errorf("%v: got %+v, %v; want an error of class invalid and an unknown price", bad, got, err)
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
