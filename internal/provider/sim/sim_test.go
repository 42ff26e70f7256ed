package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/conformance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ptr(share float64) *float64 { return &share }

func ask(text string) llm.Request {
	return llm.Request{Messages: []llm.Message{llm.Text(llm.System, "You answer."), llm.Text(llm.User, text)}}
}

// stall sleeps without end from the nth wait of the model on.
func stall(n int) func(context.Context, time.Duration) error {
	var mu sync.Mutex
	return func(ctx context.Context, _ time.Duration) error {
		mu.Lock()
		n--
		wait := n < 0
		mu.Unlock()
		if wait {
			<-ctx.Done()
		}
		return ctx.Err()
	}
}

func TestConformance(t *testing.T) {
	const golden = "Paris is the capital, and has been for long."
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		request := ask("What is the capital of France?")
		request.Hint = golden
		slow := Latency{P50: time.Second}
		subject := conformance.Subject{
			Model: New(Options{Name: "sim", Model: "small"}), Request: request, Text: golden,
			Silent: New(Options{Model: "small", Latency: slow}),
			Stuck:  New(Options{Model: "small", Latency: slow, Sleep: stall(1)}),
		}
		calls := ask("Where is my invoice?")
		calls.Tools = clerk
		made := collect(t, subject.Model, calls)
		subject.Calls = []conformance.Calls{{Name: "a word of its name", Model: subject.Model, Request: calls, Want: made.ToolCalls}}
		if len(made.ToolCalls) != 1 {
			t.Fatalf("called %v", made.ToolCalls)
		}
		classes := map[fault.Class]bool{}
		failing := New(Options{Name: "sim", Model: "small", Errors: 1})
		for i := 0; len(classes) < 3 && i < 1000; i++ {
			request := ask(fmt.Sprint(i))
			_, err := llm.Collect(failing.Stream(t.Context(), request))
			if class := fault.ClassOf(err); !classes[class] {
				classes[class] = true
				subject.Failures = append(subject.Failures, conformance.Failure{
					Name: string(class), Model: failing, Request: request, Class: class,
				})
			}
		}
		want := map[fault.Class]bool{fault.RateLimited: true, fault.ServerError: true, fault.Network: true}
		if diff := cmp.Diff(want, classes); diff != "" {
			t.Fatal(diff)
		}
		return subject
	})
}

func collect(t *testing.T, model llm.Model, req llm.Request) llm.Response {
	t.Helper()
	response, err := llm.Collect(model.Stream(t.Context(), req))
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// An answer does not change from release to release: recordings and baselines
// are made from them.
func TestAnswersAreTheSameForEver(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","required":["label","urgency"],"properties":{"label":{"enum":["billing","bug","account"]},"urgency":{"type":"integer","minimum":1,"maximum":5}}}`)
	model := New(Options{Name: "sim", Model: "small", Seed: 7, Accuracy: ptr(0.5), Malformed: 0.2, Errors: 0.2})
	var got []string
	for i := range 12 {
		req := ask("ticket")
		req.Repeat = i
		req.Output = llm.Output{Kind: llm.OutputJSON, Schema: schema}
		req.Hint = map[string]any{"label": "bug"}
		response, err := llm.Collect(model.Stream(t.Context(), req))
		if err != nil {
			got = append(got, string(fault.ClassOf(err)))
			continue
		}
		got = append(got, response.Text)
	}
	if diff := cmp.Diff(sameForEver, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAnAnswerDependsOn(t *testing.T) {
	base := ask("say something")
	base.Options = llm.Options{"temperature": json.RawMessage("0"), "top_p": json.RawMessage("1")}
	id := func(o Options, req llm.Request) string { return collect(t, New(o), req).End.ResponseID }
	changed := map[string]func(o *Options, r *llm.Request){
		"seed":    func(o *Options, r *llm.Request) { o.Seed++ },
		"model":   func(o *Options, r *llm.Request) { o.Model = "large" },
		"repeat":  func(o *Options, r *llm.Request) { r.Repeat++ },
		"message": func(o *Options, r *llm.Request) { r.Messages = ask("say something else").Messages },
		"role":    func(o *Options, r *llm.Request) { r.Messages[1].Role = llm.Assistant },
		"option":  func(o *Options, r *llm.Request) { r.Options["temperature"] = json.RawMessage("1") },
		"image": func(o *Options, r *llm.Request) {
			r.Messages[1].Parts = append(r.Messages[1].Parts, llm.Part{Kind: llm.PartImage, Media: &llm.Media{Data: []byte("png")}})
		},
	}
	unchanged := map[string]func(o *Options, r *llm.Request){
		"hint":     func(o *Options, r *llm.Request) { r.Hint = "golden" },
		"origin":   func(o *Options, r *llm.Request) { r.Origin.Case = "c" },
		"tenant":   func(o *Options, r *llm.Request) { r.Tenant = "t" },
		"alias":    func(o *Options, r *llm.Request) { r.Model = "alias" },
		"accuracy": func(o *Options, r *llm.Request) { o.Accuracy = ptr(0) },
	}
	try := func(change func(o *Options, r *llm.Request)) string {
		o, req := Options{Model: "small"}, base
		req.Messages = slices.Clone(req.Messages)
		req.Options = llm.Options{"temperature": json.RawMessage("0"), "top_p": json.RawMessage("1")}
		change(&o, &req)
		return id(o, req)
	}
	want := id(Options{Model: "small"}, base)
	for name, change := range changed {
		if try(change) == want {
			t.Errorf("%s: another one gives the same draw", name)
		}
	}
	for name, change := range unchanged {
		if got := try(change); got != want {
			t.Errorf("%s: another one gives another draw", name)
		}
	}
}

// A share that was set is met: within four standard errors over 10,000 asks,
// which a right program misses once in 16,000 seeds.
func TestSharesAreMet(t *testing.T) {
	const n, set = 10_000, 0.87
	model := New(Options{Model: "small", Seed: 1, Accuracy: ptr(set), Errors: 0.13})
	right, failed, answered := 0, 0, 0
	for i := range n {
		req := ask(fmt.Sprintf("case %d", i))
		req.Hint = json.Number("42")
		req.Output.Kind = llm.OutputNumber
		response, err := llm.Collect(model.Stream(t.Context(), req))
		if err != nil {
			failed++
			continue
		}
		answered++
		if response.Text == "42" {
			right++
		}
	}
	within := func(what string, count, of int, share float64) {
		got := float64(count) / float64(of)
		if limit := 4 * math.Sqrt(share*(1-share)/float64(of)); math.Abs(got-share) > limit {
			t.Errorf("%s = %.4f, want %.4f ± %.4f", what, got, share, limit)
		}
	}
	within("accuracy", right, answered, set)
	within("errors", failed, n, 0.13)
}

func TestErrorsNeedNoHint(t *testing.T) {
	model := New(Options{Model: "small", Errors: 0.5})
	failures := 0
	for i := range 200 {
		bare := ask(fmt.Sprint(i))
		hinted := bare
		hinted.Hint = "golden"
		_, a := llm.Collect(model.Stream(t.Context(), bare))
		_, b := llm.Collect(model.Stream(t.Context(), hinted))
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("ask %d: %v without the hint, %v with it", i, a, b)
		}
		if a != nil {
			failures++
		}
	}
	if failures < 70 || failures > 130 {
		t.Errorf("%d of 200 failed, want about half", failures)
	}
}

func TestLatencyHasItsQuantiles(t *testing.T) {
	var mu sync.Mutex
	var waited time.Duration
	model := New(Options{Model: "small", Latency: Latency{P50: 300 * time.Millisecond, P95: 900 * time.Millisecond},
		Sleep: func(_ context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			waited += d
			return nil
		}})
	took := make([]time.Duration, 4000)
	for i := range took {
		waited = 0
		req := ask(fmt.Sprint(i))
		req.Hint = "an answer that comes in several pieces"
		collect(t, model, req)
		took[i] = waited
	}
	slices.Sort(took)
	for share, want := range map[float64]time.Duration{0.5: 300 * time.Millisecond, 0.95: 900 * time.Millisecond} {
		got := took[int(share*float64(len(took)))]
		if ratio := float64(got) / float64(want); ratio < 0.93 || ratio > 1.07 {
			t.Errorf("quantile %v = %v, want %v", share, got, want)
		}
	}
}

func TestRealTimerWaits(t *testing.T) {
	start := time.Now()
	req := ask("x")
	req.Hint = "a text in more than one piece"
	collect(t, New(Options{Model: "small", Latency: Latency{P50: 30 * time.Millisecond}}), req)
	if took := time.Since(start); took < 29*time.Millisecond {
		t.Errorf("took %v, want 30 ms", took)
	}
}

func TestSleepErrorIsClassified(t *testing.T) {
	model := New(Options{Model: "small", Latency: Latency{P50: time.Second}, Sleep: func(context.Context, time.Duration) error { return context.DeadlineExceeded }})
	_, err := llm.Collect(model.Stream(t.Context(), ask("x")))
	if fault.ClassOf(err) != fault.TimeoutTotal || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestStreamAndUsage(t *testing.T) {
	const golden = "Ünïcödé stays whole: 日本語のテキスト, and ends."
	req := ask("12345678")
	req.Hint = golden
	req.Messages[1].Parts = append(req.Messages[1].Parts, llm.Part{Kind: llm.PartImage, Media: &llm.Media{URL: "https://example.com/a.png"}})
	pieces, end := 0, llm.End{}
	for event, err := range New(Options{Model: "small"}).Stream(t.Context(), req) {
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(event.Text) {
			t.Errorf("piece %q cuts a character", event.Text)
		}
		if event.Text != "" {
			pieces++
		}
		if event.End != nil {
			end = *event.End
		}
	}
	if pieces < 2 || pieces > 4 {
		t.Errorf("%d pieces, want 2 to 4", pieces)
	}
	// "You answer." and "12345678" are 19 characters, 5 tokens, and 256 for the
	// image; the golden has 40 characters.
	want := llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Input: 261, Output: 10}, Model: "sim/small", ResponseID: end.ResponseID}
	if diff := cmp.Diff(want, end); diff != "" {
		t.Error(diff)
	}
}

func TestBadSchemaIsAFault(t *testing.T) {
	req := ask("x")
	req.Output = llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":`)}
	_, err := llm.Collect(New(Options{Model: "small"}).Stream(t.Context(), req))
	if fault.ClassOf(err) != fault.BadRequest {
		t.Errorf("got %v, want %s", err, fault.BadRequest)
	}
}

func BenchmarkAnswer(b *testing.B) {
	model := New(Options{Model: "small", Accuracy: ptr(0.9)})
	req := ask("I was charged twice, fix it NOW")
	req.Output = llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"object","required":["label","urgency"],"properties":{"label":{"enum":["billing","bug","account"]},"urgency":{"type":"integer","minimum":1,"maximum":5}}}`)}
	req.Hint = map[string]any{"label": "bug"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		req.Repeat = i
		if _, err := llm.Collect(model.Stream(b.Context(), req)); err != nil {
			b.Fatal(err)
		}
	}
}

// Requests that met an error met it in every attempt, and however often they were asked.
func TestEveryAttemptMeetsErrorsOfItsOwn(t *testing.T) {
	model := New(Options{Name: "sim", Model: "small", Seed: 3, Errors: 0.5})
	const attempts, rounds, asks = 4, 2, 50
	type at struct{ ask, round, attempt int }
	outcome := func(at at) string {
		call := &llm.Call{Turns: []llm.Turn{
			{Attempts: []llm.Attempt{{Provider: "sim", Wire: "small"}}}, // another turn, which asked something else
			{Attempts: []llm.Attempt{{Provider: "other", Wire: "small"}, {Provider: "sim", Wire: "small", Unasked: true}}},
		}}
		for range at.attempt {
			call.Turns[1].Attempts = append(call.Turns[1].Attempts, llm.Attempt{Provider: "sim", Wire: "small"})
		}
		ctx := llm.WithRound(llm.WithCall(t.Context(), call), at.round)
		response, err := llm.Collect(model.Stream(ctx, ask(fmt.Sprint(at.ask))))
		if err != nil {
			return string(fault.ClassOf(err))
		}
		return response.Text + response.End.ResponseID
	}
	seen := map[at]string{}
	failed, answers := 0, map[int]map[string]bool{}
	for i := range asks * rounds * attempts {
		at := at{i / (rounds * attempts), i / attempts % rounds, i % attempts}
		seen[at] = outcome(at)
		if !strings.Contains(seen[at], "sim-") {
			failed++
			continue
		}
		if answers[at.ask] == nil {
			answers[at.ask] = map[string]bool{}
		}
		answers[at.ask][seen[at]] = true
	}
	if failed < 160 || failed > 240 {
		t.Errorf("%d of 400 attempts failed, want about half", failed)
	}
	if len(answers) != asks {
		t.Errorf("%d of %d asks were answered in one of %d attempts", len(answers), asks, rounds*attempts)
	}
	for ask, texts := range answers {
		if len(texts) != 1 {
			t.Errorf("ask %d has the answers %v, want one, whichever attempt gives it", ask, texts)
		}
	}
	// In any order, and at once, it comes out the same.
	var wait sync.WaitGroup
	for at, want := range seen {
		wait.Go(func() {
			if got := outcome(at); got != want {
				t.Errorf("%+v is %q, and was %q", at, got, want)
			}
		})
	}
	wait.Wait()
}
