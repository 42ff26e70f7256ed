package server

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections are those of callers that are open, and since when each waits for a
// request: an http.Server closes the waiting ones at once when it is shut down, also
// when a request is on its way to it, and that request has failed then.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]time.Time // the zero time: a request is under way
}

func newConnections() *connections { return &connections{open: map[net.Conn]time.Time{}} }

// track is the http.Server's ConnState.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle:
		c.open[conn] = time.Now()
	case http.StateActive:
		c.open[conn] = time.Time{}
	case http.StateHijacked, http.StateClosed:
		delete(c.open, conn)
	}
}

// finish waits until all are gone. Who had an answer since the server is draining goes by
// itself; who only waits is let go when nothing has come for a while.
func (c *connections) finish(ctx context.Context, quiet time.Duration) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for c.letGo(quiet) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// letGo ends the waiting of those that were quiet, and counts all that are open. A request
// that was read already is not hurt by the deadline: reading its body sets another one.
func (c *connections) letGo(quiet time.Duration) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, since := range c.open {
		if !since.IsZero() && time.Since(since) >= quiet {
			_ = conn.SetReadDeadline(time.Unix(1, 0)) // one that is closed already is no matter
		}
	}
	return len(c.open)
}
