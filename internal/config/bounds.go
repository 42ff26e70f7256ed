package config

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// between refuses a value that was given and lies outside low … high. One that
// could not be read is told already.
func between[T int | float64 | time.Duration | Size](problems *fault.List, n strictyaml.Node, key string, low, high T) {
	given := n.Get(key)
	var value T
	if given.Exists() && given.Decode(&value) == nil && (value < low || value > high) {
		problems.Add(given.Errorf("%s must lie between %v and %v, this is %s", key, low, high, given.Text()))
	}
}

// positive refuses a duration that was given as 0.
func positive(problems *fault.List, n strictyaml.Node, key string) {
	given := n.Get(key)
	var value time.Duration
	if given.Exists() && given.Decode(&value) == nil && value == 0 {
		problems.Add(given.Errorf("%s must be longer than 0", key))
	}
}
