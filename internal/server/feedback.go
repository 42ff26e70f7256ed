package server

import (
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"
)

// Feedback is what a caller says of an answer that it was given.
type Feedback struct {
	Call       string          // its id
	Key        string          // id of the key that says so, "" without one
	Score      *float64        // 0 (useless) to 1 (right); nil where it is not said
	Correction json.RawMessage // the answer that would have been right, as JSON; nil for none
	Comment    string
	At         time.Time
}

// The bounds of feedback, in bytes: a correction is as long as an answer may be, and a
// comment as people write them.
const (
	maxCorrection = 64 << 10
	maxComment    = 4 << 10
)

// feedback answers POST /v1/calls/{id}/feedback. A key speaks of its own calls.
func (s *Server) feedback(x *exchange) error {
	if s.Feedback == nil {
		return refuse(http.StatusNotImplemented, "feedback_not_kept", "feedback is not kept here")
	}
	f, err := x.body()
	if err != nil {
		return err
	}
	said := Feedback{Key: x.caller.Key, At: s.Now()}
	if err := (jsonObject{fields: f}).read([]member{
		{"score", &said.Score, "a number from 0 to 1"}, {"correction", &said.Correction, "the right answer"}, {"comment", &said.Comment, "a string"},
	}); err != nil {
		return err
	}
	switch {
	case said.Score == nil && said.Correction == nil && said.Comment == "":
		return invalid("", "there is no feedback; allowed: score, correction, comment")
	case said.Score != nil && (*said.Score < 0 || *said.Score > 1):
		return invalid("score", "score: want a number from 0 to 1")
	case len(said.Correction) > maxCorrection:
		return invalid("correction", "correction is longer than %s", size(maxCorrection))
	case len(said.Comment) > maxComment || !utf8.ValidString(said.Comment):
		return invalid("comment", "comment is longer than %s", size(maxComment))
	}
	call, _, err := x.findCall(x.r.PathValue("id"))
	if err != nil {
		return err
	}
	said.Call = call.ID
	if err := s.Feedback(x.r.Context(), said); err != nil {
		return err
	}
	return x.json(http.StatusCreated, map[string]any{"id": said.Call, "object": "feedback"})
}
