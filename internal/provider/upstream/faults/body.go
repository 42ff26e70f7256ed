package faults

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// HTML answers 200 with a page for a browser.
func HTML() Behaviour {
	return func(x *Exchange) {
		x.Note("an HTML page")
		x.refuse(200, "<!doctype html><html><body><h1>Sign in to the network</h1></body></html>", map[string]string{"Content-Type": "text/html; charset=utf-8"})
	}
}

// GzipGarbage answers 200 with bytes that are said to be gzip and are not.
func GzipGarbage() Behaviour {
	return func(x *Exchange) {
		x.Note("gzip garbage")
		x.refuse(200, "\x1f\x8b\x08\x00 no gzip from here on", map[string]string{"Content-Type": "text/event-stream", "Content-Encoding": "gzip"})
	}
}

// Endless answers with a body of up to so many bytes: the pieces of a stream that
// has no end, or one line. It stops when the caller leaves.
func Endless(most int64, oneLine bool) Behaviour {
	what, begin, piece := "an endless stream", "", `data: {"choices":[{"index":0,"delta":{"content":"`+strings.Repeat("x", 1000)+`"}}]}`+"\n\n"
	if oneLine {
		what, begin, piece = "an endless line", "data: ", strings.Repeat("x", 1024)
	}
	block := bytes.Repeat([]byte(piece), 64)
	return func(x *Exchange) {
		x.Note("%s", what)
		x.Head(200, nil)
		more := x.Send([]byte(begin))
		for sent := int64(0); more && sent < most; sent += int64(len(block)) {
			more = x.Send(block)
		}
	}
}

// Drip sends the right answer byte by byte, one every d.
func Drip(d time.Duration) Behaviour {
	return streaming("drips a byte every "+d.String(), func(x *Exchange, events [][]byte) {
		all := bytes.Join(events, nil)
		for i := range all {
			x.whole.Store(i == len(all)-1)
			if i > 0 && !x.Sleep(d) || !x.Send(all[i:i+1]) {
				return
			}
		}
	})
}

// SlowHeaders takes d over the head of the right answer, and sends ten pieces of it
// meanwhile.
func SlowHeaders(d time.Duration) Behaviour {
	const slices = 10
	return func(x *Exchange) {
		x.Note("the head takes %v", d)
		if !x.Hijack() {
			return
		}
		reply := x.right()
		body := bytes.Join(reply.Events(x.Model), nil)
		head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", len(body))
		for i := range slices {
			if !x.Sleep(d / slices) {
				return
			}
			if _, ok := x.write(head[i*len(head)/slices : (i+1)*len(head)/slices]); !ok {
				return
			}
		}
		x.SendAll([][]byte{body})
	}
}

// NotHTTP answers with what another protocol would say.
func NotHTTP() Behaviour {
	return func(x *Exchange) {
		x.Note("not HTTP")
		if x.Hijack() {
			x.SendAll([][]byte{[]byte("SSH-2.0-OpenSSH_9.9\r\n")})
		}
	}
}

// Reset closes the connection with a reset, before anything is answered.
func Reset() Behaviour {
	return func(x *Exchange) {
		x.Note("reset")
		x.Reset()
	}
}

// Close closes the connection in good order, before anything is answered.
func Close() Behaviour {
	return func(x *Exchange) {
		x.Note("closed")
		x.Abort()
	}
}

// Silent reads the request and never answers.
func Silent() Behaviour {
	return func(x *Exchange) {
		x.Note("silent")
		x.Hang()
	}
}
