// Package runner carries cases through a model: bounded, streaming, cancellable.
// One goroutine owns the results. It imports eval, llm and fault; the engine, the
// store and the tally are handed in.
package runner

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"math/bits"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Group is one suite on one model, to be run.
type Group struct {
	eval.Group
	Cases iter.Seq2[eval.Case, error] // streamed; the index of the group is passed to the sink

	// Beside is the place in Plan.Groups of the group that is asked the same cases side
	// by side with this one; 0 for none. That one comes later, and has no Cases of its own.
	Beside int
	Asks   llm.Model // who is asked for the answers; nil: the run's model

	// Along are the places in Plan.Groups of groups that are asked their cases in turn
	// with this one: the first of each, then the second, and so on. They come later.
	Along []int

	FirstRepeat int // the number of the first repeat of each case
}

// Plan is what a run does.
type Plan struct {
	Run    string
	Groups []Group
	Jobs   int       // cases under way at once, at least 1
	Reuse  llm.Reuse // ReuseRefresh asks everything anew, but for judges
	Judges Judging   // likewise, of what checks ask

	// Stop ends the run gracefully: no further case is begun, those for which a
	// provider is being asked are finished, those that wait for their turn or to
	// ask again are left. ctx ends it at once.
	Stop <-chan struct{}

	// Kept gives the results of a case that a run which goes on has already: they are
	// not asked for again, and reach KeptSink in place of the sink. Nil for a new run.
	Kept     func(ctx context.Context, group int, c *eval.Case) ([]eval.Result, error)
	KeptSink Sink
}

// Sink takes results, one at a time, from one goroutine, in the order in which
// they are finished. group is the index into Plan.Groups. An error ends the run.
type Sink func(group int, c *eval.Case, r *eval.Result) error

// Run asks the model for every case × repeat of every group. It returns nil when
// all are done, a Canceled fault when Stop or ctx came first, or the first error
// of a case file or of the sink. What was finished has reached the sink in any case.
func Run(ctx context.Context, plan Plan, model llm.Model, sink Sink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work, done := make(chan job), make(chan outcome)

	stopped, stop := plan.stopped(ctx)
	defer stop()
	asker := newAsker(model, plan.Judges, stopped)

	workers, workCtx := errgroup.WithContext(ctx)
	var produced error
	var left atomic.Bool
	workers.Go(func() error {
		defer close(work)
		produced = plan.produce(workCtx, work, done)
		return nil
	})
	for range max(1, plan.Jobs) {
		workers.Go(func() error {
			for j := range work {
				result, ok := j.judge(workCtx, stopped, plan, plan.Groups[j.group].asks(model), asker)
				if !ok {
					left.Store(true)
					continue // the run was ended under it: no result
				}
				done <- outcome{j, result, false}
			}
			return nil
		})
	}
	go func() {
		_ = workers.Wait() // no worker returns an error
		close(done)
	}()

	var failure error
	for o := range done {
		if failure != nil {
			continue // drain, so that the workers can end
		}
		take := sink
		if o.kept {
			take = plan.KeptSink
		}
		if failure = take(o.group, o.c, &o.result); failure != nil {
			cancel(failure)
		}
	}
	switch {
	case failure != nil:
		return failure
	case produced != nil:
		return produced
	case left.Load(), ctx.Err() != nil:
		return interrupted()
	}
	return nil
}

// stopped is a context that ends with Stop.
func (p Plan) stopped(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer cancel()
		select {
		case <-p.Stop:
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func interrupted() error { return fault.New(fault.Canceled, "interrupted") }

func (g *Group) asks(model llm.Model) llm.Model {
	if g.Asks != nil {
		return g.Asks
	}
	return model
}

type job struct {
	group  int
	c      *eval.Case
	repeat int
}

type outcome struct {
	job
	result eval.Result
	kept   bool // from before
}

// produce sends the work, but for what is kept. Every repeat of a case follows the
// other, so that what is held of a case while it is under way stays small.
func (p Plan) produce(ctx context.Context, work chan<- job, done chan<- outcome) error {
	led := map[int]bool{} // groups that are asked along with one before
	for index := range p.Groups {
		if p.Groups[index].Cases == nil || led[index] {
			continue
		}
		for _, along := range p.Groups[index].Along {
			led[along] = true
		}
		if err := p.produceAlong(ctx, append([]int{index}, p.Groups[index].Along...), work, done); err != nil {
			return err
		}
	}
	return nil
}

// produceAlong sends the first case of every group, then the second of each, until all
// have come to their end. Each reads its own: the same case may be asked with other inputs.
func (p Plan) produceAlong(ctx context.Context, groups []int, work chan<- job, done chan<- outcome) error {
	first := groups[0]
	others := make([]func() (eval.Case, error, bool), len(groups)-1)
	for i, group := range groups[1:] {
		next, stop := iter.Pull2(p.Groups[group].Cases)
		defer stop()
		others[i] = next
	}
	for c, err := range p.Groups[first].Cases {
		if err != nil {
			return err
		}
		places := p.withBeside(nil, first, &c)
		for i, next := range others {
			also, err, more := next()
			if err != nil {
				return err
			}
			if more {
				places = p.withBeside(places, groups[i+1], &also)
			}
		}
		if err := p.produceCase(ctx, places, work, done); err != nil {
			return err
		}
	}
	return nil
}

// place is a group that is asked a case.
type place struct {
	group, repeats, from int // repeats from the number of the first
	c                    *eval.Case
}

// withBeside adds a group, and the one that is asked beside it.
func (p Plan) withBeside(to []place, group int, c *eval.Case) []place {
	add := func(at int) {
		to = append(to, place{group: at, repeats: max(1, c.Repeats), from: p.Groups[group].FirstRepeat, c: c})
	}
	add(group)
	if beside := p.Groups[group].Beside; beside > 0 {
		add(beside)
	}
	return to
}

// produceCase sends every repeat of a case to each of the places.
func (p Plan) produceCase(ctx context.Context, places []place, work chan<- job, done chan<- outcome) error {
	kept := make([]map[int]bool, len(places))
	repeats := 0
	for i, at := range places {
		var err error
		if kept[i], err = p.kept(ctx, at.group, at.c, done); err != nil {
			return err
		}
		repeats = max(repeats, at.repeats)
	}
	for n := range repeats {
		first := firstPlace(places[0].c, n+places[0].from, len(places))
		for i := range places {
			i = (first + i) % len(places)
			at := places[i]
			if n >= at.repeats || kept[i][n+at.from] {
				continue
			}
			if err := p.send(ctx, work, job{at.group, at.c, n + at.from}); err != nil {
				return err
			}
		}
	}
	return nil
}

// firstPlace throws the die that says which of several is asked first for a repeat of a
// case, so that none always finds the provider as another has left it. It falls the same
// way in every run.
func firstPlace(c *eval.Case, repeat, of int) int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d", c.ID, c.InputHash, repeat)
	return bits.OnesCount64(h.Sum64()) % of
}

func (p Plan) send(ctx context.Context, work chan<- job, next job) error {
	select { // a stop that is already there wins over a free worker
	case <-p.Stop:
		return interrupted()
	default:
	}
	select {
	case work <- next:
		return nil
	case <-p.Stop:
	case <-ctx.Done():
	}
	return interrupted()
}

// kept passes on what a run that goes on has of a case, and says which repeats.
func (p Plan) kept(ctx context.Context, group int, c *eval.Case, done chan<- outcome) (map[int]bool, error) {
	if p.Kept == nil {
		return nil, nil
	}
	results, err := p.Kept(ctx, group, c)
	if err != nil {
		return nil, err
	}
	repeats := make(map[int]bool, len(results))
	for _, r := range results {
		repeats[r.Repeat] = true
		done <- outcome{job{group, c, r.Repeat}, r, true}
	}
	return repeats, nil
}
