// Package server is the HTTP face of the runtime: OpenAI's API over prompts, models
// and routes, and a small one of our own. It turns requests into llm.Request and events
// into answers; what is asked, kept and known is handed in by package cli. It imports
// prompt, engine/contract and jsonschema (for the schemas that requests bring), llm,
// fault and the standard library.
package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/contract"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// Runtime is what is served: one reading of the project's files. It does not change;
// another reading is another Runtime.
type Runtime struct {
	Engine  llm.Model
	Models  []ModelCard // models and routes that may be asked for by name, sorted
	Prompts Prompts
	Labels  map[string][]LabelState // in force, by prompt, sorted by name
}

// ModelCard is a model or a route, as GET /v1/models lists it.
type ModelCard struct {
	Name  string // an alias, a route, or prompt:NAME
	Owner string // the provider's name, "route" or "prompt"
}

// Prompts finds what callers may ask for.
type Prompts interface {
	// Find gives the prompt of a reference: a name (its label production), name@1.2.0,
	// name@label. sticky chooses where a label is for a share of the traffic alone.
	Find(ref, sticky string) (*prompt.Prompt, error)
	// List gives the prompts that a bare name may ask for, sorted by name.
	List() []*prompt.Prompt
}

// Options are what a server is made of.
type Options struct {
	Current func() *Runtime // the newest; called once a request
	Keys    Keys            // who may ask; nil: whoever can connect
	// Explain gives a call, and its JSON: whole, or with the failures of its attempts in the
	// words that callers are told.
	Explain func(ctx context.Context, id string, whole bool) (*llm.Call, json.RawMessage, error)
	// Feedback keeps what a caller says of an answer; nil: it is not kept.
	Feedback func(ctx context.Context, said Feedback) error

	NewID   func() string    // names requests, and the calls that they make
	Now     func() time.Time // the wall clock
	Log     *slog.Logger
	Observe func() (done func(Observed)) // told of every request that begins; nil: nobody is
	Metrics http.Handler                 // of GET /metrics; nil: there is none
	Health  func() Health                // nil: always well
	Labels  Labels                       // nil: labels cannot be set while the server runs

	KeepAlive time.Duration // how often a waiting stream says that somebody is at work; 0: 10 s
	MaxBody   int64         // bytes of a request's body; 0: 32 MB
	Write     time.Duration // of one piece of an answer, for a caller that does not read; 0: 30 s
	Origins   []string      // whose pages may ask from a browser (CORS); nil: none
}

const (
	defaultKeepAlive = 10 * time.Second
	defaultMaxBody   = 32 << 20
	defaultWrite     = 30 * time.Second
)

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	Options
	mux      http.Handler
	answered methods // of every path
	recent   recent
	schemas  *contract.Parser // keeps the schemas of requests, compiled
	draining atomic.Bool
}

// New makes a server; it listens to nothing by itself.
func New(o Options) *Server {
	if o.KeepAlive <= 0 {
		o.KeepAlive = defaultKeepAlive
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Write <= 0 {
		o.Write = defaultWrite
	}
	s := &Server{Options: o, schemas: contract.NewParser()}
	s.mux = s.routes()
	return s
}

// routes are all that is answered.
func (s *Server) routes() http.Handler {
	mux, allowed := http.NewServeMux(), methods{}
	s.answered = allowed
	for pattern, answer := range map[string]func(*exchange) error{
		"POST /v1/chat/completions": s.chat,
		"POST /v1/responses":        s.responses,
		"POST /v1/embeddings":       s.embeddings,
		"GET /v1/models":            s.models,
		"GET /v1/models/{name...}":  s.model,
		"GET /v1/prompts":           s.prompts,
		"POST /v1/prompts/{name}":   s.promptCall,
		"GET /v1/calls/{id}":        s.call,
		"GET /v1/openapi.json":      s.openapi,

		"POST /v1/calls/{id}/feedback": s.feedback,
	} {
		mux.Handle(pattern, s.handler(pattern, answer))
		allowed.add(pattern)
	}
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.handler("GET /metrics", s.metrics))
		allowed.add("GET /metrics")
	}
	if s.Labels != nil {
		mux.Handle("GET /v1/labels", s.handler("GET /v1/labels", s.labels))
		mux.Handle("POST /v1/labels", s.handler("POST /v1/labels", s.setLabel))
		allowed.add("GET /v1/labels")
		allowed.add("POST /v1/labels")
	}
	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	allowed.add("GET /livez")
	allowed.add("GET /readyz")
	allowed.refuseOthers(mux, s.handler)
	mux.Handle("/", s.handler("", func(x *exchange) error { return notThere(x.r) }))
	return cleanPaths(mux, s.handler("", func(x *exchange) error { return notThere(x.r) }))
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// handler gives every request a name, finds its caller, and answers a failure in
// OpenAI's form.
func (s *Server) handler(pattern string, answer func(*exchange) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{server: s, pattern: pattern, r: r, w: w, id: s.NewID(), begun: time.Now(), runtime: s.Current()}
		w.Header().Set("X-Request-Id", x.id)
		if asked := clientID(r); asked != "" {
			w.Header().Set(headerClientID, asked)
		}
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		defer x.over(s.begin())
		defer x.recovered()
		defer func() { x.admission.leave() }()
		x.deadline()
		if s.crossOrigin(w, r) {
			x.status = http.StatusNoContent
			return
		}
		var err error
		if x.caller, err = s.callerOf(r); err == nil {
			x.admit()
			err = answer(x)
		}
		if err != nil {
			x.fail(err)
		}
	})
}

// recovered answers a bug of ours like every failure: the process lives on.
func (x *exchange) recovered() {
	said := recover()
	if said == nil {
		return
	}
	if said == http.ErrAbortHandler {
		panic(said)
	}
	x.fail(x.bug(said))
}

// bug logs a panic, and makes a failure of it.
func (x *exchange) bug(said any) error {
	x.server.Log.Error("a bug: a request panicked", "id", x.id, "panic", said, "stack", stack())
	return fault.New(fault.Internal, "a bug of ours")
}
