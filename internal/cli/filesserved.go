package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server"
)

// filesServed is what a server has read, and what was set on it since.
type filesServed struct {
	breakers *route.Breakers
	told     atomic.Pointer[told] // for who must not wait

	mu    sync.Mutex // held over whole changes, also while they are stored
	now   told
	ended map[int64]bool // overrides whose end was logged
	gone  struct {       // files without a prompt that is served
		print fingerprint
		since time.Time
	}
}

// told is the state that everybody may see. It does not change.
type told struct {
	reading   *reading
	seen      fingerprint // of the files that were read last, well or not
	overrides []prompt.Override
	unusable  map[int64]error // overrides that the files have no release for
	reloads   reloads
	kept      error // why the labels of the store cannot be read; nil: they can
}

// tell lets everybody see the state of now. The caller holds mu, or is alone.
func (f *filesServed) tell() {
	now := f.now
	now.overrides = slices.Clone(f.now.overrides)
	f.told.Store(&now)
}

// reloads tell how following the files goes.
type reloads struct {
	good, bad int64
	failed    error     // why the newest files are not served; nil: they are
	since     time.Time // when that was
	tried     time.Time // when they were read last
}

// reading is one reading of the project's files, and what is made of it.
type reading struct {
	project *project
	prompts *served // under the labels of the files
	engine  llm.Model
	models  []server.ModelCard
	restart []string // keys of llmx.yaml that have changed since the start, and need another one
}

// openFiles reads the files for the first time, and the labels that were set.
func (s *serving) openFiles(ctx context.Context) error {
	f := &s.files
	f.breakers, f.ended = route.NewBreakers(s.told.Breaker), map[int64]bool{}
	made, print, err := s.readStable()
	if err != nil {
		return err
	}
	f.now.reading, f.now.seen = made, print
	f.now.overrides, f.now.kept = s.store.Overrides(ctx)
	s.publish()
	s.tellUnserved(nil, made.prompts)
	s.tellKeys()
	for _, o := range f.now.overrides {
		s.log.Warn("a label was set on this server and beats the files", overrideAttrs(o)...)
	}
	return nil
}

// readStable reads the files at a moment in which nobody writes them: they are the same
// after it as before. It gives the fingerprint of what was read, 0 where there was no such
// moment.
func (s *serving) readStable() (*reading, fingerprint, error) {
	const tries = 5
	for try := 1; ; try++ {
		files, err := openFiles(s.project.root)
		if err != nil {
			return nil, 0, fault.New(fault.Invalid, "the project cannot be read: %s", reason(err)).Because(err)
		}
		before := fingerprintOf(files)
		made, err := s.read(files)
		if fingerprintOf(files) == before {
			return made, before, err
		}
		if try == tries {
			return nil, 0, fault.New(fault.Invalid, "the files change while they are read")
		}
		time.Sleep(settleFor)
	}
}

// read makes what is served of the files, or reports all that keeps them from it. What
// holds state across readings stays: connections, limits, budgets, breakers.
func (s *serving) read(files projectFiles) (*reading, error) {
	now := s.project.config
	frozen := freeze(files)
	written, err := config.Load(frozen, configFile)
	if err != nil {
		return nil, err
	}
	settings := asOpened(written, now)
	p := *s.project
	p.fs, p.config, p.prompts = files, settings, prompt.NewLibrary(overlay{files, frozen})
	p.programs = newPrograms(p.world, p.root, files, settings.Providers)
	if err := p.pricedBudgets(); err != nil {
		return nil, err
	}
	names := settings.Names()
	if s.options.model != "" && !slices.Contains(names, s.options.model) {
		_, err := p.lookup(s.options.model, fault.Place{})
		return nil, err
	}
	prompts, err := readServed(p.prompts, s.options)
	if err != nil {
		return nil, err
	}
	if err := p.modelsOf(prompts.all(), s.options.model); err != nil {
		return nil, err
	}
	servers := s.servers.of(&p)
	servers.renew()
	made := &reading{project: &p, prompts: prompts, models: p.cards(names), restart: needRestart(written, now)}
	made.engine, err = p.newEngine(engineParts{
		store: s.store, book: s.book, servers: servers, source: prompts.source, models: names, breakers: s.files.breakers,
		wrap: func(_ string, next llm.Model) llm.Model { return next }, cached: true, serving: true,
		observer: s.told,
	})
	return made, err
}

// asOpened is a configuration with what a process cannot change while it runs.
func asOpened(read, now *config.Config) *config.Config {
	made := *read
	made.Store, made.Budgets, made.Serve = now.Store, now.Budgets, now.Serve
	return &made
}

// modelsOf refuses prompts that name a model or a route that there is not.
func (p *project) modelsOf(prompts []*prompt.Prompt, instead string) error {
	var problems fault.List
	for _, one := range prompts {
		if one.Model != "" && instead == "" {
			_, err := p.lookup(one.Model, fault.Place{File: one.File})
			problems.Add(err)
		}
	}
	return problems.Err()
}

// cards are the models and routes that can be asked by name.
func (p *project) cards(names []string) []server.ModelCard {
	var cards []server.ModelCard
	for _, name := range names {
		owner := "route"
		if model, ok := p.config.Models[name]; ok {
			owner = model.Provider
		}
		cards = append(cards, server.ModelCard{Name: name, Owner: owner})
	}
	slices.SortFunc(cards, func(a, b server.ModelCard) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return cards
}

// publish serves the reading of now under the labels of now. Requests under way end in
// what they began with. The caller holds mu, or is alone.
func (s *serving) publish() {
	now := &s.files.now
	prompts, troubles := now.reading.prompts.with(now.overrides)
	now.unusable = troubles
	prompts.used = func(p *prompt.Prompt) { _ = s.store.SavePrompt(p.Ref(), p.Flat()) } // a gap in the log stops no answer
	for _, p := range prompts.all() {
		prompts.used(p)
	}
	s.current.Store(&server.Runtime{Engine: now.reading.engine, Prompts: prompts, Models: now.reading.models, Labels: prompts.states()})
	s.files.tell()
}

// tellUnserved logs which prompts have no label production, with the command that sets
// it, but for those that had none before; those that have a draft alone in one line, as
// most of them are not there to be served.
func (s *serving) tellUnserved(before, now *served) {
	var drafts []string
	for _, name := range slices.Sorted(maps.Keys(now.byName)) {
		if before != nil && before.byName[name] != nil && before.byName[name].why != nil {
			continue
		}
		switch one := now.byName[name]; {
		case one.why != nil && one.drafted:
			drafts = append(drafts, name)
		case one.why != nil:
			s.log.Warn(fault.As(one.why).Message, "todo", fault.As(one.why).Hint)
		}
	}
	if len(drafts) > 0 {
		s.log.Info("there are prompts with drafts alone, which are not served", "prompts", strings.Join(drafts, ", "),
			"todo", "llmx prompt release NAME --minor; then llmx prompt label NAME production VERSION; or --draft, for development")
	}
}

// keyTroubles are the providers that cannot be asked.
func (s *serving) keyTroubles() []*fault.Error {
	p := s.files.told.Load().reading.project
	names := p.config.Names()
	if s.options.model != "" {
		names = []string{s.options.model}
	}
	var problems fault.List
	problems.Add(s.servers.of(p).checkKeys(names))
	return problems
}

func (s *serving) tellKeys() {
	for _, problem := range s.keyTroubles() {
		s.log.Warn("a provider cannot be asked", "at", problem.Place.String(), "error", problem.Message)
	}
}

// needRestart names what has changed in llmx.yaml and is not followed.
func needRestart(read, now *config.Config) []string {
	var keys []string
	for _, one := range []struct {
		key  string
		same bool
	}{
		{"store.path", read.Store.Path == now.Store.Path}, {"store.content", read.Store.Content == now.Store.Content},
		{"store.keep", read.Store.Keep == now.Store.Keep}, {"serve", sameServe(read.Serve, now.Serve)},
		{"budgets", slices.EqualFunc(read.Budgets, now.Budgets, sameBudget)},
	} {
		if !one.same {
			keys = append(keys, one.key)
		}
	}
	return keys
}

func sameServe(a, b config.Serve) bool {
	a.Place, b.Place = fault.Place{}, fault.Place{}
	if a.TLS != nil && b.TLS != nil {
		x, y := *a.TLS, *b.TLS
		x.Place, y.Place = fault.Place{}, fault.Place{}
		a.TLS, b.TLS = &x, &y
	}
	return reflect.DeepEqual(a, b)
}

func sameBudget(a, b config.Budget) bool {
	a.Place, b.Place = fault.Place{}, fault.Place{}
	return a == b
}

// checkoutUnderWay reports that git is changing the files. A lock that stays is a leftover.
func (s *serving) checkoutUnderWay() bool {
	for dir := s.project.root; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(filepath.Join(dir, ".git", "index.lock"))
		if err == nil {
			return time.Since(info.ModTime()) < leftover
		}
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil || dir == filepath.Dir(dir) || errors.Is(err, fs.ErrPermission) {
			return false
		}
	}
}

const (
	settleFor = 200 * time.Millisecond // files that have changed must stay as they are, before they are read
	leftover  = 10 * time.Second       // age of git's lock from which on nobody is at work
)

// onOneLine is all that is wrong, for a line of the log.
func onOneLine(err error) string {
	var said []string
	for _, problem := range problemsOf(err) {
		for line := range strings.Lines(problem.Error()) {
			said = append(said, strings.TrimSpace(line))
		}
	}
	return strings.Join(said, "; ")
}
