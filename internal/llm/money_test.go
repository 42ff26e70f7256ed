package llm

import "testing"

func TestMoneyPrintsWhatMatters(t *testing.T) {
	for amount, want := range map[Money]string{
		0: "$0.00", 1: "$0.000000001", 300: "$0.000000300", 28_600: "$0.0000286", 49_050: "$0.0000491", 30_000: "$0.0000300",
		6_186_000: "$0.00619", 10_000_000: "$0.0100", 500_000_000: "$0.500", 999_999_999: "$1.000",
		USD: "$1.00", 1_234_567_890: "$1.23", -2 * USD: "-$2.00", 1_000_000 * USD: "$1000000.00",
	} {
		if got := amount.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(amount), got, want)
		}
	}
}

func TestUnknownCostStaysUnknown(t *testing.T) {
	sum := KnownCost(5).Plus(Cost{}).Plus(KnownCost(7))
	if sum.Known || sum.String() != "unknown" {
		t.Errorf("got %v, want unknown: one part of it is", sum)
	}
	if sum := KnownCost(5).Plus(KnownCost(7)); sum != KnownCost(12) {
		t.Errorf("got %v, want 12", sum)
	}
}
