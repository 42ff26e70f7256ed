package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
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
		"error object":            {stream, inStream(`{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`), fault.RateLimited, 0},
		"error object, spaced":    {stream, inStream(`{ "error" : {"message":"x","code":"content_filter"}}`), fault.ContentFilter, 0},
		"error of a number":       {stream, inStream(`{"id":"r1","error":{"message":"x","code":502},"choices":[{"delta":{},"finish_reason":"error"}]}`), fault.ServerError, 502},
		"error of a number, text": {stream, inStream(`{"error":{"message":"x","code":"429"}}`), fault.RateLimited, 429},
		"error of a type":         {stream, inStream(`{"error":{"type":"overloaded_error","message":"x"}}`), fault.Overloaded, 0},
		"error, a text":           {stream, inStream(`{"error":"model crashed"}`), fault.ServerError, 0},
		"error without a word":    {stream, inStream(`{"error":{}}`), fault.ServerError, 0},
		"error at the top":        {stream, inStream(`{"object":"error","message":"x","type":"BadRequestError","code":400}`), fault.BadRequest, 400},
		"error after the finish":  {stream, firstChunk + lastChunk + "data: {\"error\":{\"code\":\"server_error\"}}\n\n", fault.ServerError, 0},
		"error as one object":     {"application/json", `{"error":{"message":"x","code":"context_length_exceeded"}}`, fault.ContextLength, 0},
		"cut":                     {stream, firstChunk, fault.Cut, 0},
		"cut within a line":       {stream, firstChunk + lastChunk[:40], fault.Cut, 0},
		"a piece damaged":         {stream, firstChunk + "data: {\"choices\":[{\"delta\":{\"content\":\"not \n\n" + lastChunk + doneLine, fault.Malformed, 200},
		"nothing":                 {stream, "", fault.Cut, 0},
		"a page":                  {"text/html; charset=utf-8", "<html></html>", fault.Malformed, 200},
		"a page, said to be JSON": {"application/json", "\n<!doctype html>", fault.Malformed, 200},
		"a text":                  {"text/plain", "service ok", fault.Malformed, 200},
		"not JSON":                {"application/json", "{oops", fault.Malformed, 200},
		"a list":                  {"application/json", "[1]", fault.Malformed, 200},
		"another object":          {"application/json", `{"status":"ok"}`, fault.Malformed, 200},
		"no choice":               {stream, usageChunk + doneLine, fault.Malformed, 200},
		"only the end marker":     {stream, doneLine, fault.Malformed, 200},
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

// What is said to be compressed is not read, whatever it is.
func TestCompressedAnswers(t *testing.T) {
	for _, body := range []string{"not gzip at all", firstChunk + lastChunk + doneLine} {
		_, err := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, body)
		}))
		if fault.ClassOf(err) != fault.Malformed || !strings.Contains(err.Error(), "gzip") {
			t.Errorf("got %v", err)
		}
	}
}

func TestEndlessBodies(t *testing.T) {
	// The line ends long before the bound of a stream: some of what is poured
	// waits in the sockets.
	const most = maxWhole + 16<<20
	poured := 0
	pour := func(kind, begin, piece string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, begin)
			much := []byte(strings.Repeat(piece, 1<<16/len(piece)))
			for {
				n, err := w.Write(much)
				poured += n
				if err != nil || poured > most {
					return // err: the client has gone
				}
			}
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"line":   pour("text/event-stream", "data: ", "x"),
		"object": pour("application/json", "{", "x"),
		"spaces": pour("application/json", "", " "),
		"answer": pour("text/event-stream", "", `data: {"choices":[{"delta":{"content":"`+strings.Repeat("x", 1<<15)+`"}}]}`+"\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			poured = 0
			done := make(chan struct{})
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				handler(w, r)
			})
			p.maxAnswer = 1 << 20
			_, err := ask(t, p)
			<-done
			if fault.ClassOf(err) != fault.Malformed || poured > most {
				t.Errorf("after %d bytes: got %v", poured, err)
			}
		})
	}
}

// hijacked answers with raw bytes and then closes the connection, or resets it.
func hijacked(raw string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write([]byte(raw))
		if reset {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		conn.Close()
	}
}

func TestTransportFailures(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9000\r\n\r\n"
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		class   fault.Class
	}{
		"closed":                {hijacked("", false), fault.Network},
		"reset":                 {hijacked("", true), fault.Network},
		"not HTTP":              {hijacked("SSH-2.0-x\r\n", false), fault.Network},
		"closed in the answer":  {hijacked(head+firstChunk, false), fault.Cut},
		"closed in an object":   {hijacked(strings.Replace(head, "text/event-stream", "application/json", 1)+`{"choices":[`, false), fault.Cut},
		"closed before a piece": {hijacked(head, false), fault.Cut},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, serve(t, test.handler))
			if fault.ClassOf(err) != test.class || !strings.Contains(err.Error(), `"acme"`) {
				t.Errorf("got %s: %v", fault.ClassOf(err), err)
			}
		})
	}
	t.Run("closed after the finish", func(t *testing.T) {
		got, err := ask(t, serve(t, hijacked(head+firstChunk+lastChunk, false)))
		if err != nil || got.Text != "Hello" || got.End.Usage != estimated {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		_, err = ask(t, provider(t, "http://"+listener.Addr().String()+"/v1"))
		if fault.ClassOf(err) != fault.Network || fault.As(err).Hint == "" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("TLS", func(t *testing.T) {
		server := httptest.NewUnstartedServer(says("", ""))
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of our refusal
		server.StartTLS()
		defer server.Close()
		_, err := ask(t, provider(t, server.URL))
		if fault.ClassOf(err) != fault.Network {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no handshake", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		p := New(Options{Name: "acme", BaseURL: "https://" + listener.Addr().String(), ConnectTimeout: 20 * time.Millisecond})
		defer p.Close()
		_, err = ask(t, p)
		if fault.ClassOf(err) != fault.TimeoutConnect {
			t.Errorf("got %s: %v", fault.ClassOf(err), err)
		}
	})
}

// Errors that loopback cannot make: from a transport that makes them.
func TestDialFailures(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		class fault.Class
	}{
		"dial timeout": {&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, fault.TimeoutConnect},
		"no such host": {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x.test"}}, fault.Network},
		"read timeout": {&net.OpError{Op: "read", Err: context.DeadlineExceeded}, fault.Network},
		"with the key": {fmt.Errorf("proxy says: %s", testKey), fault.Network},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Options{Name: "acme", BaseURL: "http://user:hunter22@x.test", APIKey: testKey, Transport: transportFunc(func(*http.Request) (*http.Response, error) { return nil, test.err })})
			_, err := ask(t, p)
			if fault.ClassOf(err) != test.class {
				t.Errorf("got %s: %v", fault.ClassOf(err), err)
			}
			if text := err.Error(); strings.Contains(text, testKey) || strings.Contains(text, "hunter22") {
				t.Errorf("a secret in %q", text)
			}
		})
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	host := strings.TrimPrefix(elsewhere.URL, "http://")
	for _, status := range []int{301, 302, 303, 307, 308} {
		_, err := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/v1?token="+testKey, status)
		}))
		e := fault.As(err)
		if e.Class != fault.BadRequest || e.Status != status || !strings.Contains(e.Message, host) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%d: got %v", status, err)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests were sent elsewhere", asked)
	}
}

func TestSecretsOfHeadersAndURL(t *testing.T) {
	secrets := []string{"tok-12345", "plain-secret", "hunter22"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, `{"error":{"message":"seen `+strings.Join(secrets, " ")+`"}}`, 400)
	}))
	defer server.Close()
	p := New(Options{
		Name: "acme", BaseURL: strings.Replace(server.URL, "://", "://ann:hunter22@", 1),
		Headers: map[string]string{"X-Auth": "Bearer tok-12345", "X-Key": "plain-secret"},
	})
	defer p.Close()
	_, err := ask(t, p)
	if want := `provider "acme" answered 400: seen *** *** ***`; fault.As(err).Message != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOptionsNoRequestCanBeMadeFrom(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		class   fault.Class
	}{
		"no URL":            {Options{}, fault.BadRequest},
		"no scheme":         {Options{BaseURL: "api.example.com/v1"}, fault.BadRequest},
		"another scheme":    {Options{BaseURL: "ftp://api.example.com"}, fault.BadRequest},
		"a query":           {Options{BaseURL: "http://x.test/v1?a=hunter22"}, fault.BadRequest},
		"a broken key":      {Options{BaseURL: "http://x.test/v1", APIKey: "hunter22\n"}, fault.Auth},
		"a broken header":   {Options{BaseURL: "http://x.test/v1", Headers: map[string]string{"X": "hunter22\r\n"}}, fault.BadRequest},
		"a broken password": {Options{BaseURL: "http://a:hunter22\x7f@x.test"}, fault.BadRequest},
	} {
		_, err := ask(t, New(test.options))
		if fault.ClassOf(err) != test.class || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"none":              {nil, 0},
		"seconds":           {map[string]string{"Retry-After": "20"}, 20 * time.Second},
		"fraction":          {map[string]string{"Retry-After": " 0.5 "}, 500 * time.Millisecond},
		"milliseconds":      {map[string]string{"Retry-After": "20", "Retry-After-Ms": "1500"}, 1500 * time.Millisecond},
		"date":              {map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:04:35 GMT"}, 30 * time.Second},
		"past":              {map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:04:00 GMT"}, 0},
		"negative":          {map[string]string{"Retry-After": "-1"}, 0},
		"no number":         {map[string]string{"Retry-After": "NaN"}, 0},
		"infinite":          {map[string]string{"Retry-After": "Inf"}, 24 * time.Hour},
		"broken, then good": {map[string]string{"Retry-After": "3", "Retry-After-Ms": "soon"}, 3 * time.Second},
	} {
		header := http.Header{}
		for k, v := range test.header {
			header.Set(k, v)
		}
		if got := retryAfter(header, func() time.Time { return now }); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestAnErrorKeepsWhatHadCome(t *testing.T) {
	got, err := ask(t, serve(t, says("text/event-stream", firstChunk)))
	if diff := cmp.Diff(llm.Response{Text: "Hel"}, got); err == nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}
