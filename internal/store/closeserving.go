package store

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// closeServing ends the writing within its bound.
func (w *writer) closeServing() error {
	v := w.serving
	before := v.outage.dropped.Load()
	w.gate.Lock()
	w.closed = true
	v.deadline = time.Now().Add(v.closeFor)
	close(v.closing)
	close(w.queue)
	w.gate.Unlock()
	var err error
	select {
	case <-w.ended:
		if w.conn != nil {
			err = w.stop()
		}
	case <-time.After(v.closeFor + servingBusy): // it hangs at the disk, and does so beyond our end
		err = fault.New(fault.Store, "cannot write the store %s: it does not answer", w.name).
			WithHint("check the disk, or the network that it is on")
	}
	if lost := v.outage.dropped.Load() - before; lost > 0 {
		err = w.lostAtTheEnd(lost)
	}
	close(v.outage.stop)
	select {
	case <-v.outage.done:
	case <-time.After(servingBusy):
	}
	return err
}

// lostAtTheEnd says how many calls there was no writing any more.
func (w *writer) lostAtTheEnd(calls int64) error {
	v := w.serving
	lost := fault.New(fault.Store, "%d calls could not be recorded in the store %s within %v of the end", calls, w.name, v.closeFor)
	if why := v.outage.recording().Why; why != nil {
		lost.Message += ": " + fault.As(why).Message
		lost.Hint = fault.As(why).Hint
	}
	return lost
}
