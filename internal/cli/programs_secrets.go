package cli

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/provider/openai"
)

// The lengths from which a value is hidden as a secret: in what a program says when it
// fails, and in its reasons, where a shorter one may be a word.
const (
	minSaid   = 4
	minReason = 12
)

// keys are the secrets of all providers, as far as they can be found. A program is given
// none of them, but may read what its user may.
func (p *programs) keys(providers map[string]config.Provider) func() []string {
	return sync.OnceValue(func() []string {
		var secrets []string
		for _, name := range slices.Sorted(maps.Keys(providers)) {
			access := providers[name].Known(p.world.LookupEnv, p.fs)
			secrets = append(secrets, openai.Secrets(openai.Options{
				BaseURL: access.BaseURL(), APIKey: access.APIKey(), Headers: access.Headers(),
			})...)
		}
		return secrets
	})
}

// secrets are the values that nothing may print of what a program says: those that it
// was given by name and the providers', as they are and as JSON writes them.
func (p *programs) secrets(program scorer.Program, least int) (replace *strings.Replacer, longest int) {
	secrets := slices.Clone(p.providers())
	for _, name := range program.Env {
		value, _ := p.world.LookupEnv(name)
		secrets = append(secrets, value, strings.TrimSpace(value))
	}
	for _, secret := range secrets {
		if text, err := json.Marshal(secret); err == nil {
			secrets = append(secrets, strings.Trim(string(text), `"`))
		}
	}
	// Longer ones first, so that none is left with the tail of another.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, secret := range slices.Compact(secrets) {
		if len(secret) >= least {
			pairs = append(pairs, secret, "***")
			longest = max(longest, len(secret))
		}
	}
	return strings.NewReplacer(pairs...), longest
}

// Veil hides secrets in what a program gave as its verdict.
func (p *programs) Veil(program scorer.Program) func(text string) string {
	replace, _ := p.secrets(program, minReason)
	return replace.Replace
}

// tailOutput keeps the end of what was written, where the reason of a crash stands.
type tailOutput struct {
	b       []byte
	replace *strings.Replacer
	longest int // secret, in bytes
}

func (p *programs) tail(program scorer.Program) *tailOutput {
	replace, longest := p.secrets(program, minSaid)
	return &tailOutput{replace: replace, longest: longest}
}

const maxTail = 4 << 10

// Write hides what is whole before it forgets the beginning, and keeps more than the
// longest secret, so that neither cut leaves half of one.
func (o *tailOutput) Write(data []byte) (int, error) {
	o.b = append(o.b, data...)
	if keep := maxTail + o.longest; len(o.b) > 2*keep {
		o.b = []byte(o.replace.Replace(string(o.b)))
		o.b = o.b[max(0, len(o.b)-keep):]
	}
	return len(data), nil
}

// text is the last line that says something, of at most 300 bytes.
func (o *tailOutput) text() string {
	lines := strings.Split(strings.TrimSpace(o.replace.Replace(strings.ToValidUTF8(string(o.b), ""))), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if len(last) > 300 {
		last = strings.ToValidUTF8(last[:300], "") + "…"
	}
	return last
}
