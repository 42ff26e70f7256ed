package server

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// malformed makes one wrong request of a kind.
type malformed struct {
	kind string
	make func(r *rand.Rand) []byte
}

func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func endpoint(r *rand.Rand) string {
	return pick(r, "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/prompts/triage", "/v1/models", "/v1/calls/x", "/v1/calls/x/feedback", "/v1/labels")
}

func noise(r *rand.Rand, most int) string {
	b := make([]byte, 1+r.IntN(most))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// nested is a value so many levels deep.
func nested(r *rand.Rand, depth int) string {
	if r.IntN(2) == 0 {
		return strings.Repeat("[", depth) + strings.Repeat("]", depth)
	}
	return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
}

var malformedRequests = []malformed{
	{"a head that is cut", func(r *rand.Rand) []byte {
		whole := post(endpoint(r), askEcho)
		return []byte(whole[:r.IntN(len(whole))])
	}},
	{"huge headers", func(r *rand.Rand) []byte {
		return []byte("GET " + endpoint(r) + " HTTP/1.1\r\nHost: localhost\r\n" + pick(r, strings.Repeat("X: y\r\n", 30_000), "X: "+strings.Repeat("y", 200_000)+"\r\n",
			strings.Repeat("y", 200_000)+": x\r\n", "Authorization: Bearer "+strings.Repeat("y", 50_000)+"\r\n", "Cookie: "+strings.Repeat("a=b; ", 9000)+"\r\n") + "\r\n")
	}},
	{"chunks that are none", func(r *rand.Rand) []byte {
		return []byte("POST " + endpoint(r) + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + pick(r, "xyz\r\n", "-1\r\n", "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
			"5\r\n{}\r\n", "2\r\n{}2\r\n{}\r\n0\r\n\r\n", "2;"+strings.Repeat("x", 9000)+"\r\n{}\r\n0\r\n\r\n", "\r\n\r\n", "0x2\r\n{}\r\n0\r\n\r\n", "2\n{}\n0\n\n", "0\r\nX: y\r\nContent-Length: 7\r\n\r\n",
			strings.Repeat("1\r\n \r\n", 20_000), "7fffffffffffffff\r\n"+askEcho))
	}},
	{"null bytes", func(r *rand.Rand) []byte {
		b := []byte(post(endpoint(r), askEcho))
		for range 1 + r.IntN(5) {
			b[r.IntN(len(b))] = 0
		}
		return b
	}},
	{"a pipeline", func(r *rand.Rand) []byte {
		var b strings.Builder
		for range 1 + r.IntN(60) {
			b.WriteString(pick(r, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", post("/v1/chat/completions", askEcho), post("/v1/chat/completions", "{"), "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n"))
		}
		return []byte(b.String() + pick(r, "", "GET", "\x00", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"))
	}},
	{"lengths that quarrel", func(r *rand.Rand) []byte {
		return []byte("POST " + endpoint(r) + " HTTP/1.1\r\nHost: localhost\r\n" + pick(r, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: -1\r\n",
			"Content-Length: +5\r\n", "Content-Length: 5, 6\r\n", "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
			"Transfer-Encoding : chunked\r\n", "Content-Length: 0x5\r\n", "Content-Length:\r\n", "Transfer-Encoding: \x0bchunked\r\n", "Content-Length: 5\r\n Content-Length: 6\r\n") + "\r\n0\r\n\r\n{\"a\":1}")
	}},
	{"what is no UTF-8", func(r *rand.Rand) []byte {
		bad := pick(r, "\xff\xfe", "\xc0\xaf", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "%ff%00", "\\ud800")
		return []byte(pick(r, post("/v1/chat/completions", `{"model": "`+bad+`", "messages": [{"role": "user", "content": "`+bad+`"}]}`), "GET /v1/models/"+bad+" HTTP/1.1\r\nHost: localhost\r\n\r\n",
			"GET /v1/models HTTP/1.1\r\nHost: "+bad+"\r\nX: "+bad+"\r\nAuthorization: Bearer "+bad+"\r\n\r\n", post("/v1/prompts/"+bad, "{}"), post("/v1/chat/completions", `{"`+bad+`": 1}`)))
	}},
	{"addresses", func(r *rand.Rand) []byte {
		return []byte(pick(r, "GET http://evil.example/v1/models", "GET https://127.0.0.1:1/", "CONNECT evil.example:443", "OPTIONS *", "GET //evil.example//v1/models", "GET /v1/../../../etc/passwd", "GET /v1/prompts/..%2f..%2fllmx.yaml",
			"GET *", "GET file:///etc/passwd", "GET /v1/models?"+strings.Repeat("a=b&", 9000), "GET /v1/models#x", "GET ?", "TRACE /v1/models", "PATCH /v1/models", "DELETE /v1/calls/x", strings.Repeat("A", 5000)+" /") + " HTTP/1.1\r\nHost: " +
			pick(r, "localhost", "evil.example", "", "a b", "[::1", "localhost:99999999", "127.0.0.1:") + "\r\n\r\n")
	}},
	{"another protocol", func(r *rand.Rand) []byte {
		return []byte(pick(r, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
			"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
			"GET /\r\n", "GET /\n", "GET / HTTP/9.9\r\n\r\n", "get /v1/models http/1.1\r\nhost: localhost\r\n\r\n", "GET /v1/models HTTP/1.0\r\n\r\n", "GET /v1/models HTTP/1.1\r\n\r\n", "EHLO localhost\r\n", "SSH-2.0-OpenSSH_9.6\r\n",
			"*1\r\n$4\r\nPING\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+noise(r, 500), "\x80\x2e\x01\x00\x02"+noise(r, 50)))
	}},
	{"deep JSON", func(r *rand.Rand) []byte {
		deep := nested(r, pick(r, 9_990, 10_001, 100_000))
		return []byte(post(endpoint(r), pick(r, deep, `{"messages": `+deep+`}`, `{"model": "echo", "messages": [{"role": "user", "content": `+deep+`}]}`, `{"prompt": {"id": "x", "variables": `+deep+`}}`, `{"variables": `+deep+`}`,
			`{"input": `+deep+`}`, `{"model": "echo", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": `+deep+`}}}`, deep[:len(deep)/2])))
	}},
	{"odd JSON", func(r *rand.Rand) []byte {
		digits := strings.Repeat("9", 100_000)
		return []byte(post(endpoint(r), pick(r, "", " ", "null", "true", "7", `"x"`, "[]", "{}{}", `{"model"`, `{"model": "echo",}`, "{'model': 1}", "\xef\xbb\xbf{}", `{"n": `+digits+`}`, `{"n": 1e999999999, "temperature": -1e999999}`, `{"model": `+digits+`}`,
			"{"+strings.Repeat(`"model": "echo", `, 20_000)+`"model": "echo"}`, `{"model": "echo", "messages": null}`, `{"model": "echo", "messages": [null, 7, [], {}, {"role": 7}]}`, `{"model": {}, "messages": {}}`,
			`{"model": "echo", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "`+pick(r, "file:///etc/passwd", "http://", "gopher://x", "data:;base64,"+strings.Repeat("A", 4001), "data:")+`"}}]}]}`,
			`{"model": "echo", "stream": "yes", "messages": [`+strings.Repeat(`{"role": "user", "content": "x"},`, 5000)+`{"role": "user", "content": "x"}]}`, `{"model": "echo", "messages": [{"role": "tool", "content": "x"}], "tools": [{}], "tool_choice": {"type": []}}`,
			`{"input": [1, [2], "x"], "model": "echo"}`, `{"input": [`+strings.Repeat(`"x",`, 4000)+`"x"], "model": "echo"}`, `{"model": "prompt:../../x@`+strings.Repeat("1.", 3000)+`"}`, `{"model": "\u0000", "messages": [{"role": "user", "content": "\u0000"}]}`)))
	}},
	{"a head that is wrong", func(r *rand.Rand) []byte {
		return []byte("POST " + endpoint(r) + " HTTP/1.1\r\nHost: localhost\r\n" + pick(r, "Host: evil.example\r\n", "No colon\r\n", ": empty\r\n", "A B: c\r\n", " folded\r\n", "X: a\r\n\tb\r\n", "X: \x7f\x01\r\n", "Content-Type: ;;;\r\n", "Content-Type: text/plain\r\n",
			"Expect: 100-continue\r\nContent-Length: 5\r\n", "Expect: magic\r\n", "Connection: close, \x00\r\n", "Authorization: Basic \r\n", "Content-Encoding: gzip\r\nContent-Length: 3\r\n", "X\r: y\r\n", "X: y\n") + "\r\n" + noise(r, 20))
	}},
	{"a request with wrong bytes", func(r *rand.Rand) []byte {
		b := []byte(post(endpoint(r), askEcho))
		for range 1 + r.IntN(8) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		return b
	}},
	{"noise", func(r *rand.Rand) []byte { return []byte(noise(r, 5000)) }},
}

// A thousand malformed requests over raw sockets: each is answered, or its connection is
// closed, within the bound, nothing of the process is left behind, and it serves on.
func TestMalformedRequests(t *testing.T) {
	const requests, atOnce = 1000, 16
	bounds := Bounds{Header: 150 * time.Millisecond, Body: 150 * time.Millisecond, Idle: 150 * time.Millisecond}
	g := guard(t, Options{}, bounds)
	if response, body := g.do(t, "POST", "/v1/chat/completions", askEcho); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	before := runtime.NumGoroutine()
	var sending sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]map[string]int{}
	places := make(chan struct{}, atOnce)
	for i := range requests {
		one := malformedRequests[i%len(malformedRequests)]
		places <- struct{}{}
		sending.Go(func() {
			defer func() { <-places }()
			r := rand.New(rand.NewPCG(7, uint64(i)))
			request := one.make(r)
			status := g.send(t, r, request, fmt.Sprintf("%s (%d)", one.kind, i))
			mu.Lock()
			defer mu.Unlock()
			if answers[one.kind] == nil {
				answers[one.kind] = map[string]int{}
			}
			answers[one.kind][status]++
		})
	}
	sending.Wait()
	for _, one := range malformedRequests {
		t.Logf("%s: %v", one.kind, answers[one.kind])
	}
	if response, body := g.do(t, "POST", "/v1/chat/completions", askEcho); response.StatusCode != 200 {
		t.Errorf("after it all: %d %s", response.StatusCode, body)
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
	if said := g.log.String(); strings.Contains(said, "panicked") || strings.Contains(said, "status=500") {
		t.Errorf("a bug: %s", said)
	}
}

// send writes a request, in one piece or in some, and gives the status of the first
// answer, or "closed". What is neither an answer nor a clean end fails.
func (g *guarded) send(t *testing.T, r *rand.Rand, request []byte, name string) string {
	conn, err := net.Dial("tcp", g.address)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return ""
	}
	defer conn.Close()
	const bound = 8 * time.Second
	begun := time.Now()
	_ = conn.SetDeadline(begun.Add(2 * bound))
	halfClose := r.IntN(3) == 0
	cut := 0
	if r.IntN(2) == 0 && len(request) > 0 {
		cut = r.IntN(len(request))
	}
	go func() {
		for _, piece := range [][]byte{request[:cut], request[cut:]} {
			if _, err := conn.Write(piece); err != nil {
				return // it was cut off
			}
		}
		if halfClose {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	answer, err := io.ReadAll(conn)
	if took := time.Since(begun); took > bound {
		t.Errorf("%s: it took %v", name, took)
	}
	if netErr, ok := err.(net.Error); ok && netErr.Timeout() {
		t.Errorf("%s: it never ended, with %d bytes: %.200q", name, len(answer), request)
	}
	if len(answer) == 0 {
		return "closed"
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.")) || len(answer) < 12 {
		t.Errorf("%s: %.200q is no answer to %.200q", name, answer, request)
		return ""
	}
	return string(answer[9:12])
}
