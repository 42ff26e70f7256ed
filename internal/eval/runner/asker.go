package runner

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"iter"
	"slices"
	"sync"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// asker answers the checks that ask a model, for all jobs of a run. The same question
// of a suite is asked once: what is judged once is judged for every repeat that gave
// the same answer.
type asker struct {
	model   llm.Model
	reuse   llm.Reuse // of kept judgements
	renew   bool      // one that is no verdict is asked for again
	stopped context.Context

	mu    sync.Mutex
	open  map[question]chan struct{} // closed when it was answered, or has failed
	kept  map[question]llm.Response
	order []question // of kept, the oldest first
}

// Judging says how far what was judged before may stand in.
type Judging struct {
	Reuse llm.Reuse
	// Renew asks once more for a judgement that is kept from before and is no verdict:
	// where what is asked is kept, it would stay so for ever.
	Renew bool
}

// question names what is asked.
type question [sha256.Size]byte

// maxAnswers bounds the answers that are kept. The repeats of a case follow each
// other, so a few do.
const maxAnswers = 512

// NewAsker answers the checks of many answers as a run does: the same question is asked
// once, and one that waits is left when stopped ends.
func NewAsker(model llm.Model, j Judging, stopped context.Context) llm.Model {
	return newAsker(model, j, stopped)
}

func newAsker(model llm.Model, j Judging, stopped context.Context) *asker {
	return &asker{model: model, reuse: j.Reuse, renew: j.Renew, stopped: stopped, open: map[question]chan struct{}{}, kept: map[question]llm.Response{}}
}

// questionOf covers all that can change an answer, and the suite, whose recordings
// are its own.
func questionOf(req llm.Request) (question, bool) {
	text, err := json.Marshal([]any{
		req.Origin.Suite, req.Prompt, req.Vars, req.Model, req.Messages, req.Options, req.Output, req.Tenant, req.Repeat,
	})
	return sha256.Sum256(text), err == nil
}

// Stream answers from what was answered in this run, or asks.
func (a *asker) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		key, ok := questionOf(req)
		if !ok {
			a.ask(ctx, req, a.reuse)(yield)
			return
		}
		for {
			answer, over, mine := a.begin(key)
			switch {
			case answer != nil:
				again(*answer)(yield)
				return
			case mine:
				a.lead(ctx, key, req, yield)
				return
			}
			select {
			case <-over:
			case <-ctx.Done():
				yield(llm.Event{}, interrupted())
				return
			}
		}
	}
}

// begin gives the answer that is kept, or what tells when the one that is under way is
// over, or the question to who has come first.
func (a *asker) begin(key question) (answer *llm.Response, over <-chan struct{}, mine bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if answer, ok := a.kept[key]; ok {
		return &answer, nil, false
	}
	if over, ok := a.open[key]; ok {
		return nil, over, false
	}
	a.open[key] = make(chan struct{})
	return nil, nil, true
}

func (a *asker) lead(ctx context.Context, key question, req llm.Request, yield func(llm.Event, error) bool) {
	var answer *llm.Response
	defer func() { a.end(key, answer) }()
	response, err := llm.Collect(a.ask(ctx, req, a.reuse))
	if a.renew && noVerdict(response, err) {
		response, err = llm.Collect(a.ask(ctx, req, llm.ReuseRefresh))
	}
	if err == nil {
		answer = &response
	}
	pass(response, err)(yield)
}

// end lets those go on who wait; a question that failed is asked again by the next.
func (a *asker) end(key question, answer *llm.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.open[key])
	delete(a.open, key)
	if answer == nil {
		return
	}
	if len(a.order) == maxAnswers {
		delete(a.kept, a.order[0])
		a.order = slices.Delete(a.order, 0, 1)
	}
	a.kept[key] = light(*answer)
	a.order = append(a.order, key)
}

// ask asks the model. A question that only waits is left when the run is stopped.
func (a *asker) ask(ctx context.Context, req llm.Request, reuse llm.Reuse) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if a.stopped.Err() != nil {
			yield(llm.Event{}, interrupted())
			return
		}
		req.Reuse = reuse
		asking, call := llm.WithUnderway(ctx)
		defer call.End()
		defer context.AfterFunc(a.stopped, call.Stop)()
		a.model.Stream(asking, req)(yield)
	}
}

// noVerdict reports an answer of before that is none: it breaks the judge's contract.
func noVerdict(response llm.Response, err error) bool {
	return err != nil && fault.ClassOf(err).CountsAsFail() && response.Call != nil && response.Call.Stored != nil
}

// pass turns a response back into a stream, with the record of its call.
func pass(response llm.Response, err error) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if err == nil {
			for event := range response.Events() {
				if !yield(event, nil) {
					return
				}
			}
		}
		if response.Call != nil && !yield(llm.Event{Call: response.Call}, nil) {
			return
		}
		if err != nil {
			yield(llm.Event{}, err)
		}
	}
}

// light drops of a call what no score is made of.
func light(response llm.Response) llm.Response {
	if response.Call == nil {
		return response
	}
	call := *response.Call
	call.Vars, call.Turns = nil, slices.Clone(call.Turns)
	for i := range call.Turns {
		call.Turns[i] = llm.Turn{Attempts: call.Turns[i].Attempts}
	}
	response.Call = &call
	return response
}

// again gives an answer once more: nothing is paid for it now.
func again(response llm.Response) iter.Seq2[llm.Event, error] {
	if response.Call != nil {
		call := *response.Call
		call.Stored, call.Turns = &llm.Stored{By: "shared"}, slices.Clone(call.Turns)
		for i := range call.Turns {
			attempts := slices.Clone(call.Turns[i].Attempts)
			for j := range attempts {
				attempts[j].Paid = llm.KnownCost(0)
			}
			call.Turns[i].Attempts = attempts
		}
		response.Call = &call
	}
	return pass(response, nil)
}
