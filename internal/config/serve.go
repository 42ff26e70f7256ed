package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Serve has the settings of `llmx serve`.
type Serve struct {
	// BudgetsWithoutStore says what becomes of a request that a budget counts while the
	// store cannot be written: closed, the default, refuses it once nothing is left of
	// what was set aside for this process; open answers it, and counts it later.
	BudgetsWithoutStore string `yaml:"budgets_without_store" oneof:"closed open"`

	ServeLife `yaml:",inline"`

	Bounds ServeBounds `yaml:",inline"`
	TLS    *TLS        `yaml:"tls"`  // nil: HTTP
	CORS   []string    `yaml:"cors"` // origins whose pages may ask from a browser; none by default
	Place  fault.Place `yaml:",place"`
}

// ServeBounds keep a slow or a rude caller from holding what others need.
type ServeBounds struct {
	MaxBody        Size          `yaml:"max_body"`        // of a request; default 32MB
	MaxConnections int           `yaml:"max_connections"` // open at once; default 20,000
	HeaderTimeout  time.Duration `yaml:"header_timeout"`  // until the head of a request is read; default 10s
	BodyTimeout    time.Duration `yaml:"body_timeout"`    // until its body is; default 60s
	IdleTimeout    time.Duration `yaml:"idle_timeout"`    // between two requests of a connection; default 120s
	WriteTimeout   time.Duration `yaml:"write_timeout"`   // of a piece of an answer that is not read; default 30s
}

func newServe() Serve {
	return Serve{BudgetsWithoutStore: "closed", ServeLife: newServeLife(), Bounds: ServeBounds{
		MaxBody: 32 << 20, MaxConnections: 20_000,
		HeaderTimeout: 10 * time.Second, BodyTimeout: time.Minute, IdleTimeout: 2 * time.Minute, WriteTimeout: 30 * time.Second,
	}}
}

// TLS names the files of a certificate, relative to the project. Where they change they
// are read again.
type TLS struct {
	Cert  string      `yaml:"cert,required"` // PEM: the certificate, and those that lead to its root
	Key   string      `yaml:"key,required"`  // PEM: its private key
	Place fault.Place `yaml:",place"`
}

func (c *Config) checkServe(n strictyaml.Node, problems *fault.List) {
	between(problems, n, "max_body", 1<<10, Size(1<<30))
	between(problems, n, "max_connections", 1, 1_000_000)
	for _, key := range []string{"header_timeout", "body_timeout", "idle_timeout", "write_timeout"} {
		positive(problems, n, key)
		between(problems, n, key, 0, time.Hour)
	}
	for _, key := range []string{"cert", "key"} {
		if file := n.Get("tls").Get(key); file.Kind() == strictyaml.String {
			if strings.TrimSpace(file.Text()) == "" {
				problems.Add(file.Errorf("serve.tls.%s is empty", key).WithHint("name a PEM file"))
			}
			refuseReference(file, problems)
		}
	}
	for _, item := range n.Get("cors").Items() {
		if item.Kind() == strictyaml.String {
			checkOrigin(item, problems)
		}
	}
}

// checkOrigin wants an origin as browsers write it: they compare it letter by letter.
func checkOrigin(item strictyaml.Node, problems *fault.List) {
	text := item.Text()
	u, err := url.Parse(text)
	switch {
	case text == "*":
		problems.Add(item.Errorf("serve.cors cannot be everybody (*)").WithHint("list the origins of your pages: https://app.example.com"))
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != text || strings.ToLower(text) != text:
		problems.Add(item.Errorf("%q is no origin", cut(text)).WithHint("an origin is a scheme, a host in small letters and, if need be, a port, without a path: https://app.example.com"))
	}
}
