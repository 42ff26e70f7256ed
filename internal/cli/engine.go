package cli

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/render"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/trace"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/store"
)

// engineParts are what a command adds to the project to get an engine.
type engineParts struct {
	store   *store.Store
	book    *budget.Book
	servers *servers
	prompts map[llm.PromptRef]*prompt.Prompt // those that are asked, resolved
	source  render.Source                    // in place of prompts: who finds them
	models  []string                         // models and routes that are asked
	wrap    func(alias string, next llm.Model) llm.Model
	cached  bool
	// breakers outlive the engine; nil for its own.
	breakers *route.Breakers

	serving  bool           // other processes put answers into the cache, too
	jobs     int            // calls under way at once, whose turn each has to wait for; 0 for one
	observer trace.Recorder // hears of every call besides the store; nil: nobody
	troubles *troubles      // counts who fails; nil where nobody wants to know
	// onlooker stands in place of the store where nothing may be written.
	onlooker *onlooker
}

// newEngine joins config, prompts, providers and store into the one engine.
func (p *project) newEngine(parts engineParts) (llm.Model, error) {
	targets, policies := map[string]*route.Target{}, map[string]route.Policy{}
	var problems fault.List
	for _, name := range parts.models {
		found, err := p.lookup(name, fault.Place{})
		if err != nil {
			problems.Add(err)
			continue
		}
		policies[name] = p.policy(found)
		if parts.jobs > 1 {
			policies[name] = p.patient(policies[name], found, parts.jobs)
		}
		for _, alias := range found.Models() {
			if targets[alias] == nil {
				target, err := parts.servers.target(alias, parts.wrap, parts.book)
				problems.Add(err)
				targets[alias] = target
			}
		}
	}
	cascades, err := p.cascades(parts.models)
	problems.Add(err)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	recorder, storage := trace.Recorder(parts.store), cache.Storage(&storedCache{store: parts.store})
	if !parts.serving {
		storage = newStoredCache(parts.store)
	}
	if parts.onlooker != nil {
		recorder, storage = parts.onlooker, parts.onlooker
	}
	if parts.observer != nil {
		recorder = both{recorder, parts.observer}
	}
	if parts.troubles != nil {
		parts.troubles.next, recorder = recorder, parts.troubles
	}
	if parts.source == nil {
		parts.source = func(ref llm.PromptRef) (*prompt.Prompt, error) { return find(parts.prompts, ref) }
	}
	e := engine.Parts{
		Prompts:  parts.source,
		Recorder: recorder, NewID: newCallIDs(), Now: p.world.Now,
		Targets: targets, Policies: policies, Cascades: cascades, Breakers: parts.breakers,
	}
	if parts.cached && p.keepsAnswers() {
		names := p.cacheNames(targets)
		e.Cache = &cache.Options{
			Storage: storage, MemoryBytes: cacheMemory, TTL: p.config.Cache.Exact.TTL, Now: p.world.Now,
			Resolve: func(req llm.Request) (string, string, bool) {
				alias := policies[req.Model].First(req)
				name, ok := names[keptAs{alias, !req.Output.IsText()}]
				return alias, name, ok
			},
		}
	}
	return engine.New(e), nil
}

// both tells two recorders.
type both [2]trace.Recorder

// Record tells them one after the other.
func (b both) Record(call *llm.Call) {
	b[0].Record(call)
	b[1].Record(call)
}

// cacheMemory is little for one command: a run asks for hardly anything twice, and the
// store has it all.
const cacheMemory = 256 << 10

// keepsAnswers reports whether the exact cache is on. Where contents are not to be
// stored, answers are not kept for later either.
func (p *project) keepsAnswers() bool {
	return p.config.Cache.Exact.TTL > 0 && p.config.Store.Content == string(store.ContentFull)
}

func find(prompts map[llm.PromptRef]*prompt.Prompt, ref llm.PromptRef) (*prompt.Prompt, error) {
	if found, ok := prompts[ref]; ok {
		return found, nil
	}
	known := slices.Collect(maps.Keys(prompts))
	return nil, fault.New(fault.Internal, "the prompt %s was not resolved; known are %v", ref, known)
}

// newCallIDs names calls: eight random digits for the process, then a count.
func newCallIDs() func() string {
	prefix := randomHex(4) + "-"
	var count atomic.Int64
	return func() string { return prefix + strconv.FormatInt(count.Add(1), 10) }
}

// newRunID is the time of day to read, and random digits to be unique.
func newRunID(now time.Time) string {
	return fmt.Sprintf("%s-%s", now.UTC().Format("20060102-150405"), randomHex(2))
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return hex.EncodeToString(b)
}
