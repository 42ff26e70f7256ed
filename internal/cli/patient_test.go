package cli

import (
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/route"
)

func TestARunHasTheTimeToWaitForItsTurn(t *testing.T) {
	found := config.Target{Name: "m", Route: config.Route{Use: []string{"m"}}}
	for name, test := range map[string]struct {
		limits config.Limits
		jobs   int
		want   time.Duration
	}{
		"no limits":             {config.Limits{}, 16, time.Minute},
		"a request a minute":    {config.Limits{RPM: 1}, 16, 18 * time.Minute},
		"tokens":                {config.Limits{TPM: 4000}, 16, 10 * time.Minute},
		"places":                {config.Limits{Concurrency: 4}, 16, 5 * time.Minute},
		"places enough":         {config.Limits{Concurrency: 16}, 16, time.Minute},
		"the longest of all":    {config.Limits{RPM: 1, Concurrency: 4}, 16, 18 * time.Minute},
		"not for ever and ever": {config.Limits{RPM: 1}, 10_000, longestCall},
	} {
		p := &project{config: &config.Config{Models: map[string]config.Model{"m": {Limits: test.limits}}}}
		if got := p.patient(route.Policy{Total: time.Minute}, found, test.jobs).Total; got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
