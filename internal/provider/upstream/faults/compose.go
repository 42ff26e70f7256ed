package faults

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Then behaves as each of them for one of the requests that come to it, and as the
// last from then on.
func Then(each ...Behaviour) Behaviour {
	var came atomic.Int64
	return func(x *Exchange) { each[min(int(came.Add(1)), len(each))-1](x) }
}

// Every behaves as b at every nth request that comes to it (the nth, the 2nth, …),
// else as other.
func Every(n int, b, other Behaviour) Behaviour {
	var came atomic.Int64
	return func(x *Exchange) {
		if came.Add(1)%int64(max(n, 1)) == 0 {
			b(x)
			return
		}
		other(x)
	}
}

// Until behaves as b in the first d of the server's life, then as healthy.
func Until(d time.Duration, b, healthy Behaviour) Behaviour {
	return func(x *Exchange) {
		if x.Since() < d {
			b(x)
			return
		}
		healthy(x)
	}
}

// Flaps is down for down, healthy for up, and so on, from the server's start.
func Flaps(down, up time.Duration, b, healthy Behaviour) Behaviour {
	return func(x *Exchange) {
		if x.Since()%(down+up) < down {
			b(x)
			return
		}
		healthy(x)
	}
}

// Random behaves at the given rate (0 to 1) as one of faults, else as healthy. What
// happens at which attempt depends on the seed alone.
func Random(seed uint64, rate float64, healthy Behaviour, faults ...Behaviour) Behaviour {
	return func(x *Exchange) {
		draw := rand.New(rand.NewPCG(seed, uint64(x.N)))
		if draw.Float64() < rate {
			faults[draw.IntN(len(faults))](x)
			return
		}
		healthy(x)
	}
}

// Kinds are faults of every kind that another attempt, or another model, gets over,
// and oddities that are none; those that only take time take slow.
func Kinds(slow time.Duration) []Behaviour {
	return []Behaviour{
		Refuse(429), RetryAfter(429, slow), Refuse(500), Refuse(502), Refuse(503), Refuse(504), Refuse(529), RetryAfter(503, slow),
		Reset(), Close(), Silent(), NotHTTP(),
		SlowFirstToken(slow), SlowHeaders(slow), After(slow, OK()),
		Cut(0, false), Cut(0.1, false), Cut(2./3, false), Cut(2./3, true), Cut(0.999, false),
		Stall(0), Stall(3), Broken(), NoEnd(), FailsMidway(),
		Noise(), NoMarker(), NoUsage(), Reasons(),
		HTML(), GzipGarbage(), Endless(64<<20, true), Comments(slow / 4),
	}
}
