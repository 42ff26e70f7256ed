package limit

import "time"

// places bound the attempts under way. The bound is halved when the provider says
// that it is too much, and grows by one with every round of successes (additive
// increase, multiplicative decrease: Chiu and Jain 1989, and TCP since).
type places struct {
	set   float64 // as configured; 0: no bound
	limit float64 // in force; 0: no bound
	taken int

	ceiling float64       // where growth ends: the bound is as configured again
	at      time.Duration // the instant of the last lowering
}

// forgotten is how long after the last lowering the bound is as configured again,
// also where too little was asked for it to grow.
const forgotten = 5 * time.Minute

func (p *places) free() bool {
	return p.limit == 0 || p.taken < max(1, int(p.limit))
}

// lower halves the bound, and takes it to what is under way if that is less.
// Where there was no bound it becomes half of what is under way.
func (p *places) lower(now time.Duration) {
	under := float64(p.taken)
	half := min(p.limit/2, under)
	switch {
	case p.limit == 0:
		half, p.ceiling = under/2, under
	case p.limit == p.set:
		p.ceiling = p.set
	}
	p.limit, p.at = max(1, half), now
}

// grow counts a success.
func (p *places) grow() {
	if p.limit == p.set {
		return
	}
	if p.limit += 1 / p.limit; p.limit >= p.ceiling {
		p.limit = p.set
	}
}

// forget lifts a bound that was lowered long ago.
func (p *places) forget(now time.Duration) {
	if p.limit != p.set && now-p.at >= forgotten {
		p.limit = p.set
	}
}
