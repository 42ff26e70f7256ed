// Package openai speaks the OpenAI-shaped chat wire, through go-openai, to any
// server that has it. A RoundTripper of ours completes what that library drops
// on the way out and keeps what it loses on the way back. It imports llm, fault, jsonschema
// and go-openai, which no other package imports.
package openai

import (
	"net/http"
	"net/url"
	"sync"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Options say where a provider is and how to get there.
type Options struct {
	Name    string            // its name in llmx.yaml, for messages
	BaseURL string            // up to, and without, /chat/completions
	APIKey  string            // already resolved; "" sends none
	Headers map[string]string // sent with every request; their values are secrets

	ConnectTimeout time.Duration // for the making of a connection, where a request sets no bound; 0 means 5 s
	MaxConns       int           // connections at once; 0 means 256

	// Proxy chooses a proxy for a request, as http.Transport does; nil means none.
	Proxy func(*http.Request) (*url.URL, error)

	// Transport replaces our own connection pool; MaxConns, Proxy, and a bound for
	// connections where the request sets none, are then its business.
	Transport http.RoundTripper

	// Now is the clock that a Retry-After date is compared with; nil ignores dates.
	Now func() time.Time
}

// Provider is one server. It holds the connections that its models share, and is
// safe for concurrent use.
type Provider struct {
	name      string
	hasKey    bool
	headers   map[string]string
	secrets   redactor
	now       func() time.Time
	transport http.RoundTripper
	connect   time.Duration // the bound of a connection; 0 where it is not our business
	client    *openai.Client
	http      *http.Client // for what is no chat
	base, key string       // likewise
	readers   sync.Pool    // of *bufio.Reader, for answers
	unusable  *fault.Error // why no request can be sent, or nil
	maxAnswer int          // bytes of text, reasoning and tool calls
	maxStream int          // bytes of the lines that they come in
}

const (
	defaultConnectTimeout = 5 * time.Second
	defaultMaxConns       = 256
	idleConnTimeout       = 90 * time.Second
	maxHeaderBytes        = 256 << 10
)

// New makes a provider at a base URL. It connects to nothing; options that no
// request can be made from are the error of every request.
func New(o Options) *Provider {
	p := &Provider{
		name: o.Name, hasKey: o.APIKey != "", headers: o.Headers,
		secrets: newRedactor(o), now: o.Now, transport: o.Transport,
		unusable: check(o), maxAnswer: maxAnswer, maxStream: maxStream,
	}
	if p.transport == nil {
		p.transport, p.connect = pool(o), o.ConnectTimeout
		if p.connect <= 0 {
			p.connect = defaultConnectTimeout
		}
	}
	config := openai.DefaultConfig(o.APIKey)
	p.http, p.base, p.key = &http.Client{Transport: wire{p}}, o.BaseURL, o.APIKey
	config.BaseURL = o.BaseURL
	config.HTTPClient = p.http
	p.client = openai.NewClientWithConfig(config)
	return p
}

// Close closes the connections that are idle.
func (p *Provider) Close() {
	if t, ok := p.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// pool is a bounded pool of connections that are kept open. Answers are asked for
// uncompressed: a compressor on the way would hold back the pieces of a stream.
func pool(o Options) *http.Transport {
	conns := o.MaxConns
	if conns <= 0 {
		conns = defaultMaxConns
	}
	return &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            new(dialer).dial,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    maxConnect,
		MaxIdleConns:           conns,
		MaxIdleConnsPerHost:    conns,
		MaxConnsPerHost:        conns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
	}
}

// check finds what would make every request fail. The URL is not printed: it may
// hold a password.
func check(o Options) *fault.Error {
	u, err := url.Parse(o.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fault.New(fault.BadRequest, "provider %q: base_url is not an http or https URL", o.Name).
			WithHint("for example https://api.openai.com/v1")
	case u.RawQuery != "" || u.Fragment != "":
		return fault.New(fault.BadRequest, "provider %q: base_url has a query or a fragment", o.Name).
			WithHint("it must end where /chat/completions can be added")
	case !isHeaderValue(o.APIKey):
		return fault.New(fault.Auth, "provider %q: api_key holds a character that no header can carry", o.Name).
			WithHint("is there a line break in it?")
	}
	for name, value := range o.Headers {
		if !isHeaderValue(value) {
			return fault.New(fault.BadRequest, "provider %q: the value of header %q holds a character that no header can carry", o.Name, name)
		}
	}
	return nil
}

func isHeaderValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
