package limit

import "time"

// longestPause bounds what a provider can ask for, so that one odd header does not
// stop everything for an hour. After it the provider is asked again, and may ask
// for the next pause.
const longestPause = time.Minute

// learn changes the limits by how an attempt ended, and reports whether waiters
// may have become hopeless by that.
func (l *Limiter) learn(now time.Duration, epoch int, learned lesson) (changed bool) {
	// What began before the last lowering says nothing of the limits since: a burst
	// that is refused lowers them once.
	if epoch == l.lowered {
		switch {
		case learned.good:
			l.places.grow()
		case learned.tooMuch:
			l.lower(now)
			changed = true
		}
	}
	if until := min(learned.pause, now+longestPause); until > max(l.paused, now) {
		l.paused = until
		changed = true
	}
	return changed
}

// lower halves the limits and gives up what was saved.
func (l *Limiter) lower(now time.Duration) {
	l.lowered++
	l.pace.lower()
	l.places.lower(now)
	if l.requests != nil {
		l.requests.drain()
	}
	if l.tokens != nil {
		l.tokens.drain()
	}
}
