package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// raw is a connection of a caller that sends when it likes.
type raw struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, addr string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &raw{t, conn, bufio.NewReader(conn)}
}

func (r *raw) ask() (closes bool) {
	r.t.Helper()
	fmt.Fprint(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Close
}

func (r *raw) ends() {
	r.t.Helper()
	if _, err := r.in.ReadByte(); err != io.EOF {
		r.t.Errorf("%v, want the end", err)
	}
}

// A connection that waits is not closed under a request that is on its way: it is served
// as long as something comes, and let go when nothing has come for a while.
func TestTheEndWaitsForConnectionsToFallQuiet(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newHealthServer(Options{})
	ctx, stop := context.WithCancel(t.Context())
	const quiet = 1000 * time.Millisecond
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listener, s, Bounds{Quiet: quiet}, slog.New(slog.DiscardHandler), make(chan struct{}))
	}()
	addr := listener.Addr().String()
	busy, silent, fresh := dial(t, addr), dial(t, addr), dial(t, addr)
	if busy.ask() || silent.ask() {
		t.Error("a connection is closed while nobody ends")
	}
	time.Sleep(quiet / 2)
	if busy.ask() {
		t.Error("a connection is closed while nobody ends")
	}
	s.Drain()
	stop()
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("connections are still taken")
		}
	}
	if !busy.ask() { // it comes after the end has begun, on a connection that was waiting
		t.Error("the last answer does not close its connection")
	}
	for _, one := range []*raw{busy, silent, fresh} {
		one.ends()
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the server does not end")
	}
}
