package prompt

import "time"

// Override is a label that was set on running servers. It beats the label of the files
// until it ends.
type Override struct {
	ID      int64     `json:"id"`
	Prompt  string    `json:"prompt"`
	Label   string    `json:"label"`
	Version string    `json:"version"`
	Percent float64   `json:"percent,omitempty"`
	Before  string    `json:"before"`         // the version that the label named, "" for none
	Until   time.Time `json:"until,omitzero"` // zero: until the files agree
	Because string    `json:"because"`        // the reason that was given
	By      string    `json:"by"`             // the name of the key, or "loopback"
	At      time.Time `json:"at"`             //
	Ended   time.Time `json:"ended,omitzero"` // zero: it is in force
	How     string    `json:"how,omitempty"`  // it ended: agreed, expired, replaced
}

// How an override ends.
const (
	EndAgreed   = "agreed"   // the files say the same
	EndExpired  = "expired"  // its time was up
	EndReplaced = "replaced" // by another one
)
