package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestRefusals(t *testing.T) {
	vendor := func(message, kind, code string) string {
		text, _ := json.Marshal(message)
		return fmt.Sprintf(`{"error":{"message":%s,"type":%q,"param":null,"code":%s}}`, text, kind, code)
	}
	tests := map[string]struct {
		status  int
		body    string
		class   fault.Class
		message string
	}{
		"401":                   {401, vendor("Incorrect API key provided.", "invalid_request_error", `"invalid_api_key"`), fault.Auth, `provider "acme" answered 401 (invalid_api_key): Incorrect API key provided`},
		"403":                   {403, vendor("No.", "x", "null"), fault.Auth, `provider "acme" answered 403: No`},
		"403, a model":          {403, vendor("No access", "invalid_request_error", `"model_not_found"`), fault.NotFound, `provider "acme" answered 403 (model_not_found) for model "gpt-test": No access`},
		"402":                   {402, vendor("Insufficient Balance", "unknown_error", `"x"`), fault.QuotaExhausted, `provider "acme" answered 402 (x): Insufficient Balance`},
		"404":                   {404, vendor("The model does not exist", "invalid_request_error", `"model_not_found"`), fault.NotFound, `provider "acme" answered 404 (model_not_found) for model "gpt-test": The model does not exist`},
		"404, a page":           {404, "<html>nginx</html>", fault.NotFound, `provider "acme" answered 404 for model "gpt-test": Not Found`},
		"404, a text":           {404, "404 page not found\n", fault.NotFound, `provider "acme" answered 404 for model "gpt-test": 404 page not found`},
		"408":                   {408, "", fault.ServerError, `provider "acme" answered 408: Request Timeout`},
		"409":                   {409, "", fault.ServerError, `provider "acme" answered 409: Conflict`},
		"413":                   {413, "", fault.BadRequest, `provider "acme" answered 413: Request Entity Too Large`},
		"429":                   {429, vendor("Rate limit reached", "requests", `"rate_limit_exceeded"`), fault.RateLimited, `provider "acme" answered 429 (rate_limit_exceeded): Rate limit reached`},
		"429, bare":             {429, "", fault.RateLimited, `provider "acme" answered 429: Too Many Requests`},
		"429, quota by code":    {429, vendor("You exceeded your current quota", "x", `"insufficient_quota"`), fault.QuotaExhausted, `provider "acme" answered 429 (insufficient_quota): You exceeded your current quota`},
		"429, quota by type":    {429, vendor("You exceeded", "insufficient_quota", "null"), fault.QuotaExhausted, `provider "acme" answered 429: You exceeded`},
		"400":                   {400, vendor("bad", "invalid_request_error", "null"), fault.BadRequest, `provider "acme" answered 400: bad`},
		"400, numbers in text":  {400, vendor("context_length_exceeded 429 503 rate limit", "invalid_request_error", "null"), fault.BadRequest, `provider "acme" answered 400: context_length_exceeded 429 503 rate limit`},
		"400, context":          {400, vendor("too long", "invalid_request_error", `"context_length_exceeded"`), fault.ContextLength, `provider "acme" answered 400 (context_length_exceeded): too long`},
		"400, filter":           {400, vendor("filtered", "x", `"content_filter"`), fault.ContentFilter, `provider "acme" answered 400 (content_filter): filtered`},
		"400, policy":           {400, vendor("no", "x", `"content_policy_violation"`), fault.ContentFilter, `provider "acme" answered 400 (content_policy_violation): no`},
		"400, filter within":    {400, `{"error":{"message":"no","code":"other","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, fault.ContentFilter, `provider "acme" answered 400 (other): no`},
		"400, filter by what":   {400, `{"error":{"message":"no","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"violence":{"filtered":true,"severity":"medium"},"hate":{"filtered":true,"severity":"high"},"sexual":{"filtered":false,"severity":"safe"},"jailbreak":{"filtered":true,"detected":true},"odd":7}}}}`, fault.ContentFilter, `provider "acme" answered 400 (content_filter: hate high, jailbreak, violence medium): no`},
		"400, filter, odd":      {400, `{"error":{"message":"no","code":"content_filter","innererror":{"content_filter_result":[1]}}}`, fault.ContentFilter, `provider "acme" answered 400 (content_filter): no`},
		"400, context, vLLM":    {400, `{"error":{"message":"too long","type":"BadRequestError","param":"input_tokens","code":400}}`, fault.ContextLength, `provider "acme" answered 400 (400): too long`},
		"400, a parameter":      {400, `{"error":{"message":"too large","type":"BadRequestError","param":"max_tokens","code":400}}`, fault.BadRequest, `provider "acme" answered 400 (400): too large`},
		"400, context, llama":   {400, `{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":8}}`, fault.ContextLength, `provider "acme" answered 400 (400): too long`},
		"413, a page":           {413, "<html>413 context_length_exceeded</html>", fault.BadRequest, `provider "acme" answered 413: Request Entity Too Large`},
		"429, quota, Moonshot":  {429, vendor("suspended", "exceeded_current_quota_error", "null"), fault.QuotaExhausted, `provider "acme" answered 429: suspended`},
		"429, a number in text": {429, vendor("insufficient_quota 402", "tokens", "null"), fault.RateLimited, `provider "acme" answered 429: insufficient_quota 402`},
		"502, a number in text": {502, "upstream said 429 Too Many Requests", fault.ServerError, `provider "acme" answered 502: upstream said 429 Too Many Requests`},
		"422, detail":           {422, `{"detail":[{"loc":["body"],"msg":"x"}]}`, fault.BadRequest, `provider "acme" answered 422: [{"loc":["body"],"msg":"x"}]`},
		"500":                   {500, vendor("oops", "server_error", "null"), fault.ServerError, `provider "acme" answered 500: oops`},
		"500, a type of others": {500, vendor("oops", "invalid_request_error", "null"), fault.ServerError, `provider "acme" answered 500: oops`},
		"502, a page":           {502, "<html><h1>502</h1></html>", fault.ServerError, `provider "acme" answered 502: Bad Gateway`},
		"503":                   {503, `{"error":"overloaded"}`, fault.Overloaded, `provider "acme" answered 503: overloaded`},
		"529":                   {529, vendor("Overloaded", "overloaded_error", "null"), fault.Overloaded, `provider "acme" answered 529: Overloaded`},
		"504":                   {504, "", fault.ServerError, `provider "acme" answered 504: Gateway Timeout`},
		"at the top":            {400, `{"object":"error","message":"too many tokens","type":"BadRequestError","code":400}`, fault.BadRequest, `provider "acme" answered 400 (400): too many tokens`},
		"messages":              {400, `{"error":{"message":["a","b"],"type":7}}`, fault.BadRequest, `provider "acme" answered 400: a, b`},
		"an error of null":      {500, `{"error":null}`, fault.ServerError, `provider "acme" answered 500: Internal Server Error`},
		"control characters":    {400, vendor("a\x1b[31m\r\nb\u202ec", "x", "null"), fault.BadRequest, `provider "acme" answered 400: a [31m b c`},
		"the key, echoed":       {401, vendor("bad key "+testKey+"!", "x", `"`+testKey+`"`), fault.Auth, `provider "acme" answered 401 (***): bad key ***!`},
		"long":                  {400, vendor(strings.Repeat("é", 299)+testKey, "x", "null"), fault.BadRequest, `provider "acme" answered 400: ` + strings.Repeat("é", 299) + "…"},
		"too long to read":      {500, `{"error":{"message":"` + strings.Repeat("x", 2<<20) + `"}}`, fault.ServerError, `provider "acme" answered 500: Internal Server Error`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			_, err := ask(t, p)
			e := fault.As(err)
			got := fault.Error{Class: e.Class, Message: e.Message, Status: e.Status, RetryAfter: e.RetryAfter}
			want := fault.Error{Class: test.class, Message: test.message, Status: test.status, RetryAfter: 7 * time.Second}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if e.Class == fault.NotFound && !strings.Contains(e.Hint, "llmx.yaml") {
				t.Errorf("the hint is %q", e.Hint)
			}
		})
	}
}

func TestFailuresInAnAnswer(t *testing.T) {
	stream := "text/event-stream"
	inStream := func(object string) string { return firstChunk + "data: " + object + "\n\n" + doneLine }
	tests := map[string]struct {
		kind, body string
		class      fault.Class
		status     int
	}{
		"error object":             {stream, inStream(`{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`), fault.RateLimited, 0},
		"error object, spaced":     {stream, inStream(`{ "error" : {"message":"x","code":"content_filter"}}`), fault.ContentFilter, 0},
		"error of a number":        {stream, inStream(`{"id":"r1","error":{"message":"x","code":502},"choices":[{"delta":{},"finish_reason":"error"}]}`), fault.ServerError, 502},
		"error of a number, text":  {stream, inStream(`{"error":{"message":"x","code":"429"}}`), fault.RateLimited, 429},
		"error of a type":          {stream, inStream(`{"error":{"type":"overloaded_error","message":"x"}}`), fault.Overloaded, 0},
		"error, a text":            {stream, inStream(`{"error":"model crashed"}`), fault.ServerError, 0},
		"error without a word":     {stream, inStream(`{"error":{}}`), fault.ServerError, 0},
		"error at the top":         {stream, inStream(`{"object":"error","message":"x","type":"BadRequestError","code":400}`), fault.BadRequest, 400},
		"error after the finish":   {stream, firstChunk + lastChunk + "data: {\"error\":{\"code\":\"server_error\"}}\n\n", fault.ServerError, 0},
		"error as one object":      {"application/json", `{"error":{"message":"x","code":"context_length_exceeded"}}`, fault.ContextLength, 0},
		"cut":                      {stream, firstChunk, fault.Cut, 0},
		"cut within a line":        {stream, firstChunk + lastChunk[:40], fault.Cut, 0},
		"a piece damaged":          {stream, firstChunk + "data: {\"choices\":[{\"delta\":{\"content\":\"not \n\n" + lastChunk + doneLine, fault.Malformed, 200},
		"a piece damaged in front": {stream, firstChunk + "data: {\"object\":\"chat.completion.chunk\",\"choi\n\n" + lastChunk + doneLine, fault.Malformed, 200},
		"a piece damaged behind":   {stream, firstChunk + "data: {\"choi\x00es\":[{\"delta\":{\"content\":\"not \n\n" + lastChunk + doneLine, fault.Malformed, 200},
		"the last piece damaged":   {stream, firstChunk + strings.Replace(lastChunk, "}", "", 1) + doneLine, fault.Malformed, 200},
		"usage damaged":            {stream, firstChunk + lastChunk + strings.Replace(usageChunk, "}", "", 1) + doneLine, fault.Malformed, 200},
		"a line break in a piece":  {stream, strings.Replace(firstChunk, "Hel", "He\nl", 1) + lastChunk + doneLine, fault.Malformed, 200},
		"a call of no index":       {stream, firstChunk + `data: {"choices":[{"delta":{"tool_calls":[{"index":-1,"id":"a"}]}}]}` + "\n\n" + lastChunk + doneLine, fault.Malformed, 200},
		"damaged and cut":          {stream, firstChunk + "data: {\"choices\":[{\n\n", fault.Malformed, 200},
		"broken off, marked":       {stream, firstChunk + lastChunk[:60] + "\n\n" + doneLine, fault.Malformed, 200},
		"nothing":                  {stream, "", fault.Cut, 0},
		"a page":                   {"text/html; charset=utf-8", "<html></html>", fault.Malformed, 200},
		"a page, said to be JSON":  {"application/json", "\n<!doctype html>", fault.Malformed, 200},
		"a text":                   {"text/plain", "service ok", fault.Malformed, 200},
		"not JSON":                 {"application/json", "{oops", fault.Malformed, 200},
		"a list":                   {"application/json", "[1]", fault.Malformed, 200},
		"another object":           {"application/json", `{"status":"ok"}`, fault.Malformed, 200},
		"no choice":                {stream, usageChunk + doneLine, fault.Malformed, 200},
		"only the end marker":      {stream, doneLine, fault.Malformed, 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, serve(t, says(test.kind, test.body)))
			e := fault.As(err)
			if e.Class != test.class || e.Status != test.status {
				t.Errorf("got %s, status %d: %v; want %s, status %d", e.Class, e.Status, err, test.class, test.status)
			}
			if !strings.Contains(e.Message, `provider "acme"`) {
				t.Errorf("the message is %q", e.Message)
			}
		})
	}
}

func TestAnErrorKeepsWhatHadCome(t *testing.T) {
	got, err := ask(t, serve(t, says("text/event-stream", firstChunk)))
	if diff := cmp.Diff(llm.Response{Text: "Hel"}, got); err == nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}
