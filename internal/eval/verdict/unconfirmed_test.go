package verdict

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

// anewCase is what came of a flipped case, asked anew: p pass, f fail, e error.
type anewCase struct{ before, now string }

// confirmedBy judges a suite of so many cases, of which the first flipped for the worse and
// were asked anew.
func confirmedBy(t *testing.T, cases, times int, gate eval.Gate, anew []anewCase) eval.GateResult {
	b := newBench(gate)
	b.settings.Confirms, b.settings.Against = true, &eval.Comparison{}
	for i := range cases {
		if i < len(anew) {
			b.many(1, "p", "f")
		} else {
			b.many(1, "p", "p")
		}
	}
	tally := b.tally()
	tally.Flipped()
	again := newBench(gate)
	beside := &eval.Comparison{Asked: eval.Group{Planned: times * len(anew)}}
	for i, one := range anew {
		again.now(caseID5(i), one.now)
		judged := strings.ReplaceAll(one.before, "e", "")
		beside.MissingErrors += len(one.before) - len(judged)
		if judged != "" {
			again.before(caseID5(i), judged)
		}
	}
	again.header()
	again.settings.Pairs, again.settings.Against = true, beside
	tally.ConfirmBy(again.tally(), times)
	return gateOf(t, Judge([]*Tally{tally}, Options{}), "accuracy", eval.GateMaxDrop)
}

func caseID5(i int) string { return "c" + strings.Repeat("0", 4) + string(rune('0'+i)) }

// Whatever ends in an error, by chance or by whoever gains from it, the gate comes to what
// it would have come to with all answers there, or to nothing.
func TestWhatIsMissingDecidesNoConfirmation(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	lost := map[string]func(letter byte, now bool) float64{
		"by chance":                    func(byte, bool) float64 { return 0.1 },
		"the fails of the candidate":   func(letter byte, now bool) float64 { return when(letter == 'f' && now, 0.6) },
		"the passes of the baseline":   func(letter byte, now bool) float64 { return when(letter == 'p' && !now, 0.3) },
		"the passes of the candidate":  func(letter byte, now bool) float64 { return when(letter == 'p' && now, 0.6) },
		"one arm as a whole, one case": func(_ byte, now bool) float64 { return when(now, 0.9) },
	}
	for name, chance := range lost {
		t.Run(name, func(t *testing.T) {
			decided, blocked, words := 0, 0, map[eval.Word]int{}
			for range 400 {
				times := 1 + random.IntN(5)
				gate := maxDrop("accuracy", []float64{0, 0.05, 0.2}[random.IntN(3)])
				whole := make([]anewCase, 1+random.IntN(9))
				left := make([]anewCase, len(whole))
				only := random.IntN(len(whole))
				for i := range whole {
					whole[i].before, left[i].before = someAnew(random, times, 0.9, func(l byte) float64 { return chance(l, false) })
					whole[i].now, left[i].now = someAnew(random, times, 0.5*random.Float64(), func(l byte) float64 { return chance(l, true) })
					if strings.HasSuffix(name, "one case") && i != only {
						left[i] = whole[i]
					}
				}
				want, got := confirmedBy(t, 40, times, gate, whole), confirmedBy(t, 40, times, gate, left)
				if got.Word == eval.NotGated {
					blocked++
					continue
				}
				decided++
				words[got.Word]++
				if got.Pass != want.Pass || got.Word != want.Word && got.Word != eval.Inconclusive {
					t.Fatalf("%v asked %d times: %s, pass %v; with all there %s, pass %v\n%v\n%v\n%s", gate, times, got.Word, got.Pass, want.Word, want.Pass, whole, left, got.Note)
				}
			}
			if decided < 40 || blocked < 4 {
				t.Errorf("%d decided, %d not: %v", decided, blocked, words)
			}
		})
	}
}

func when(is bool, chance float64) float64 {
	if is {
		return chance
	}
	return 0
}

// someAnew draws so many answers, and the same with some lost.
func someAnew(random *rand.Rand, times int, passes float64, chance func(byte) float64) (whole, left string) {
	var w, l []byte
	for range times {
		letter := byte('f')
		if random.Float64() < passes {
			letter = 'p'
		}
		w = append(w, letter)
		if random.Float64() < chance(letter) {
			letter = 'e'
		}
		l = append(l, letter)
	}
	return string(w), string(l)
}
