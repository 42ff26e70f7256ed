package upstream

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func post(t *testing.T, ctx context.Context, s *Server, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(said), err
}

func TestAnswerSeesTheRequestAndIsStreamed(t *testing.T) {
	s := New(t, func(model string, messages []Message, body map[string]any) Reply {
		if model != "m" || body["seed"] != 7.0 || len(messages) != 2 || messages[0].Content != "ab" || messages[1].Role != "user" {
			return Reply{Status: 400, Body: "wrong"}
		}
		return Reply{Text: "héy", Pieces: 2, Reasoning: "hm", Finish: "length", Usage: &Usage{Prompt: 3, Completion: 2, Cached: 1, Reasoning: 1}}
	})
	request := `{"model":"m","seed":7,"messages":[{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","content":"x"}]}`
	status, got, err := post(t, t.Context(), s, request)
	head := `data: {"id":"chatcmpl-test","object":"chat.completion.chunk","model":"m","choices":[`
	want := head + `{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"},"finish_reason":null}]}` + "\n\n" +
		head + `{"index":0,"delta":{"role":"assistant","content":"h"},"finish_reason":null}]}` + "\n\n" +
		head + `{"index":0,"delta":{"role":"assistant","content":"éy"},"finish_reason":null}]}` + "\n\n" +
		head + `{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n" +
		head + `],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":1}}}` + "\n\n" +
		"data: [DONE]\n\n"
	if diff := cmp.Diff(want, got); err != nil || status != 200 || diff != "" {
		t.Errorf("%d %v %s", status, err, diff)
	}
	if log := s.Requests(); len(log) != 1 || string(log[0].Body) != request || log[0].Path != "/v1/chat/completions" || s.Count() != 1 {
		t.Errorf("logged %+v", log)
	}
}

func TestFixedStatusAndCut(t *testing.T) {
	for name, test := range map[string]struct {
		reply  Reply
		status int
		ends   string
		broken bool
	}{
		"stream":    {Reply{Text: "x"}, 200, "[DONE]\n\n", false},
		"no marker": {Reply{Text: "x", NoDone: true}, 200, `"finish_reason":"stop"}]}` + "\n\n", false},
		"status":    {Reply{Status: 429, Body: `{"error":{}}`}, 429, `{"error":{}}`, false},
		"body":      {Reply{Body: "<html>", Headers: map[string]string{"Content-Type": "text/html"}}, 200, "<html>", false},
		"cut":       {Reply{Text: "x", CutAfter: 10}, 200, `data: {"id`, true},
	} {
		s := NewFixed(t, test.reply)
		status, got, err := post(t, t.Context(), s, "{}")
		if status != test.status || !strings.HasSuffix(got, test.ends) || (err != nil) != test.broken {
			t.Errorf("%s: %d %q %v", name, status, got, err)
		}
		if len(s.Requests()) != 0 || s.Count() != 1 {
			t.Errorf("%s: %d logged, %d counted", name, len(s.Requests()), s.Count())
		}
	}
}

func TestDelayPeakAndCancel(t *testing.T) {
	s := NewFixed(t, Reply{Text: "x", Delay: 30 * time.Millisecond})
	start := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, _, err := post(t, t.Context(), s, "{}"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
	if s.Count() != 4 || s.Peak() < 1 || s.Peak() > 4 || s.Canceled() != 0 {
		t.Errorf("count %d, peak %d, canceled %d", s.Count(), s.Peak(), s.Canceled())
	}

	slow := NewFixed(t, Reply{Text: "x", Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := post(t, ctx, slow, "{}"); err == nil {
		t.Error("answered within the hour")
	}
	slow.http.Close() // waits for the handler
	if slow.Canceled() != 1 {
		t.Errorf("canceled %d", slow.Canceled())
	}
}

func TestLogIsBounded(t *testing.T) {
	s := New(t, func(string, []Message, map[string]any) Reply { return Reply{Text: "x"} })
	for range maxKept + 1 {
		s.keep(Request{})
	}
	if len(s.Requests()) != maxKept {
		t.Errorf("%d are kept", len(s.Requests()))
	}
}
