package cli

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/store"
)

const (
	// keysEvery is how often a server looks whether keys have changed.
	keysEvery = 250 * time.Millisecond
	// keysBound is how long it looks at most.
	keysBound = 2 * time.Second
)

// storedKeys is what a server needs of a store to know the keys.
type storedKeys interface {
	KeyChanges(ctx context.Context) (int64, error)
	Keys(ctx context.Context) ([]store.Key, error)
}

// watchedKeys are the keys of the store, in memory: no request waits for the store. As
// long as it cannot be read, those that were there last stand.
type watchedKeys struct {
	ring    *server.Keyring
	store   storedKeys
	log     *slog.Logger
	budgets atomic.Pointer[map[string]budget.Budget] // what keys bring themselves, by id
	names   atomic.Pointer[map[string]string]        // by id, also of those that were revoked
	unread  atomic.Pointer[fault.Error]              // why they cannot be read now; nil: they can

	// Of the goroutine that watches.
	seen   int64 // changes
	failed bool
}

func newWatchedKeys(s storedKeys, now func() time.Time, log *slog.Logger) *watchedKeys {
	k := &watchedKeys{ring: server.NewKeyring(now), store: s, log: log, seen: -1}
	k.budgets.Store(&map[string]budget.Budget{})
	k.names.Store(&map[string]string{})
	return k
}

// look reads the keys if they have changed; it reports whether they have.
func (k *watchedKeys) look(ctx context.Context) (changed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, keysBound)
	defer cancel()
	now, err := k.store.KeyChanges(ctx)
	switch {
	case err != nil || now == k.seen && !k.failed:
		return false, err
	case now < k.seen: // they only ever grow
		return false, anotherStore()
	}
	stored, err := k.store.Keys(ctx)
	if err != nil {
		return false, err
	}
	if k.lacks(stored) {
		return false, anotherStore()
	}
	keys, budgets := servedKeys(stored)
	k.budgets.Store(&budgets)
	names := map[string]string{}
	for _, one := range stored {
		names[one.ID] = one.Name
	}
	k.names.Store(&names)
	k.ring.Set(keys)
	changed = now != k.seen
	k.seen = now
	return changed, nil
}

// lacks reports that a key is gone which was there: keys are revoked and never removed, so
// that the store is another one, however many changes that has had.
func (k *watchedKeys) lacks(stored []store.Key) bool {
	for id := range *k.names.Load() {
		if !slices.ContainsFunc(stored, func(one store.Key) bool { return one.ID == id }) {
			return true
		}
	}
	return false
}

func anotherStore() error {
	return fault.New(fault.Store, "the store is another one than before, without the keys that there were; they stand until llmx serve is started again")
}

// servedKeys are the keys that are not revoked, and the budgets that they bring. A
// budget goes on after its key: what is under way is counted to its end.
func servedKeys(stored []store.Key) ([]server.Key, map[string]budget.Budget) {
	var keys []server.Key
	budgets := map[string]budget.Budget{}
	for _, one := range stored {
		if one.Limit > 0 {
			budgets[one.ID] = budget.Budget{
				Scope: budget.ScopeKey, Per: one.Per, Limit: one.Limit, Alert: keyAlert, Place: fault.Place{File: "the budget of the key " + one.Name},
			}
		}
		if !one.Revoked.IsZero() {
			continue
		}
		keys = append(keys, server.Key{
			Hash: one.Hash, Expires: one.Expires,
			Caller: server.Caller{Key: one.ID, Name: one.Name, Tenant: tenantOf(one), Prompts: one.Prompts, Models: one.Models, Admin: one.Admin},
			Bounds: server.KeyBounds{RPM: one.RPM, TPM: one.TPM, Concurrency: one.Concurrency},
		})
	}
	return keys, budgets
}

// keyAlert is the share of a key's budget from which on the log says so.
const keyAlert = 0.8

// tenantOf says whose cache a key has. One that names no tenant is its own: sharing has
// to be chosen. The words before keep a tenant from being named like a key.
func tenantOf(k store.Key) string {
	if k.Tenant == "" {
		return "key " + k.ID
	}
	return "tenant " + k.Tenant
}

// own is the budget that a key brings, for budget.Options.
func (k *watchedKeys) own(id string) (budget.Budget, bool) {
	found, ok := (*k.budgets.Load())[id]
	return found, ok
}

// name is what people call a key.
func (k *watchedKeys) name(id string) string {
	if name := (*k.names.Load())[id]; name != "" {
		return name
	}
	return id
}

// watch follows the store until ctx ends.
func (k *watchedKeys) watch(ctx context.Context) {
	ticker := time.NewTicker(keysEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		had := k.ring.Any()
		changed, err := k.look(ctx)
		if ctx.Err() != nil {
			return
		}
		k.tell(had, changed, err)
	}
}

// tell logs what has changed, and once when the store cannot be read, and can again.
func (k *watchedKeys) tell(had, changed bool, err error) {
	k.told(err)
	switch {
	case err != nil && !k.failed && k.ring.Known():
		k.log.Error("the keys cannot be read: those that were there last stand, and a key that is revoked now is not dropped", "error", fault.As(err).Message)
	case err == nil && k.failed:
		k.log.Info("the keys can be read again")
	}
	k.failed = err != nil
	if !changed {
		return
	}
	k.log.Info("the keys have changed")
	if had && !k.ring.Any() {
		k.tellNone()
	}
}

// told keeps why the keys cannot be read, for /readyz.
func (k *watchedKeys) told(err error) {
	if err == nil {
		k.unread.Store(nil)
		return
	}
	k.unread.Store(fault.As(err))
}

func (k *watchedKeys) tellNone() {
	k.log.Warn("there are no keys: this machine alone is served, and needs none; llmx keys new NAME makes one")
}

// openKeys reads the keys of the store, and refuses to serve others while nobody has
// chosen what is kept of their words.
func (s *serving) openKeys(ctx context.Context) error {
	s.keys = newWatchedKeys(s.store, s.project.world.Now, s.log)
	if _, err := s.keys.look(ctx); err != nil {
		s.log.Error("the keys cannot be read, and nobody is let in until they can", "error", fault.As(err).Message)
		s.keys.failed = true
		s.keys.told(err)
		return nil
	}
	if !s.keys.ring.Any() {
		return nil
	}
	var problems fault.List
	if unchosen := s.project.unchosen(); unchosen != nil {
		problems.Add(unchosen)
	}
	if len(*s.keys.budgets.Load()) > 0 {
		problems.Add(s.project.pricedFor("a key has a budget in dollars"))
	}
	return problems.Err()
}

// openBook opens the budgets of llmx.yaml and of the keys, over a ledger that may be away.
func (s *serving) openBook() (*budget.Book, error) {
	budgets, err := s.project.budgets()
	if err != nil {
		return nil, err
	}
	return budget.Open(budget.Options{
		Budgets: budgets, Ledger: s.store, Owner: randomHex(8), Now: s.project.world.Now, Own: s.keys.own,
		Alert:         func(alert budget.Alert) { s.log.Warn("a budget is nearly spent", "budget", alert.String()) },
		WithoutLedger: budget.WithoutLedger(s.project.config.Serve.BudgetsWithoutStore),
	}), nil
}

// mayListen refuses an address that other machines reach while there are no keys.
func (s *serving) mayListen(on net.Addr) error {
	if s.keys.ring.Any() || !s.keys.ring.Known() {
		return nil
	}
	if tcp, ok := on.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return fault.New(fault.Usage, "--addr %s can be reached from other machines, and there are no keys", s.options.addr).
			WithHint("llmx keys new NAME makes one; without keys this machine alone is served: --addr 127.0.0.1:8787")
	}
	s.keys.tellNone()
	return nil
}

// guards begins to watch what may change under a server, the keys and the certificate,
// until ctx or the server ends, and gives the bounds of llmx.yaml.
func (s *serving) guards(ctx context.Context) (b server.Bounds, scheme string, err error) {
	ctx, s.unwatch = context.WithCancel(ctx)
	set := s.project.config.Serve
	b = server.Bounds{
		Header: set.Bounds.HeaderTimeout, Body: set.Bounds.BodyTimeout, Idle: set.Bounds.IdleTimeout, Connections: set.Bounds.MaxConnections,
	}
	scheme = "http"
	if set.TLS != nil {
		files, err := s.project.openCertificate(set.TLS, s.log)
		if err != nil {
			return b, scheme, err
		}
		b.Certificate, scheme = files.current.Load, "https"
		go files.watch(ctx)
	}
	go s.keys.watch(ctx)
	return b, scheme, nil
}
