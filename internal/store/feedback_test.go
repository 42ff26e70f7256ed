package store

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func scored(score float64) llm.Feedback { return llm.Feedback{Score: &score} }

func TestFeedbackComesBackWithItsCall(t *testing.T) {
	s := tempStore(t)
	s.Record(sampleCall("", 1))
	s.Record(sampleCall("", 2))
	id := sampleCall("", 1).ID
	first := llm.Feedback{At: testNow.Add(time.Hour), Key: "k1", Comment: "it says <b>twice</b>", Correction: json.RawMessage(`{"label": "billing"}`)}
	second := scored(0.75)
	for _, f := range []llm.Feedback{first, second} {
		if err := s.AddFeedback(ctx, id, f); err != nil {
			t.Fatal(err)
		}
	}
	second.At = testNow
	want := []llm.Feedback{first, second}
	got, err := s.Feedback(ctx, id)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	call, err := s.Call(ctx, id)
	if err != nil || cmp.Diff(want, call.Feedback) != "" || call.FeedbackWord() != llm.FeedbackGood || string(call.Correction()) != `{"label": "billing"}` {
		t.Errorf("%v %+v", err, call.Feedback)
	}
	for _, call := range listed(t, s, CallFilter{}) {
		if given := call.Feedback; call.ID == id && cmp.Diff(want, given) != "" || call.ID != id && given != nil {
			t.Errorf("%s: %+v", call.ID, given)
		}
	}
}

func TestFeedbackIsRefused(t *testing.T) {
	s := tempStore(t)
	s.Record(sampleCall("", 1))
	id := sampleCall("", 1).ID
	for _, test := range []struct {
		call  string
		f     llm.Feedback
		class fault.Class
		says  string
	}{
		{"none", scored(1), fault.NoMatch, `no call "none"`},
		{id, llm.Feedback{}, fault.Usage, "says nothing"},
		{id, scored(1.5), fault.Usage, "1.5 is not between 0 and 1"},
		{id, scored(-1), fault.Usage, "between 0 and 1"},
		{id, scored(math.NaN()), fault.Usage, "between 0 and 1"},
		{id, llm.Feedback{Correction: json.RawMessage("billing")}, fault.Usage, "no JSON value"},
		{id, llm.Feedback{Comment: strings.Repeat("a", maxComment+1)}, fault.Usage, "at most"},
		{id, llm.Feedback{Correction: json.RawMessage(`"` + strings.Repeat("a", maxCorrection) + `"`)}, fault.Usage, "at most"},
	} {
		wantFault(t, s.AddFeedback(ctx, test.call, test.f), test.class, test.says)
	}
	for range maxFeedback {
		if err := s.AddFeedback(ctx, id, scored(1)); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, s.AddFeedback(ctx, id, scored(1)), fault.Usage, "100 times already")
	s.Record(sampleCall("", 2)) // a refusal does not stop the store
	if err := s.Flush(ctx); err != nil {
		t.Error(err)
	}
}

func TestFeedbackKeepsNoContentWhereNoneIsKept(t *testing.T) {
	for _, content := range []Content{ContentRedacted, ContentNone} {
		s := openTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{Content: content})
		s.Record(sampleCall("", 1))
		f := scored(0)
		f.Correction, f.Comment = json.RawMessage(`"Jane Doe"`), "Jane Doe"
		id := sampleCall("", 1).ID
		if err := s.AddFeedback(ctx, id, f); err != nil {
			t.Fatal(err)
		}
		want := scored(0)
		want.At = testNow
		if got, err := s.Feedback(ctx, id); err != nil || cmp.Diff([]llm.Feedback{want}, got) != "" {
			t.Errorf("%s: %v %+v", content, err, got)
		}
	}
}
