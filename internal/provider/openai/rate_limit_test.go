package openai

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var today = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestRetryAfter(t *testing.T) {
	const (
		after, millis          = "retry-after", "retry-after-ms"
		requests, untilRequest = "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"
		tokens, untilTokens    = "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"
	)
	for name, test := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"none":                     {nil, 0},
		"empty":                    {headers(after, ""), 0},
		"seconds":                  {headers(after, "20"), 20 * time.Second},
		"no seconds":               {headers(after, "0"), 0},
		"fraction":                 {headers(after, " 0.5 "), 500 * time.Millisecond},
		"exponent":                 {headers(after, "1e1"), 10 * time.Second},
		"milliseconds":             {headers(after, "20", millis, "1500"), 1500 * time.Millisecond},
		"milliseconds, a fraction": {headers(millis, "0.5"), 500 * time.Microsecond},
		"with its unit":            {headers(after, "1m30s"), 90 * time.Second},
		"date":                     {headers(after, "Fri, 02 Jan 2026 03:04:35 GMT"), 30 * time.Second},
		"date with spaces":         {headers(after, "  Fri, 02 Jan 2026 03:04:35 GMT "), 30 * time.Second},
		"date of RFC 850":          {headers(after, "Friday, 02-Jan-26 03:04:35 GMT"), 30 * time.Second},
		"date of asctime":          {headers(after, "Fri Jan  2 03:04:35 2026"), 30 * time.Second},
		"date of RFC 3339":         {headers(after, "2026-01-02T04:04:35+01:00"), 30 * time.Second},
		"date, past":               {headers(after, "Fri, 02 Jan 2026 03:04:00 GMT"), 0},
		"date, far away":           {headers(after, "Fri, 02 Jan 2099 03:04:00 GMT"), 24 * time.Hour},
		"negative":                 {headers(after, "-1"), 0},
		"negative, with its unit":  {headers(after, "-1s"), 0},
		"negative milliseconds":    {headers(millis, "-5", after, "3"), 3 * time.Second},
		"no number":                {headers(after, "NaN"), 0},
		"infinite":                 {headers(after, "Inf"), 24 * time.Hour},
		"beyond a float":           {headers(after, "1e999"), 24 * time.Hour},
		"beyond an integer":        {headers(after, "99999999999999999999"), 24 * time.Hour},
		"beyond, with its unit":    {headers(after, "2000000h"), 24 * time.Hour},
		"broken, then good":        {headers(after, "3", millis, "soon"), 3 * time.Second},

		"requests used up":              {headers(requests, "0", untilRequest, "6m0s", tokens, "10", untilTokens, "1h"), 6 * time.Minute},
		"tokens used up":                {headers(requests, "1", untilRequest, "6m0s", tokens, "0", untilTokens, "20ms"), 20 * time.Millisecond},
		"both used up":                  {headers(requests, "0", untilRequest, "1s", tokens, "0", untilTokens, "2s"), 2 * time.Second},
		"nothing used up":               {headers(requests, "1", untilRequest, "1s", tokens, "1", untilTokens, "2s"), 0},
		"nobody says what is used up":   {headers(untilRequest, "1s", untilTokens, "2s"), 0},
		"used up, nobody says how long": {headers(requests, "0"), 0},
		"used up, and Retry-After":      {headers(after, "3", requests, "0", untilRequest, "1m0s"), 3 * time.Second},
		"used up, and no wait":          {headers(after, "0", requests, "0", untilRequest, "1m0s"), 0},
		"used up, and a broken word":    {headers(after, "soon", requests, "0", untilRequest, "1m0s"), time.Minute},
		"used up for a year":            {headers(requests, "0", untilRequest, "9000h"), 24 * time.Hour},
	} {
		if got := retryAfter(429, test.header, func() time.Time { return today }); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	usedUp := headers(requests, "0", untilRequest, "1m0s")
	if got := retryAfter(503, usedUp, nil); got != 0 {
		t.Errorf("a limit that is used up delays a 503 by %v", got)
	}
	if got := retryAfter(429, headers(after, "Fri, 02 Jan 2026 03:04:35 GMT"), nil); got != 0 {
		t.Errorf("without a clock a date is %v", got)
	}
}

func TestRateLimit(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   *llm.RateLimit
	}{
		"none":         {headers("x-request-id", "1"), nil},
		"OpenAI":       {headers("x-ratelimit-remaining-requests", "59", "x-ratelimit-remaining-tokens", "149984", "x-ratelimit-reset-requests", "1s", "x-ratelimit-reset-tokens", "6m0s"), &llm.RateLimit{RemainingRequests: 59, RemainingTokens: 149984, ResetRequests: time.Second, ResetTokens: 6 * time.Minute}},
		"milliseconds": {headers("x-ratelimit-remaining-requests", "0", "x-ratelimit-reset-requests", "20ms"), &llm.RateLimit{RemainingTokens: -1, ResetRequests: 20 * time.Millisecond}},
		"fractions":    {headers("x-ratelimit-remaining-tokens", "7", "x-ratelimit-reset-tokens", "2m59.56s"), &llm.RateLimit{RemainingRequests: -1, RemainingTokens: 7, ResetTokens: 2*time.Minute + 59560*time.Millisecond}},
		"seconds":      {headers("x-ratelimit-remaining-tokens", "7", "x-ratelimit-reset-tokens", "59.5"), &llm.RateLimit{RemainingRequests: -1, RemainingTokens: 7, ResetTokens: 59500 * time.Millisecond}},
		"Anthropic":    {headers("anthropic-ratelimit-requests-remaining", "9", "anthropic-ratelimit-requests-reset", "2026-01-02T03:04:10Z", "anthropic-ratelimit-tokens-remaining", "0", "anthropic-ratelimit-tokens-reset", "2026-01-02T03:05:05Z"), &llm.RateLimit{RemainingRequests: 9, ResetRequests: 5 * time.Second, ResetTokens: time.Minute}},
		"both":         {headers("x-ratelimit-remaining-requests", "3", "anthropic-ratelimit-requests-remaining", "9", "anthropic-ratelimit-tokens-remaining", "8"), &llm.RateLimit{RemainingRequests: 3, RemainingTokens: 8}},
		"unlimited":    {headers("x-ratelimit-remaining-requests", "-1"), nil},
		"nonsense":     {headers("x-ratelimit-remaining-requests", "many", "x-ratelimit-reset-requests", "soon", "x-ratelimit-remaining-tokens", "99999999999999999999"), nil},
		"past":         {headers("x-ratelimit-remaining-requests", "3", "x-ratelimit-reset-requests", "2020-01-01T00:00:00Z"), &llm.RateLimit{RemainingRequests: 3, RemainingTokens: -1}},
		"a year":       {headers("x-ratelimit-reset-requests", "2027-01-02T03:04:05Z"), &llm.RateLimit{RemainingRequests: -1, RemainingTokens: -1, ResetRequests: 24 * time.Hour}},
	} {
		got := rateLimit(test.header, func() time.Time { return today })
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}

func TestLimitsStandBesideTheAnswer(t *testing.T) {
	for _, body := range []string{firstChunk + lastChunk + doneLine, firstChunk + lastChunk, `{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}`} {
		got, err := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("x-ratelimit-remaining-requests", "59")
			w.Header().Set("x-ratelimit-reset-tokens", "1s")
			_, _ = w.Write([]byte(body))
		}))
		want := &llm.RateLimit{RemainingRequests: 59, RemainingTokens: -1, ResetTokens: time.Second}
		if diff := cmp.Diff(want, got.End.RateLimit); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	_, err := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("x-ratelimit-remaining-tokens", "0")
		w.Header().Set("x-ratelimit-reset-tokens", "1m2s")
		w.WriteHeader(429)
	}))
	if e := fault.As(err); e.Class != fault.RateLimited || e.RetryAfter != 62*time.Second {
		t.Errorf("%s after %v, want %s after 1m2s", e.Class, e.RetryAfter, fault.RateLimited)
	}
}
