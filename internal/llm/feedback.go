package llm

import (
	"encoding/json"
	"time"
)

// Feedback is what was said of a call's answer afterwards, by the one who used it.
type Feedback struct {
	At         time.Time
	Key        string          // id of the key that it came by, "" at the command line
	Score      *float64        // 0 (wrong) to 1 (right); nil where none was given
	Correction json.RawMessage // what would have been right, a JSON value; nil where none was given
	Comment    string
}

// What feedback amounts to.
const (
	FeedbackGood = "good" // the score is at least a half
	FeedbackBad  = "bad"  // the score is less, or there is none, and a correction
)

// Word is FeedbackGood, FeedbackBad, or "" for a comment alone.
func (f Feedback) Word() string {
	switch {
	case f.Score == nil && f.Correction == nil:
		return ""
	case f.Score != nil && *f.Score >= 0.5:
		return FeedbackGood
	}
	return FeedbackBad
}

// FeedbackWord is what the newest feedback amounts to that says whether the answer was
// right; "" where none does.
func (c *Call) FeedbackWord() string {
	for i := len(c.Feedback) - 1; i >= 0; i-- {
		if word := c.Feedback[i].Word(); word != "" {
			return word
		}
	}
	return ""
}

// Correction is the newest correction of the call's answer, nil for none.
func (c *Call) Correction() json.RawMessage {
	for i := len(c.Feedback) - 1; i >= 0; i-- {
		if c.Feedback[i].Correction != nil {
			return c.Feedback[i].Correction
		}
	}
	return nil
}
