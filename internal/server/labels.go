package server

import (
	"context"
	"math"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// Labels are set while the server runs.
type Labels interface {
	// SetLabel puts a label in force. The error of a change that cannot be has the class
	// fault.Usage, fault.Invalid or fault.Drifted; of one that cannot be kept, fault.Store.
	SetLabel(ctx context.Context, change LabelChange) (prompt.Override, error)
	// LabelLog gives the labels that were set, the newest first; of all prompts for "".
	LabelLog(ctx context.Context, name string, limit int) ([]prompt.Override, error)
}

// LabelChange is what is asked for.
type LabelChange struct {
	Prompt, Label string
	Version       string    // "" with Rollback
	Rollback      bool      // to the parent of the release that the label names
	Percent       *float64  // of the callers of the bare name; nil: as it is
	Until         time.Time // zero: until the files agree
	Because, By   string
}

// LabelState is a label in force.
type LabelState struct {
	Label   string  `json:"label"`
	Version string  `json:"version"`
	Hash    string  `json:"hash"`
	Percent float64 `json:"percent,omitempty"` // of the callers of the bare name
	Set     bool    `json:"set,omitempty"`     // on this server: it beats the files
}

const (
	maxBecause    = 500 // characters
	usualLabelLog = 100
)

// mayAdminister refuses who may not change what all are served: a key without the right,
// and where there are no keys, everybody but this machine. A page in a browser of this
// machine is not taken for it.
func (x *exchange) mayAdminister() error {
	if x.server.Keys != nil && x.server.Keys.Any() {
		if !x.caller.Admin {
			return refuse(http.StatusForbidden, "not_allowed", "the key may not administer this server")
		}
		return nil
	}
	if !fromHere(x.r) || x.r.Header.Get("Origin") != "" {
		return refuse(http.StatusForbidden, "not_allowed", "without keys only programs on the server's own machine may administer it")
	}
	return nil
}

// setLabel answers POST /v1/labels.
func (s *Server) setLabel(x *exchange) error {
	if err := x.mayAdminister(); err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Type must be application/json")
	}
	body, err := x.body()
	if err != nil {
		return err
	}
	change, err := readLabelChange(body, s.Now())
	if err != nil {
		return err
	}
	if change.By = x.caller.Name; change.By == "" {
		change.By = "loopback"
	}
	set, err := s.Labels.SetLabel(x.r.Context(), change)
	switch class := fault.ClassOf(err); {
	case err == nil:
		return x.json(http.StatusOK, set)
	case class == fault.Usage || class == fault.Invalid || class == fault.Drifted:
		e := fault.As(err)
		message := e.Message
		if e.Hint != "" {
			message += "; " + e.Hint
		}
		return refuse(http.StatusUnprocessableEntity, "label_refused", "%s", message)
	}
	return err
}

func readLabelChange(f fields, now time.Time) (LabelChange, error) {
	var c LabelChange
	var until string
	for _, one := range []struct {
		name string
		into any
		want string
	}{
		{"prompt", &c.Prompt, "a string"}, {"label", &c.Label, "a string"}, {"version", &c.Version, "a string"}, {"rollback", &c.Rollback, "a boolean"},
		{"percent", &c.Percent, "a number"}, {"until", &until, "a string"}, {"because", &c.Because, "a string"},
	} {
		if err := f.take(one.name, one.into, one.want); err != nil {
			return c, err
		}
	}
	for name := range f {
		return c, invalid(name, "%s is not known; allowed: prompt, label, version, rollback, percent, until, because", name)
	}
	c.Because = strings.Join(strings.Fields(c.Because), " ")
	switch {
	case c.Prompt == "" || strings.Contains(c.Prompt, "@"):
		return c, invalid("prompt", "prompt: want the bare name of a prompt")
	case c.Label == "":
		return c, invalid("label", "label is missing")
	case c.Version == "" && !c.Rollback, c.Version != "" && c.Rollback:
		return c, invalid("version", "want version, or rollback: true")
	case c.Because == "" || len([]rune(c.Because)) > maxBecause:
		return c, invalid("because", "because: want the reason, in at most %d characters", maxBecause)
	case c.Percent != nil && (math.IsNaN(*c.Percent) || *c.Percent < 0 || *c.Percent > 100):
		return c, invalid("percent", "percent: want a number from 0 to 100")
	}
	if until != "" {
		var ok bool
		if c.Until, ok = ParseUntil(until, now); !ok {
			return c, invalid("until", "until: want a time that is to come: 2h, 3d, 2026-05-01 or 2026-05-01T09:00:00Z")
		}
	}
	return c, nil
}

// ParseUntil reads a time that is to come: a duration from now, a day (its beginning in
// UTC), or a time. ok is false for anything else, and for what is past.
func ParseUntil(text string, now time.Time) (until time.Time, ok bool) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		text = days + "h"
		if d, err := time.ParseDuration(text); err == nil && d > 0 && d <= 10_000*time.Hour {
			return now.Add(24 * d), true
		}
		return time.Time{}, false
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), d > 0
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, at.After(now)
		}
	}
	return time.Time{}, false
}

// labelsBody is what GET /v1/labels gives.
type labelsBody struct {
	Labels map[string][]LabelState `json:"labels"` // in force, by prompt
	Log    []prompt.Override       `json:"log"`    // what was set on servers, the newest first
}

// labels answers GET /v1/labels: what is in force, and who set what, when and why.
func (s *Server) labels(x *exchange) error {
	if err := x.mayAdminister(); err != nil {
		return err
	}
	name := x.r.URL.Query().Get("prompt")
	log, err := s.Labels.LabelLog(x.r.Context(), name, usualLabelLog)
	if err != nil {
		return err
	}
	body := labelsBody{Labels: map[string][]LabelState{}, Log: append([]prompt.Override{}, log...)}
	for prompt, states := range x.runtime.Labels {
		if name == "" || prompt == name {
			body.Labels[prompt] = states
		}
	}
	return x.json(http.StatusOK, body)
}
