package llm

import "math"

// RepairMode says how much of an answer's form may be put right.
type RepairMode string

// The repair modes. A prompt that does not name one has RepairSyntax; the zero
// value repairs nothing.
const (
	RepairOff    RepairMode = "off"    // an answer is as its contract says, or refused
	RepairSyntax RepairMode = "syntax" // what is meant must be plain: quotes, commas, fences, prose around
	RepairCoerce RepairMode = "coerce" // and the conversions of Output.Coerce
)

// Coercion is a conversion between types that a prompt may allow.
type Coercion string

// The coercions.
const (
	CoerceNumber  Coercion = "number"  // "3" → 3
	CoerceBoolean Coercion = "boolean" // "yes" → true
	CoerceList    Coercion = "list"    // 3 → [3]
)

// Repair is one way in which an answer was put right, and how often.
type Repair struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"` // 0..1: how far it takes the answer from what was asked for
	Line   int     `json:"line"`   // of the first, in the answer as it came, from 1
	Col    int     `json:"col"`    // in characters, from 1
	Times  int     `json:"times"`
}

// RepairScore is the product of 1 − weight over the repairs, each counted once
// however often it was made: 1 where nothing was repaired.
func RepairScore(repairs []Repair) float64 {
	score := 1.0
	for _, r := range repairs {
		score *= 1 - r.Weight
	}
	return math.Round(score*1e6) / 1e6 // one figure, in whatever order they are multiplied
}
