package conformance

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

func testCollect(t *testing.T, s Subject) {
	response, err := llm.Collect(s.Model.Stream(t.Context(), s.Request))
	if err != nil {
		t.Fatalf("the ask failed: %v", err)
	}
	if response.Text != s.Text {
		t.Errorf("text = %q, want %q", response.Text, s.Text)
	}
	end := response.End
	if end.Finish != llm.FinishStop {
		t.Errorf("finish = %q, want %q", end.Finish, llm.FinishStop)
	}
	if end.Model == "" {
		t.Error("the end does not say which model answered")
	}
	if end.Usage.Input <= 0 || end.Usage.Output <= 0 {
		t.Errorf("usage = %+v, want tokens in and out", end.Usage)
	}
}

func testEnd(t *testing.T, s Subject) {
	h := listen(t.Context(), s.Model, s.Request, nil)
	if h.err != nil {
		t.Fatalf("the ask failed: %v", h.err)
	}
	if len(h.events) == 0 {
		t.Fatal("the stream was empty")
	}
	for i, event := range h.events {
		if last := i == len(h.events)-1; (event.End != nil) != last {
			t.Errorf("event %d of %d: end set = %v, want it on the last event alone", i+1, len(h.events), event.End != nil)
		}
		if event.Call != nil {
			t.Errorf("event %d: a provider makes no call record", i+1)
		}
	}
}

func testAgain(t *testing.T, s Subject) {
	stream := s.Model.Stream(t.Context(), s.Request)
	for range 2 {
		response, err := llm.Collect(stream)
		if err != nil || response.Text != s.Text {
			t.Errorf("got %q, %v; want %q", response.Text, err, s.Text)
		}
	}
}

func testRequestUntouched(t *testing.T, s Subject) {
	before, err := json.Marshal(s.Request)
	if err != nil {
		t.Fatal(err)
	}
	if h := listen(t.Context(), s.Model, s.Request, nil); h.err != nil {
		t.Fatalf("the ask failed: %v", h.err)
	}
	after, err := json.Marshal(s.Request)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("the request was changed:\n%s\nto\n%s", before, after)
	}
}

func testConcurrent(t *testing.T, s Subject) {
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			response, err := llm.Collect(s.Model.Stream(t.Context(), s.Request))
			if err != nil || response.Text != s.Text {
				t.Errorf("got %q, %v; want %q", response.Text, err, s.Text)
			}
		})
	}
	wg.Wait()
}

// testBreak stops after each event in turn: a provider that yields once more
// panics in the range loop.
func testBreak(t *testing.T, s Subject) {
	whole := len(listen(t.Context(), s.Model, s.Request, nil).events)
	if whole == 0 {
		t.Fatal("the stream was empty")
	}
	for stop := 1; stop <= whole; stop++ {
		got := 0
		for _, err := range s.Model.Stream(t.Context(), s.Request) {
			if err != nil {
				t.Fatalf("stopping after event %d: %v", stop, err)
			}
			if got++; got == stop {
				break
			}
		}
		if got == 0 {
			t.Fatalf("stopping after event %d: the stream was empty", stop)
		}
	}
	response, err := llm.Collect(s.Model.Stream(t.Context(), s.Request))
	if err != nil || response.Text != s.Text {
		t.Errorf("after consumers that stopped: %q, %v; want %q", response.Text, err, s.Text)
	}
}
