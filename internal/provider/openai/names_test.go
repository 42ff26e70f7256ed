package openai

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// noSuchName is a resolver whose name server answers every question so.
func noSuchName(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		packet := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if n > 4 {
				packet[2], packet[3] = packet[2]|0x80, 3 // a response: NXDOMAIN (RFC 1035, 4.1.1)
				_, _ = conn.WriteTo(packet[:n], from)
			}
		}
	})
	t.Cleanup(func() { conn.Close(); serving.Wait() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// noNameServer is a resolver whose name server does not answer. A look-up of the
// standard library cannot be broken off: with the test its connections are closed.
func noNameServer(t *testing.T) *net.Resolver {
	var mu sync.Mutex
	var open []net.Conn
	over := false
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		for _, conn := range open {
			conn.Close()
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return nil, net.ErrClosed
		}
		ours, theirs := net.Pipe()
		open = append(open, ours, theirs)
		return ours, nil
	}}
}

func TestNamesThatAreNotFound(t *testing.T) {
	for name, test := range map[string]struct {
		resolver *net.Resolver
		class    fault.Class
		connect  time.Duration
	}{
		"no such name":   {noSuchName(t), fault.Network, 0},
		"no name server": {noNameServer(t), fault.TimeoutConnect, 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{DialContext: (&dialer{net.Dialer{Resolver: test.resolver}}).dial}
			p := New(Options{Name: "acme", BaseURL: "http://llmx.invalid./v1", Transport: transport})
			defer p.Close()
			req := hello()
			req.Timeouts.Connect = test.connect
			start := time.Now()
			_, err := collect(t.Context(), p.Model("m", Caps{}), req)
			if took := time.Since(start); took > test.connect+time.Second {
				t.Errorf("it took %v", took)
			}
			if e := fault.As(err); e.Class != test.class || !strings.Contains(e.Hint, "base_url") {
				t.Errorf("got %s: %v, want %s", e.Class, err, test.class)
			}
		})
	}
}
