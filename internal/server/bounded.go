package server

import (
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// bounded lets so many connections be open at once. One more is told so and closed, as
// whoever waits in a queue that nobody sees learns nothing, and his client cannot ask
// another server.
type bounded struct {
	net.Listener
	most   int64
	open   atomic.Int64
	tells  bool          // whom it refuses: not under TLS, where they could not read it
	polite chan struct{} // held by each goroutine that tells
	log    *slog.Logger
	said   atomic.Int64 // when it was last logged, in Unix seconds
}

// politely is how many are told at once why they are closed; the others are closed.
const politely = 64

func boundConnections(l net.Listener, most int, tells bool, log *slog.Logger) net.Listener {
	return &bounded{Listener: l, most: int64(most), tells: tells, polite: make(chan struct{}, politely), log: log}
}

// Accept gives the next connection that there is room for.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if b.open.Add(1) <= b.most {
			return &counted{Conn: conn, of: b}, nil
		}
		b.open.Add(-1)
		b.refuse(conn)
	}
}

const tooManyConnections = `{"error":{"message":"the server has as many connections as it may have","type":"server_error","param":null,"code":"too_many_connections"}}`

// refusal503 is said without reading what was asked.
var refusal503 = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: " +
	strconv.Itoa(len(tooManyConnections)) + "\r\n\r\n" + tooManyConnections

func (b *bounded) refuse(conn net.Conn) {
	if now := time.Now().Unix(); now-b.said.Load() >= 10 {
		b.said.Store(now)
		b.log.Warn("connections are refused: as many are open as there may be", "max_connections", b.most)
	}
	if !b.tells {
		_ = conn.Close()
		return
	}
	select {
	case b.polite <- struct{}{}:
	default:
		_ = conn.Close()
		return
	}
	go func() {
		defer func() { <-b.polite }()
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		if _, err := io.WriteString(conn, refusal503); err != nil {
			return
		}
		// Closed while something of the request is unread, the answer would be lost.
		if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_, _ = io.CopyN(io.Discard, conn, 64<<10)
		}
	}()
}

// counted is a connection that has a place.
type counted struct {
	net.Conn
	of   *bounded
	once sync.Once
}

// CloseWrite ends the writing, so that an answer arrives before the connection is closed
// over what was not read.
func (c *counted) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *counted) Close() error {
	c.once.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close()
}
