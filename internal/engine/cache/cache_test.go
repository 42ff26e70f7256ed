package cache

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// drawer is a Storage.
type drawer map[string]Entry

func (d drawer) Get(_ context.Context, key string) (Entry, bool) {
	entry, ok := d[key]
	return entry, ok
}
func (d drawer) Put(key string, entry Entry, _ time.Time) { d[key] = entry }

// stream is a model that answers with these events.
func stream(events ...llm.Event) llm.Model {
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for _, event := range events {
				if !yield(event, nil) {
					return
				}
			}
		}
	})
}

func TestWhatIsKept(t *testing.T) {
	end := func(finish llm.FinishReason) llm.Event { return llm.Event{End: &llm.End{Finish: finish}} }
	stored := llm.Event{End: &llm.End{Finish: llm.FinishStop, Stored: &llm.Stored{By: "recording"}}}
	proposed := llm.Event{ToolCall: &llm.ToolCallDelta{Name: "refund", Arguments: "{}"}}
	for name, test := range map[string]struct {
		events []llm.Event
		kept   bool
	}{
		"a whole answer":                      {[]llm.Event{{Text: "he"}, {Text: "llo"}, end(llm.FinishStop)}, true},
		"a proposed tool call":                {[]llm.Event{{Text: "he"}, proposed, {Text: "llo"}, end(llm.FinishToolCalls)}, false},
		"a tool call that ends like a text":   {[]llm.Event{{Text: "hello"}, proposed, end(llm.FinishStop)}, false},
		"stopped at the limit":                {[]llm.Event{{Text: "hello"}, end(llm.FinishLength)}, false},
		"withheld by the filter":              {[]llm.Event{{Text: "hello"}, end(llm.FinishContentFilter)}, false},
		"without a finish reason":             {[]llm.Event{{Text: "hello"}, end("")}, false},
		"an answer that was stored elsewhere": {[]llm.Event{{Text: "hello"}, stored}, false},
	} {
		t.Run(name, func(t *testing.T) {
			kept := drawer{}
			model := New(Options{Storage: kept, TTL: time.Hour, Now: time.Now, Resolve: func(string) string { return "up/one" }}, stream(test.events...))
			response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Model: "one"}))
			if err != nil || response.Text != "hello" {
				t.Fatalf("%q, %v", response.Text, err)
			}
			if (response.End.Keep != nil) != test.kept {
				t.Fatalf("can be kept: %v, want %v", response.End.Keep != nil, test.kept)
			}
			if !test.kept {
				return
			}
			if len(kept) != 0 {
				t.Error("it was kept before anybody accepted it")
			}
			response.End.Keep()
			for _, entry := range kept {
				if entry.Text != "hello" || entry.End.Stored == nil || entry.End.Stored.By != "cache" {
					t.Errorf("kept %+v", entry)
				}
			}
			if len(kept) != 1 {
				t.Errorf("%d entries", len(kept))
			}
		})
	}
}
