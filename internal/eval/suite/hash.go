package suite

import (
	"encoding/json"
	"maps"
	"strconv"

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
	if len(c.Turns) > 0 {
		return hashTurns(c, vars)
	}
	c.InputHash = eval.HashOf(inputVersion, vars)

	parts := make([][]byte, 0, 8)
	parts = append(parts, criteriaVersion)
	if parts, err = appendCriteria(parts, c.Golden, c.Checks); err != nil {
		return err
	}
	c.CriteriaHash = eval.HashOf(parts...)
	return nil
}

// appendCriteria appends a golden answer, how it is matched, and the checks' specs.
func appendCriteria(parts [][]byte, golden *eval.Golden, checks []eval.Check) ([][]byte, error) {
	var value []byte
	match := "none"
	if golden != nil {
		var err error
		if value, err = json.Marshal(golden.Value); err != nil {
			return nil, err
		}
		if match = "subset"; golden.Exact {
			match = "exact"
		}
	}
	parts = append(parts, value, []byte(match))
	for _, check := range checks {
		parts = append(parts, check.Spec())
	}
	return parts, nil
}

// hashTurns names a conversation: its input is the variables and what is said, each
// turn's message with the call that it answers; its criteria those of the whole case
// and of every turn, each behind its number.
func hashTurns(c *eval.Case, vars []byte) error {
	input := [][]byte{inputVersion, vars, []byte("turns")}
	criteria, err := appendCriteria([][]byte{criteriaVersion}, nil, c.Checks)
	if err != nil {
		return err
	}
	for i := range c.Turns {
		turn := &c.Turns[i]
		message, err := json.Marshal(turn.Message)
		if err != nil {
			return err
		}
		input = append(input, message, []byte(turn.CallID))
		if !turn.Asks {
			continue
		}
		criteria = append(criteria, []byte("turn"), []byte(strconv.Itoa(turn.Number)))
		if criteria, err = appendCriteria(criteria, turn.Golden, turn.Checks); err != nil {
			return err
		}
	}
	c.InputHash, c.CriteriaHash = eval.HashOf(input...), eval.HashOf(criteria...)
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
