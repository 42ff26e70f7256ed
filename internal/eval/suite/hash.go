package suite

import (
	"encoding/json"
	"maps"

	"github.com/llmx-dev/llmx/internal/eval"
)

// The versions of what is hashed. A new one makes every case another case.
var (
	inputVersion    = []byte("input/1")
	criteriaVersion = []byte("criteria/1")
)

// addHashes names the input (the variables as JSON with sorted keys, numbers as
// they are written, images and files by their bytes) and the criteria (the golden
// answer, how it is matched, and every check's spec in order).
func (p *plan) addHashes(c *eval.Case) error {
	hashed, err := p.withDigests(c.Vars)
	if err != nil {
		return err
	}
	vars, err := json.Marshal(hashed)
	if err != nil {
		return err
	}
	c.InputHash = eval.HashOf(inputVersion, vars)

	var golden []byte
	match := "none"
	if c.Golden != nil {
		if golden, err = json.Marshal(c.Golden.Value); err != nil {
			return err
		}
		if match = "subset"; c.Golden.Exact {
			match = "exact"
		}
	}
	parts := make([][]byte, 0, 8)
	parts = append(parts, criteriaVersion, golden, []byte(match))
	for _, check := range c.Checks {
		parts = append(parts, check.Spec())
	}
	c.CriteriaHash = eval.HashOf(parts...)
	return nil
}

// withDigests replaces what stands for bytes by the bytes' digest, in a copy.
func (p *plan) withDigests(vars map[string]any) (map[string]any, error) {
	if p.deps.MediaDigest == nil {
		return vars, nil
	}
	copied := false
	for _, name := range p.media {
		value, given := vars[name]
		if !given || value == nil {
			continue
		}
		digest, is, err := p.deps.MediaDigest(name, value)
		if err != nil {
			return nil, err
		}
		if !is {
			continue
		}
		if !copied {
			vars, copied = maps.Clone(vars), true
		}
		vars[name] = map[string]any{"digest": digest}
	}
	return vars, nil
}
