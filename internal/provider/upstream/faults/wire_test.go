package faults_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// raw is what comes over the wire, without the provider between.
func raw(t testing.TB, s *faults.Server, model string) (resp *http.Response, body string, err error) {
	t.Helper()
	ask := `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/chat/completions", strings.NewReader(ask))
	if err != nil {
		t.Fatal(err)
	}
	resp, err = s.Transport(connect).RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	return resp, string(said), err
}

// everywhere runs a test on loopback and in a bubble.
func everywhere(t *testing.T, test func(t *testing.T, s *faults.Server)) {
	t.Run("loopback", func(t *testing.T) { test(t, faults.New(t)) })
	t.Run("bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, faults.NewInBubble(t)) })
	})
}

func TestEndsOfConnections(t *testing.T) {
	everywhere(t, func(t *testing.T, s *faults.Server) {
		for model, test := range map[string]struct {
			err  error
			body bool // the head and some of the body have come before
		}{
			"reset":     {syscall.ECONNRESET, false},
			"close":     {io.EOF, false},
			"cut-reset": {syscall.ECONNRESET, true},
			"cut":       {io.ErrUnexpectedEOF, true},
		} {
			resp, body, err := raw(t, s, model)
			if !errors.Is(err, test.err) || (resp != nil) != test.body || (len(body) > 1000) != test.body {
				t.Errorf("%s: %d bytes and %v, want %v", model, len(body), err, test.err)
			}
		}
	})
}

func TestWaitsAndLimitsAreSaidInEveryWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it is midnight of 2000-01-01
		s := faults.NewInBubble(t)
		for model, want := range map[string]map[string]string{
			"429":              {},
			"429-after-3s":     {"Retry-After": "3"},
			"503-after-1m":     {"Retry-After": "60"},
			"429-after-50ms":   {"Retry-After": "0.05"},
			"429-after-ms-3s":  {"Retry-After-Ms": "3000"},
			"429-after-date":   {"Retry-After": "Sat, 01 Jan 2000 00:00:02 GMT"},
			"429-reset-6m":     {"X-Ratelimit-Reset-Requests": "6m0s", "X-Ratelimit-Remaining-Requests": "0"},
			"limits-90s":       {"X-Ratelimit-Reset-Requests": "1m30s", "X-Ratelimit-Remaining-Requests": "1"},
			"429-reset-1500ms": {"X-Ratelimit-Reset-Requests": "1.5s", "X-Ratelimit-Remaining-Requests": "0"},
		} {
			resp, body, err := raw(t, s, model)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, name := range []string{"Retry-After", "Retry-After-Ms", "X-Ratelimit-Reset-Requests", "X-Ratelimit-Remaining-Requests"} {
				if value := resp.Header.Get(name); value != "" {
					got[name] = value
				}
			}
			refused := strings.HasPrefix(body, `{"error":{"code":`)
			if diff := cmp.Diff(want, got); diff != "" || refused == (model == "limits-90s") {
				t.Errorf("%s: %s%s", model, body, diff)
			}
		}
	})
}

func TestBodiesThatAreNone(t *testing.T) {
	everywhere(t, func(t *testing.T, s *faults.Server) {
		for model, want := range map[string]string{
			"html":   "<!doctype html>",
			"gzip":   "\x1f\x8b\x08",
			"quota":  `{"error":{"code":"insufficient_quota"`,
			"filter": `{"error":{"message":"the prompt was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"`,
			"noise":  `data: {"id":"faults-noise-1"`,
			"broken": `data: {"id":"faults-broken-1"`,
		} {
			_, body, err := raw(t, s, model)
			if err != nil || !strings.HasPrefix(body, want) {
				t.Errorf("%s: %q, %v", model, body, err)
			}
			if model == "noise" && !strings.Contains(body, "\n\ndata: upstream connect error") {
				t.Errorf("no noise in %q", body)
			}
		}
	})
}

// Who reads it all gets it all.
func TestEndlessEnds(t *testing.T) {
	s := faults.New(t)
	s.Set("m", faults.Endless(64<<20, false))
	_, body, err := raw(t, s, "m")
	if err != nil || len(body) < 64<<20 || len(body) > 65<<20 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	s.WaitDone("m", 1)
	if a := s.Attempts("m")[0]; a.Gone || a.Bytes != int64(len(body)) {
		t.Errorf("the log says %+v of %d bytes", a, len(body))
	}
}

func TestFlappingInTimeAndNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faults.NewInBubble(t)
		var byTime, byNumber strings.Builder
		for range 9 {
			for model, log := range map[string]*strings.Builder{"flaps-10s": &byTime, "flap-3": &byNumber} {
				resp, _, err := raw(t, s, model)
				if err != nil {
					t.Fatal(err)
				}
				log.WriteString(map[int]string{200: "+", 503: "-"}[resp.StatusCode])
			}
			time.Sleep(5 * time.Second)
		}
		if byTime.String() != "--++--++-" || byNumber.String() != "++-++-++-" {
			t.Errorf("%s, %s", byTime.String(), byNumber.String())
		}
	})
}
