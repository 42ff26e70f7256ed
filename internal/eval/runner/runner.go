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

	// Kept gives the results of a case that a run which goes on has already. Judged ones
	// are not asked for again, and reach KeptSink in place of the sink; the others were
	// asked for in vain, and Round is how often the run has gone on. Nil for a new run.
	Kept     func(ctx context.Context, group int, c *eval.Case) ([]eval.Result, error)
	KeptSink Sink
	Round    int
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
	round  int // how often the run had gone on when it was asked for in vain; 0 for what was not
}

type outcome struct {
	job
	result eval.Result
	kept   bool // from before
}

// produce sends the work, but for what is kept. Every repeat of a case follows the
// other, so that what is held of a case while it is under way stays small.
func (p Plan) produce(ctx context.Context, work chan<- job, done chan<- outcome) error {
	for index := range p.Groups {
		if p.Groups[index].Cases == nil {
			continue // it is asked beside another
		}
		for c, err := range p.Groups[index].Cases {
			if err != nil {
				return err
			}
			if err := p.produceCase(ctx, index, &c, work, done); err != nil {
				return err
			}
		}
	}
	return nil
}

// produceCase sends every repeat of a case to each of its arms.
func (p Plan) produceCase(ctx context.Context, group int, c *eval.Case, work chan<- job, done chan<- outcome) error {
	arms := []int{group}
	if beside := p.Groups[group].Beside; beside > 0 {
		arms = append(arms, beside)
	}
	kept := make([]map[int]bool, len(arms))
	for i, arm := range arms {
		var err error
		if kept[i], err = p.kept(ctx, arm, c, done); err != nil {
			return err
		}
	}
	for repeat := range max(1, c.Repeats) {
		repeat += p.Groups[group].FirstRepeat
		first := firstArm(c, repeat) % len(arms)
		for i := range arms {
			at := (first + i) % len(arms)
			next := job{group: arms[at], c: c, repeat: repeat}
			switch judged, before := kept[at][repeat]; {
			case judged:
				continue
			case before:
				next.round = p.Round
			}
			if err := p.send(ctx, work, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// firstArm throws the coin that says which of two arms is asked first for a repeat of a
// case, so that neither always finds the provider as the other has left it. It falls
// the same way in every run.
func firstArm(c *eval.Case, repeat int) int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d", c.ID, c.InputHash, repeat)
	return bits.OnesCount64(h.Sum64()) % 2
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

// kept passes on what a run that goes on has of a case, and says of which repeats there is
// something, true for those that were judged.
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
		if repeats[r.Repeat] = r.Status.Judged(); repeats[r.Repeat] {
			done <- outcome{job{group: group, c: c, repeat: r.Repeat}, r, true}
		}
	}
	return repeats, nil
}
