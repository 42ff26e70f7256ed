package openai

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// connecting bounds the making of a connection for one request: name look-up, TCP,
// the way through a proxy, and TLS. The wait for a connection of the pool is not
// counted, nor is anything where an idle one is used again.
//
// The transport makes connections apart from the request that wants them. What it
// has begun for a request that came to nothing is given up here, or it would go
// on for as long as the network lets it.
type connecting struct {
	most   time.Duration // 0 for no bound
	expire func()
	secure bool // TLS follows TCP

	mu     sync.Mutex
	timer  *time.Timer
	got    bool // the request has its connection, or is over
	over   bool // nobody waits for a connection any more
	giveUp []func()
}

// bound sets the bound of a request, or ours where it has none.
func (p *Provider) bound(c *connecting, most time.Duration, cancel context.CancelCauseFunc) {
	if most <= 0 {
		most = p.connect
	}
	c.most, c.expire = most, func() { cancel(p.unconnected(most)) }
}

// trace follows the request. The transport calls GetConn again where a connection
// of the pool had died before anything was sent on it.
func (c *connecting) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:           func(string) { c.want() },
		DNSStart:          func(httptrace.DNSStartInfo) { c.begin() },
		ConnectStart:      func(string, string) { c.begin() },
		TLSHandshakeStart: c.begin,
		TLSHandshakeDone:  func(tls.ConnectionState, error) { c.release() },
		GotConn:           func(httptrace.GotConnInfo) { c.done() },
	}
}

func (c *connecting) want() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = c.over
}

// begin starts the clock, once.
func (c *connecting) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most > 0 && !c.got && c.timer == nil {
		c.timer = time.AfterFunc(c.most, c.expire)
	}
}

// done stops the clock. A connection that is still being made for the request,
// which was given another one, goes to the pool.
func (c *connecting) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got, c.giveUp = true, nil
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// release lets go of a connection that is made: it is the pool's, whoever needs it.
func (c *connecting) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.giveUp = nil
}

// abandon ends what was begun for a request that got no connection.
func (c *connecting) abandon() {
	c.mu.Lock()
	giveUp := c.giveUp
	c.over = true
	c.mu.Unlock()
	c.done()
	for _, end := range giveUp {
		end()
	}
}

// hold keeps what ends a connection in the making; where nobody waits for it any
// more it is ended at once.
func (c *connecting) hold(end func()) {
	c.mu.Lock()
	over := c.over
	if !over && !c.got {
		c.giveUp = append(c.giveUp, end)
	}
	c.mu.Unlock()
	if over {
		end()
	}
}

// maxConnect bounds a connection that is being made for nobody any more: one of
// the pool had come first.
const maxConnect = time.Minute

// dialer makes the connections of our pool.
type dialer struct{ net.Dialer }

// dial is its DialContext. ctx has the request's values, and not its end.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, maxConnect)
	defer cancel()
	ex, _ := ctx.Value(exchangeKey{}).(*exchange)
	if ex != nil {
		ex.connecting.hold(cancel)
	}
	conn, err := d.DialContext(ctx, network, address)
	switch {
	case err != nil || ex == nil:
	case ex.connecting.secure:
		ex.connecting.hold(func() { conn.Close() }) // ends a handshake
	default:
		ex.connecting.release()
	}
	return conn, err
}

// unconnected is a connection that was not there in time.
func (p *Provider) unconnected(most time.Duration) *fault.Error {
	return fault.New(fault.TimeoutConnect, "provider %q could not be reached: no connection within %v", p.name, most).
		WithHint(hintUnreached)
}
