package faults

import (
	"context"
	"net"
	"testing"
	"time"
)

// loopback is real TCP on 127.0.0.1.
type loopback struct{}

func (loopback) listen(string) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

func (loopback) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (loopback) patience() time.Duration { return 10 * time.Second }

// refusing is a port that was free a moment ago.
func (loopback) refusing(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("faults: %v", err)
	}
	listener.Close()
	return listener.Addr().String()
}
