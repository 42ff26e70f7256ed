package engine_test

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// over is a row over models in the order of a route. One of them answers, or the
// class is what is left. A model that is not in times is not asked.
func over(name string, models []string, answered string, class fault.Class, after float64, times asked) row {
	return row{Scenario: faults.Scenario{
		Name: name, Models: models, Answered: answered, Class: class, After: sec(after), Asked: times,
	}}
}

// failed says what is told of those who failed before the answer.
func (r row) failed(failed ...string) row {
	r.Failed = failed
	return r
}

// gone says whose last attempt the caller had left.
func (r row) gone(models ...string) row {
	r.Left = models
	return r
}

// What may pass is waited for once; the last attempt is the fallback's.
func TestTheFallbackAnswersForWhatFails(t *testing.T) {
	rows := []row{
		over("1 GB", []string{"endless-line", "ok"}, "ok", "", 0.5, asked{"endless-line": at(0, 0.5), "ok": at(0.5)}).gone("endless-line"),
		over("a failure that passes", []string{"503-once", "ok"}, "503-once", "", 0.5, asked{"503-once": at(0, 0.5)}).failed("503-once overloaded"),
		over("no credit is left", []string{"quota", "ok"}, "ok", "", 0, asked{"quota": at(0), "ok": at(0)}).failed("quota quota_exhausted"),
		over("a short Retry-After", []string{"429-after-2s", "ok"}, "ok", "", 2.2, asked{"429-after-2s": at(0, 2.2), "ok": at(2.2)}),
		over("a longer one than a pause may be", []string{"429-after-10s", "ok"}, "ok", "", 0, asked{"429-after-10s": at(0), "ok": at(0)}).failed("429-after-10s rate_limited"),
		over("no attempt is left for the one that asked", []string{"429-after-10s-once", "503"}, "", fault.Overloaded, 0.5, asked{"429-after-10s-once": at(0), "503": at(0, 0.5)}),
	}
	for model, class := range map[string]fault.Class{
		"429": fault.RateLimited, "500": fault.ServerError, "502": fault.ServerError, "503": fault.Overloaded, "504": fault.ServerError,
		"529": fault.Overloaded, "408": fault.ServerError, "reset": fault.Network, "close": fault.Network, "not-http": fault.Network,
		"html": fault.Malformed, "gzip": fault.Malformed, "cut-0%": fault.Cut, "cut": fault.Cut, "cut-reset": fault.Cut, "no-end": fault.Cut,
		"error-midway": fault.ServerError, "broken": fault.Malformed,
	} {
		failed := model + " " + string(class)
		r := over(model, []string{model, "ok"}, "ok", "", 0.5, asked{model: at(0, 0.5), "ok": at(0.5)}).failed(failed, failed)
		switch model {
		case "cut", "cut-reset", "no-end", "error-midway", "broken":
			r.live = once(class, 0, model)
		}
		rows = append(rows, r)
	}
	runAll(t, rows)
}

// Who is silent is not asked twice: the next one is.
func TestTheFallbackAnswersForWhoIsSilent(t *testing.T) {
	stall := over("a stall", []string{"stall-3", "ok"}, "ok", "", 20, asked{"stall-3": at(0), "ok": at(20)}).failed("stall-3 timeout_idle").gone("stall-3")
	stall.live = once(fault.TimeoutIdle, 20, "stall-3")
	rows := []row{
		stall,
		over("two are silent", []string{"silent", "silent@b", "ok"}, "ok", "", 30, asked{"silent": at(0), "silent@b": at(15), "ok": at(30)}).
			failed("silent timeout_first_token", "silent@b timeout_first_token").gone("silent", "silent@b"),
		over("three are silent", []string{"silent", "silent@b", "silent@c", "ok"}, "", fault.TimeoutFirstToken, 45,
			asked{"silent": at(0), "silent@b": at(15), "silent@c": at(30)}).gone("silent", "silent@b", "silent@c"),
		over("the last attempt is for one that was not tried", []string{"429-after-10s", "silent", "ok"}, "ok", "", 15,
			asked{"429-after-10s": at(0), "silent": at(0), "ok": at(15)}).gone("silent"),
		over("the one deadline", []string{"paced-19s", "ok"}, "", fault.TimeoutTotal, 60, asked{"paced-19s": at(0)}).gone("paced-19s"),
	}
	for _, model := range []string{"silent", "late-20s", "slow-first-token-20s", "slow-headers-20s", "comments-5s", "drip-1s"} {
		rows = append(rows, over(model, []string{model, "ok"}, "ok", "", 15, asked{model: at(0), "ok": at(15)}).failed(model+" timeout_first_token").gone(model))
	}
	runAll(t, rows)
}

// What another model cannot mend is passed on, and what is no failure calls for nobody.
func TestNoFallbackIsAsked(t *testing.T) {
	long := over("an answer too long", []string{"length", "ok"}, "length", "", 0, asked{"length": at(0)})
	long.Finish, long.contract = "length", broken(fault.Length)
	rows := []row{long, over("a filtered answer", []string{"filter-finish", "ok"}, "", fault.ContentFilter, 0, asked{"filter-finish": at(0)})}
	rows[1].live = once(fault.ContentFilter, 0, "filter-finish")
	for model, class := range map[string]fault.Class{
		"400": fault.BadRequest, "413": fault.BadRequest, "redirect-307": fault.BadRequest,
		"401": fault.Auth, "404": fault.NotFound, "filter": fault.ContentFilter,
	} {
		rows = append(rows, over(model, []string{model, "ok"}, "", class, 0, asked{model: at(0)}))
	}
	for _, model := range []string{"ok", "noise", "no-marker", "reasons"} {
		rows = append(rows, over(model, []string{model, "refuses"}, model, "", 0, asked{model: at(0)}))
	}
	runAll(t, rows)
}

// The fallback may refuse what the first one would have accepted.
func TestTheFallbackRefuses(t *testing.T) {
	runAll(t, []row{
		over("the request", []string{"503", "refuses"}, "", fault.BadRequest, 0.5, asked{"503": at(0, 0.5), "refuses": at(0.5)}),
		over("the key", []string{"silent", "401"}, "", fault.Auth, 15, asked{"silent": at(0), "401": at(15)}).gone("silent"),
		over("everything", []string{"quota", "500"}, "", fault.ServerError, 0.5, asked{"quota": at(0), "500": at(0, 0.5)}),
	})
}

// An overflow goes to a larger context alone: not to one that is as large, and not
// to one of which nobody knows.
func TestAnOverflowGoesToALargerContext(t *testing.T) {
	for _, r := range []row{
		over("to the larger one", []string{"context", "ok@same", "ok@unknown", "ok@larger"}, "ok@larger", "", 0, asked{"context": at(0), "ok@larger": at(0)}).failed("context context_length"),
		over("larger and larger", []string{"context", "context@larger", "ok@largest"}, "ok@largest", "", 0, asked{"context": at(0), "context@larger": at(0), "ok@largest": at(0)}),
		over("none is larger", []string{"context", "ok@same", "ok@unknown"}, "", fault.ContextLength, 0, asked{"context": at(0)}),
		over("the larger one fails", []string{"context", "503@larger", "ok@same"}, "", fault.Overloaded, 0.5, asked{"context": at(0), "503@larger": at(0, 0.5)}),
	} {
		r.contexts = map[string]int{"context": 8192, "ok@same": 8192, "context@larger": 16384, "ok@larger": 16384, "503@larger": 16384, "ok@largest": 128_000}
		r.run(t)
	}
}

// At addresses where nobody answers, or nobody who is trusted.
func TestNobodyAnswersThere(t *testing.T) {
	for name, test := range map[string]struct {
		url   func(*faults.Server) string
		class fault.Class
		alone float64 // seconds until a model without another has failed
		other float64 // until the other one is asked
	}{
		"a certificate that nobody has signed": {(*faults.Server).UntrustedURL, fault.Network, 1.5, 0.5},
		"a name without an address":            {(*faults.Server).UnknownURL, fault.Network, 1.5, 0.5},
		"a port that refuses":                  {(*faults.Server).RefusedURL, fault.Network, 1.5, 0.5},
		"packets are dropped":                  {(*faults.Server).UnreachableURL, fault.TimeoutConnect, 5, 5},
		"no TLS handshake":                     {(*faults.Server).MuteURL, fault.TimeoutConnect, 5, 5},
	} {
		nobody := map[string]func(*faults.Server) string{"ok@nobody": test.url}
		alone := over(name, []string{"ok@nobody"}, "", test.class, test.alone, asked{})
		behind := over(name+", with a fallback", []string{"ok@nobody", "ok"}, "ok", "", test.other, asked{"ok": at(test.other)})
		alone.at, behind.at = nobody, nobody
		alone.run(t)
		behind.run(t)
	}
}

// A declared restart replaces what was lost; the caller is told before the new
// answer begins, and not before there is one.
func TestADeclaredRestart(t *testing.T) {
	restart := func(p *route.Policy) { p.Restart = true }
	for _, r := range []row{
		over("by the same model", []string{"cut-once", "ok"}, "cut-once", "", 0.5, asked{"cut-once": at(0, 0.5)}),
		over("by the fallback", []string{"cut", "ok"}, "ok", "", 0.5, asked{"cut": at(0, 0.5), "ok": at(0.5)}).failed("cut cut", "cut cut"),
		over("after a silence", []string{"stall-3", "ok"}, "ok", "", 20, asked{"stall-3": at(0), "ok": at(20)}).gone("stall-3"),
		over("in vain", []string{"cut"}, "", fault.Cut, 1.5, asked{"cut": thrice}),
	} {
		r.policy = restart
		r.live = func(s *faults.Scenario) { s.First = 0 }
		r.run(t)
	}
}
