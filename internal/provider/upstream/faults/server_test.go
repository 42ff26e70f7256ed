package faults_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// seen is what both sides have of a scenario.
type seen struct {
	Text   string
	Class  fault.Class
	Finish llm.FinishReason
	Did    []string
	Gone   bool
}

func play(t testing.TB, s *faults.Server, model string, patience time.Duration) seen {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := ask(ctx, t, s, model, "hi")
	s.WaitDone(model, 1)
	it := seen{Text: got.Text, Finish: got.End.Finish}
	if err != nil {
		it.Class = fault.ClassOf(err)
	}
	for _, a := range s.Attempts(model) {
		it.Did, it.Gone = append(it.Did, a.Did), a.Gone
	}
	return it
}

// A bubble's memory must fail as loopback's TCP does, or its tests show nothing.
func TestBubbleAndLoopbackAreAlike(t *testing.T) {
	compare := func(patience time.Duration, names ...string) {
		for _, name := range names {
			onLoopback := play(t, faults.New(t), name, patience)
			var inBubble seen
			synctest.Test(t, func(t *testing.T) { inBubble = play(t, faults.NewInBubble(t), name, patience) })
			if diff := cmp.Diff(onLoopback, inBubble); diff != "" {
				t.Errorf("%s (-loopback +bubble):\n%s", name, diff)
			}
		}
	}
	compare(time.Minute,
		"ok", "late-10ms", "paced-1ms", "reasons", "no-usage", "empty", "tools", "length",
		"401", "429-after-ms-1s", "503", "quota", "filter", "redirect-307",
		"reset", "close", "not-http", "slow-headers-20ms", "slow-first-token-20ms", "drip-1us",
		"cut", "cut-reset", "cut-0%", "noise", "error-midway", "no-marker", "no-end",
		"html", "gzip", "endless-line",
	)
	compare(200*time.Millisecond, "silent", "stall-3", "slow-first-token-20s", "comments-20ms") // these hang
}

func TestAddressesOnLoopback(t *testing.T) {
	s := faults.New(t)
	for name, test := range map[string]struct {
		url   string
		class fault.Class
	}{
		"an untrusted certificate": {s.UntrustedURL(), fault.Network},
		"a port that refuses":      {s.RefusedURL(), fault.Network},
		"no TLS handshake":         {s.MuteURL(), fault.TimeoutConnect},
		"packets are dropped":      {s.UnreachableURL(), fault.TimeoutConnect},
	} {
		p := openai.New(openai.Options{Name: "acme", BaseURL: test.url, ConnectTimeout: 50 * time.Millisecond})
		_, err := llm.Collect(p.Model("ok", openai.Caps{}).Stream(t.Context(), request("hi")))
		p.Close()
		if fault.ClassOf(err) != test.class || s.Count("") != 0 {
			t.Errorf("%s: %v, %d requests came", name, err, s.Count(""))
		}
	}
}

func TestLogHasEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faults.NewInBubble(t)
		p := provider(t, s, s.URL())
		for _, model := range []string{"503-twice@a", "503-twice@a", "ok", "503-twice@a"} {
			_, _ = llm.Collect(p.Model(model, openai.Caps{}).Stream(t.Context(), request("hi")))
			time.Sleep(time.Second)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_, _ = llm.Collect(p.Model("stall-1", openai.Caps{}).Stream(ctx, request("hi")))
		synctest.Wait()
		const sec = time.Second
		want := []faults.Attempt{
			{Model: "503-twice@a", N: 1, Did: "503", Done: true},
			{Model: "503-twice@a", N: 2, At: sec, Did: "503", Done: true, Ended: sec},
			{Model: "ok", N: 1, At: 2 * sec, Did: "ok", Done: true, Ended: 2 * sec},
			{Model: "503-twice@a", N: 3, At: 3 * sec, Did: "ok", Done: true, Ended: 3 * sec},
			{Model: "stall-1", N: 1, At: 4 * sec, Did: "stalls", Done: true, Ended: 11 * sec, Gone: true, GoneAt: 11 * sec},
		}
		if diff := cmp.Diff(want, s.Attempts(""), cmpopts.IgnoreFields(faults.Attempt{}, "Bytes")); diff != "" {
			t.Error(diff)
		}
		for _, a := range s.Attempts("") {
			if a.Bytes == 0 {
				t.Errorf("%+v: no bytes were written", a)
			}
		}
		if s.Count("503-twice@a") != 3 || s.Count("") != 5 || len(s.Attempts("ok")) != 1 {
			t.Error("the counts are wrong")
		}
	})
}

func TestServerSeesAtOnceThatTheCallerLeaves(t *testing.T) {
	for _, model := range []string{"silent", "stall-3", "slow-first-token-1h", "slow-headers-10h", "drip-1h", "comments-1h", "late-1h"} {
		s := faults.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := ask(ctx, t, s, model, "hi")
			ended <- err
		}()
		s.WaitFor(model, 1)
		left := time.Now()
		cancel()
		if err := <-ended; fault.ClassOf(err) != fault.Canceled {
			t.Errorf("%s: %v", model, err)
		}
		s.WaitDone(model, 1)
		if took := time.Since(left); took > 100*time.Millisecond || !s.Attempts(model)[0].Gone {
			t.Errorf("%s: %v after the caller had left: %+v", model, took, s.Attempts(model)[0])
		}
	}
}

func TestSetChangesAModel(t *testing.T) {
	s := faults.New(t)
	said := upstream.Reply{Text: "as given", Model: "another", Usage: &upstream.Usage{Prompt: 1, Completion: 2}}
	s.Set("small", faults.Says(said))
	got, err := ask(t.Context(), t, s, "small", "hi")
	if err != nil || got.Text != "as given" || got.End.Model != "another" || got.End.Usage != (llm.Usage{Input: 1, Output: 2}) {
		t.Errorf("got %+v, %v", got, err)
	}
	s.Set("small", faults.Then(faults.Refuse(http.StatusServiceUnavailable), func(x *faults.Exchange) {
		if x.N != 3 || x.Messages[1].Content != "hi" || !strings.Contains(string(x.Body), `"stream":true`) {
			t.Errorf("attempt %d is %s", x.N, x.Body)
		}
		faults.OK()(x)
	}))
	for _, want := range []fault.Class{fault.Overloaded, ""} {
		_, err := ask(t.Context(), t, s, "small", "hi")
		if (err != nil) != (want != "") || err != nil && fault.ClassOf(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestAnswersAreToldApart(t *testing.T) {
	one, other := faults.Answer(request("one").Messages), faults.Answer(request("other").Messages)
	again := faults.Answer([]llm.Message{{Role: llm.System, Parts: []llm.Part{{Kind: llm.PartText, Text: "be "}, {Kind: llm.PartText, Text: "brief"}}}, llm.Text(llm.User, "one")})
	if one == other || one != again || !strings.HasSuffix(one, one[8:24]+`"}`) {
		t.Errorf("%q, %q, %q", one, other, again)
	}
	if !slices.Contains(faults.Names(), "slow-first-token-20s") {
		t.Errorf("the names are %q", faults.Names())
	}
}
