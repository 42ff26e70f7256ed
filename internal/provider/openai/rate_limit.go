package openai

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// maxRetryAfter is the longest wait that is believed.
const maxRetryAfter = 24 * time.Hour

// retryAfter is the wait that a server asks for, 0 if it asks for none:
// retry-after-ms, or Retry-After in seconds or as a date (RFC 9110, 10.2.3). A 429
// without either means the limit that is used up, until it is whole again.
func retryAfter(status int, header http.Header, now func() time.Time) time.Duration {
	if wait, ok := parseNumber(header.Get("Retry-After-Ms"), time.Millisecond); ok {
		return wait
	}
	if wait, ok := parseWait(header.Get("Retry-After"), now); ok {
		return wait
	}
	if limits := rateLimit(header, now); limits != nil && status == http.StatusTooManyRequests {
		return untilWhole(limits)
	}
	return 0
}

// untilWhole is the wait for the limits that are used up, the longest of them.
func untilWhole(limits *llm.RateLimit) time.Duration {
	wait := time.Duration(0)
	if limits.RemainingRequests == 0 {
		wait = limits.ResetRequests
	}
	if limits.RemainingTokens == 0 {
		wait = max(wait, limits.ResetTokens)
	}
	return wait
}

// rateLimit is what the head of an answer says of the server's limits, nil where
// it says nothing that can be read: OpenAI's headers, which most servers took
// over, or Anthropic's, which some proxies pass on.
func rateLimit(header http.Header, now func() time.Time) *llm.RateLimit {
	limits := llm.RateLimit{
		RemainingRequests: remaining(header, "X-Ratelimit-Remaining-Requests", "Anthropic-Ratelimit-Requests-Remaining"),
		RemainingTokens:   remaining(header, "X-Ratelimit-Remaining-Tokens", "Anthropic-Ratelimit-Tokens-Remaining"),
		ResetRequests:     reset(header, now, "X-Ratelimit-Reset-Requests", "Anthropic-Ratelimit-Requests-Reset"),
		ResetTokens:       reset(header, now, "X-Ratelimit-Reset-Tokens", "Anthropic-Ratelimit-Tokens-Reset"),
	}
	if limits == (llm.RateLimit{RemainingRequests: -1, RemainingTokens: -1}) {
		return nil
	}
	return &limits
}

// remaining is the first of the headers that is a count, else -1.
func remaining(header http.Header, names ...string) int64 {
	for _, name := range names {
		if n, err := strconv.ParseInt(strings.TrimSpace(header.Get(name)), 10, 64); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}

// reset is the first of the headers that is a wait, else 0.
func reset(header http.Header, now func() time.Time, names ...string) time.Duration {
	for _, name := range names {
		if wait, ok := parseWait(header.Get(name), now); ok {
			return wait
		}
	}
	return 0
}

// parseWait reads a wait in any of the forms that servers write it in: seconds,
// "6m0s", or a date of HTTP or RFC 3339, which is 0 when it is past.
func parseWait(text string, now func() time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, false
	}
	if wait, ok := parseNumber(text, time.Second); ok {
		return wait, true
	}
	if wait, err := time.ParseDuration(text); err == nil && wait >= 0 {
		return min(wait, maxRetryAfter), true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		date, err = time.Parse(time.RFC3339, text)
	}
	if err != nil || now == nil {
		return 0, false
	}
	return min(max(date.Sub(now()), 0), maxRetryAfter), true
}

// parseNumber reads a number of units that is not negative, fractions included.
func parseNumber(text string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil && n == 0 || !(n >= 0) { // out of range it is infinite, and an error
		return 0, false
	}
	if n > float64(maxRetryAfter/unit) {
		return maxRetryAfter, true
	}
	return time.Duration(n * float64(unit)), true
}
