package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/server"
)

// health is what /readyz tells besides that the server is ending. One thing keeps requests
// away, keys that are not known, as then nobody is let in. All else is wrong with every
// replica, or with none of the answers.
func (s *serving) health() server.Health {
	f := s.files.told.Load()
	h := server.Health{Overrides: f.overrides}
	warn := func(code, format string, args ...any) *server.Trouble {
		h.Warnings = append(h.Warnings, server.Trouble{Code: code, Message: fmt.Sprintf(format, args...)})
		return &h.Warnings[len(h.Warnings)-1]
	}
	switch unread := s.keys.unread.Load(); {
	case unread != nil && !s.keys.ring.Known():
		h.Reasons = append(h.Reasons, server.Trouble{Code: "keys_unknown", Message: "the keys cannot be read, and nobody is let in until they can: " + unread.Message})
	case unread != nil:
		warn("keys_unread", "the keys cannot be read, those that were there last stand: %s", unread.Message)
	}
	for _, problem := range problemsOf(f.reloads.failed) {
		t := warn("reload_failed", "%s; what was served before goes on", problem.Message)
		t.At, t.Since = problem.Place.String(), f.reloads.since.UTC().Format(time.RFC3339)
	}
	if keys := f.reading.restart; len(keys) > 0 {
		warn("restart_needed", "llmx.yaml has changes that need a restart: %s", strings.Join(keys, ", "))
	}
	if f.kept != nil {
		warn("labels_unread", "labels that were set cannot be read from the store: %s", fault.As(f.kept).Message)
	}
	if why := s.unrecorded(); why != nil {
		warn("store_not_recording", "calls are not recorded: %s", fault.As(why).Message)
	}
	for _, o := range f.overrides {
		if err := f.unusable[o.ID]; err != nil {
			warn("label_unusable", "%s@%s cannot be %s, as it was set: %s", o.Prompt, o.Label, o.Version, fault.As(err).Message)
		}
	}
	for _, problem := range s.keyTroubles() {
		warn("provider_unavailable", "%s", problem.Message).At = problem.Place.String()
	}
	for _, name := range f.reading.prompts.unserved() {
		warn("prompt_unserved", "%s", name)
	}
	return h
}

// unrecorded is why calls are not recorded; nil: they are.
func (s *serving) unrecorded() error { return s.store.Recording().Why }

// problemsOf takes an error apart.
func problemsOf(err error) fault.List {
	var list fault.List
	if err == nil || errors.As(err, &list) {
		return list
	}
	return fault.List{fault.As(err)}
}
