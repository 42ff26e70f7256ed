package limit

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// What a plan is told is what the limiter then takes.
func TestTakesIsWhatTheLimiterTakes(t *testing.T) {
	for _, test := range []struct {
		set        Settings
		requests   int
		perAsk     int
		toleranceS float64
	}{
		{Settings{RPM: 60}, 15, 0, 0}, {Settings{RPM: 60}, 16, 0, 1}, {Settings{RPM: 60}, 40, 0, 2}, {Settings{RPM: 60}, 60, 0, 3},
		{Settings{RPM: 60}, 61, 0, 3}, {Settings{RPM: 60}, 600, 0, 15}, {Settings{RPM: 1}, 1, 0, 0}, {Settings{RPM: 1}, 2, 0, 2},
		{Settings{RPM: 1}, 5, 0, 2}, {Settings{RPM: 7}, 30, 0, 5}, {Settings{RPM: 3000}, 10_000, 0, 10},
		{Settings{TPM: 6000}, 30, 100, 0}, {Settings{TPM: 6000}, 45, 100, 2}, {Settings{TPM: 6000}, 300, 100, 15},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := New(test.set).Model(newProvider(func(req llm.Request) reply { return reply{end: llm.End{Usage: req.Estimate()}} }))
			begin := time.Now()
			for range test.requests {
				if _, err := ask(t.Context(), m, request(max(1, test.perAsk))); err != nil {
					t.Fatal(err)
				}
			}
			took := time.Since(begin)
			told := max(test.set.TakesRequests(test.requests), test.set.TakesTokens(int64(test.requests*test.perAsk)))
			if off := (told - took).Abs().Seconds(); off > test.toleranceS {
				t.Errorf("%+v: %d requests take %v, told was %v", test.set, test.requests, took, told)
			}
		})
	}
	if none := (Settings{}); none.TakesRequests(1e9) != 0 || none.TakesTokens(1e9) != 0 {
		t.Error("who has no limits waits for nothing")
	}
}
