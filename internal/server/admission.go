package server

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// admission holds one HTTP request within the limits of its key. It counts once, with
// the first call that the request makes of the engine, and holds its place until the end
// of the answer is about to be written: who has it may ask again at once. The calls of one request may be under way at once.
type admission struct {
	limits  *KeyLimits
	once    sync.Once
	pass    keyPass
	refused *tooMuch     // nil: it was let in
	used    atomic.Int64 // tokens
	left    bool         // the place is given back
}

// enter lets the request in, or says what it is too much for: to all its calls the same.
func (a *admission) enter(req *llm.Request) *tooMuch {
	a.once.Do(func() { a.pass, a.refused = a.limits.enter(a.limits.now(), tokensOf(req)) })
	return a.refused
}

// admit puts the limits of the key before the engine, for this request alone.
func (x *exchange) admit() {
	if x.caller.Limits == nil {
		return
	}
	x.admission = &admission{limits: x.caller.Limits}
	held := *x.runtime
	held.Engine = x.admission.model(held.Engine)
	x.runtime = &held
}

// leave gives the place back, when no call is under way any more.
func (a *admission) leave() {
	if a != nil && !a.left && a.pass.limits != nil {
		a.left = true
		a.pass.leave(a.limits.now(), int(a.used.Load()))
	}
}

func (a *admission) model(next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			if refused := a.enter(&req); refused != nil {
				yield(llm.Event{}, refused.refusal())
				return
			}
			used := tokensOf(&req) // unless the call says
			defer func() { a.used.Add(int64(used)) }()
			for event, err := range next.Stream(ctx, req) {
				if event.Call != nil {
					used = tokensAsked(event.Call)
				}
				if !yield(event, err) {
					return
				}
			}
		}
	})
}

func (t *tooMuch) refusal() error {
	after := int((t.wait + time.Second - 1) / time.Second)
	r := refuse(http.StatusTooManyRequests, "rate_limit_exceeded", "the limit of the key is %d %s; try again in %d s", t.bound, t.what, max(after, 1))
	r.after = max(after, 1)
	return r
}

// tokensOf is about what a request would use. What its prompt adds to the variables is
// not known yet; the answer's length is, where the request says it.
func tokensOf(req *llm.Request) int {
	estimate := req.Estimate()
	tokens := estimate.Input + estimate.Output
	for _, value := range req.Vars {
		tokens += tokensIn(value)
	}
	return int(tokens)
}

// mediaTokens is what an image or file is taken to have, as package llm takes it.
const mediaTokens = 1000

func tokensIn(value any) (tokens int64) {
	switch value := value.(type) {
	case string:
		if strings.HasPrefix(value, "data:") {
			return mediaTokens
		}
		return llm.EstimateTokens(len(value))
	case json.Number:
		return llm.EstimateTokens(len(value))
	case []any:
		for _, item := range value {
			tokens += tokensIn(item)
		}
	case map[string]any:
		for name, item := range value {
			tokens += llm.EstimateTokens(len(name)) + tokensIn(item)
		}
	default:
		tokens = 1
	}
	return tokens
}

// tokensAsked are those that providers have counted, or would have: what came from the
// cache used none.
func tokensAsked(call *llm.Call) (tokens int) {
	for i := range call.Turns {
		for j := range call.Turns[i].Attempts {
			if a := &call.Turns[i].Attempts[j]; a.Stored == nil && !a.Unasked && !refusedUnasked(a.Failure) {
				tokens += int(a.Usage.Input + a.Usage.Output)
			}
		}
	}
	return tokens
}

// refusedUnasked reports an attempt that nobody could have counted.
func refusedUnasked(f *llm.Failure) bool { return f != nil && f.Class == fault.Missing }

// tellLimits says how much of the key's limits is left, under OpenAI's names.
func (a *admission) tellLimits(header http.Header) {
	if a == nil {
		return
	}
	state := a.limits.state(a.limits.now())
	for _, one := range []struct {
		name        string
		bound, left int
		whole       time.Duration
	}{{"requests", state.bounds.RPM, state.requests, state.newRequests}, {"tokens", state.bounds.TPM, state.tokens, state.newTokens}} {
		if one.bound > 0 {
			header.Set("X-Ratelimit-Limit-"+one.name, strconv.Itoa(one.bound))
			header.Set("X-Ratelimit-Remaining-"+one.name, strconv.Itoa(one.left))
			header.Set("X-Ratelimit-Reset-"+one.name, one.whole.Round(time.Millisecond).String())
		}
	}
}
