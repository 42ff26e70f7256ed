package faults

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

// unreachable is a listener that nobody accepts from and whose queue is full: Linux
// drops further SYN packets, so that connecting hangs as it does where a firewall
// swallows them.
func (loopback) unreachable(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("faults: %v", err)
	}
	t.Cleanup(func() { listener.Close() })
	raw, err := listener.(*net.TCPListener).SyscallConn()
	if err == nil {
		var shrunk error
		err = raw.Control(func(fd uintptr) { shrunk = syscall.Listen(int(fd), 0) }) // listening again sets the queue's length
		err = errors.Join(err, shrunk)
	}
	if err != nil {
		t.Fatalf("faults: %v", err)
	}
	address := listener.Addr().String()
	for range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		cancel()
		if err != nil {
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("faults: the queue of the listener does not fill")
	return ""
}
