package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Bounds keep a slow or a rude client from holding what others need; 0 is the default.
type Bounds struct {
	Header time.Duration // until the head of a request is read; 10 s
	Body   time.Duration // until its body is; 60 s
	Idle   time.Duration // between two requests of a connection; 120 s
	Drain  time.Duration // for what is under way when the server ends; 30 s
	Quiet  time.Duration // that a connection has no request, before it is closed when the server ends; 500 ms

	Connections int // open at once; 20,000
	// Certificate makes it HTTPS: it gives the one that is valid now. nil: HTTP.
	Certificate func() *tls.Certificate
}

func (b Bounds) withDefaults() Bounds {
	for _, one := range []struct {
		bound *time.Duration
		usual time.Duration
	}{{&b.Header, 10 * time.Second}, {&b.Body, time.Minute}, {&b.Idle, 2 * time.Minute}, {&b.Drain, 30 * time.Second}, {&b.Quiet, 500 * time.Millisecond}} {
		if *one.bound <= 0 {
			*one.bound = one.usual
		}
	}
	if b.Connections <= 0 {
		b.Connections = defaultConnections
	}
	return b
}

const defaultConnections = 20_000

const maxHeaderBytes = 64 << 10

// Serve answers on a listener until ctx ends; then it takes no new connection, goes on
// answering on those that are open until they are gone, and cuts what is left when the
// bound is over. now cuts at once.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, b Bounds, log *slog.Logger, now <-chan struct{}) error {
	b = b.withDefaults()
	open := newConnections()
	s := &http.Server{
		Handler: handler, ReadHeaderTimeout: b.Header, ReadTimeout: b.Header + b.Body, IdleTimeout: b.Idle, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnState: open.track,
	}
	// HTTP/1.1 alone, under TLS too: every client speaks it, and what one connection can
	// ask for at once stays one request.
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	listener = boundConnections(listener, b.Connections, b.Certificate == nil, log)
	if b.Certificate != nil {
		listener = tls.NewListener(listener, &tls.Config{
			MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return b.Certificate(), nil },
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	select {
	case err := <-ended:
		return fault.New(fault.Internal, "the server stopped: %v", err).Because(err)
	case <-ctx.Done():
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.Drain)
	defer cancel()
	go func() {
		select {
		case <-now:
			cancel()
		case <-bound.Done():
		}
	}()
	_ = listener.Close() // a listener that is closed already takes nothing either
	<-ended
	if err := open.finish(bound, b.Quiet); errors.Is(err, context.DeadlineExceeded) {
		log.Warn("requests were still under way when the time to finish was up", "bound", b.Drain.String())
	}
	_ = s.Close()
	// What was cut ends by itself now, and its calls are to be in the log.
	cut, cancelCut := context.WithTimeout(context.WithoutCancel(ctx), cutFor)
	defer cancelCut()
	_ = open.finish(cut, b.Quiet)
	return nil
}

// cutFor bounds the wait for what was cut.
const cutFor = 2 * time.Second
