package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/store"
	"github.com/llmx-dev/llmx/internal/telemetry"
)

// maxUpstream is how many connections a provider gets from a server: as many as there
// may be callers.
const maxUpstream = 10_000

// serving is all that llmx serve holds open.
type serving struct {
	project *project
	options *serveOptions
	store   *store.Store
	book    *budget.Book
	servers *servers
	log     *slog.Logger
	told    *telemetry.Telemetry
	pruning func() // ends it
	current atomic.Pointer[server.Runtime]
	server  *server.Server
	keys    *watchedKeys
}

// openServing joins project, engine and store into a server that listens to nothing yet.
func openServing(ctx context.Context, p *project, o *serveOptions, log *slog.Logger) (*serving, error) {
	if err := p.pricedBudgets(); err != nil {
		return nil, err
	}
	s := &serving{project: p, options: o, servers: newServers(p, maxUpstream), log: log}
	s.openStore(ctx)
	if err := s.openKeys(ctx); err != nil {
		s.pruning()
		return nil, joined(err, s.store.Close())
	}
	var err error
	if s.book, err = s.openBook(); err != nil {
		return nil, joined(err, s.store.Close())
	}
	if s.told, err = newTelemetry(ctx, p.world, s); err != nil {
		return nil, joined(err, s.close())
	}
	runtime, err := s.read(p)
	if err != nil {
		return nil, joined(err, s.close())
	}
	s.current.Store(runtime)
	s.server = server.New(server.Options{
		Current: s.current.Load, Explain: s.explain, NewID: newCallIDs(), Now: p.world.Now, Log: log, Keys: s.keys.ring,
		Feedback: s.keepFeedback,
		Observe:  s.observe, Metrics: s.told.Handler(),
		MaxBody: int64(p.config.Serve.Bounds.MaxBody), Write: p.config.Serve.Bounds.WriteTimeout, Origins: p.config.Serve.CORS,
	})
	return s, nil
}

// close lets go of everything; what is queued for the store is written.
func (s *serving) close() error {
	s.servers.close()
	s.endTelemetry()
	s.pruning()
	return joined(closeBook(s.book), s.store.Close())
}

// read makes what is served of a reading of the project's files.
func (s *serving) read(p *project) (*server.Runtime, error) {
	names := p.config.Names()
	if s.options.model != "" && !slices.Contains(names, s.options.model) {
		_, err := p.lookup(s.options.model, fault.Place{})
		return nil, err
	}
	prompts, err := readServed(p, s.options)
	if err != nil {
		return nil, err
	}
	for _, served := range prompts.list {
		if err := s.store.SavePrompt(served.Ref(), served.Flat()); err != nil {
			s.log.Warn("a prompt's text is not kept", "prompt", served.Ref().String(), "error", fault.As(err).Message)
		}
	}
	engine, err := p.newEngine(engineParts{
		store: s.store, book: s.book, servers: s.servers.of(p), source: prompts.source, models: names,
		wrap: func(_ string, next llm.Model) llm.Model { return next }, cached: true, serving: true,
		observer: s.told, breaker: s.told.Breakers(),
	})
	if err != nil {
		return nil, err
	}
	r := &server.Runtime{Engine: engine, Prompts: prompts}
	for _, name := range names {
		owner := "route"
		if model, ok := p.config.Models[name]; ok {
			owner = model.Provider
		}
		r.Models = append(r.Models, server.ModelCard{Name: name, Owner: owner})
	}
	slices.SortFunc(r.Models, func(a, b server.ModelCard) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return r, nil
}

// keepFeedback keeps what a caller says of an answer.
func (s *serving) keepFeedback(ctx context.Context, said server.Feedback) error {
	return s.store.AddFeedback(ctx, said.Call, llm.Feedback{At: said.At, Key: said.Key, Score: said.Score, Correction: said.Correction, Comment: said.Comment})
}

// explain finds a call as the server shows it.
func (s *serving) explain(ctx context.Context, id string) (*llm.Call, json.RawMessage, error) {
	call, err := s.store.Call(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	var text bytes.Buffer
	if err := report.CallJSON(&text, call, nil); err != nil {
		return nil, nil, err
	}
	return call, text.Bytes(), nil
}

// served are the prompts that a server gives.
type served struct {
	project *project
	use     prompt.Use
	model   string // in place of the prompts' own
	list    []*prompt.Prompt
}

// readServed finds what bare names mean. A prompt without the label is not served.
func readServed(p *project, o *serveOptions) (*served, error) {
	s := &served{project: p, use: prompt.Serve, model: o.model}
	if o.draft {
		s.use = prompt.Develop
	}
	names, err := p.prompts.Names()
	if err != nil {
		return nil, err
	}
	var problems fault.List
	for _, name := range names {
		found, err := s.Find(name, "")
		if err != nil {
			problems.Add(err)
			continue
		}
		s.list = append(s.list, found)
	}
	if len(s.list) == 0 {
		return nil, problems.Err()
	}
	return s, nil
}

// Find gives the prompt of a reference.
func (s *served) Find(ref, _ string) (*prompt.Prompt, error) {
	found, err := s.project.prompts.Resolve(ref, s.use)
	if err != nil || s.model == "" {
		return found, err
	}
	other := *found
	other.Model = s.model
	return &other, nil
}

// List gives what bare names mean, sorted by name.
func (s *served) List() []*prompt.Prompt { return s.list }

// source finds a prompt for the engine.
func (s *served) source(ref llm.PromptRef) (*prompt.Prompt, error) {
	return s.project.prompts.Resolve(ref.Name+"@"+ref.Version, s.use)
}
