package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// vendor is what a vendor says with a status: its words, type and code.
type vendor struct{ message, kind, code string }

// said are the statuses as OpenAI explains them.
var said = map[int]vendor{
	400: {"this model does not do that", "invalid_request_error", ""},
	401: {"incorrect API key provided", "invalid_request_error", "invalid_api_key"},
	402: {"insufficient balance", "invalid_request_error", ""},
	403: {"this key may not do that", "invalid_request_error", ""},
	404: {"the model does not exist", "invalid_request_error", "model_not_found"},
	408: {"the request timed out", "timeout", ""},
	413: {"the request is too large", "invalid_request_error", ""},
	429: {"rate limit reached", "requests", "rate_limit_exceeded"},
	500: {"the server had an error", "server_error", ""},
	502: {"bad gateway", "server_error", ""},
	503: {"the engine is overloaded", "server_error", ""},
	504: {"the gateway timed out", "server_error", ""},
	529: {"overloaded", "overloaded_error", ""},
}

// Refuse answers with the status of a failure, as OpenAI explains it.
func Refuse(status int) Behaviour { return refuses(status, said[status], nil) }

func refuses(status int, v vendor, header map[string]string) Behaviour {
	return func(x *Exchange) {
		what := strconv.Itoa(status)
		if v.code != "" {
			what += " " + v.code
		}
		x.Note("%s", what)
		x.refuse(status, v.body(), header)
	}
}

// body is the error object; what is not said is null.
func (v vendor) body() string {
	object := map[string]any{"message": v.message, "type": v.kind, "param": nil, "code": nil}
	if v.code != "" {
		object["code"] = v.code
	}
	b, err := json.Marshal(map[string]any{"error": object})
	if err != nil {
		panic(err) // texts can always be written
	}
	return string(b)
}

// refuse writes an answer that is no stream, in one piece and with its length, so
// that the connection can be used again.
func (x *Exchange) refuse(status int, body string, header map[string]string) {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	for name, value := range header {
		x.w.Header().Set(name, value)
	}
	x.whole.Store(true)
	x.w.WriteHeader(status)
	n, _ := io.WriteString(x.w, body)
	x.count(n)
}

// How a wait is asked for.
type asking string

// The headers that ask for a wait.
const (
	inSeconds asking = "seconds"         // Retry-After: 2
	inMillis  asking = "milliseconds"    // retry-after-ms: 1500
	asDate    asking = "a date"          // Retry-After: Sat, 01 Jan 2000 00:00:02 GMT
	asReset   asking = "a limit's reset" // x-ratelimit-reset-requests: 2s
)

// RetryAfter answers with a status that asks to be asked again after d: whole
// seconds and dates as RFC 9110 has them, fractions of a second all the same.
func RetryAfter(status int, d time.Duration) Behaviour { return retryAfter(status, d, inSeconds) }

func retryAfter(status int, d time.Duration, how asking) Behaviour {
	return func(x *Exchange) {
		x.Note("asks for %v in %s", d, how)
		header := map[string]string{}
		switch how {
		case inSeconds:
			header["Retry-After"] = strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
		case inMillis:
			header["Retry-After-Ms"] = strconv.FormatInt(d.Milliseconds(), 10)
		case asDate:
			header["Retry-After"] = time.Now().Add(d).UTC().Format(http.TimeFormat)
		case asReset:
			header = limits(0, d)
		}
		refuses(status, said[status], header)(x)
	}
}

// limits are the headers by which OpenAI speaks of its limits: of the requests that
// remain until d has passed, and of plenty of tokens.
func limits(remaining int, d time.Duration) map[string]string {
	return map[string]string{
		"X-Ratelimit-Limit-Requests": "60", "X-Ratelimit-Remaining-Requests": strconv.Itoa(remaining), "X-Ratelimit-Reset-Requests": d.String(),
		"X-Ratelimit-Limit-Tokens": "150000", "X-Ratelimit-Remaining-Tokens": "149984", "X-Ratelimit-Reset-Tokens": "6ms",
	}
}

// Quota says that the account has no credit left, with a code of its own.
func Quota() Behaviour {
	return refuses(429, vendor{"you exceeded your current quota", "insufficient_quota", "insufficient_quota"}, nil)
}

// TooLong says that the prompt does not fit the model's context.
func TooLong() Behaviour {
	return refuses(400, vendor{"this model's maximum context length is 8192 tokens", "invalid_request_error", "context_length_exceeded"}, nil)
}

// Filtered refuses the prompt by a content filter, as Azure does: the result of the
// filter stands within.
func Filtered() Behaviour {
	body := `{"error":{"message":"the prompt was filtered","type":null,"param":"prompt","code":"content_filter","status":400,` +
		`"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"},"violence":{"filtered":false,"severity":"safe"}}}}}`
	return func(x *Exchange) {
		x.Note("400 content_filter")
		x.refuse(400, body, nil)
	}
}

// Redirect sends the caller to another server with a status. Strayed counts what
// comes there.
func Redirect(status int) Behaviour {
	return func(x *Exchange) {
		x.Note("%d to elsewhere", status)
		x.refuse(status, "", map[string]string{"Location": fmt.Sprintf("%s/v1/chat/completions", x.server.elsewhere)})
	}
}
