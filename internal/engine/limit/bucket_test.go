package limit

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestABucketIsNeverMoreThanFull(t *testing.T) {
	b := newBucket(divisible(100))
	b.take(30)
	b.refill(100)
	b.give(30)
	if b.level != 50 {
		t.Errorf("level %v of 50", b.level)
	}
}

// after and refill are two ways to the same instant.
func TestABucketIsFilledWhenItSays(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		b := newBucket(whole(1 + draw.IntN(1000)))
		for range draw.IntN(10) {
			b.refill(draw.Float64() * 50)
			b.take(draw.Float64() * b.capacity)
		}
		want := b.capacity * draw.Float64()
		seconds, looks := 0.0, 0
		for ; b.level < want-1e-6 && looks < 10; looks++ {
			wait := b.after(want)
			b.refill(wait / 2)
			if b.level > want {
				t.Fatalf("level %v after half the wait for %v", b.level, want)
			}
			b.refill(wait / 2)
			seconds += wait
		}
		// A level that is high when a span ends keeps the inflow low: then it looks again.
		if looks > 5 {
			t.Errorf("%d looks in %vs for level %v, now %v", looks, seconds, want, b.level)
		}
	}
}

// until and advance are two ways to the same instant, also across the end of the recovery.
func TestAPaceIsThereWhenItSays(t *testing.T) {
	for _, share := range []float64{1, 0.5, 0.25, lowestShare} {
		for _, worth := range []float64{0, 0.001, 1, 10, 20, 100} {
			p := pace{share: share}
			wait := p.until(worth)
			got := p.advance(wait/3) + p.advance(wait)
			if math.Abs(got-worth) > 1e-6 {
				t.Errorf("from %v: %v are worth %v, want %v", share, wait, got, worth)
			}
		}
	}
	p := pace{share: 1}
	if wait := p.until(math.Inf(1)); wait <= 0 {
		t.Errorf("for ever is %v", wait)
	}
	if p.advance(-time.Second) != 0 || p.at != 0 {
		t.Error("an instant that is past was gone to")
	}
}

func TestABoundIsHalved(t *testing.T) {
	for name, test := range map[string]struct {
		set, limit float64
		taken      int
		want       float64
	}{
		"all places are taken":                {64, 64, 64, 32},
		"few places are taken":                {64, 64, 3, 3},
		"lowered before":                      {64, 16, 16, 8},
		"no bound":                            {0, 0, 10, 5},
		"no bound, one under way":             {0, 0, 1, 1},
		"no bound, lowered before":            {0, 8, 8, 4},
		"one place":                           {1, 1, 1, 1},
		"more under way than are now allowed": {64, 4, 20, 2},
	} {
		p := places{set: test.set, limit: test.limit, taken: test.taken, ceiling: 64}
		if p.lower(0); p.limit != test.want {
			t.Errorf("%s: %v, want %v", name, p.limit, test.want)
		}
	}
}
