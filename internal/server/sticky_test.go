package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server"
)

// anyKey knows every text as the key of that id.
type anyKey struct{}

func (anyKey) Known() bool { return true }
func (anyKey) Any() bool   { return true }
func (anyKey) Find(secret string) (server.Caller, bool) {
	return server.Caller{Key: "key of " + secret}, true
}

// chosenBy keeps by what a release was chosen last.
type chosenBy struct{ last *string }

func (c chosenBy) Find(ref, sticky string) (*prompt.Prompt, error) {
	*c.last = sticky
	return nil, fault.New(fault.Invalid, "there is no prompt %q", ref)
}
func (chosenBy) List() []*prompt.Prompt { return nil }

// The same caller is given the same release: by the user that a request names, else by
// its key. Who is nobody is drawn anew each time.
func TestWhoIsGivenTheSameReleaseAgain(t *testing.T) {
	var last string
	runtime := &server.Runtime{Engine: llm.ModelFunc(yes), Prompts: chosenBy{&last}}
	for _, test := range []struct {
		path, body, key, want string
	}{
		{"/v1/chat/completions", `{"model":"prompt:p","user":"ann"}`, "shop", "ann"}, {"/v1/chat/completions", `{"model":"prompt:p"}`, "shop", "key of shop"},
		{"/v1/responses", `{"model":"prompt:p","safety_identifier":"ann"}`, "shop", "ann"}, {"/v1/responses", `{"model":"prompt:p"}`, "shop", "key of shop"},
		{"/v1/prompts/p", `{"user":"ann"}`, "", "ann"}, {"/v1/prompts/p", `{}`, "shop", "key of shop"}, {"/v1/prompts/p", `{}`, "", "req-1"},
	} {
		h := over(t, llm.ModelFunc(yes), func(o *server.Options) {
			o.Current = func() *server.Runtime { return runtime }
			if test.key != "" {
				o.Keys = anyKey{}
			}
		})
		r := httptest.NewRequest(http.MethodPost, test.path, strings.NewReader(test.body))
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
		r.Header.Set("Authorization", "Bearer "+test.key)
		w := httptest.NewRecorder()
		if h.server.ServeHTTP(w, r); w.Code != http.StatusNotFound || last != test.want {
			t.Errorf("%s %s by the key %q: chosen by %q, want %q (%d %s)", test.path, test.body, test.key, last, test.want, w.Code, w.Body)
		}
	}
}
