package cli

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/store"
)

// wrapFor puts a note in the place of a project's providers, behind the recordings. Those
// that the run would add to are only read.
func (d *dryRun) wrapFor(p *project) func(alias string, _ llm.Model) llm.Model {
	return func(alias string, _ llm.Model) llm.Model {
		provider := p.config.Models[alias].Provider
		noted := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
			return llm.Fail(d.note(ask{alias, req}, provider))
		})
		if d.mode == replay.Live {
			return noted
		}
		return replay.Wrap(noted, replay.Options{
			Mode: replay.Auto, Resolved: p.resolved(alias),
			For: func(req llm.Request) *replay.Recordings { return d.files[req.Origin.Suite] },
		})
	}
}

// errPlanned ends a call where its provider would be asked: no other model is tried.
var errPlanned = fault.New(fault.Canceled, "a plan asks nobody")

func (d *dryRun) note(a ask, provider string) error {
	if err := d.bar(provider); err != nil {
		if d.fate.missing == nil {
			d.fate.missing = &a
		}
		return fault.New(fault.Missing, "no recorded reply").Because(err) // another model of the route may have one
	}
	if d.twins.known(a) {
		d.fate.shared = true
	} else {
		d.fate.asked = &a
	}
	return errPlanned
}

// bar is why a provider would not be asked for a missing reply. Where every key is
// needed from the start, a missing one stops the run: see Plan.Stops.
func (d *dryRun) bar(provider string) error {
	switch {
	case d.mode == replay.Replay:
		return errReplayed
	case asksProviders(d.mode):
		return nil
	}
	reason, known := d.bars[provider]
	if !known {
		reason = d.servers.canAsk(provider)
		d.bars[provider] = reason
	}
	return reason
}

var errReplayed = fault.New(fault.Missing, "only recordings are to answer")

// barred are the reasons why providers would not be asked.
func (d *dryRun) barred() []string {
	var list []string
	for _, provider := range slices.Sorted(maps.Keys(d.bars)) {
		for _, reason := range toldOf(d.bars[provider]) {
			if !slices.Contains(list, reason) {
				list = append(list, reason)
			}
		}
	}
	return list
}

// toldOf gives each problem of an error as one line with its hint.
func toldOf(err error) []string {
	var problems fault.List
	problems.Add(err)
	lines := make([]string, len(problems))
	for i, problem := range problems {
		lines[i] = strings.ReplaceAll(problem.Error(), "\n  ", "; ")
	}
	return lines
}

// twins finds equal requests of a run, of which only the first is asked: the others
// get what it has recorded or put into the cache. A key is kept as 64 of its bits,
// so that a million take little memory.
type twins struct {
	run   *testRun
	seen  map[uint64]struct{}
	names map[keptAs]string // see cacheName
}

// known reports a request whose twin was there before.
func (t *twins) known(a ask) bool {
	key := t.key(a)
	if key == "" {
		return false
	}
	short, _ := strconv.ParseUint(key[:16], 16, 64)
	_, known := t.seen[short]
	t.seen[short] = struct{}{}
	return known
}

// key is that under which the answer is kept for a twin, "" where it is not.
func (t *twins) key(a ask) string {
	p := t.run.project
	switch {
	case a.request.Origin.Check != "": // each suite asks its own, and once in any mode
		return replay.Key(a.request, p.resolved(a.alias)+" for "+a.request.Origin.Suite)
	case t.run.options.replies.fresh:
		return ""
	case t.run.mode == replay.Record:
		return replay.Key(a.request, p.resolved(a.alias)+" for "+a.request.Origin.Suite) // each suite has its own file
	case t.run.mode != replay.Live || !p.keepsAnswers() || p.config.Models[a.alias].Sim != nil:
		return ""
	}
	as := keptAs{a.alias, !a.request.Output.IsText()}
	name, made := t.names[as]
	if !made {
		name = p.cacheName(as.alias, as.contract)
		t.names[as] = name
	}
	return cache.Key(a.request, name)
}

// onlooker stands in the store's place where nothing may be written: the cache is
// looked into, and no call is recorded.
type onlooker struct {
	store *store.Store // nil where there is none yet
}

// Record forgets the call.
func (o *onlooker) Record(*llm.Call) {}

// Get finds what the cache holds now.
func (o *onlooker) Get(ctx context.Context, key string) (cache.Entry, bool) {
	if o.store == nil {
		return cache.Entry{}, false
	}
	return (&storedCache{store: o.store}).Get(ctx, key)
}

// Put keeps nothing.
func (o *onlooker) Put(string, cache.Entry) {}
