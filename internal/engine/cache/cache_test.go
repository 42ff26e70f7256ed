package cache

import (
	"context"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drawer is a Storage that counts how often it is looked into.
type drawer struct {
	mu      sync.Mutex
	entries map[string]Entry
	looks   int
}

func (d *drawer) Get(_ context.Context, key string) (Entry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looks++
	entry, ok := d.entries[key]
	return entry, ok
}

func (d *drawer) Put(key string, entry Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entries == nil {
		d.entries = map[string]Entry{}
	}
	d.entries[key] = entry
}

// counted is a model that answers with these events, as an attempt of a provider
// that took three seconds and cost 7 nano-USD.
type counted struct {
	events []llm.Event
	asked  int
}

func (c *counted) Stream(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		c.asked++
		if turn := llm.CallFrom(ctx).Turn(); turn != nil {
			turn.Attempts = append(turn.Attempts, llm.Attempt{
				Provider: "up", Model: "one", Wire: "one-1", Service: 3 * time.Second, FirstToken: time.Second,
				Cost: llm.KnownCost(7), Paid: llm.KnownCost(7),
			})
		}
		for _, event := range c.events {
			if !yield(event, nil) {
				return
			}
		}
	}
}

func saying(text string) *counted {
	return &counted{events: []llm.Event{{Text: text}, {End: &llm.End{
		Finish: llm.FinishStop, Usage: llm.Usage{Input: 3, Output: 7}, Model: "one-2026", ResponseID: "r1",
		RateLimit: &llm.RateLimit{RemainingRequests: 3}, Failed: []llm.Failed{{Model: "one", Class: fault.ServerError}},
	}}}}
}

func resolved(llm.Request) (string, string, bool) { return "one", "up/one", true }

func options(storage Storage) Options {
	return Options{Storage: storage, TTL: time.Hour, Now: time.Now, Resolve: resolved}
}

// ask asks as the contract does: a whole answer is accepted and kept.
func ask(t *testing.T, model llm.Model, req llm.Request) (llm.Response, *llm.Call) {
	t.Helper()
	call := &llm.Call{Turns: []llm.Turn{{Kind: "ask"}}}
	response, err := llm.Collect(model.Stream(llm.WithCall(t.Context(), call), req))
	if err != nil {
		t.Fatal(err)
	}
	if response.End.Keep != nil {
		response.End.Keep()
	}
	return response, call
}

var request = llm.Request{Model: "one", Messages: []llm.Message{llm.Text(llm.User, "hi")}}

func TestWhatIsKept(t *testing.T) {
	end := func(finish llm.FinishReason) llm.Event { return llm.Event{End: &llm.End{Finish: finish}} }
	stop := func(change func(*llm.End)) llm.Event {
		e := end(llm.FinishStop)
		change(e.End)
		return e
	}
	proposed := llm.Event{ToolCall: &llm.ToolCallDelta{Name: "refund", Arguments: "{}"}}
	for name, test := range map[string]struct {
		events []llm.Event
		kept   bool
	}{
		"a whole answer":                      {[]llm.Event{{Text: "he"}, {Text: "llo"}, end(llm.FinishStop)}, true},
		"a whole answer of the second try":    {[]llm.Event{{Text: "ho"}, {Restart: &llm.Restart{Model: "one"}}, {Text: "hello"}, end(llm.FinishStop)}, true},
		"a proposed tool call":                {[]llm.Event{{Text: "he"}, proposed, {Text: "llo"}, end(llm.FinishToolCalls)}, true},
		"a tool call that ends like a text":   {[]llm.Event{{Text: "hello"}, proposed, end(llm.FinishStop)}, false},
		"a text that ends like a tool call":   {[]llm.Event{{Text: "hello"}, end(llm.FinishToolCalls)}, false},
		"stopped at the limit":                {[]llm.Event{{Text: "hello"}, end(llm.FinishLength)}, false},
		"withheld by the filter":              {[]llm.Event{{Text: "hello"}, end(llm.FinishContentFilter)}, false},
		"a reason of the provider's own":      {[]llm.Event{{Text: "hello"}, end(llm.FinishOther)}, false},
		"without a finish reason":             {[]llm.Event{{Text: "hello"}, end("")}, false},
		"a fallback's answer":                 {[]llm.Event{{Text: "hello"}, stop(func(e *llm.End) { e.Fallback = true })}, false},
		"pieces were left out":                {[]llm.Event{{Text: "hello"}, stop(func(e *llm.End) { e.Skipped = 1 })}, false},
		"an answer that was stored elsewhere": {[]llm.Event{{Text: "hello"}, stop(func(e *llm.End) { e.Stored = &llm.Stored{By: "recording"} })}, false},
	} {
		t.Run(name, func(t *testing.T) {
			kept := &drawer{}
			up := &counted{events: test.events}
			model := New(options(kept), up)
			response, err := llm.Collect(model.Stream(t.Context(), request))
			if err != nil || response.Text != "hello" {
				t.Fatalf("%q, %v", response.Text, err)
			}
			if (response.End.Keep != nil) != test.kept {
				t.Fatalf("can be kept: %v, want %v", response.End.Keep != nil, test.kept)
			}
			if len(kept.entries) != 0 {
				t.Error("it was kept before anybody accepted it")
			}
			if test.kept {
				response.End.Keep()
			}
			again, err := llm.Collect(model.Stream(t.Context(), request))
			if err != nil || again.Text != "hello" || (up.asked == 1) != test.kept || (len(kept.entries) == 1) != test.kept {
				t.Errorf("then: %q, %v, asked %d times, %d kept", again.Text, err, up.asked, len(kept.entries))
			}
			if diff := cmp.Diff(response.ToolCalls, again.ToolCalls); diff != "" {
				t.Errorf("the tool calls differ: %s", diff)
			}
		})
	}
}

func TestReuse(t *testing.T) {
	for reuse, want := range map[llm.Reuse]struct {
		hit   bool   // where "old" is kept
		after string // what is kept then
		first int    // entries after asking an empty cache
	}{
		llm.ReuseAllowed: {true, "old", 1},
		llm.ReuseRead:    {true, "old", 0},
		llm.ReuseRefresh: {false, "new", 1},
		llm.ReuseOff:     {false, "old", 0},
	} {
		t.Run(string(reuse), func(t *testing.T) {
			empty := &drawer{}
			req := request
			req.Reuse = reuse
			ask(t, New(options(empty), saying("new")), req)
			if len(empty.entries) != want.first {
				t.Errorf("%d entries are kept, want %d", len(empty.entries), want.first)
			}

			up := saying("old")
			model := New(options(&drawer{}), up)
			ask(t, model, request)
			up.events[0].Text = "new"
			response, _ := ask(t, model, req)
			if hit := response.End.Stored != nil; hit != want.hit || (response.Text == "old") != want.hit || (up.asked == 1) != want.hit {
				t.Errorf("%q, hit %v, asked %d times; want hit %v", response.Text, hit, up.asked, want.hit)
			}
			after, _ := ask(t, model, request)
			if after.Text != want.after || after.End.Stored == nil {
				t.Errorf("kept is %q, want %q", after.Text, want.after)
			}
		})
	}
}

// Whichever layer it comes from, a hit says what the answer cost and how long it took.
func TestHitIsTheAnswerOfThen(t *testing.T) {
	given := time.Date(2026, 11, 12, 13, 14, 15, 0, time.UTC)
	for name, bytes := range map[string]int64{"from memory": 0, "from the storage": -1} {
		t.Run(name, func(t *testing.T) {
			up, kept := saying("hello"), &drawer{}
			o := options(kept)
			o.MemoryBytes, o.Now = bytes, func() time.Time { return given }
			model := New(o, up)
			ask(t, model, request)
			looks := kept.looks
			response, call := ask(t, model, request)
			stored := &llm.Stored{By: "cache", At: given, Service: 3 * time.Second, FirstToken: time.Second, Provider: "up", Model: "one", Wire: "one-1", Cost: llm.KnownCost(7)}
			end := llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Input: 3, Output: 7}, Model: "one-2026", ResponseID: "r1", Stored: stored}
			if diff := cmp.Diff(end, response.End); diff != "" || response.Text != "hello" {
				t.Errorf("%q: %s", response.Text, diff)
			}
			attempt := llm.Attempt{
				Provider: "up", Model: "one", Wire: "one-1", Answered: "one-2026", ResponseID: "r1", Started: given,
				Service: 3 * time.Second, FirstToken: time.Second, Usage: end.Usage, Cost: llm.KnownCost(7), Paid: llm.KnownCost(0),
				Finish: llm.FinishStop, Stored: stored,
			}
			if diff := cmp.Diff([]llm.Attempt{attempt}, call.Turns[0].Attempts); diff != "" {
				t.Errorf("recorded: %s", diff)
			}
			if up.asked != 1 || (kept.looks > looks) != (bytes < 0) {
				t.Errorf("asked %d times, looked into the storage %d times", up.asked, kept.looks-looks)
			}
		})
	}
}

func TestEntriesExpireInBothLayers(t *testing.T) {
	for name, o := range map[string]struct{ first, second int64 }{
		"in memory":                           {0, 0},
		"in the storage":                      {-1, -1},
		"taken from the storage into memory":  {-1, 0},
		"of another process, without refresh": {0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 12, 13, 14, 15, 0, time.UTC)
			up, kept := saying("hello"), &drawer{}
			model := func(bytes int64) llm.Model {
				o := options(kept)
				o.MemoryBytes, o.Now = bytes, func() time.Time { return now }
				return New(o, up)
			}
			ask(t, model(o.first), request)
			later := model(o.second)
			if o.first == o.second {
				later = model(o.first)
			}
			for _, step := range []struct {
				wait  time.Duration
				asked int
			}{{59 * time.Minute, 1}, {59 * time.Second, 1}, {time.Second, 2}, {time.Minute, 2}} {
				now = now.Add(step.wait)
				if ask(t, later, request); up.asked != step.asked {
					t.Errorf("after %v more: asked %d times, want %d", step.wait, up.asked, step.asked)
				}
			}
		})
	}
}

func TestHitOfTheStorageIsInMemoryThen(t *testing.T) {
	up, kept := saying("hello"), &drawer{}
	ask(t, New(options(kept), up), request)
	another := New(options(kept), up)
	looks := kept.looks
	for range 3 {
		ask(t, another, request)
	}
	if up.asked != 1 || kept.looks != looks+1 {
		t.Errorf("asked %d times, looked into the storage %d times", up.asked, kept.looks-looks)
	}
}

func TestBrokenEntriesAreMisses(t *testing.T) {
	for name, entry := range map[string]Entry{
		"nothing of its giving": {Text: "bad", End: llm.End{Finish: llm.FinishStop}},
		"no finish reason":      {Text: "bad", End: llm.End{Stored: &llm.Stored{By: "cache"}}},
		"a length stop":         {Text: "bad", End: llm.End{Finish: llm.FinishLength, Stored: &llm.Stored{By: "cache"}}},
		"no tool calls":         {Text: "bad", End: llm.End{Finish: llm.FinishToolCalls, Stored: &llm.Stored{By: "cache"}}},
	} {
		kept := &drawer{}
		kept.Put(Key(request, "up/one"), entry)
		if response, _ := ask(t, New(options(kept), saying("good")), request); response.Text != "good" {
			t.Errorf("%s: %q was given", name, response.Text)
		}
	}
}

func TestWhatCannotBeResolvedGoesPast(t *testing.T) {
	kept, up := &drawer{}, saying("hello")
	o := options(kept)
	o.Resolve = func(req llm.Request) (string, string, bool) { return "one", "up/one", req.Hint == nil }
	model, req := New(o, up), request
	req.Hint = "golden"
	ask(t, model, req)
	ask(t, model, req)
	if up.asked != 2 || kept.looks != 0 || len(kept.entries) != 0 {
		t.Errorf("asked %d times, %d looks, %d kept", up.asked, kept.looks, len(kept.entries))
	}
}

func TestWhoChangesAHitChangesNoOther(t *testing.T) {
	up := &counted{events: []llm.Event{
		{ToolCall: &llm.ToolCallDelta{ID: "1", Name: "refund", Arguments: `{"a":`}}, {ToolCall: &llm.ToolCallDelta{Arguments: "1}"}},
		{End: &llm.End{Finish: llm.FinishToolCalls}},
	}}
	model := New(options(&drawer{}), up)
	ask(t, model, request)
	want, _ := ask(t, model, request)
	for event := range model.Stream(t.Context(), request) {
		if event.ToolCall != nil {
			event.ToolCall.Name = "spend"
		}
		if event.End != nil {
			event.End.Stored.By, event.End.Finish = "me", llm.FinishLength
		}
	}
	got, _ := ask(t, model, request)
	if diff := cmp.Diff(want, got); diff != "" || up.asked != 1 || got.End.Stored.By != "cache" || want.ToolCalls[0] != (llm.ToolCall{ID: "1", Name: "refund", Arguments: `{"a":1}`}) {
		t.Errorf("asked %d times, %+v, by %s: %s", up.asked, want.ToolCalls, got.End.Stored.By, diff)
	}
}

// The answer of a hit that nobody hears to the end is not cut for the next one.
func TestHitMayBeLeft(t *testing.T) {
	model := New(options(&drawer{}), saying("hello"))
	ask(t, model, request)
	for range model.Stream(t.Context(), request) {
		break
	}
	if response, _ := ask(t, model, request); response.Text != "hello" {
		t.Errorf("%q", response.Text)
	}
}

func TestEventsPassAsTheyCome(t *testing.T) {
	events := []llm.Event{
		{Reasoning: "hm"}, {Alive: true}, {Text: "a"}, {Restart: &llm.Restart{Model: "one"}},
		{ToolCall: &llm.ToolCallDelta{Name: "f"}}, {Text: "b", End: &llm.End{Finish: llm.FinishStop, Skipped: 2}},
	}
	var got []llm.Event
	for event, err := range New(options(&drawer{}), &counted{events: events}).Stream(t.Context(), request) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event)
	}
	if diff := cmp.Diff(events, got, cmpopts.IgnoreFields(llm.End{}, "Keep")); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const bound = 1 << 20
	m := newMemory(bound)
	id := func(i int) (id identity) {
		id[0], id[1], id[2] = byte(i), byte(i>>8), byte(i>>16)
		return id
	}
	for i := range 10_000 {
		m.put(id(i), &Entry{Text: strings.Repeat("x", i%4000)})
		if i%100 == 0 {
			m.entries.CleanUp()
			sum := int64(0)
			for entry := range m.entries.Values() {
				sum += entry.bytes()
			}
			if sum > bound {
				t.Fatalf("%d bytes after %d entries", sum, i)
			}
		}
	}
	if n := m.entries.EstimatedSize(); n < 200 {
		t.Errorf("only %d entries are there", n)
	}
	// Too large for memory; what it replaces must not be given in its place.
	m.put(id(1), &Entry{Text: "small"})
	m.put(id(1), &Entry{Text: strings.Repeat("x", bound/largestShare)})
	if entry, ok := m.get(id(1)); ok {
		t.Errorf("an entry of %d bytes is there", entry.bytes())
	}
}

func TestLargeEntryIsInTheStorageAlone(t *testing.T) {
	up, kept := saying(strings.Repeat("x", usualMemory/largestShare)), &drawer{}
	model := New(options(kept), up)
	ask(t, model, request)
	looks := kept.looks
	for range 2 {
		ask(t, model, request)
	}
	if up.asked != 1 || kept.looks != looks+2 {
		t.Errorf("asked %d times, %d looks into the storage", up.asked, kept.looks-looks)
	}
}
