package openai

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait that is believed.
const maxRetryAfter = 24 * time.Hour

// retryAfter is the wait that a server asks for, 0 if it asks for none:
// retry-after-ms, or Retry-After in seconds or as a date (RFC 9110, 10.2.3).
func retryAfter(header http.Header, now func() time.Time) time.Duration {
	if wait, ok := parseWait(header.Get("Retry-After-Ms"), time.Millisecond); ok {
		return wait
	}
	after := header.Get("Retry-After")
	if wait, ok := parseWait(after, time.Second); ok {
		return wait
	}
	if date, err := http.ParseTime(after); err == nil && now != nil {
		return min(max(date.Sub(now()), 0), maxRetryAfter)
	}
	return 0
}

// parseWait reads a number of units that is not negative, fractions included.
func parseWait(text string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n >= 0) {
		return 0, false
	}
	if n > float64(maxRetryAfter/unit) {
		return maxRetryAfter, true
	}
	return time.Duration(n * float64(unit)), true
}
