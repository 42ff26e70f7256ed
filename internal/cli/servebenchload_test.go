//go:build bench

package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bareProxy is the least that a gateway does: it decodes the body, and passes it on.
func bareProxy(to string) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: to})
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 20_000}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var fields map[string]any
		if err == nil {
			err = json.Unmarshal(body, &fields)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		proxy.ServeHTTP(w, r)
	})
}

// caller keeps connections to a party, and asks on them.
type caller struct {
	*party
	mu   sync.Mutex
	idle []*line
}

type line struct {
	net.Conn
	in *bufio.Reader
}

func (c *caller) take() (*line, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		l := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		return l, nil
	}
	c.mu.Unlock()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return nil, err
	}
	return &line{conn, bufio.NewReaderSize(conn, 4<<10)}, nil
}

func (c *caller) give(l *line) {
	c.mu.Lock()
	c.idle = append(c.idle, l)
	c.mu.Unlock()
}

// ask sends one request and reads the answer; first is when its first byte was there.
func (c *caller) ask(n int64, stream bool) (first time.Time, err error) {
	l, err := c.take()
	if err != nil {
		return first, err
	}
	body := c.body(n, stream)
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", c.path, c.addr, len(body))
	if _, err := l.Write(append(request, body...)); err != nil {
		return first, err
	}
	answer, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return first, err
	}
	if _, err := l.in.Peek(1); err == nil {
		first = time.Now()
	}
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return first, err
	}
	if answer.StatusCode != http.StatusOK || !bytes.Contains(said, []byte("billing")) {
		return first, fmt.Errorf("status %d: %.300s", answer.StatusCode, said)
	}
	c.give(l)
	return first, nil
}

// usage is what a process has used.
type usage struct {
	cpu    time.Duration
	memory int64 // bytes resident, at most
}

func (p *party) usage() usage {
	var u usage
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.process.Process.Pid))
	if _, after, ok := strings.Cut(string(stat), ") "); ok {
		f := strings.Fields(after)
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		u.cpu = time.Duration(user+system) * 10 * time.Millisecond // ticks of 1/100 s
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Process.Pid))
	if _, after, ok := strings.Cut(string(status), "VmHWM:"); ok {
		var kilobytes int64
		_, _ = fmt.Sscan(after, &kilobytes)
		u.memory = kilobytes << 10
	}
	return u
}

// figures are what a party took for many requests.
type figures struct {
	took   []time.Duration
	failed int
	err    error
	cpu    time.Duration
	wall   time.Duration
	memory int64
}

func (f *figures) quantile(q float64) time.Duration {
	if len(f.took) == 0 {
		return 0
	}
	return f.took[min(len(f.took)-1, int(q*float64(len(f.took))))]
}

// rounds lets every party answer by turns, and gives the figures of each.
func (b *serveBench) rounds(slice func(c *caller, f *figures)) []*figures {
	all := make([]*figures, len(b.parties))
	callers := make([]*caller, len(b.parties))
	for i, p := range b.parties {
		all[i], callers[i] = &figures{}, &caller{party: p}
		for range 200 { // connections and code are warm
			if _, err := callers[i].ask(b.count.Add(1), false); err != nil {
				b.Fatalf("%s: %v", p.name, err)
			}
		}
	}
	for range benchRounds {
		for i, p := range b.parties {
			before, begun := p.usage(), time.Now()
			slice(callers[i], all[i])
			after := p.usage()
			all[i].cpu += after.cpu - before.cpu
			all[i].wall += time.Since(begun)
			all[i].memory = after.memory
		}
	}
	for i, f := range all {
		slices.Sort(f.took)
		if f.failed > 0 {
			b.Errorf("%s: %d requests failed, such as: %v", b.parties[i].name, f.failed, f.err)
		}
	}
	return all
}

// measure runs requests that were due at a time, each in a goroutine, and waits for all.
type measure struct {
	sync.WaitGroup
	mu sync.Mutex
	f  *figures
}

func (m *measure) note(took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.f.failed++
		m.f.err = err
		return
	}
	m.f.took = append(m.f.took, took)
}

// byTheClock sends requests at a rate for a while.
func (b *serveBench) byTheClock(c *caller, f *figures, rate int, lasts time.Duration, stream bool) {
	m := measure{f: f}
	gap := time.Second / time.Duration(rate)
	begun := time.Now()
	for due := begun; due.Sub(begun) < lasts; due = due.Add(gap) {
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		n := b.count.Add(1)
		m.Go(func() {
			first, err := c.ask(n, stream)
			if !stream {
				first = time.Now()
			}
			m.note(first.Sub(due), err)
		})
	}
	m.Wait()
}

func (b *serveBench) openLoop(rate int) {
	all := b.rounds(func(c *caller, f *figures) { b.byTheClock(c, f, rate, benchSlice, false) })
	b.report(fmt.Sprintf("%d requests/s", rate), all)
	if rate == 3000 {
		direct, llmx := all[0], all[2]
		b.bound("p50 over a direct call", llmx.quantile(0.5)-direct.quantile(0.5), 150*time.Microsecond)
		b.bound("p99 over a direct call", llmx.quantile(0.99)-direct.quantile(0.99), time.Millisecond)
	}
}

func (b *serveBench) closedLoop(callers int) {
	all := b.rounds(func(c *caller, f *figures) {
		m := measure{f: f}
		end := time.Now().Add(benchSlice)
		for range callers {
			m.Go(func() {
				for begun := time.Now(); begun.Before(end); begun = time.Now() {
					_, err := c.ask(b.count.Add(1), false)
					m.note(time.Since(begun), err)
				}
			})
		}
		m.Wait()
	})
	b.report(fmt.Sprintf("%d callers without a pause", callers), all)
	rate := func(f *figures) float64 { return float64(len(f.took)) / f.wall.Seconds() }
	share := rate(all[2]) / rate(all[1])
	b.rows = append(b.rows, fmt.Sprintf("throughput: direct %.0f/s, bare proxy %.0f/s, llmx %.0f/s: %.2f of the bare proxy's (bound: 0.5)", rate(all[0]), rate(all[1]), rate(all[2]), share))
	if share < 0.5 {
		b.Errorf("throughput is %.2f of the bare proxy's, the bound is 0.5", share)
	}
}

func (b *serveBench) firstToken(rate int) {
	all := b.rounds(func(c *caller, f *figures) { b.byTheClock(c, f, rate, benchSlice, true) })
	b.report(fmt.Sprintf("first byte of a stream, %d/s", rate), all)
}

// manyConnections holds connections open while some of them ask.
func (b *serveBench) manyConnections(open, rate int) {
	b.start(1750 * time.Millisecond)
	for _, p := range b.parties {
		c := &caller{party: p}
		lines := make([]*line, open)
		for i := range lines {
			l, err := c.take()
			if err != nil {
				b.Fatalf("%s: connection %d: %v", p.name, i, err)
			}
			lines[i] = l
		}
		for _, l := range lines {
			c.give(l)
		}
		f := &figures{}
		before := p.usage()
		b.byTheClock(c, f, rate, 10*time.Second, false)
		after := p.usage()
		slices.Sort(f.took)
		f.cpu, f.memory, f.wall = after.cpu-before.cpu, after.memory, 10*time.Second
		b.report(fmt.Sprintf("%d connections, %d/s of 1.75 s", open, rate), []*figures{f}, p.name)
		if f.failed > 0 {
			b.Errorf("%s: %d of %d requests failed, such as: %v", p.name, f.failed, f.failed+len(f.took), f.err)
		}
		if p.name == "llmx" && f.memory > 400e6 {
			b.Errorf("%s took %s, the bound is 400 MB", p.name, megabytes(f.memory))
		}
		for _, l := range lines {
			l.Close()
		}
	}
}

// report adds a row for each party.
func (b *serveBench) report(what string, all []*figures, names ...string) {
	if len(names) == 0 {
		for _, p := range b.parties {
			names = append(names, p.name)
		}
	}
	for i, f := range all {
		n := max(len(f.took), 1)
		b.rows = append(b.rows, fmt.Sprintf("| %-38s | %-10s | %8.2f ms | %8.2f ms | %6.0f µs | %7s |", what, names[i],
			milliseconds(f.quantile(0.5)), milliseconds(f.quantile(0.99)), float64(f.cpu.Microseconds())/float64(n), megabytes(f.memory)))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (b *serveBench) bound(what string, got, bound time.Duration) {
	b.rows = append(b.rows, fmt.Sprintf("%s: %v (bound: %v)", what, got.Round(time.Microsecond), bound))
	if got > bound {
		b.Errorf("%s: %v, the bound is %v", what, got, bound)
	}
}
