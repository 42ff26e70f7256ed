package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// thrice is when a model is asked that fails at once, for ever: the pauses are half a
// second and a second.
var thrice = at(0, 0.5, 1.5)

// alone is a row over one model.
func alone(model string, class fault.Class, after float64, times []time.Duration) row {
	s := faults.Scenario{Name: model, Models: []string{model}, Class: class, After: sec(after), Asked: asked{model: times}}
	if class == "" {
		s.Answered = model
	}
	return row{Scenario: s}
}

// left says that the caller had left the last attempt.
func (r row) left() row {
	r.Left = r.Models
	return r
}

// lostLive says that pieces are out when it fails, after so many seconds.
func (r row) lostLive(after float64) row {
	r.live = once(r.Class, after, r.Models[0])
	return r
}

// What passes is waited for.
func TestWhatPassesIsAskedAgain(t *testing.T) {
	rows := []row{alone("503-twice", "", 1.5, thrice)}
	for model, again := range map[string]float64{
		"429-after-2s-once": 2.2, "429-after-ms-1500ms-once": 1.65, "429-after-date-2s-once": 2.2, "429-reset-2s-once": 2.2, "503-after-3s-once": 3.3,
		"429-once": 0.5, "500-once": 0.5, "502-once": 0.5, "503-once": 0.5, "504-once": 0.5, "529-once": 0.5, "408-once": 0.5,
		"reset-once": 0.5, "close-once": 0.5, "not-http-once": 0.5, "html-once": 0.5, "gzip-once": 0.5, "endless-line-once": 0.5, "cut-0%-once": 0.5,
	} {
		rows = append(rows, alone(model, "", again, at(0, again)))
	}
	for _, model := range []string{"cut-once", "cut-reset-once", "no-end-once"} {
		r := alone(model, "", 0.5, at(0, 0.5))
		r.live = once(fault.Cut, 0, model)
		rows = append(rows, r)
	}
	runAll(t, rows)
}

// What does not pass is given up, with the class of the last attempt.
func TestWhatDoesNotPassIsGivenUp(t *testing.T) {
	rows := []row{
		alone("endless-line", fault.Malformed, 1.5, thrice).left(), // 1 GB, of which 4 MB are read
		// What the provider asks for is waited for if there is time, else nothing is.
		alone("429-after-30s", fault.RateLimited, 33, at(0, 33)), alone("429-after-1m", fault.RateLimited, 0, at(0)), alone("503-after-1h", fault.Overloaded, 0, at(0)),
	}
	for model, class := range map[string]fault.Class{
		"429": fault.RateLimited, "503": fault.Overloaded, "529": fault.Overloaded,
		"500": fault.ServerError, "502": fault.ServerError, "504": fault.ServerError, "408": fault.ServerError,
		"reset": fault.Network, "close": fault.Network, "not-http": fault.Network,
		"html": fault.Malformed, "gzip": fault.Malformed, "cut-0%": fault.Cut,
	} {
		rows = append(rows, alone(model, class, 1.5, thrice))
	}
	for model, class := range map[string]fault.Class{
		"cut": fault.Cut, "cut-reset": fault.Cut, "no-end": fault.Cut, "error-midway": fault.ServerError,
	} {
		rows = append(rows, alone(model, class, 1.5, thrice).lostLive(0))
	}
	runAll(t, rows)
}

// Who is silent is not asked twice, whatever the silence looks like; who is slow is
// waited for, as long as the whole of it is there within the call's time.
func TestSilenceAndSlowness(t *testing.T) {
	late := alone("slow-first-token-14s", "", 14, at(0))
	late.First = 14 * time.Second
	rows := []row{
		late, alone("late-14s", "", 14, at(0)), alone("slow-headers-14s", "", 14, at(0)),
		alone("paced-2s", "", 20, at(0)), // 8 pieces, finish reason, usage, end marker
		alone("stall-3", fault.TimeoutIdle, 20, at(0)).left().lostLive(20),
	}
	for _, model := range []string{"silent", "late-20s", "slow-first-token-20s", "slow-headers-20s", "comments-5s", "drip-1s", "stall-0"} {
		rows = append(rows, alone(model, fault.TimeoutFirstToken, 15, at(0)).left())
	}
	for _, model := range []string{"paced-19s", "drip-50ms"} { // each piece comes in time, and the answer does not
		rows = append(rows, alone(model, fault.TimeoutTotal, 60, at(0)).left().lostLive(60))
	}
	runAll(t, rows)
}

// What no other attempt would change is told at once, and once.
func TestWhatNoOtherAttemptWouldChange(t *testing.T) {
	var rows []row
	for model, class := range map[string]fault.Class{
		"400": fault.BadRequest, "413": fault.BadRequest, "refuses": fault.BadRequest, "redirect-301": fault.BadRequest, "redirect-307": fault.BadRequest,
		"401": fault.Auth, "403": fault.Auth, "404": fault.NotFound, "402": fault.QuotaExhausted, "quota": fault.QuotaExhausted,
		"context": fault.ContextLength, "filter": fault.ContentFilter,
	} {
		rows = append(rows, alone(model, class, 0, at(0)))
	}
	runAll(t, rows)
}

// Oddities that are none, and the ends that a model may choose.
func TestAnswersThatAreWhole(t *testing.T) {
	nothing := func(string) string { return "" }
	unsaid, empty := alone("no-usage", "", 0, at(0)), alone("empty", "", 0, at(0))
	unsaid.Answered = "" // by estimated usage
	empty.Text, empty.contract = nothing, broken(fault.Contract)
	long := alone("length", "", 0, at(0)) // marked as a text, and no valid object
	long.Finish, long.contract = llm.FinishLength, broken(fault.Length)
	rows := []row{
		alone("ok", "", 0, at(0)), alone("noise", "", 0, at(0)), alone("no-marker", "", 0, at(0)), alone("reasons", "", 0, at(0)),
		unsaid, empty, long, alone("filter-finish", fault.ContentFilter, 0, at(0)).lostLive(0),
	}
	for _, model := range []string{"tools", "tools-repeated"} {
		tools := alone(model, "", 0, at(0))
		tools.Text, tools.Finish, tools.Answered, tools.contract = nothing, llm.FinishToolCalls, "", broken(fault.Contract)
		rows = append(rows, tools)
	}
	runAll(t, rows)
}

// The answer of which a piece is missing is none, and is asked for again. So is one
// that has no end.
func TestAnswersThatAreNone(t *testing.T) {
	hole := alone("broken", fault.Malformed, 1.5, thrice)
	hole.live = once(fault.Malformed, 0, "broken")                     // with what came before the hole
	endless := alone("endless", fault.Malformed, 0, at(0)).left()      // 1 GB, of which 8 MB of text are taken
	endless.policy = func(p *route.Policy) { p.Retry.MaxAttempts = 1 } // that is enough work
	endless.live = func(s *faults.Scenario) {
		once(fault.Malformed, 0, "endless")(s)
		s.Text = func(string) string { return strings.Repeat("x", 9<<20) }
	}
	stray := alone("tools-stray", fault.Malformed, 1.5, thrice)
	stray.live = once(fault.Malformed, 0, "tools-stray")
	runAll(t, []row{hole, endless, stray})
}
