package faults

import (
	"context"
	"net"
	"net/http"
	"time"
)

// Transport is a pool of connections to the server's network with the bounds of the
// provider's own, for openai.Options.Transport; in a bubble it is the only way to
// the server. connect bounds the dial and the TLS handshake. Its idle connections
// are closed with the test.
func (s *Server) Transport(connect time.Duration) *http.Transport {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connect)
			defer cancel()
			return s.Dial(ctx, network, address)
		},
		TLSHandshakeTimeout:    connect,
		MaxConnsPerHost:        256,
		MaxIdleConnsPerHost:    256,
		MaxResponseHeaderBytes: 256 << 10,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// Dial connects to an address of the server's network, as net.Dialer does: until
// ctx ends, or the test is over.
func (s *Server) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return s.network.dial(ctx, network, address)
}
