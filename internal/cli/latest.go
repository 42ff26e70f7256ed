package cli

import (
	"context"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

// latestTest is the run of that id, and without one the newest complete test: what a
// drift or a calibration has asked is not what somebody looked at, and would accept.
func latestTest(ctx context.Context, s *store.Store, id string) (string, error) {
	if id != "" {
		return id, nil
	}
	return newestTest(ctx, s, store.LatestComplete, func(r *eval.Run) bool { return r.State == eval.Complete })
}

// newestTest is the newest run of a test that is wanted; where no run is, a word by which
// the store says so.
func newestTest(ctx context.Context, s *store.Store, otherwise string, wanted func(*eval.Run) bool) (string, error) {
	runs, err := s.Runs(ctx, 0)
	if err != nil {
		return "", err
	}
	others := 0
	for i := range runs {
		switch r := &runs[i]; {
		case !wanted(r):
		case r.Selection.Drift || r.Selection.Calibration:
			others++
		default:
			return r.ID, nil
		}
	}
	if others > 0 {
		return "", fault.New(fault.Usage, "no run is of a test: those that are stored asked whether a model has moved, or held a prompt against itself").
			WithHint("llmx test makes one; llmx runs lists the others, which can be named")
	}
	return otherwise, nil
}
