package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/conformance"
)

const resolved = "openai/gpt-4o-mini"

var today = time.Date(2026, 11, 22, 15, 4, 5, 0, time.FixedZone("", -10*3600)) // the 23rd in UTC

func clock() time.Time { return today }

func caseRequest(id string) llm.Request {
	return llm.Request{
		Prompt: llm.PromptRef{Name: "triage", Version: "draft"}, Messages: []llm.Message{llm.Text(llm.User, "ticket "+id)},
		Origin: llm.Origin{Suite: "triage", Case: id},
	}
}

// vendor is a model upstream that counts its asks and answers in two pieces, the
// nth ask with "answer n".
type vendor struct {
	asks  atomic.Int64
	gate  chan struct{} // if set, every ask waits for it
	end   llm.End
	fails func(n int64) error // after the first piece
}

func (v *vendor) Stream(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		n := v.asks.Add(1)
		if v.gate != nil {
			select {
			case <-v.gate:
			case <-ctx.Done():
				yield(llm.Event{}, fault.New(fault.Canceled, "canceled"))
				return
			}
		}
		if !yield(llm.Event{Text: "answer "}, nil) {
			return
		}
		if v.fails != nil {
			if err := v.fails(n); err != nil {
				yield(llm.Event{}, err)
				return
			}
		}
		if !yield(llm.Event{Text: fmt.Sprint(n)}, nil) {
			return
		}
		end := v.end
		if end.Finish == "" {
			end = llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Input: 3, Output: 2}, Model: "gpt-4o-mini-2024", ResponseID: "r1"}
		}
		yield(llm.Event{End: &end}, nil)
	}
}

// waiting sends a piece of text, if first is set, and then waits to be canceled.
func waiting(first bool, stopped chan<- struct{}) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			defer func() {
				select {
				case stopped <- struct{}{}:
				default:
				}
			}()
			if first && !yield(llm.Event{Text: "a"}, nil) {
				return
			}
			<-ctx.Done()
			yield(llm.Event{}, fault.Ended(ctx, nil))
		}
	})
}

func TestConformance(t *testing.T) {
	busy := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return llm.Fail(fault.New(fault.Overloaded, "busy"))
	})
	for _, mode := range []Mode{Replay, Auto, Record} {
		t.Run(string(mode), func(t *testing.T) {
			conformance.Run(t, func(t *testing.T) conformance.Subject {
				full, empty := open(t, t.TempDir()), open(t, t.TempDir())
				request, kept := caseRequest("kept"), recordingOf(1)
				kept.Key = Key(request, resolved)
				if err := full.Append(kept); err != nil {
					t.Fatal(err)
				}
				wrap := func(next llm.Model, recordings *Recordings) llm.Model {
					return Wrap(next, Options{Mode: mode, Resolved: resolved, Provider: "openai", Recordings: recordings, Now: clock})
				}
				calls, called := caseRequest("called"), recordingOf(2)
				called.Key, called.Text, called.Finish = Key(calls, resolved), "", llm.FinishToolCalls
				called.ToolCalls = []llm.ToolCall{{ID: "1", Name: "look", Arguments: `{"id":1}`}, {ID: "2", Name: "now"}}
				if err := full.Append(called); err != nil {
					t.Fatal(err)
				}
				subject := conformance.Subject{Model: wrap(busy, full), Request: request, Text: kept.Text}
				subject.Calls = []conformance.Calls{{Name: "recorded", Model: subject.Model, Request: calls, Want: called.ToolCalls}}
				if mode == Replay {
					subject.Failures = []conformance.Failure{{Name: "missing", Model: wrap(nil, empty), Request: request, Class: fault.Missing}}
					return subject
				}
				stopped := make(chan struct{}, 1)
				subject.Silent, subject.Stuck, subject.Stopped = wrap(waiting(false, stopped), empty), wrap(waiting(true, stopped), empty), stopped
				subject.Failures = []conformance.Failure{{Name: "upstream", Model: wrap(busy, empty), Request: request, Class: fault.Overloaded}}
				return subject
			})
		})
	}
}

// setup is a wrapped vendor over the recordings of a directory.
type setup struct {
	vendor     *vendor
	recordings *Recordings
	dir        string
	model      llm.Model
}

func wrapped(t testing.TB, o Options, v *vendor) setup {
	t.Helper()
	s := setup{vendor: v, dir: t.TempDir()}
	s.recordings = open(t, s.dir)
	o.Resolved, o.Provider, o.Recordings, o.Now = resolved, "openai", s.recordings, clock
	s.model = Wrap(v, o)
	return s
}

func (s setup) ask(t testing.TB, req llm.Request) llm.Response {
	t.Helper()
	response, err := llm.Collect(s.model.Stream(t.Context(), req))
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestRecordThenReplay(t *testing.T) {
	for _, finish := range []llm.FinishReason{llm.FinishStop, llm.FinishLength, llm.FinishContentFilter} {
		t.Run(string(finish), func(t *testing.T) {
			s := wrapped(t, Options{Mode: Record}, &vendor{end: llm.End{
				Finish: finish, Usage: llm.Usage{Input: 3, Output: 2}, Model: "gpt-4o-mini-2024", ResponseID: "r1",
			}})
			req := caseRequest("a")
			req.Repeat = 1
			first := s.ask(t, req)
			if first.Text != "answer 1" || first.End.Stored != nil {
				t.Fatalf("first: %q, stored %v; want a live answer", first.Text, first.End.Stored)
			}
			kept, found, err := open(t, s.dir).Lookup(Key(req, resolved))
			if err != nil || !found {
				t.Fatalf("found %v, %v", found, err)
			}
			want := Recording{
				Key: Key(req, resolved), Case: "a", Prompt: "triage@draft", Model: resolved, Repeat: 1,
				Answered: "gpt-4o-mini-2024", ResponseID: "r1", Origin: "openai", Date: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
				Finish: finish, Usage: llm.Usage{Input: 3, Output: 2}, Service: kept.Service, FirstToken: kept.FirstToken, Text: "answer 1",
			}
			if diff := cmp.Diff(want, kept); diff != "" {
				t.Error(diff)
			}
			if kept.FirstToken <= 0 || kept.Service < kept.FirstToken {
				t.Errorf("first token after %v, all after %v", kept.FirstToken, kept.Service)
			}
			again := s.ask(t, req)
			first.End.Stored = &llm.Stored{By: "recording", At: want.Date, Service: kept.Service, FirstToken: kept.FirstToken, Origin: "openai"}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Error(diff)
			}
			if asks := s.vendor.asks.Load(); asks != 1 {
				t.Errorf("the vendor was asked %d times, want once", asks)
			}
		})
	}
}

func TestToolCallsAreRecorded(t *testing.T) {
	s := wrapped(t, Options{Mode: Record}, nil)
	deltas := []llm.ToolCallDelta{
		{Index: 0, ID: "1", Name: "find", Arguments: `{"q":`}, {Index: 1, ID: "2", Name: "stop"}, {Index: 0, Arguments: `"x"}`}, {Index: 1 << 30}, {Index: -1},
	}
	next := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for _, delta := range deltas {
				if !yield(llm.Event{ToolCall: &delta}, nil) {
					return
				}
			}
			yield(llm.Event{End: &llm.End{Finish: llm.FinishToolCalls, Model: "m"}}, nil)
		}
	})
	s.model = Wrap(next, Options{Mode: Record, Resolved: resolved, Recordings: s.recordings, Now: clock})
	first, again := s.ask(t, caseRequest("a")), s.ask(t, caseRequest("a"))
	want := []llm.ToolCall{{ID: "1", Name: "find", Arguments: `{"q":"x"}`}, {ID: "2", Name: "stop"}}
	if diff := cmp.Diff(want, first.ToolCalls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, again.ToolCalls); diff != "" || again.End.Stored == nil {
		t.Errorf("replayed: stored %v, %s", again.End.Stored, diff)
	}
}

func TestIncompleteAnswersAreNotRecorded(t *testing.T) {
	s := wrapped(t, Options{Mode: Record}, &vendor{fails: func(n int64) error {
		if n == 1 {
			return fault.New(fault.Cut, "the stream was cut")
		}
		return nil
	}})
	req := caseRequest("a")
	if _, err := llm.Collect(s.model.Stream(t.Context(), req)); fault.ClassOf(err) != fault.Cut {
		t.Fatalf("got %v, want the vendor's failure", err)
	}
	for range s.model.Stream(t.Context(), req) {
		break // a consumer that stops has not heard the answer
	}
	if got := s.recordings.Len(); got != 0 {
		t.Errorf("%d recordings, want none", got)
	}
	if got := s.ask(t, req).Text; got != "answer 3" {
		t.Errorf("text = %q, want the third answer", got)
	}
	if got := s.recordings.Len(); got != 1 {
		t.Errorf("%d recordings, want one", got)
	}
}

func TestAnswerThatCannotBeKeptFails(t *testing.T) {
	s := wrapped(t, Options{Mode: Record}, &vendor{})
	if err := os.WriteFile(s.dir+"/fixtures", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	response, err := llm.Collect(s.model.Stream(t.Context(), caseRequest("a")))
	if fault.ClassOf(err) != fault.Store || response.End.Finish != "" {
		t.Errorf("got %v and the end %+v, want a failure of the store and no end", err, response.End)
	}
}

func TestModes(t *testing.T) {
	noKey := func() error { return fault.New(fault.Auth, "no API key").WithHint("set OPENAI_API_KEY") }
	tests := map[string]struct {
		o        Options
		recorded bool
		reuse    llm.Reuse
		answer   string // "" for none
		err      string
		after    int // recordings
	}{
		"replay, recorded":        {Options{Mode: Replay}, true, "", "kept", "", 1},
		"replay, never reuse":     {Options{Mode: Replay}, true, llm.ReuseRefresh, "kept", "", 1},
		"replay, missing":         {Options{Mode: Replay}, false, "", "", "no recorded reply for case \"a\" of triage@draft on openai/gpt-4o-mini\n  record it: llmx test triage --record", 0},
		"auto, recorded":          {Options{Mode: Auto}, true, "", "kept", "", 1},
		"auto, recorded, no key":  {Options{Mode: Auto, CanAsk: noKey}, true, "", "kept", "", 1},
		"auto, missing":           {Options{Mode: Auto}, false, "", "answer 1", "", 0},
		"auto, missing, no key":   {Options{Mode: Auto, CanAsk: noKey}, false, "", "", "no recorded reply for case \"a\" of triage@draft on openai/gpt-4o-mini, and it cannot be asked for: no API key\n  set OPENAI_API_KEY; then record it: llmx test triage --record", 0},
		"auto, never reuse":       {Options{Mode: Auto}, true, llm.ReuseRefresh, "answer 1", "", 1},
		"record, recorded":        {Options{Mode: Record}, true, "", "kept", "", 1},
		"record, missing":         {Options{Mode: Record, CanAsk: func() error { return nil }}, false, "", "answer 1", "", 1},
		"record, missing, no key": {Options{Mode: Record, CanAsk: noKey}, false, "", "", "no recorded reply for case \"a\" of triage@draft on openai/gpt-4o-mini, and it cannot be asked for: no API key\n  set OPENAI_API_KEY; then record it: llmx test triage --record", 0},
		"record, never reuse":     {Options{Mode: Record}, true, llm.ReuseRefresh, "answer 1", "", 1},
		"record, fresh":           {Options{Mode: Record, Fresh: true}, true, "", "answer 1", "", 1},
		"live":                    {Options{Mode: Live}, true, "", "answer 1", "", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, test.o, &vendor{})
			req := caseRequest("a")
			req.Reuse = test.reuse
			if test.recorded {
				kept := recordingOf(1)
				kept.Key, kept.Text = Key(req, resolved), "kept"
				if err := s.recordings.Append(kept); err != nil {
					t.Fatal(err)
				}
			}
			response, err := llm.Collect(s.model.Stream(t.Context(), req))
			if response.Text != test.answer {
				t.Errorf("answer = %q, want %q", response.Text, test.answer)
			}
			told := ""
			if err != nil {
				told = err.Error()
				if fault.ClassOf(err) != fault.Missing {
					t.Errorf("class = %s, want %s", fault.ClassOf(err), fault.Missing)
				}
			}
			if diff := cmp.Diff(test.err, told); diff != "" {
				t.Error(diff)
			}
			if stored := response.End.Stored != nil; stored != (test.answer == "kept") {
				t.Errorf("stored = %v", stored)
			}
			if got := s.recordings.Len(); got != test.after {
				t.Errorf("%d recordings, want %d", got, test.after)
			}
			if kept, found, _ := s.recordings.Lookup(Key(req, resolved)); found && test.o.Mode == Record && kept.Text != test.answer {
				t.Errorf("the recording has %q, want the answer %q", kept.Text, test.answer)
			}
		})
	}
}

func TestMissingWithoutACase(t *testing.T) {
	s := wrapped(t, Options{Mode: Replay}, nil)
	req := llm.Request{Repeat: 2}
	_, err := llm.Collect(s.model.Stream(t.Context(), req))
	if want := "no recorded reply on openai/gpt-4o-mini\n  ask without --replay"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	req.Origin.Case = "a"
	_, err = llm.Collect(s.model.Stream(t.Context(), req))
	if !strings.Contains(err.Error(), `for case "a" (repeat 2)`) {
		t.Errorf("got %v, want the repeat", err)
	}
}

func TestUsedTellsKeys(t *testing.T) {
	var used []string
	s := wrapped(t, Options{Mode: Record, Used: func(key string) { used = append(used, key) }}, &vendor{})
	s.ask(t, caseRequest("a"))
	s.ask(t, caseRequest("a"))
	s.ask(t, caseRequest("b"))
	a, b := Key(caseRequest("a"), resolved), Key(caseRequest("b"), resolved)
	if diff := cmp.Diff([]string{a, a, b}, used); diff != "" {
		t.Error(diff)
	}
}

func TestRecordingsAreFoundByRequest(t *testing.T) {
	one, other := open(t, t.TempDir()), open(t, t.TempDir())
	model := Wrap(&vendor{}, Options{Mode: Record, Resolved: resolved, Now: clock, For: func(req llm.Request) *Recordings {
		return map[string]*Recordings{"triage": one, "other": other}[req.Origin.Suite]
	}})
	req := caseRequest("a")
	for _, suite := range []string{"triage", "other"} {
		req.Origin.Suite = suite
		if _, err := llm.Collect(model.Stream(t.Context(), req)); err != nil {
			t.Fatal(err)
		}
	}
	if one.Len() != 1 || other.Len() != 1 {
		t.Errorf("%d and %d recordings, want one each", one.Len(), other.Len())
	}
	req.Origin.Suite = "unknown"
	if _, err := llm.Collect(model.Stream(t.Context(), req)); fault.ClassOf(err) != fault.Internal {
		t.Errorf("no file: %v", err)
	}
}

// Cases with the same input share a key. However many ask at once, the vendor is
// asked once, and all get the answer that a replay will give.
func TestOneKeyIsAskedOnce(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		t.Run(fmt.Sprintf("fresh %v", fresh), func(t *testing.T) {
			v := &vendor{gate: make(chan struct{})}
			s := wrapped(t, Options{Mode: Record, Fresh: fresh}, v)
			const many = 50
			texts := make([]string, many)
			var wg sync.WaitGroup
			for i := range many {
				wg.Go(func() {
					req := caseRequest("a")
					req.Origin.Case = fmt.Sprint(i)
					texts[i] = s.ask(t, req).Text
				})
			}
			close(v.gate)
			wg.Wait()
			if asks := v.asks.Load(); asks != 1 {
				t.Errorf("the vendor was asked %d times, want once", asks)
			}
			for i, text := range texts {
				if text != "answer 1" {
					t.Errorf("ask %d got %q", i, text)
				}
			}
		})
	}
}

func TestWaiterAsksWhenTheFirstFails(t *testing.T) {
	v := &vendor{gate: make(chan struct{}), fails: func(n int64) error {
		if n == 1 {
			return fault.New(fault.ServerError, "internal")
		}
		return nil
	}}
	s := wrapped(t, Options{Mode: Record}, v)
	var failed, answered atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			response, err := llm.Collect(s.model.Stream(t.Context(), caseRequest("a")))
			switch {
			case fault.ClassOf(err) == fault.ServerError:
				failed.Add(1)
			case err == nil && response.Text == "answer 2":
				answered.Add(1)
			}
		})
	}
	close(v.gate)
	wg.Wait()
	if failed.Load() != 1 || answered.Load() != 7 || v.asks.Load() != 2 {
		t.Errorf("%d failed, %d answered, %d asks; want 1, 7, 2", failed.Load(), answered.Load(), v.asks.Load())
	}
}

func TestWaiterCanBeCanceled(t *testing.T) {
	v := &vendor{gate: make(chan struct{})}
	s := wrapped(t, Options{Mode: Record}, v)
	firstOver := make(chan error)
	firstCtx, stopFirst := context.WithCancel(t.Context())
	go func() {
		_, err := llm.Collect(s.model.Stream(firstCtx, caseRequest("a")))
		firstOver <- err
	}()
	for v.asks.Load() == 0 { // until the first is under way
		if t.Context().Err() != nil {
			t.Fatal("the first did not ask")
		}
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errors.New("the waiter's own deadline"))
	defer cancel()
	if _, err := llm.Collect(s.model.Stream(ctx, caseRequest("a"))); fault.ClassOf(err) != fault.TimeoutTotal {
		t.Errorf("the waiter got %v, want its deadline", err)
	}
	stopFirst()
	if err := <-firstOver; fault.ClassOf(err) != fault.Canceled {
		t.Errorf("the first got %v", err)
	}
}

// The bound is 15 µs for an answer, the key and reading the file included.
func BenchmarkReplay(b *testing.B) {
	dir := b.TempDir()
	r := open(b, dir)
	const many = 10_000
	requests := make([]llm.Request, many)
	for n := range requests {
		requests[n] = smallRequest()
		requests[n].Repeat = n
		recording := recordingOf(n)
		recording.Key, recording.Text = Key(requests[n], resolved), `{"label": "billing", "urgency": 4}`
		if err := r.Append(recording); err != nil {
			b.Fatal(err)
		}
	}
	model := Wrap(nil, Options{Mode: Replay, Resolved: resolved, Recordings: open(b, dir)})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := llm.Collect(model.Stream(b.Context(), requests[i%many])); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	var content strings.Builder
	const many = 10_000
	for n := range many {
		recording := recordingOf(n)
		content.Write(recording.line())
	}
	write(b, dir, content.String())
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(os.DirFS(dir), dir, "triage")
		if err != nil || r.Len() != many {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/recording")
}
