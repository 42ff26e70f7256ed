package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// What is known of a call is told: in the head of a whole answer, in the trailers of a
// stream.
func TestHeadersTellOfTheCall(t *testing.T) {
	up := faults.New(t)
	h := plan{upstream: up.URL(), models: []string{"ok", "503"}, routes: map[string]string{"careful": "503,ok", "plain": "ok"}, cached: true}.build(t)
	body := func(model, more string) string {
		return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}]%s}`, model, more)
	}
	for _, test := range []struct {
		name, body string
		want       map[string]string
	}{
		{"fresh", body("plain", ""), map[string]string{"Model": "ok-2026-01-01", "Attempts": "1", "Turns": "1", "Fallback": "false", "Cache": "miss", "Cost-Usd": "0.00001206"}},
		{"the same again", body("plain", ""), map[string]string{"Attempts": "1", "Fallback": "false", "Cache": "hit", "Cost-Usd": "0.00001206"}},
		{"a fallback", body("careful", ""), map[string]string{"Model": "ok-2026-01-01", "Attempts": "2", "Fallback": "true", "Cache": "miss"}},
		{"a fallback, streaming", body("careful", `,"stream":true,"seed":1`), map[string]string{"Attempts": "2", "Fallback": "true", "Cache": "miss"}},
		{"streaming", body("plain", `,"stream":true,"seed":2`), map[string]string{"Model": "ok-2026-01-01", "Attempts": "1", "Fallback": "false", "Cost-Usd": "0.00001206"}},
		{"a failure", body("503", ""), map[string]string{"Attempts": "2", "Cost-Usd": "0"}},
		{"a failure, of a stream that did not begin", body("503", `,"stream":true`), map[string]string{"Attempts": "2", "Cost-Usd": "0"}},
	} {
		a := h.chat(test.body)
		header := a.header
		if a.header.Get("X-Should-Retry") != "" != strings.Contains(test.name, "failure") || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: the headers are %v", test.name, a.header)
		}
		if strings.Contains(test.name, "streaming") {
			header = a.trailer
		}
		for name, want := range test.want {
			if got := header.Get("X-Llmx-" + name); got != want {
				t.Errorf("%s: %s is %q, want %q", test.name, name, got, want)
			}
		}
		if us, err := strconv.Atoi(header.Get("X-Llmx-Overhead-Us")); err != nil || us < 0 || us > 200_000 {
			t.Errorf("%s: the overhead is %q", test.name, header.Get("X-Llmx-Overhead-Us"))
		}
	}
}

// Every kind of answer tells: embeddings, values of prompts, responses whole and streamed,
// and a stream that fails on its way.
func TestEveryKindOfAnswerHasTheHeaders(t *testing.T) {
	vectors, up := newVectors(t), faults.New(t)
	embeds := plan{upstream: vectors.URL + "/v1", models: []string{"small"}}.build(t)
	h := plan{upstream: up.URL(), models: []string{"ok", "cut"}, prompts: map[string]string{"say": "---\nname: say\nmodel: {id: ok}\n---\nuser:\nhi\n"}}.build(t)
	for name, a := range map[string]answer{
		"embeddings": embeds.post("/v1/embeddings", `{"model":"small","input":["a","b"]}`), "a value": h.post("/v1/prompts/say", `{}`),
		"a response": h.post("/v1/responses", `{"model":"ok","input":"hi"}`), "a response, streamed": h.post("/v1/responses", `{"model":"ok","input":"hi","stream":true}`),
		"a response of a prompt, streamed": h.post("/v1/responses", `{"model":"prompt:say","stream":true}`),
		"a stream that fails on its way":   h.chat(`{"model":"cut","messages":[{"role":"user","content":"hi"}],"stream":true}`),
		"a response that fails on its way": h.post("/v1/responses", `{"model":"cut","input":"hi","stream":true}`),
	} {
		told := a.header
		if strings.Contains(name, "stream") || strings.Contains(name, "way") {
			told = a.trailer
		}
		for _, header := range []string{"Attempts", "Turns", "Fallback", "Cache", "Cost-Usd", "Overhead-Us"} {
			if told.Get("X-Llmx-"+header) == "" {
				t.Errorf("%s does not tell %s: %d %v %v", name, header, a.status, a.header, a.trailer)
			}
		}
		if a.header.Get("X-Request-Id") == "" || strings.Contains(name, "prompt") != (a.header.Get("X-Llmx-Prompt") == "say@draft") && name != "a value" {
			t.Errorf("%s: %v", name, a.header)
		}
	}
}

// The line of a request in the log has what its call needed, and nothing of what was said.
func TestTheLogTellsOfTheCall(t *testing.T) {
	up := faults.New(t)
	h := plan{upstream: up.URL(), models: []string{"ok", "503"}, routes: map[string]string{"careful": "503,ok"}}.build(t)
	for _, more := range []string{"", `,"stream":true`} {
		a := h.chat(`{"model":"careful","messages":[{"role":"user","content":"xyzzy-4711"}]` + more + `}`)
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := h.post("/v1/chat/completions?api_key=xyzzy-4711", `{"model":"xyzzy"}`); a.status != 404 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	// A failure is told by its code and its field: its message may quote what was asked.
	if a := h.chat(`{"model":"careful","messages":[{"role":"xyzzy-4711","content":"x"}]}`); a.status != 400 || !strings.Contains(a.body, "xyzzy-4711") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if log := h.logs.String(); !strings.Contains(log, `"class":"usage","code":"invalid_request","param":"messages[0].role"}`) || !strings.Contains(log, `"error":"there is no model`) {
		t.Errorf("%s", log)
	}
	lines := strings.Split(strings.TrimSpace(h.logs.String()), "\n")
	if len(lines) != 4 || strings.Contains(h.logs.String(), "xyzzy-4711") {
		t.Fatalf("%q", lines)
	}
	for _, line := range lines[:2] {
		var said struct {
			Msg, ID, Model, Answered string
			Status, Attempts, Turns  int
			Fallback                 bool
			Input                    int     `json:"input_tokens"`
			Output                   int     `json:"output_tokens"`
			First                    float64 `json:"first_token_ms"`
			USD                      string  `json:"cost_usd"`
			Overhead                 *int64  `json:"overhead_us"`
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatal(err)
		}
		if said.Msg != "request" || said.ID == "" || said.Status != 200 || said.Model != "careful" || said.Answered != "ok-2026-01-01" || said.Attempts != 2 || said.Turns != 1 ||
			!said.Fallback || said.Input < 1 || said.Output < 1 || said.USD != "0.00001206" || said.First <= 0 || said.Overhead == nil {
			t.Errorf("%s", line)
		}
	}
}

// A slow provider and a slow body are none of ours.
func TestOverheadIsOurs(t *testing.T) {
	const slow = 200 * time.Millisecond
	h := plan{upstream: says(t, upstream.Reply{Text: `{"a":1}`, Delay: slow}).URL(), models: []string{"small"}}.build(t)
	for name, body := range map[string]string{
		"whole": hello, "streaming": helloStream, "under a contract": strings.TrimSuffix(helloStream, "}") + `,"response_format":{"type":"json_object"}}`,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:10])
		time.Sleep(slow)
		fmt.Fprint(conn, body[10:])
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		header := response.Trailer
		if name == "whole" {
			header = response.Header
		}
		us, _ := strconv.Atoi(header.Get("X-Llmx-Overhead-Us"))
		if took := time.Duration(us) * time.Microsecond; err != nil || took == 0 || took > slow/2 {
			t.Errorf("%s: the overhead is %v, %v", name, took, err)
		}
	}
}
