package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/server"
)

const countingPrompt = "---\nname: order\nmodel: {id: small}\ninputs:\n  mail: {kind: string, required: true}\n  limit: {kind: integer}\n---\nuser:\n{{ mail }} {{ limit }}\n"

// What a request or an answer has is quoted to its caller, and never in the log.
func TestTheLogQuotesNobody(t *testing.T) {
	const words = "Jane-Doe-4711"
	quoting := fault.New(fault.BadRequest, "provider \"acme\" answered 400: %s is no role; 2 attempts", words)
	quoting.Said, quoting.Status = words+" is no role", 400
	for _, c := range []struct {
		err                     error // of the model
		path, body, told, wants string
	}{
		{nil, "/v1/prompts/order", `{"variables": {"mail": "m", "limit": "Jane-Doe-4711"}}`, words, `"code":"invalid_request","param":"variables"`},
		{nil, "/v1/chat/completions", `{"model": "small", "messages": [{"role": "Jane-Doe-4711", "content": "x"}]}`, "", `"param":"messages[0].role"`},
		{nil, "/v1/chat/completions", `{"model": "small", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///Jane-Doe-4711"}}]}]}`, words, `"param":"messages[0].content[0].image_url.url"`},
		{fault.New(fault.Contract, "#/label: expected bug, got %q", words), "/v1/chat/completions", hello, words, `"class":"contract","error":"the answer breaks its contract"`},
		{quoting, "/v1/chat/completions", hello, words, `"class":"bad_request","error":"provider \"acme\" answered 400; 2 attempts"`},
	} {
		h := over(t, fails("", c.err), func(o *server.Options) {
			current := o.Current()
			current.Prompts = plan{prompts: map[string]string{"order": countingPrompt}}.library()
		})
		a := h.post(c.path, c.body)
		if !strings.Contains(a.body, c.told) || a.status < 400 {
			t.Errorf("%s: told %d %s", c.body, a.status, a.body)
		}
		h.waitLog(t, "req-1", time.Now())
		if log := h.logs.String(); strings.Contains(log, words) || !strings.Contains(log, c.wants) {
			t.Errorf("%s: the log says %s", c.body, log)
		}
	}
}

// A name that a caller made up is no reason for a log of megabytes.
func TestTheLogHasABound(t *testing.T) {
	h := over(t, fails("", nil), nil)
	a := h.chat(`{"model": "` + strings.Repeat("ä", 1<<20) + `", "messages": [{"role": "user", "content": "x"}]}`)
	h.waitLog(t, "req-1", time.Now())
	if log := h.logs.String(); a.status != 404 || len(log) > 2000 || !strings.Contains(log, "there is no model or route") {
		t.Errorf("%d, %d bytes: %.300s", a.status, len(log), log)
	}
}
