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
	current atomic.Pointer[server.Runtime]
	server  *server.Server
	files   filesServed
}

// openServing joins project, engine and store into a server that listens to nothing yet.
func openServing(ctx context.Context, p *project, o *serveOptions, log *slog.Logger) (*serving, error) {
	if err := p.pricedBudgets(); err != nil {
		return nil, err
	}
	kept, err := p.openStore(ctx, adds)
	if err != nil {
		return nil, err
	}
	s := &serving{project: p, options: o, store: kept, servers: newServers(p, maxUpstream), log: log}
	if s.book, err = p.openBook(kept, nil, &alerts{}); err != nil {
		return nil, joined(err, kept.Close())
	}
	if err := s.openFiles(ctx); err != nil {
		return nil, joined(err, s.close())
	}
	s.server = server.New(server.Options{
		Current: s.current.Load, Explain: s.explain, NewID: newCallIDs(), Now: p.world.Now, Log: log, Health: s.health, Labels: s,
	})
	return s, nil
}

// close lets go of everything; what is queued for the store is written.
func (s *serving) close() error {
	s.servers.close()
	return joined(closeBook(s.book), s.store.Close())
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
