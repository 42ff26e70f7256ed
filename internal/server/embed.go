package server

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// embedAtOnce bounds the texts of one request that are under way at the same time.
const embedAtOnce = 8

// embed asks for the vectors of texts, in their order. The call of the first text has the
// id of the request, the others ID.2, ID.3, …; with the first failure all others end.
func (x *exchange) embed(req llm.Request, texts []string) ([]llm.Response, error) {
	ctx, cancel := context.WithCancel(x.r.Context())
	defer cancel()
	begin := time.Now()
	responses := make([]llm.Response, len(texts))
	var workers sync.WaitGroup
	var failed sync.Once
	var failure error
	next := make(chan int)
	for range min(embedAtOnce, len(texts)) {
		workers.Go(func() {
			for i := range next {
				one := req
				if i > 0 {
					one.ID += "." + strconv.Itoa(i+1)
				}
				one.Messages = []llm.Message{llm.Text(llm.User, texts[i])}
				var err error
				if responses[i], err = x.collect(ctx, one); err != nil {
					failed.Do(func() { failure = err })
					cancel()
				}
			}
		})
	}
	for i := range texts {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	if failure == nil && ctx.Err() != nil {
		failure = ctx.Err()
	}
	for _, response := range responses {
		if response.Call != nil {
			x.server.recent.add(response.Call.ID)
		}
	}
	x.call = joinedCall(x.id, responses)
	if x.call != nil && len(texts) > 1 {
		x.call.Service, x.call.Queue, x.call.Total = time.Since(begin), 0, time.Since(begin)
	}
	return responses, failure
}

// collect asks in a goroutine that is not the request's, where a panic would end the
// process.
func (x *exchange) collect(ctx context.Context, req llm.Request) (response llm.Response, err error) {
	defer func() {
		if said := recover(); said != nil {
			err = x.bug(said)
		}
	}()
	return llm.Collect(x.runtime.Engine.Stream(ctx, req))
}

// joinedCall is what the log and the headers say of all calls of a request: their turns
// in one. The calls themselves are recorded each for itself.
func joinedCall(id string, responses []llm.Response) *llm.Call {
	var joined *llm.Call
	for _, response := range responses {
		switch call := response.Call; {
		case call == nil:
		case joined == nil:
			first := *call
			first.ID, first.Turns = id, append([]llm.Turn(nil), call.Turns...)
			joined = &first
		default:
			joined.Turns = append(joined.Turns, call.Turns...)
			if call.Stored == nil {
				joined.Stored = nil // a hit is one only where all are
			}
			if joined.Failure == nil {
				joined.Failure = call.Failure
			}
		}
	}
	return joined
}
