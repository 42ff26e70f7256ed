package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

func (g *guarded) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", g.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

const postHead = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

// drips sends a text byte by byte until the connection ends, and gives what was
// answered and how long that took.
func drips(conn net.Conn, text string, every time.Duration) (answer string, took time.Duration) {
	begun := time.Now()
	answered := make(chan string, 1)
	go func() {
		got, _ := io.ReadAll(conn)
		answered <- string(got)
	}()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case answer := <-answered:
			return answer, time.Since(begun)
		case <-ticker.C:
			_, _ = conn.Write([]byte{text[i%len(text)]}) // who is cut off is told by reading
		}
	}
}

// Slowloris: a head, and a body, that come byte by byte end at the bound.
func TestSlowCallersAreCutOff(t *testing.T) {
	g := guard(t, Options{}, Bounds{Header: 200 * time.Millisecond, Body: 300 * time.Millisecond, Idle: 250 * time.Millisecond})
	for name, one := range map[string]struct {
		first, then string
		status      string
	}{
		"a head that does not end": {"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n", "X-A: b\r\n", ""},
		"a line that does not end": {"GET /", "a", ""},
		"a body of known length":   {postHead + "Content-Length: 100000\r\n\r\n", " ", "408"},
		"a body in chunks":         {postHead + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", "408"},
		"the size of a chunk":      {postHead + "Transfer-Encoding: chunked\r\n\r\n", "0", "408"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := g.dial(t)
			if _, err := conn.Write([]byte(one.first)); err != nil {
				t.Fatal(err)
			}
			answer, took := drips(conn, one.then, 20*time.Millisecond)
			if took > 5*time.Second || one.status != "" && !strings.HasPrefix(answer, "HTTP/1.1 "+one.status) {
				t.Errorf("after %v: %q", took, answer)
			}
		})
	}
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		if answer, err := io.ReadAll(g.dial(t)); err != nil || len(answer) > 0 {
			t.Errorf("%q %v", answer, err)
		}
	})
	t.Run("silence after an answer", func(t *testing.T) {
		t.Parallel()
		conn := g.dial(t)
		fmt.Fprint(conn, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("%q %v", answer, err)
		}
	})
}

// What bounds the reading of a request does not bound its answer.
func TestAnAnswerMayTakeLongerThanARequest(t *testing.T) {
	g := guard(t, Options{}, Bounds{Header: 50 * time.Millisecond, Body: 50 * time.Millisecond})
	g.engine = llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			select {
			case <-time.After(400 * time.Millisecond):
				_ = yield(llm.Event{Text: "late"}, nil) && yield(llm.Event{End: &llm.End{}}, nil)
			case <-ctx.Done():
				yield(llm.Event{}, ctx.Err())
			}
		}
	})
	if response, body := g.do(t, "POST", "/v1/chat/completions", askEcho); response.StatusCode != 200 || !strings.Contains(body, "late") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}

// A caller that does not read its answer is left, and its upstream is not kept waiting.
func TestACallerThatDoesNotReadIsLeft(t *testing.T) {
	g := guard(t, Options{Write: 200 * time.Millisecond}, Bounds{})
	left := make(chan struct{})
	g.engine = llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			defer close(left)
			for piece := strings.Repeat("x", 64<<10); yield(llm.Event{Text: piece}, nil); {
			}
		}
	})
	conn := g.dial(t)
	body := strings.Replace(askEcho, "{", `{"stream": true, `, 1)
	fmt.Fprintf(conn, postHead+"Content-Length: %d\r\n\r\n%s", len(body), body)
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Fatal("it still writes")
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	g := guard(t, Options{MaxBody: 1000}, Bounds{})
	for name, one := range map[string]struct{ request, status string }{
		"a body":           {postHead + "Content-Length: 1001\r\n\r\n" + strings.Repeat(" ", 1001), "413"},
		"a body in chunks": {postHead + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat(" ", 1001) + "\r\n0\r\n\r\n", "413"},
		"one header":       {"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", "431"},
		"many headers":     {"GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X: y\r\n", 20_000) + "\r\n", "431"},
		"the line":         {"GET /" + strings.Repeat("x", 100<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "431"},
	} {
		conn := g.dial(t)
		go func() { _, _ = conn.Write([]byte(one.request)) }() // it may be cut off
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+one.status) {
			t.Errorf("%s: %q %v", name, line, err)
		}
	}
	if response, body := g.do(t, "POST", "/v1/chat/completions", askEcho+strings.Repeat(" ", 1000-len(askEcho))); response.StatusCode != 200 {
		t.Errorf("just small enough: %d %s", response.StatusCode, body)
	}
}

// One connection more than there may be is told so; one that ends makes room.
func TestConnectionsAreBounded(t *testing.T) {
	g := guard(t, Options{}, Bounds{Connections: 3})
	held := make([]net.Conn, 3)
	for i := range held {
		held[i] = g.dial(t)
		fmt.Fprint(held[i], "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(held[i]), nil)
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("%v %v", response, err)
		}
		response.Body.Close()
	}
	told := 0
	for range 2 * politely {
		conn := g.dial(t)
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(conn, postHead)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			t.Fatal("one too many was let in")
		}
		if err != nil {
			continue // there were too many of these to tell them all
		}
		told++
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" || !strings.Contains(string(text), "too_many_connections") {
			t.Fatalf("%d %s %v", response.StatusCode, text, err)
		}
	}
	if told == 0 {
		t.Error("nobody was told why")
	}
	held[0].Close()
	for end := time.Now().Add(5 * time.Second); ; {
		conn := g.dial(t)
		fmt.Fprint(conn, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if answer, _ := io.ReadAll(conn); strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the place was not given back")
		}
	}
	if said := g.log.String(); strings.Count(said, "connections are refused") != 1 {
		t.Errorf("it is said once in a while: %s", said)
	}
}
