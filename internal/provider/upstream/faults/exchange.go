package faults

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// Behaviour is what a model does with a request. It is called from many goroutines
// at once.
type Behaviour func(*Exchange)

// Exchange is one request and the answer to it. What a behaviour writes is sent at
// once.
type Exchange struct {
	Model    string
	N        int // which attempt of its model, from 1
	Messages []upstream.Message
	Body     []byte // of the request
	Request  *http.Request

	server *Server
	w      http.ResponseWriter
	raw    net.Conn // once the exchange is hijacked
	ctx    context.Context
	cancel context.CancelFunc
	entry  *Attempt
	whole  atomic.Bool // all was said: a caller that leaves now has lost nothing
}

// connKey finds the connection of a request in its context.
type connKey struct{}

// run lets the behaviour answer, and logs how that went.
func (x *Exchange) run(behave Behaviour) {
	x.ctx, x.cancel = context.WithCancel(x.Request.Context())
	defer x.cancel()
	log := &x.server.log
	x.entry = log.open(x.Model, x.N)
	stop := context.AfterFunc(x.ctx, func() {
		if x.gone() {
			log.left(x.entry)
		}
	})
	defer func() { // also when the behaviour aborts
		stop()
		log.end(x.entry, x.gone())
		if x.raw != nil {
			x.raw.Close()
		}
	}()
	behave(x)
}

// gone reports whether the caller has left with something still to be said.
func (x *Exchange) gone() bool {
	if x.ctx.Err() == nil || x.whole.Load() {
		return false
	}
	return x.server.life.Err() == nil // else the test is over, and we hung up
}

// Note adds to what the log says that the server did.
func (x *Exchange) Note(format string, args ...any) {
	x.server.log.change(func(time.Duration) {
		if x.entry.Did != "" {
			x.entry.Did += ", "
		}
		x.entry.Did += fmt.Sprintf(format, args...)
	})
}

// Since is the time since the server was started.
func (x *Exchange) Since() time.Duration { return time.Since(x.server.log.start) }

// Sleep waits; it is false as soon as the caller has left or the test is over.
func (x *Exchange) Sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.ctx.Done():
	case <-x.server.life.Done():
	}
	return false
}

// Hang waits until the caller has left or the test is over.
func (x *Exchange) Hang() {
	select {
	case <-x.ctx.Done():
	case <-x.server.life.Done():
	}
}

// Head sends the head of an answer: a stream, unless header says another type.
func (x *Exchange) Head(status int, header map[string]string) {
	x.w.Header().Set("Content-Type", "text/event-stream")
	for name, value := range header {
		x.w.Header().Set(name, value)
	}
	x.w.WriteHeader(status)
	_ = http.NewResponseController(x.w).Flush() // who has left is told of by ctx
}

// Send sends bytes of the body; it is false when the caller has left.
func (x *Exchange) Send(b []byte) bool {
	n, ok := x.write(b)
	x.count(n)
	return ok
}

func (x *Exchange) write(b []byte) (n int, ok bool) {
	var err error
	if x.raw != nil {
		n, err = x.raw.Write(b)
	} else if n, err = x.w.Write(b); err == nil {
		err = http.NewResponseController(x.w).Flush()
	}
	if err != nil {
		x.cancel() // nobody listens
	}
	return n, x.ctx.Err() == nil
}

// count adds bytes of the body to the log.
func (x *Exchange) count(n int) {
	x.server.log.mu.Lock()
	defer x.server.log.mu.Unlock()
	x.entry.Bytes += int64(n)
}

// SendAll sends events and with them all that there is to say.
func (x *Exchange) SendAll(events [][]byte) {
	for i, event := range events {
		x.whole.Store(i == len(events)-1)
		if !x.Send(event) {
			return
		}
	}
}

// Abort closes the connection in the middle of the answer.
func (x *Exchange) Abort() {
	x.whole.Store(true)
	panic(http.ErrAbortHandler)
}

// Reset closes the connection with a reset in place of an end.
func (x *Exchange) Reset() {
	x.whole.Store(true) // whoever leaves from now on was told to
	conn, _ := x.Request.Context().Value(connKey{}).(net.Conn)
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	switch c := conn.(type) {
	case *net.TCPConn:
		_ = c.SetLinger(0) // what is not sent yet is dropped, and the close is a reset
	case *memoryConn:
		c.reset()
	}
	x.Abort()
}

// Hijack takes the connection from the HTTP server: from now on Send writes bytes
// as they are. The connection is closed with the exchange.
func (x *Exchange) Hijack() bool {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.Note("could not be hijacked: %v", err)
		return false
	}
	x.raw = conn
	x.server.exchanges.Go(func() { // the server no longer looks whether the caller leaves
		_, _ = conn.Read(make([]byte, 1))
		x.cancel()
	})
	return true
}
