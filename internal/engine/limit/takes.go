package limit

import "time"

// TakesRequests is about how long it takes until so many requests are let through
// that come at once, by the requests per minute alone.
func (s Settings) TakesRequests(n int) time.Duration {
	if s.RPM <= 0 {
		return 0
	}
	inflow, capacity := whole(s.RPM)
	return filling(float64(n), inflow, capacity, 1)
}

// TakesTokens is about how long it takes until requests of so many tokens altogether
// are let through, by the tokens per minute alone.
func (s Settings) TakesTokens(n int64) time.Duration {
	if s.TPM <= 0 {
		return 0
	}
	inflow, capacity := divisible(s.TPM)
	return filling(float64(n), inflow, capacity, 0)
}

// filling is how long a full bucket needs to give so much, in pieces: what it holds at
// once, the rest of a minute's inflow within that minute, and in every further minute
// an inflow less the level at which a piece is taken.
func filling(n, inflow, capacity, piece float64) time.Duration {
	minutes := 0.0
	switch {
	case n > inflow:
		minutes = 1 + (n-inflow)/(inflow-piece)
	case n > capacity:
		minutes = (n - capacity) / (inflow - capacity)
	}
	const most = 1e9 // seconds; see pace.until
	return time.Duration(min(minutes*minute, most) * float64(time.Second))
}
