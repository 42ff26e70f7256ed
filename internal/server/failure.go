package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/llmx-dev/llmx/internal/fault"
)

// refusal is a request that is not passed on: what the caller did wrong.
type refusal struct {
	status  int
	code    string
	param   string // the field that is wrong, "" for none
	message string
	after   int // seconds to wait, 0 for nothing said
}

func (r *refusal) Error() string { return r.message }

// Unwrap gives a refusal its class for logs.
func (r *refusal) Unwrap() error { return fault.New(fault.Usage, "%s", r.message) }

// refuse makes a refusal of a status.
func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// invalid refuses a field of the body.
func invalid(param, format string, args ...any) *refusal {
	r := refuse(http.StatusBadRequest, "invalid_request", format, args...)
	r.param = param
	return r
}

// errorBody is OpenAI's form of a failure.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// said is what a caller is told of a class whose own message has what is internal:
// addresses, names of providers, the words of a vendor.
var said = map[fault.Class]string{
	fault.RateLimited:       "the model's provider limits its requests; try again later",
	fault.Overloaded:        "the model's provider is overloaded",
	fault.ServerError:       "the model's provider failed",
	fault.Network:           "the model's provider could not be reached",
	fault.Malformed:         "the model's provider gave an answer that cannot be read",
	fault.TimeoutConnect:    "the model's provider could not be reached in time",
	fault.TimeoutFirstToken: "the model did not begin to answer in time",
	fault.TimeoutIdle:       "the model stopped answering",
	fault.TimeoutTotal:      "the answer did not come in time",
	fault.BreakerOpen:       "the model has failed often just now and is left alone for a while",
	fault.Auth:              "the model's provider refuses the key of this server",
	fault.NotFound:          "the model's provider does not know the model",
	fault.QuotaExhausted:    "the quota of this server at the model's provider is spent",
	fault.Cut:               "the answer of the model's provider was cut off",
	fault.Budget:            "the budget is spent",
	fault.ContextLength:     "the request is longer than the model's context",
	fault.Store:             "what is stored cannot be read now",
	fault.Missing:           "there is no reply to give",
}

// tells reports a class whose message is for the caller: it speaks of the request or
// of the answer.
func tells(class fault.Class) bool {
	switch class {
	case fault.Usage, fault.Contract, fault.Length, fault.ContentFilter, fault.BadRequest:
		return true
	}
	return false
}

// bodyOf makes what a caller is told of a failure.
func bodyOf(err error) (status int, body errorBody) {
	if r := (*refusal)(nil); errors.As(err, &r) {
		body.Error = errorDetail{Message: r.message, Type: typeOf(r.status), Code: r.code}
		if r.param != "" {
			body.Error.Param = &r.param
		}
		return r.status, body
	}
	e := fault.As(err)
	status = e.Class.HTTPStatus()
	message := said[e.Class]
	switch {
	case tells(e.Class):
		message = e.Message
	case message == "":
		message = "the server failed"
	}
	body.Error = errorDetail{Message: message, Type: typeOf(status), Code: codeOf(e.Class)}
	return status, body
}

// codeOf is the class, but where OpenAI has a word of its own that clients know.
func codeOf(class fault.Class) string {
	switch class {
	case fault.ContextLength:
		return "context_length_exceeded"
	case fault.Contract:
		return "contract_violation"
	case fault.RateLimited:
		return "rate_limit_exceeded"
	case fault.Budget:
		return "insufficient_quota"
	}
	return string(class)
}

// typeOf names the kind of a failure as OpenAI does.
func typeOf(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}

// fail answers with a failure: as an HTTP answer while nothing was sent, else within
// the stream.
func (x *exchange) fail(err error) {
	x.failed = err
	status, body := bodyOf(err)
	if x.sent {
		x.failInBand(body)
		return
	}
	x.status = status
	if status == fault.StatusClientGone {
		return // there is nobody to tell
	}
	header := x.w.Header()
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	if r := (*refusal)(nil); !errors.As(err, &r) {
		// Our own retries are spent: the client's would multiply them.
		header.Set("X-Should-Retry", "false")
		if after := fault.As(err).RetryAfter; after > 0 {
			header.Set("Retry-After", seconds(after.Seconds()))
		}
	} else if r.after > 0 {
		header.Set("Retry-After", strconv.Itoa(r.after))
	}
	if x.call != nil {
		x.tell(header)
	}
	text, err := json.Marshal(body)
	if err == nil {
		_ = x.write(status, "application/json", text) // who is gone is not told
	}
}

// seconds rounds up: a client that comes too early comes in vain.
func seconds(s float64) string { return strconv.Itoa(int(math.Ceil(s))) }

// failInBand ends a stream that has begun, without its end mark.
func (x *exchange) failInBand(body errorBody) {
	text, err := json.Marshal(body)
	if err != nil {
		return
	}
	x.deadline()
	_, _ = x.w.Write([]byte("data: " + string(text) + "\n\n")) // who is gone is not told
}
