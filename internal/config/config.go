// Package config reads llmx.yaml: providers, models, routes and the settings of
// test, cache, budgets and store, with their places and every default in force.
// It imports strictyaml and fault; secrets are references, resolved late.
package config

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Config is a valid llmx.yaml.
type Config struct {
	Version   int                 `yaml:"version,required"`
	Project   string              `yaml:"project"`
	Providers map[string]Provider `yaml:"providers"`
	Models    map[string]Model    `yaml:"models"` // by alias
	Routes    map[string]Route    `yaml:"routes"`
	Cache     Cache               `yaml:"cache"`
	Budgets   []Budget            `yaml:"budgets"`
	Test      Test                `yaml:"test"`
	Store     Store               `yaml:"store"`
	Serve     Serve               `yaml:"serve"`
	Place     fault.Place         `yaml:",place"`
}

// Cache says which answers are kept to be given again.
type Cache struct {
	Exact ExactCache  `yaml:"exact"` // for requests that are equal in all that can change the answer
	Place fault.Place `yaml:",place"`
}

// ExactCache keeps an answer for TTL; 0 turns it off. Default 24h.
type ExactCache struct {
	TTL   time.Duration `yaml:"ttl"`
	Place fault.Place   `yaml:",place"`
}

// Test has the defaults of `llmx test`, which its flags override.
type Test struct {
	Jobs    int         `yaml:"jobs"`                                    // cases at once, default 16
	Replies string      `yaml:"replies" oneof:"auto replay record live"` // default auto
	Place   fault.Place `yaml:",place"`
}

// Store says where and what is kept of runs and calls.
type Store struct {
	Path    string        `yaml:"path"`                               // of the SQLite file, relative to the project; default .llmx/llmx.db
	Content string        `yaml:"content" oneof:"full redacted none"` // of messages and answers; default full
	Keep    time.Duration `yaml:"keep"`                               // how long; 0, the default, is for ever
	Place   fault.Place   `yaml:",place"`
}

// withDefaults is the configuration of a file that says nothing.
func withDefaults() Config {
	return Config{
		Cache: Cache{Exact: ExactCache{TTL: 24 * time.Hour}},
		Test:  Test{Jobs: 16, Replies: "auto"},
		Store: Store{Path: ".llmx/llmx.db", Content: "full"},
		Serve: newServe(),
	}
}
