package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/llm"
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
	unwatch func() // ends what guards watch; nil before
	current atomic.Pointer[server.Runtime]
	server  *server.Server
	keys    *watchedKeys
	files   filesServed
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
		s.pruning()
		return nil, joined(err, s.store.Close())
	}
	if s.told, err = newTelemetry(ctx, p.world, s); err != nil {
		return nil, joined(err, s.close())
	}
	if err := s.openFiles(ctx); err != nil {
		return nil, joined(err, s.close())
	}
	s.server = server.New(server.Options{
		Current: s.current.Load, Explain: s.explain, NewID: newCallIDs(), Now: p.world.Now, Log: log, Keys: s.keys.ring,
		Feedback: s.keepFeedback, Health: s.health, Labels: s,
		Observe: s.observe, Metrics: s.told.Handler(),
		MaxBody: int64(p.config.Serve.Bounds.MaxBody), Write: p.config.Serve.Bounds.WriteTimeout, Origins: p.config.Serve.CORS,
	})
	return s, nil
}

// close lets go of everything; what is queued for the store is written.
func (s *serving) close() error {
	if s.unwatch != nil {
		s.unwatch() // or it would look into a closed store, and call that an error
	}
	s.servers.close()
	told := make(chan struct{})
	go func() { // a collector that hangs keeps nobody from the store
		defer close(told)
		s.endTelemetry()
	}()
	s.pruning()
	err := joined(closeBook(s.book), s.store.Close())
	<-told
	return err
}

// keepFeedback keeps what a caller says of an answer.
func (s *serving) keepFeedback(ctx context.Context, said server.Feedback) error {
	return s.store.AddFeedback(ctx, said.Call, llm.Feedback{At: said.At, Key: said.Key, Score: said.Score, Correction: said.Correction, Comment: said.Comment})
}

// explain finds a call as the server shows it.
func (s *serving) explain(ctx context.Context, id string, whole bool) (*llm.Call, json.RawMessage, error) {
	call, err := s.store.Call(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if !whole {
		server.ForCaller(call)
	}
	var text bytes.Buffer
	if err := report.CallJSON(&text, call, nil); err != nil {
		return nil, nil, err
	}
	return call, text.Bytes(), nil
}
