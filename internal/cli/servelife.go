package cli

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/server"
)

// run serves until a signal, or the end of ctx, and then ends in order: not ready, no new
// connection, what is under way, the log.
func (s *serving) run(ctx context.Context, listener net.Listener, bounds server.Bounds, signals, reload <-chan os.Signal) error {
	following, unfollow := context.WithCancel(ctx)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.follow(following, reload)
	}()
	taking, stop := context.WithCancel(ctx)
	defer stop()
	now, done := make(chan struct{}), make(chan struct{})
	go s.end(signals, stop, now, done)
	bounds.Drain = max(s.project.config.Serve.Drain, time.Millisecond)
	err := server.Serve(taking, listener, s.server, bounds, s.log, now)
	unfollow()
	<-followed
	defer close(done) // signals are heard to the end
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	select {
	case <-now:
		return s.leave(err, closed)
	default:
	}
	select {
	case <-now:
		return s.leave(err, closed)
	case failed := <-closed:
		if err = joined(err, failed); err == nil {
			s.log.Info("ended")
		}
		return err
	}
}

// end waits for signals: the first stops the server, the second ends the waiting.
func (s *serving) end(signals <-chan os.Signal, stop func(), now chan<- struct{}, done <-chan struct{}) {
	var first os.Signal
	select {
	case first = <-signals:
	case <-done:
		return
	}
	s.server.Drain()
	life := s.project.config.Serve.ServeLife
	lame := time.NewTimer(life.LameDuck)
	defer lame.Stop()
	if first != syscall.SIGTERM { // somebody at a keyboard, and no balancer
		lame.Reset(0)
	}
	s.log.Info("ending: what is under way may finish; a second signal leaves at once", "signal", signalName(first),
		"lame_duck", life.LameDuck.String(), "drain", life.Drain.String())
	for {
		select {
		case <-lame.C:
			stop()
		case <-signals:
			close(now)
			stop()
			return
		case <-done:
			return
		}
	}
}

func signalName(s os.Signal) string {
	if s == nil { // the channel was closed
		return "none"
	}
	return s.String()
}

// leaveFor bounds what is still written when somebody will not wait.
const leaveFor = time.Second

// leave goes at once: what was cut is written as far as a moment allows.
func (s *serving) leave(err error, closed <-chan error) error {
	select {
	case failed := <-closed:
		err = joined(err, failed)
	case <-time.After(leaveFor):
		s.log.Warn("left before all was written")
	}
	return joined(err, fault.New(fault.Canceled, "left at once: what was under way is cut"))
}
