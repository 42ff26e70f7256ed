package limit

import (
	"math"
	"time"
)

// pace is the share of the configured rates that is in force. A second at full
// pace is worth a second of inflow; at half the pace it takes two. A share that
// was lowered grows back by itself.
type pace struct {
	share float64       // 1: the limits as they are set
	at    time.Duration // the instant at which the share was that
}

const (
	// recovery is how many seconds the share takes to grow from 0 to 1.
	recovery = 60.0
	// lowestShare keeps a provider that refuses everything from stopping us: its
	// recovery would not be seen.
	lowestShare = 1.0 / 16
)

// lower halves the share.
func (p *pace) lower() { p.share = max(p.share/2, lowestShare) }

// advance goes on to now, and gives the seconds at full pace that this is worth.
func (p *pace) advance(now time.Duration) float64 {
	seconds := (now - p.at).Seconds()
	if seconds <= 0 {
		return 0
	}
	p.at = now
	if p.share == 1 {
		return seconds
	}
	rising := (1 - p.share) * recovery
	if seconds >= rising {
		worth := rising*(p.share+1)/2 + seconds - rising
		p.share = 1
		return worth
	}
	before := p.share
	p.share += seconds / recovery
	return seconds * (before + p.share) / 2
}

// until is how long it takes until so many seconds at full pace have passed. It is
// rounded up: at the end of it they have.
func (p *pace) until(worth float64) time.Duration {
	if worth <= 0 {
		return 0
	}
	seconds := worth
	if p.share < 1 {
		rising := (1 - p.share) * recovery
		if area := rising * (p.share + 1) / 2; worth >= area {
			seconds = rising + worth - area
		} else {
			// The area under the rising share: share·t + t²/(2·recovery) = worth.
			seconds = recovery * (math.Sqrt(p.share*p.share+2*worth/recovery) - p.share)
		}
	}
	const most = 1e9 // thirty years; a Duration holds nine times that
	return time.Duration(math.Ceil(min(seconds, most) * float64(time.Second)))
}
