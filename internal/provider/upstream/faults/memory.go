package faults

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// memory is a network within the process. Its connections block on channels and
// conditions alone, so that the clock of a bubble goes on; net.Pipe would do so too,
// but has no buffer: a server and its caller that write at the same time, as in a
// TLS handshake that is refused, would wait for each other for ever.
type memory struct {
	mu    sync.Mutex
	hosts map[string]*memoryListener
}

// Hosts of the network that are none.
const (
	refusingHost    = "refused.test:80"
	unreachableHost = "unreachable.test:80"
)

func newMemory() *memory { return &memory{hosts: map[string]*memoryListener{}} }

func (m *memory) refusing(testing.TB) string    { return refusingHost }
func (m *memory) unreachable(testing.TB) string { return unreachableHost }

// patience is long, because a test's own minutes pass at once: only where nothing
// else is left to happen does it end.
func (m *memory) patience() time.Duration { return 1000 * time.Hour }

func (m *memory) listen(host string) (net.Listener, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	listener := &memoryListener{address: memoryAddr(host), accept: make(chan net.Conn), closed: make(chan struct{})}
	m.hosts[host] = listener
	return listener, nil
}

func (m *memory) dial(ctx context.Context, _, address string) (net.Conn, error) {
	m.mu.Lock()
	listener := m.hosts[address]
	m.mu.Unlock()
	var err error
	switch {
	case address == unreachableHost:
		<-ctx.Done()
		err = ended(ctx)
	case address == refusingHost:
		err = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	case listener == nil:
		host, _, _ := net.SplitHostPort(address)
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	default:
		near, far := connect("caller.test:1", listener.address)
		select {
		case listener.accept <- far:
			return near, nil
		case <-listener.closed:
			err = os.NewSyscallError("connect", syscall.ECONNREFUSED)
		case <-ctx.Done():
			err = ended(ctx)
		}
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: memoryAddr(address), Err: err}
}

// ended is what a dialer says of its context.
func ended(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return os.ErrDeadlineExceeded
	}
	return ctx.Err()
}

type memoryListener struct {
	address memoryAddr
	accept  chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (l *memoryListener) Addr() net.Addr { return l.address }

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accept:
		return conn, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.address, Err: net.ErrClosed}
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

type memoryAddr string

func (memoryAddr) Network() string  { return "tcp" }
func (a memoryAddr) String() string { return string(a) }
