package prompt

import (
	"errors"

	"github.com/llmx-dev/llmx/internal/llm"
)

// maxRendered bounds the text of one section, in bytes.
const maxRendered = 16 << 20

var errTooLarge = errors.New("too much text")

// sink takes what a section renders: text, and parts that are not text, in order.
type sink struct {
	text  []byte
	parts []llm.Part
	size  int
	steps int // left for range()
}

func newSink() *sink { return &sink{steps: maxSteps} }

// WriteString takes text, within the bound.
func (s *sink) WriteString(text string) (int, error) {
	if s.size += len(text); s.size > maxRendered {
		return 0, errTooLarge
	}
	s.text = append(s.text, text...)
	return len(text), nil
}

// Write takes text, within the bound.
func (s *sink) Write(text []byte) (int, error) { return s.WriteString(string(text)) }

// addPart takes an image or a file.
func (s *sink) addPart(part llm.Part) {
	s.flush()
	s.parts = append(s.parts, part)
}

func (s *sink) flush() {
	if len(s.text) > 0 {
		s.parts = append(s.parts, llm.Part{Kind: llm.PartText, Text: string(s.text)})
		s.text = s.text[:0]
	}
}

// pay takes steps off the budget, and reports whether there were enough.
func (s *sink) pay(steps int) bool {
	s.steps -= steps
	return s.steps >= 0
}

// message is what was rendered; it has at least one part, be it an empty text.
func (s *sink) message(role llm.Role) llm.Message {
	s.flush()
	if len(s.parts) == 0 {
		return llm.Text(role, "")
	}
	return llm.Message{Role: role, Parts: s.parts}
}
