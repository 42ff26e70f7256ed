package cli

import (
	"time"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/route"
)

// usualTokens is what a request is taken to need of a limit on tokens where its turn
// is reckoned.
const usualTokens = 2000

// patient gives the calls of a run the time to wait for their turn. All jobs ask at
// once, and where the limits let few through the last of them waits for all others:
// that makes a run slow, and must not make it fail. timeout.total stays what a call has
// besides.
func (p *project) patient(policy route.Policy, found config.Target, jobs int) route.Policy {
	var longest time.Duration
	for _, alias := range found.Models() {
		limits := p.config.Models[alias].Limits
		var wait time.Duration
		if limits.RPM > 0 {
			wait = max(wait, time.Duration(jobs)*time.Minute/time.Duration(limits.RPM))
		}
		if limits.TPM > 0 {
			wait = max(wait, time.Duration(jobs)*usualTokens*time.Minute/time.Duration(limits.TPM))
		}
		if n := limits.Concurrency; n > 0 && jobs > n {
			wait = max(wait, time.Duration((jobs-1)/n)*policy.Total)
		}
		longest = max(longest, wait)
	}
	// A minute more: the limits count a little longer than one, see package limit.
	if longest > 0 {
		policy.Total = min(policy.Total+longest+time.Minute, longestCall)
	}
	return policy
}

// longestCall bounds the wait of one call.
const longestCall = 24 * time.Hour
