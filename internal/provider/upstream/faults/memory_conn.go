package faults

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memoryConn is one end of a connection in memory. It fails as a TCP connection
// does: what the other end closed ends, what it reset was reset.
type memoryConn struct {
	in, out     *flow
	near, other memoryAddr
}

// connect makes both ends of a connection.
func connect(from, to memoryAddr) (near, far *memoryConn) {
	there, back := newFlow(), newFlow()
	return &memoryConn{in: back, out: there, near: from, other: to}, &memoryConn{in: there, out: back, near: to, other: from}
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.failed("read", err)
}

func (c *memoryConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.failed("write", err)
}

// failed dresses an error as package net does.
func (c *memoryConn) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.near, Addr: c.other, Err: err}
}

func (c *memoryConn) Close() error {
	c.out.end(io.EOF)
	c.in.abandon(os.NewSyscallError("write", syscall.EPIPE))
	return nil
}

// reset closes the connection so that the other end is told of a reset.
func (c *memoryConn) reset() {
	c.out.end(os.NewSyscallError("read", syscall.ECONNRESET))
	c.in.abandon(os.NewSyscallError("write", syscall.ECONNRESET))
}

func (c *memoryConn) LocalAddr() net.Addr  { return c.near }
func (c *memoryConn) RemoteAddr() net.Addr { return c.other }

func (c *memoryConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reading, t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writing, t)
	return nil
}

// maxUnread is how many bytes are taken from a writer before they are read, as the
// buffers of two sockets would.
const maxUnread = 64 << 10

// flow is one direction of a connection.
type flow struct {
	mu     sync.Mutex
	moved  sync.Cond
	unread []byte
	ended  error // by the writer; after what is unread
	gone   error // the reader's end is closed: what writing then says

	reading, writing deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newFlow() *flow {
	f := &flow{}
	f.moved.L = &f.mu
	return f
}

func (f *flow) read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.gone != nil:
			return 0, net.ErrClosed
		case f.reading.passed():
			return 0, os.ErrDeadlineExceeded
		case len(f.unread) > 0:
			n := copy(p, f.unread)
			if f.unread = f.unread[n:]; len(f.unread) == 0 {
				f.unread = nil
			}
			f.moved.Broadcast()
			return n, nil
		case f.ended != nil:
			return 0, f.ended
		case len(p) == 0:
			return 0, nil
		}
		f.moved.Wait()
	}
}

func (f *flow) write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		room := maxUnread - len(f.unread)
		switch {
		case f.ended != nil:
			return n, net.ErrClosed
		case f.gone != nil:
			return n, f.gone
		case f.writing.passed():
			return n, os.ErrDeadlineExceeded
		case n == len(p):
			return n, nil
		case room > 0:
			take := min(room, len(p)-n)
			f.unread = append(f.unread, p[n:n+take]...)
			n += take
			f.moved.Broadcast()
			continue
		}
		f.moved.Wait()
	}
}

// end is the writer's close.
func (f *flow) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == nil {
		f.ended = err
	}
	f.writing.stop()
	f.moved.Broadcast()
}

// abandon is the reader's close. What it has not read is lost.
func (f *flow) abandon(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone == nil {
		f.gone, f.unread = err, nil
	}
	f.reading.stop()
	f.moved.Broadcast()
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (f *flow) setDeadline(d *deadline, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d.stop()
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.moved.Broadcast()
		})
	}
	f.moved.Broadcast()
}
