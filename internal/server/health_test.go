package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// adminKeys knows two keys, of which one may administer.
type adminKeys struct{}

func (adminKeys) Known() bool { return true }
func (adminKeys) Any() bool   { return true }

func (adminKeys) Find(secret string) (Caller, bool) {
	return Caller{Key: secret, Name: "key of " + secret, Admin: secret == "admin"}, secret == "admin" || secret == "user"
}

// labelBook takes every label.
type labelBook struct{ set []LabelChange }

func (b *labelBook) SetLabel(_ context.Context, change LabelChange) (prompt.Override, error) {
	b.set = append(b.set, change)
	return prompt.Override{Prompt: change.Prompt, Label: change.Label, Version: change.Version}, nil
}

func (b *labelBook) LabelLog(context.Context, string, int) ([]prompt.Override, error) {
	return nil, nil
}

func newHealthServer(o Options) *Server {
	o.Current, o.NewID, o.Now, o.Log = func() *Runtime { return &Runtime{} }, func() string { return "id" }, func() time.Time { return time.Unix(0, 0) }, slog.New(slog.DiscardHandler)
	return New(o)
}

func ask(s *Server, method, path, body, remote, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	r.RemoteAddr = remote
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if wrong := openapitest.Of(OpenAPI).Wrong(openapitest.Seen(r, body, w.Result(), w.Body.String())); len(wrong) > 0 {
		panic(fmt.Sprint(method, " ", path, ": not as the OpenAPI document says: ", wrong))
	}
	return w
}

const (
	here  = "127.0.0.1:50000"
	there = "203.0.113.7:50000"
)

func TestReadinessTellsStrangersNothing(t *testing.T) {
	health := Health{Warnings: []Trouble{{Code: "reload_failed", Message: "secret of the house", At: "llmx.yaml:3:1"}}, Overrides: []prompt.Override{{Because: "secret of the house"}}}
	broken := Health{Reasons: []Trouble{{Code: "broken", Message: "secret of the house"}}}
	for _, c := range []struct {
		what, remote, key string
		keys              Keys
		health            Health
		status            int
		word              string
		told              bool
	}{
		{"this machine", here, "", nil, health, 200, "ready", true},
		{"another machine, without keys", there, "", nil, health, 200, "ready", false},
		{"another machine, with a key", there, "user", adminKeys{}, health, 200, "ready", true},
		{"another machine, with a wrong key", there, "nobody", adminKeys{}, health, 200, "ready", false},
		{"this machine, unwell", here, "", nil, broken, 503, "not_ready", true},
		{"another machine, unwell", there, "", nil, broken, 503, "not_ready", false},
	} {
		w := ask(newHealthServer(Options{Keys: c.keys, Health: func() Health { return c.health }}), "GET", "/readyz", "", c.remote, c.key)
		var body struct{ Status string }
		err := json.Unmarshal(w.Body.Bytes(), &body)
		if told := strings.Contains(w.Body.String(), "secret"); err != nil || w.Code != c.status || body.Status != c.word || told != c.told {
			t.Errorf("%s: %d %s", c.what, w.Code, w.Body)
		}
	}
}

func TestDrainingIsNotReadyAndClosesConnections(t *testing.T) {
	s := newHealthServer(Options{})
	if w := ask(s, "GET", "/readyz", "", here, ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.Drain()
	if w := ask(s, "GET", "/readyz", "", here, ""); w.Code != 503 || !strings.Contains(w.Body.String(), `"draining"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(s, "GET", "/livez", "", there, ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(s, "GET", "/nothing", "", here, ""); w.Header().Get("Connection") != "close" {
		t.Errorf("%v", w.Header())
	}
}

func TestWhoMaySetLabels(t *testing.T) {
	const body = `{"prompt": "triage", "label": "production", "version": "1.0.0", "because": "x"}`
	for _, c := range []struct {
		remote, key string
		keys        Keys
		status      int
		by          string
	}{
		{here, "", nil, 200, "loopback"}, {there, "", nil, 403, ""},
		{there, "admin", adminKeys{}, 200, "key of admin"}, {there, "user", adminKeys{}, 403, ""}, {here, "", adminKeys{}, 401, ""}, {here, "user", adminKeys{}, 403, ""},
	} {
		book := &labelBook{}
		s := newHealthServer(Options{Keys: c.keys, Labels: book})
		if w := ask(s, "POST", "/v1/labels", body, c.remote, c.key); w.Code != c.status || (w.Code == 200) != (len(book.set) == 1) || w.Code == 200 && book.set[0].By != c.by {
			t.Errorf("%s %q: %d %s, set %+v", c.remote, c.key, w.Code, w.Body, book.set)
		}
		if w := ask(s, "GET", "/v1/labels", "", c.remote, c.key); w.Code != c.status {
			t.Errorf("%s %q: the log: %d %s", c.remote, c.key, w.Code, w.Body)
		}
	}
}

func TestLabelChangesAreRead(t *testing.T) {
	for body, want := range map[string]string{
		`{`: "not a JSON object", `null`: "null", `{"prompt": 1}`: "prompt: want a string", `{"propmt": "x"}`: "propmt is not known",
		`{"prompt": "a@b", "label": "l", "version": "1.0.0", "because": "x"}`:                              "bare name",
		`{"prompt": "a", "label": "l", "because": "x"}`:                                                    "want version, or rollback",
		`{"prompt": "a", "label": "l", "version": "1.0.0", "rollback": true, "because": "x"}`:              "want version, or rollback",
		`{"prompt": "a", "label": "l", "version": "1.0.0", "because": " \n"}`:                              "the reason",
		`{"prompt": "a", "label": "l", "version": "1.0.0", "because": "x", "percent": -1}`:                 "from 0 to 100",
		`{"prompt": "a", "label": "l", "version": "1.0.0", "because": "x", "until": "1960-01-01"}`:         "to come",
		`{"prompt": "a", "label": "l", "version": "1.0.0", "because": "x", "until": "-2h"}`:                "to come",
		`{"prompt": "a", "label": "l", "version": "1.0.0", "because": "x", "until": "99999999999d"}`:       "to come",
		`{"prompt": "a", "label": "l", "version": "1.0.0", "because": "` + strings.Repeat("x", 501) + `"}`: "at most 500",
	} {
		book := &labelBook{}
		if w := ask(newHealthServer(Options{Labels: book}), "POST", "/v1/labels", body, here, ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) || len(book.set) > 0 {
			t.Errorf("%s: %d %s, want %q", body, w.Code, w.Body, want)
		}
	}
}

func TestParseUntil(t *testing.T) {
	now := time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2h": now.Add(2 * time.Hour), "3d": now.Add(72 * time.Hour), "1.5d": now.Add(36 * time.Hour),
		"2026-05-01": time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), "2026-05-01T09:00:00+02:00": time.Date(2026, 5, 1, 7, 0, 0, 0, time.UTC),
	} {
		if got, ok := ParseUntil(text, now); !ok || !got.Equal(want) {
			t.Errorf("%s is %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "0s", "-1h", "d", "2026-04-30", "2026-04-30T11:59:59Z", "tomorrow", "1e400d"} {
		if got, ok := ParseUntil(text, now); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// A page in the browser of this machine, whose name was made to lead here, is a stranger,
// and so is whoever a proxy on this machine serves.
func TestReadinessTellsPagesAndProxiesTheStatusAlone(t *testing.T) {
	s := newHealthServer(Options{Health: func() Health { return Health{Warnings: []Trouble{{Code: "x", Message: "secret"}}} }})
	for name, change := range map[string]func(r *http.Request){
		"":         func(*http.Request) {},
		"rebound":  func(r *http.Request) { r.Host = "evil.test" },
		"proxied":  func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "shop.test") },
		"far away": func(r *http.Request) { r.RemoteAddr = there },
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/readyz", nil)
		r.RemoteAddr = here
		change(r)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if told := strings.Contains(w.Body.String(), "secret"); w.Code != http.StatusOK || told != (name == "") {
			t.Errorf("%q: %d %s", name, w.Code, w.Body)
		}
	}
}
