package limit

// A bucket holds what may be taken now, and fills continuously.
//
// The limit of a minute holds in any 60 seconds, not only on the average: what
// may be taken in them is what was in the bucket when they began and what flows
// in during them. So the inflow is the limit less the highest level of the last
// 60 seconds. After a rest a part of the limit may go at once, and the rest of it
// flows in over the minute; who takes all there is keeps the level at 0 and gets
// the whole limit, evenly.
//
// Time is counted in seconds at full pace: see pace.
type bucket struct {
	inflow   float64 // per minute at level 0
	capacity float64
	level    float64 // below 0 after more was taken than there was

	// The highest level of the last spans, the current one first.
	high [spans]float64
	age  float64 // of the current span
}

const (
	// minute is how long the inflow of a minute takes: a second more than sixty,
	// because requests arrive closer together than they leave (the first has to
	// connect, the next finds the connection open).
	minute = 61.0
	// span is how long a highest level is kept for. The three before the current
	// one cover 60 seconds.
	span  = 20.0
	spans = 4
)

// whole is a bucket of things that are taken one at a time, of which a quarter
// may be taken at once. Of n and a fraction only n can be taken, so that the
// inflow may be one more.
func whole(limit int) (inflow, capacity float64) {
	return float64(limit) + 1, float64(max(1, limit/4))
}

// divisible is a bucket of things that come in any amount. Half may be taken at
// once: estimates are high, and what they hold of the bucket comes back.
func divisible(limit int) (inflow, capacity float64) {
	return float64(limit), float64(limit) / 2
}

func newBucket(inflow, capacity float64) *bucket {
	return &bucket{inflow: inflow, capacity: capacity, level: capacity, high: [spans]float64{capacity}}
}

// fit is the level at which so much may be taken: what is more than the bucket
// holds goes when it is full.
func (b *bucket) fit(n float64) float64 { return min(n, b.capacity) }

func (b *bucket) take(n float64) { b.level -= n }

// give puts back what was taken too much, or takes what was taken too little.
func (b *bucket) give(n float64) {
	b.level = min(b.capacity, b.level+n)
	b.high[0] = max(b.high[0], b.level)
}

// drain takes away what was saved up.
func (b *bucket) drain() { b.level = min(b.level, 0) }

// rate is the inflow per second, if levels older than so many spans are forgotten.
func (b *bucket) rate(spans int) float64 {
	highest := 0.0
	for _, high := range b.high[:spans] {
		highest = max(highest, high)
	}
	return (b.inflow - highest) / minute
}

// refill lets seconds pass.
func (b *bucket) refill(seconds float64) {
	for seconds > 0 && b.level < b.capacity {
		step := min(seconds, span-b.age)
		b.level = min(b.capacity, b.level+step*b.rate(spans))
		seconds -= step
		if b.age += step; b.age >= span {
			copy(b.high[1:], b.high[:])
			b.high[0], b.age = 0, 0
		}
		b.high[0] = max(b.high[0], b.level)
	}
}

// after is how many seconds it takes at least until the level is n, if nothing
// is put back.
func (b *bucket) after(n float64) float64 {
	missing := n - b.level
	if missing <= 0 {
		return 0
	}
	seconds, left := 0.0, span-b.age
	for known := spans; known > 0; known-- {
		rate := b.rate(known)
		if missing <= rate*left {
			return seconds + missing/rate
		}
		missing -= rate * left
		seconds += left
		left = span
	}
	return seconds + missing/b.inflow*minute
}
