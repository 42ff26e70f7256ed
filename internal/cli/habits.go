package cli

import (
	"time"

	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// habits say what the recorded answers of a suite are like, by the model that gave
// them. They are read when they are first asked for.
type habits struct {
	recordings *replay.Recordings // nil where there are none
	judging    bool               // of answers to checks, and not to cases
	read       bool
	all        habit
	models     map[string]*habit // by the resolved name
}

// habit sums up the recorded answers of one model.
type habit struct {
	answers, output int64 // of which somebody has counted the tokens
	times           []time.Duration
}

// of gives the answers of a model; where it has none, the lengths of all others'.
func (h *habits) of(resolved string) (habit, error) {
	if err := h.load(); err != nil {
		return habit{}, err
	}
	var own habit
	if found := h.models[resolved]; found != nil {
		own = *found
	}
	if own.answers == 0 {
		own.answers, own.output = h.all.answers, h.all.output
	}
	return own, nil
}

func (h *habits) load() error {
	if h.read || h.recordings == nil {
		return nil
	}
	h.read, h.models = true, map[string]*habit{}
	for recording, err := range h.recordings.All() {
		if err != nil {
			return err
		}
		if (recording.Check != "") != h.judging {
			continue
		}
		of := h.models[recording.Model]
		if of == nil {
			of = &habit{}
			h.models[recording.Model] = of
		}
		if output := recording.Usage.Output; output > 0 {
			of.answers, of.output = of.answers+1, of.output+output
			h.all.answers, h.all.output = h.all.answers+1, h.all.output+output
		}
		if recording.Service > 0 {
			of.times = append(of.times, recording.Service)
		}
	}
	return nil
}

// meanOutput is how many tokens an answer has. There must be answers.
func (h habit) meanOutput() int64 { return (h.output + h.answers/2) / h.answers }

// median is how long an answer took, 0 where nobody knows.
func (h habit) median() time.Duration { return stats.LatencyQuantile(h.times, nil, 0.5).Value }
