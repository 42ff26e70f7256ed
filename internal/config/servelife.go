package config

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// ServeLife is how a server follows its files, and how it ends.
type ServeLife struct {
	Reload   time.Duration `yaml:"reload"`    // how often the files are looked at; 0 for never. Default 1s
	LameDuck time.Duration `yaml:"lame_duck"` // how long it goes on taking requests when it was told to end, while its readiness says no. Default 1s
	Drain    time.Duration `yaml:"drain"`     // bound of what is under way then. Default 30s
}

func newServeLife() ServeLife {
	return ServeLife{Reload: time.Second, LameDuck: time.Second, Drain: 30 * time.Second}
}

func (s ServeLife) check(n strictyaml.Node, problems *fault.List) {
	if s.Reload > 0 {
		between(problems, n, "reload", 100*time.Millisecond, time.Hour)
	}
	between(problems, n, "lame_duck", 0, 5*time.Minute)
	between(problems, n, "drain", 0, time.Hour)
}
