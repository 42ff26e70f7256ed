package cli

import (
	"context"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

const (
	// storeAtStart is how long a server waits for its store, which opens in a few
	// milliseconds or says why not, before it serves without.
	storeAtStart = 2 * time.Second
	// pruneEvery is how often calls that are older than store.keep are looked for.
	pruneEvery = time.Minute
)

// openStore opens the store in whatever state it is: a server answers without it, too.
func (s *serving) openStore(ctx context.Context) {
	p := s.project
	s.store = store.OpenServing(p.storePath(), store.Options{
		Now: p.world.Now, Content: store.Content(p.config.Store.Content), Name: p.config.Store.Path,
	}, store.Serving{Trouble: s.trouble})
	soon, cancel := context.WithTimeout(ctx, storeAtStart)
	defer cancel()
	_ = s.store.Opened(soon) // trouble says why not
	s.pruning = inBackground(ctx, s.prune)
}

// trouble logs that calls are not being kept, or are again.
func (s *serving) trouble(r store.Recording) {
	name, since := s.project.config.Store.Path, r.Since.UTC().Format(time.RFC3339)
	if r.Why == nil {
		s.log.Info("calls are kept again", "store", name, "not_since", since, "lost", r.Dropped)
		return
	}
	s.log.Error("calls are not kept", "store", name, "since", since, "lost", r.Dropped, "error", fault.As(r.Why).Message)
}

// prune removes calls that are older than store.keep, little by little.
func (s *serving) prune(ctx context.Context) {
	keep := s.project.config.Store.Keep
	if keep <= 0 {
		return
	}
	every := time.NewTicker(pruneEvery)
	defer every.Stop()
	for {
		if _, err := s.store.PruneCalls(ctx, s.project.world.Now().Add(-keep)); err != nil && ctx.Err() == nil {
			s.log.Warn("old calls could not be removed", "error", fault.As(err).Message)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// inBackground runs work in a goroutine until end, which waits for it.
func inBackground(ctx context.Context, work func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	go func() {
		defer close(over)
		work(ctx)
	}()
	return func() {
		cancel()
		<-over
	}
}
