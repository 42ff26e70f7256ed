package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
	"github.com/llmx-dev/llmx/internal/server"
)

// optimisticPrompt has the contract that right answers keep, and is streamed before it
// is judged.
const optimisticPrompt = `---
name: p
outputs: ` + faults.Schema + `
llmx: {stream: optimistic, allow: [model]}
---
user:
what goes wrong?
`

// modes are the ways to ask, each with the body for a model.
var modes = []struct{ name, body string }{
	{"whole", `{"model":%q,"messages":[{"role":"user","content":"what goes wrong?"}]}`},
	{"streaming", `{"model":%q,"messages":[{"role":"user","content":"what goes wrong?"}],"stream":true}`},
	{"under a contract", `{"model":%q,"messages":[{"role":"user","content":"what goes wrong?"}],"stream":true,` +
		`"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":` + faults.Schema + `}}}`},
	{"optimistic", `{"model":%q,"prompt":{"id":"p"},"stream":true}`},
}

// ends are what comes of one scenario in each of the modes: "ok", or the code of the
// error; in a stream that had begun it stands behind a "+".
type ends struct {
	status int // of the answer in whole, and of every stream that had not begun; 0 is not looked at
	codes  [4]string
}

func every(status int, code string) ends { return ends{status, [4]string{code, code, code, code}} }

// begun is of a failure after the first piece: what is buffered has nothing sent yet.
func begun(status int, code string) ends {
	return ends{status, [4]string{code, "+" + code, code, "+" + code}}
}

// waited is of a failure that comes after a sign of life.
func waited(status int, code string) ends {
	return ends{status, [4]string{code, "+" + code, "+" + code, "+" + code}}
}

// scenarios are all that an upstream does wrong, through HTTP.
var scenarios = map[string]ends{
	"ok": every(200, "ok"), "late-20ms": every(200, "ok"), "paced-1ms": every(200, "ok"), "limits": every(200, "ok"), "reasons": every(200, "ok"),
	"no-usage": every(200, "ok"), "no-marker": every(200, "ok"), "noise": every(200, "ok"),
	"503-once": every(200, "ok"), "reset-once": every(200, "ok"),

	"400": every(400, "bad_request"), "401": every(502, "auth"), "402": every(503, "quota_exhausted"), "403": every(502, "auth"),
	"404": every(502, "not_found"), "408": every(502, "server_error"), "413": every(413, "bad_request"), "429": every(429, "rate_limit_exceeded"),
	"500": every(502, "server_error"), "502": every(502, "server_error"), "503": every(503, "overloaded"), "504": every(502, "server_error"), "529": every(503, "overloaded"),
	"429-after-1m": every(429, "rate_limit_exceeded"), "429-after-ms-1m": every(429, "rate_limit_exceeded"),
	"429-after-date-1m": every(429, "rate_limit_exceeded"), "429-reset-1m": every(429, "rate_limit_exceeded"), "503-after-1m": every(503, "overloaded"),
	"quota": every(503, "quota_exhausted"), "context": every(400, "context_length_exceeded"), "filter": every(422, "content_filter"),
	"refuses": every(400, "bad_request"), "redirect-307": every(502, "bad_request"), "down-1m": every(503, "overloaded"), "flaps-1m": every(503, "overloaded"),

	"reset": every(502, "network"), "close": every(502, "network"), "dead": every(502, "network"), "not-http": every(502, "network"),
	"html": every(502, "malformed"), "gzip": every(502, "malformed"),
	"silent": waited(504, "timeout_first_token"), "slow-headers": waited(504, "timeout_first_token"), "slow-first-token": waited(504, "timeout_first_token"),
	"comments": waited(504, "timeout_first_token"), "drip": waited(504, "timeout_first_token"), "stall": waited(504, "timeout_idle"),
	"cut": begun(502, "cut"), "cut-reset": begun(502, "cut"), "no-end": begun(502, "cut"), "tools-cut": begun(502, "cut"),
	"broken": begun(502, "malformed"), "tools-stray": begun(502, "malformed"), "error-midway": begun(502, "server_error"),
	"endless": {0, waited(502, "malformed").codes}, "endless-line": {0, waited(502, "malformed").codes}, // before or after a sign of life

	"filter-finish":  begun(422, "content_filter"),
	"length":         {422, [4]string{"ok", "ok", "length", "+length"}}, // a text is marked by its finish reason
	"empty":          {422, [4]string{"ok", "ok", "contract_violation", "contract_violation"}},
	"tools":          {422, [4]string{"ok", "ok", "contract_violation", "+contract_violation"}},
	"tools-repeated": {422, [4]string{"ok", "ok", "contract_violation", "+contract_violation"}},
}

// unplayed are scenarios that are left out here.
var unplayed = []string{"random-5%", "flap-3"} // by lot, and by the order of the requests

func TestEveryFaultThroughHTTP(t *testing.T) {
	upstream := faults.New(t)
	var models []string
	for name := range scenarios {
		models = append(models, name, name+"@1", name+"@2", name+"@3") // a model for each mode
	}
	h := plan{upstream: upstream.URL(), models: models, prompts: map[string]string{"p": optimisticPrompt}, options: func(o *server.Options) {
		o.KeepAlive = time.Second // later than what fails at once, sooner than the bounds of silence
	}, policy: func(p *route.Policy) {
		p.Total = 30 * time.Second // time for what is work on a busy machine, and less than any Retry-After
		for alias := range p.Timeouts {
			p.Timeouts[alias] = llm.Timeouts{Connect: 2 * time.Second, FirstToken: 2 * time.Second, Idle: 2 * time.Second}
		}
	}}.build(t)
	type played struct {
		name string
		mode int
		answer
	}
	var all []*played
	play := func(atOnce int, of func(name string) bool) {
		var playing sync.WaitGroup
		places := make(chan struct{}, atOnce)
		for name := range scenarios {
			for mode := range modes {
				if !of(name) {
					continue
				}
				p := &played{name: name, mode: mode}
				all = append(all, p)
				playing.Go(func() {
					places <- struct{}{}
					defer func() { <-places }()
					model := p.name
					if p.mode > 0 {
						model = fmt.Sprintf("%s@%d", p.name, p.mode)
					}
					p.answer = h.chat(fmt.Sprintf(modes[p.mode].body, model))
				})
			}
		}
		playing.Wait()
	}
	// What is work comes alone, and what only waits at once: a machine that is busy would
	// have signs of life sent where none are expected.
	works := func(name string) bool { return strings.HasPrefix(name, "endless") }
	waits := func(name string) bool { return strings.HasPrefix(scenarios[name].codes[1], "+timeout") }
	play(4, func(name string) bool { return !works(name) && !waits(name) })
	play(100, waits)
	play(1, works)
	for _, p := range all {
		t.Run(p.name+", "+modes[p.mode].name, func(t *testing.T) {
			if p.err != nil {
				t.Fatal(p.err)
			}
			for _, problem := range scenarios[p.name].problems(t, p.answer, p.mode) {
				t.Error(problem)
			}
		})
	}
}

func (want ends) problems(t *testing.T, a answer, mode int) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	code, inBand := strings.CutPrefix(want.codes[mode], "+")
	status := want.status
	if code == "ok" || inBand {
		status = http.StatusOK
	}
	if a.status != status && want.status != 0 {
		problem("status %d, want %d: %s", a.status, status, a.body)
	}
	if found := a.leaked(); found != nil {
		problem("the answer has %q:\n%s\n%v", found, a.body, a.header)
	}
	if a.header.Get("X-Request-Id") == "" {
		problem("there is no request id")
	}
	failed := strings.Contains(a.body, `"error"`)
	switch {
	case code == "ok" && failed:
		problem("failed: %s", a.body)
	case code == "ok" && mode > 0:
		if s := a.stream(t); !s.done || s.finish == "" || s.role != "assistant" {
			problem("the stream ends without its end: %s", a.body)
		}
	case code == "ok":
		a.whole(t)
	default:
		said := a.failure(t)
		if said.Code != code || said.Message == "" || said.Type == "" {
			problem("failed with %+v, want code %s", said, code)
		}
		if strings.Contains(a.body, "[DONE]") || strings.Contains(a.body, `"finish_reason":"`) {
			problem("a failure has the end of an answer: %s", a.body)
		}
		if a.status != http.StatusOK && a.header.Get("X-Should-Retry") != "false" {
			problem("our retries are spent, and x-should-retry is %q", a.header.Get("X-Should-Retry"))
		}
	}
	return problems
}

// Every scenario is in the table.
func TestNoFaultIsLeftOut(t *testing.T) {
	for _, name := range faults.Names() {
		played := slices.Contains(unplayed, name)
		for model := range scenarios {
			base := strings.TrimRight(name, "0123456789msh%/")
			played = played || model == name || model == strings.TrimSuffix(base, "-") || strings.HasPrefix(model, base) && strings.HasSuffix(base, "-")
		}
		if !played {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// What a provider asks to wait is passed on.
func TestRetryAfterOfAProvider(t *testing.T) {
	h := plan{upstream: faults.New(t).URL(), models: []string{"429-after-1m", "503-after-1m", "429"}}.build(t)
	for model, want := range map[string]string{"429-after-1m": "60", "503-after-1m": "60", "429": ""} {
		a := h.chat(fmt.Sprintf(modes[0].body, model))
		if got := a.header.Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After %q, want %q", model, got, want)
		}
	}
}
