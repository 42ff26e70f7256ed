package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// idPrefixes stand before the id of a call in answers that have OpenAI's shapes.
var idPrefixes = []string{"chatcmpl-", "resp_"}

// CallID is the id of a call, as one may have found it: also in an answer that has
// OpenAI's shape.
func CallID(text string) string {
	for _, prefix := range idPrefixes {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// call answers GET /v1/calls/{id}: what llmx explain says, as JSON. A key sees its own
// calls; those of others are not there for it. Why a provider failed, in its own words,
// with addresses, is for who may administer the server.
func (s *Server) call(x *exchange) error {
	_, text, err := x.findCall(x.r.PathValue("id"))
	if err != nil {
		return err
	}
	return x.write(http.StatusOK, "application/json", text)
}

// The store is behind by some milliseconds: a call that has just been answered is looked
// for again for so long.
const (
	settleWait = 500 * time.Millisecond
	settleStep = 10 * time.Millisecond
)

// findCall finds a call of the caller's own.
func (x *exchange) findCall(named string) (*llm.Call, json.RawMessage, error) {
	id, s := CallID(named), x.server
	whole := x.mayAdminister() == nil
	call, text, err := s.Explain(x.r.Context(), id, whole)
	if isAbsent(err) && s.recent.has(id) {
		call, text, err = s.explainSoon(x.r.Context(), id, whole)
		if isAbsent(err) {
			later := refuse(http.StatusNotFound, "call_not_found", "the call %q is not stored yet", named)
			later.after = 1
			return nil, nil, later
		}
	}
	if err != nil && !isAbsent(err) {
		return nil, nil, err
	}
	if err != nil || call.Key != x.caller.Key {
		return nil, nil, refuse(http.StatusNotFound, "call_not_found", "there is no call %q", named)
	}
	return call, text, nil
}

func isAbsent(err error) bool { return err != nil && fault.ClassOf(err) == fault.Usage }

// explainSoon looks for a call until it is stored.
func (s *Server) explainSoon(ctx context.Context, id string, whole bool) (call *llm.Call, text json.RawMessage, err error) {
	ctx, cancel := context.WithTimeout(ctx, settleWait)
	defer cancel()
	tick := time.NewTicker(settleStep)
	defer tick.Stop()
	err = fault.New(fault.Usage, "there is no call %q", id)
	for {
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-tick.C:
		}
		if call, text, err = s.Explain(context.WithoutCancel(ctx), id, whole); !isAbsent(err) {
			return call, text, err
		}
	}
}
