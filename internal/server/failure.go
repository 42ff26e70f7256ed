package server

import (
	"fmt"
	"net/http"

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

// codeOf is the class, but where OpenAI has a word of its own that clients know.
func codeOf(class fault.Class) string {
	switch class {
	case fault.Invalid, fault.Drifted, fault.Empty, fault.Internal, fault.NoMatch, fault.Gate, fault.Unjudged, fault.Judge:
		return "internal_error"
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
func typeOf(status int, code string) string {
	switch {
	case code == "insufficient_quota":
		return code
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
