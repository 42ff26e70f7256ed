package cli

import (
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
)

// watch counts what a run has done and spent, and draws it on a terminal.
type watch struct {
	progress     *report.Progress // nil where there is no terminal
	planned      int
	done, errors int
	spent        llm.Cost
	begun, drawn time.Time
}

const redraw = 100 * time.Millisecond

func newWatch(w *World, planned int) *watch {
	made := &watch{planned: planned, begun: time.Now(), spent: llm.KnownCost(0)}
	if w.color(w.StderrTerminal) { // where colours are unwelcome, so is a line that is drawn over
		made.progress = report.NewProgress(w.Stderr, w.errorStyle())
	}
	return made
}

func (w *watch) see(r *eval.Result) {
	w.done++
	if r.Status == eval.Error {
		w.errors++
	}
	w.spent = w.spent.Plus(r.Paid)
	if r.Eval.Calls > 0 {
		w.spent = w.spent.Plus(r.Eval.Paid)
	}
	if now := time.Now(); w.progress != nil && now.Sub(w.drawn) >= redraw {
		w.drawn = now
		_ = w.progress.Update(w.done, w.planned, w.errors, w.spent, now.Sub(w.begun)) // a lost terminal stops no run
	}
}

func (w *watch) clear() {
	if w.progress != nil {
		_ = w.progress.Clear()
	}
}
