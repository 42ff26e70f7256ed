package cli_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// rolled is how many requests TestRollingRestart sends at least.
var rolled = flag.Int("rolling.requests", 1000, "how many requests TestRollingRestart sends at least")

// balancer is a plain one: it passes bytes between connections, and connects new ones to
// the servers that say that they are ready.
type balancer struct {
	listener net.Listener
	servers  []*member
	next     atomic.Int64
	open     sync.WaitGroup
}

type member struct {
	addr  string
	ready atomic.Bool
}

func newBalancer(t *testing.T, addrs ...string) *balancer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: listener}
	ctx, stop := context.WithCancel(context.Background())
	for _, addr := range addrs {
		m := &member{addr: addr}
		b.servers = append(b.servers, m)
		b.open.Go(func() { m.watch(ctx) })
	}
	b.open.Go(b.accept)
	t.Cleanup(func() {
		stop()
		listener.Close()
		b.open.Wait()
	})
	return b
}

// watch asks for readiness every 20 ms, each time on a new connection.
func (m *member) watch(ctx context.Context) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		resp, err := client.Get("http://" + m.addr + "/readyz")
		if err == nil {
			resp.Body.Close()
		}
		m.ready.Store(err == nil && resp.StatusCode == http.StatusOK)
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *balancer) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.open.Go(func() { b.pass(conn) })
	}
}

// pass connects a caller to a server, and ends both connections when either ends.
func (b *balancer) pass(caller net.Conn) {
	defer caller.Close()
	for range len(b.servers) {
		m := b.servers[int(b.next.Add(1))%len(b.servers)]
		if !m.ready.Load() {
			continue
		}
		server, err := net.Dial("tcp", m.addr)
		if err != nil {
			return // the caller sees it: a server that was ready is gone
		}
		defer server.Close()
		var both sync.WaitGroup
		both.Go(func() { _, _ = io.Copy(server, caller); _ = server.(*net.TCPConn).CloseWrite() })
		both.Go(func() { _, _ = io.Copy(caller, server); _ = caller.(*net.TCPConn).CloseWrite() })
		both.Wait()
		return
	}
}

// Two servers on one store are restarted in turn while they are asked without a pause on
// connections that are used again: nobody sees it.
func TestRollingRestart(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	s.write("llmx.yaml", `version: 1
project: tickets
providers:
  sim: {kind: sim}
models:
  small: {provider: sim, price: {input: 1, output: 2}, sim: {seed: 1, latency: {p50: 10ms, p95: 30ms}}}
budgets: [{scope: project, usd: 100, per: day}]
serve: {lame_duck: 300ms}
`)
	var replicas []*replica
	var addrs []string
	for range 2 {
		r := s.serve(t)
		replicas, addrs = append(replicas, r), append(addrs, strings.TrimPrefix(r.url, "http://"))
	}
	b := newBalancer(t, addrs...)
	for _, m := range b.servers {
		replicas[0].until("the balancer sees both", m.ready.Load)
	}

	var done, failed, reused atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for c := range 32 {
		callers.Go(func() {
			// Each has one connection. Nothing is sent again by itself: the body cannot be.
			// It keeps it for less long than the server does that ends (Bounds.Quiet): else a
			// request may meet the end of a connection that was idle, which no server can help.
			client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: 250 * time.Millisecond}}
			defer client.CloseIdleConnections()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := askOnce(&client, b.listener.Addr().String(), fmt.Sprintf("ticket %d of %d", i, c), &reused); err != nil {
					failed.Add(1)
					t.Error(err)
				}
				done.Add(1)
				if i%50 == 0 { // some wait a while on an open connection
					time.Sleep(100 * time.Millisecond)
				}
			}
		})
	}
	restarts := 0
	for round := 0; round == 0 || done.Load() < int64(*rolled); round++ {
		for i, r := range replicas {
			r.signal(syscall.SIGTERM)
			r.exits(0)
			replicas[i] = s.serveBy(t, os.Args[0], "--addr", addrs[i])
			replicas[i].until("the balancer sees it", b.servers[i].ready.Load)
			restarts++
		}
	}
	close(stop)
	callers.Wait()
	t.Logf("%d requests, %d of them on a connection that was used before, over %d restarts: %d failed", done.Load(), reused.Load(), restarts, failed.Load())
	if reused.Load() < done.Load()/2 {
		t.Error("the connections were hardly used again, so nothing was shown")
	}
	for _, r := range replicas {
		r.stop()
	}
	// All calls of all servers are in the one store.
	calls := s.mustRun(0, "calls", "--limit", "0", "--json")
	if n := strings.Count(calls, "\n"); int64(n) != done.Load()-failed.Load() {
		t.Errorf("%d calls are stored of %d", n, done.Load()-failed.Load())
	}
}

func askOnce(client *http.Client, addr, ticket string, reused *atomic.Int64) error {
	body := io.NopCloser(strings.NewReader(fmt.Sprintf(`{"variables": {"ticket": %q}}`, ticket)))
	req, err := http.NewRequest("POST", "http://"+addr+"/v1/prompts/triage", body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req = req.WithContext(traceReuse(req.Context(), reused))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	return err
}

// traceReuse counts connections that were used before.
func traceReuse(ctx context.Context, reused *atomic.Int64) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if info.Reused {
			reused.Add(1)
		}
	}})
}
