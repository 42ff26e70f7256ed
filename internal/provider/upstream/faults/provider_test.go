package faults_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// alone is the provider's model, without an engine above it.
func alone(t testing.TB, s *faults.Server, models []string) llm.Model {
	return provider(t, s, s.URL()).Model(models[0], openai.Caps{})
}

// What the provider makes of each scenario, asked once, on the clock of a bubble:
// the class of DESIGN §6, at the very time.
func TestProviderTellsWhatWentWrong(t *testing.T) {
	const s, hour = time.Second, time.Hour
	nothing := func(string) string { return "" }
	type row struct {
		class fault.Class
		after time.Duration
		more  faults.Scenario
	}
	for model, test := range map[string]row{
		"ok":                   {},
		"late-3s":              {after: 3 * s, more: faults.Scenario{First: 3 * s}},
		"paced-1s":             {after: 10 * s}, // 8 pieces, finish, usage, marker
		"reasons":              {},
		"empty":                {more: faults.Scenario{Text: nothing}},
		"length":               {more: faults.Scenario{Finish: llm.FinishLength}},
		"filter-finish":        {more: faults.Scenario{Finish: llm.FinishContentFilter}},
		"tools":                {more: faults.Scenario{Text: nothing, Finish: llm.FinishToolCalls}},
		"noise":                {},
		"no-marker":            {},
		"slow-first-token-20s": {after: 20 * s, more: faults.Scenario{First: 20 * s}},
		"slow-headers-20s":     {after: 20 * s, more: faults.Scenario{First: 20 * s}},

		"400": {class: fault.BadRequest}, "401": {class: fault.Auth}, "402": {class: fault.QuotaExhausted}, "403": {class: fault.Auth},
		"404": {class: fault.NotFound}, "413": {class: fault.BadRequest}, "429": {class: fault.RateLimited},
		"500": {class: fault.ServerError}, "502": {class: fault.ServerError}, "503": {class: fault.Overloaded}, "504": {class: fault.ServerError}, "529": {class: fault.Overloaded},
		"429-after": {class: fault.RateLimited}, "429-reset": {class: fault.RateLimited}, "quota": {class: fault.QuotaExhausted},
		"context": {class: fault.ContextLength}, "filter": {class: fault.ContentFilter}, "refuses": {class: fault.BadRequest},
		"redirect-301": {class: fault.BadRequest}, "redirect-302": {class: fault.BadRequest}, "redirect-307": {class: fault.BadRequest},

		"reset": {class: fault.Network}, "close": {class: fault.Network}, "dead": {class: fault.Network}, "not-http": {class: fault.Network},
		"html": {class: fault.Malformed}, "gzip": {class: fault.Malformed},
		"cut": {class: fault.Cut}, "cut-0%": {class: fault.Cut, more: faults.Scenario{Nothing: true}}, "cut-reset": {class: fault.Cut}, "no-end": {class: fault.Cut},
		"tools-cut":    {class: fault.Cut, more: faults.Scenario{Nothing: true}},
		"error-midway": {class: fault.ServerError},

		"silent":              {class: fault.TimeoutTotal, after: hour, more: faults.Scenario{Within: hour, Nothing: true, Left: []string{"silent"}}},
		"stall-3":             {class: fault.TimeoutTotal, after: hour, more: faults.Scenario{Within: hour, Left: []string{"stall-3"}}},
		"comments-5s":         {class: fault.TimeoutTotal, after: hour, more: faults.Scenario{Within: hour, Nothing: true, Left: []string{"comments-5s"}}},
		"slow-first-token-2h": {class: fault.TimeoutTotal, after: hour, more: faults.Scenario{Within: hour, Nothing: true, Left: []string{"slow-first-token-2h"}}},
		"slow-headers-2h":     {class: fault.TimeoutTotal, after: hour, more: faults.Scenario{Within: hour, Nothing: true, Left: []string{"slow-headers-2h"}}},

		// Text of x is no beginning of the right answer.
		"endless":      {class: fault.Malformed, more: faults.Scenario{Text: func(string) string { return strings.Repeat("x", 16<<20) }, Left: []string{"endless"}}},
		"endless-line": {class: fault.Malformed, more: faults.Scenario{Nothing: true, Left: []string{"endless-line"}}},
	} {
		scenario := test.more
		scenario.Name, scenario.Models, scenario.Class, scenario.After = model, []string{model}, test.class, test.after
		scenario.Asked = map[string][]time.Duration{model: {0}}
		if test.class == "" && model != "tools" {
			scenario.Answered = model
		}
		scenario.Run(t, alone)
	}
}

// A drop of one byte a second is slow, but it is an answer; how long its usage is
// waited for once it is complete is not looked at here.
func TestProviderHearsADripToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faults.NewInBubble(t)
		start := time.Now()
		got, err := ask(t.Context(), t, s, "drip-1s", "hi")
		if took := time.Since(start).Seconds(); err != nil || got.Text != faults.Answer(request("hi").Messages) || took < 1700 || took > 2300 {
			t.Errorf("after %v s: %q, %v", took, got.Text, err)
		}
	})
}

// What comes after the hole is not looked at here, only that the answer is none.
func TestProviderGivesNoAnswerWithAHole(t *testing.T) {
	_, err := ask(t.Context(), t, faults.New(t), "broken", "hi")
	if fault.ClassOf(err) != fault.Malformed {
		t.Errorf("got %v", err)
	}
}

func TestProviderIsToldHowLongToWait(t *testing.T) {
	for _, model := range []string{"429-after-20s", "429-after-ms-20s", "429-after-date-20s", "503-after-20s"} {
		synctest.Test(t, func(t *testing.T) {
			s := faults.NewInBubble(t)
			_, err := ask(t.Context(), t, s, model, "hi")
			if got := fault.As(err).RetryAfter; got != 20*time.Second {
				t.Errorf("%s: asked to wait %v", model, got)
			}
		})
	}
}

func TestProviderAtAddressesWhereNobodyAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		url   func(*faults.Server) string
		class fault.Class
		after time.Duration
	}{
		"an untrusted certificate": {(*faults.Server).UntrustedURL, fault.Network, 0},
		"a port that refuses":      {(*faults.Server).RefusedURL, fault.Network, 0},
		"a host without address":   {(*faults.Server).UnknownURL, fault.Network, 0},
		"no TLS handshake":         {(*faults.Server).MuteURL, fault.TimeoutConnect, connect},
		"packets are dropped":      {(*faults.Server).UnreachableURL, fault.TimeoutConnect, connect},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := faults.NewInBubble(t)
			start := time.Now()
			_, err := llm.Collect(provider(t, s, test.url(s)).Model("ok", openai.Caps{}).Stream(t.Context(), request("hi")))
			if took := time.Since(start); fault.ClassOf(err) != test.class || took != test.after || s.Count("") != 0 {
				t.Errorf("%s: %s after %v (%v), %d requests came", name, fault.ClassOf(err), took, err, s.Count(""))
			}
		})
	}
}

func TestProviderFollowsNoRedirect(t *testing.T) {
	s := faults.New(t)
	for _, model := range []string{"redirect-301", "redirect-303", "redirect-308"} {
		if _, err := ask(t.Context(), t, s, model, "hi"); fault.ClassOf(err) != fault.BadRequest {
			t.Errorf("%s: %v", model, err)
		}
	}
	if s.Strayed() != 0 || s.Count("") != 3 {
		t.Errorf("%d requests strayed, %d came", s.Strayed(), s.Count(""))
	}
}

func TestProviderPutsToolCallsInOrder(t *testing.T) {
	got, err := ask(t.Context(), t, faults.New(t), "tools", "hi")
	if diff := cmp.Diff(faults.Calls, got.ToolCalls); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestProviderThatIsDownForAMinuteIsBackThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faults.NewInBubble(t)
		for i := range 12 {
			_, err := ask(t.Context(), t, s, "down-1m", "hi")
			if down := i < 6; (err != nil) != down {
				t.Errorf("at %d s: %v", 10*i, err)
			}
			time.Sleep(10 * time.Second)
		}
	})
}
