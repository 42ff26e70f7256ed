package server

import (
	"errors"
	"net/http"
	"strings"
	"unicode"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

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
	fault.Auth:              "this server has no key that the model's provider takes",
	fault.NotFound:          "the model's provider does not know the model",
	fault.QuotaExhausted:    "the quota of this server at the model's provider is spent",
	fault.Cut:               "the answer of the model's provider was cut off",
	fault.Budget:            "the budget is spent, or what is left of it is less than this request may cost",
	fault.ContextLength:     "the request is longer than the model's context",
	fault.ContentFilter:     "a content filter of the model's provider withheld the answer, or refused the request",
	fault.BadRequest:        "the model's provider refuses the request",
	fault.Store:             "what is stored cannot be read now",
	fault.Missing:           "there is no reply to give",
	fault.Canceled:          "the caller went away",
}

// tells reports a class whose message is for the caller: it speaks of the request or
// of the answer, and is ours.
func tells(class fault.Class) bool {
	return class == fault.Usage || class == fault.Contract || class == fault.Length
}

// messageOf is what a caller is told of a failure.
func messageOf(e *fault.Error) string {
	message := said[e.Class]
	switch {
	case e.Class == fault.Contract:
		return "the answer breaks its contract: " + e.Message
	case tells(e.Class):
		return e.Message
	case message == "":
		return "the server failed"
	case e.Class == fault.BadRequest && harmless(e.Said): // what is wrong with a request its caller must know
		return message + ": " + e.Said
	}
	return message
}

// ForCaller puts the failures of a call into the words that callers are told.
func ForCaller(call *llm.Call) {
	tellFailure(call.Failure)
	for i := range call.Turns {
		for j := range call.Turns[i].Attempts {
			tellFailure(call.Turns[i].Attempts[j].Failure)
		}
	}
}

func tellFailure(f *llm.Failure) {
	if f != nil {
		f.Message = messageOf(fault.New(f.Class, "%s", f.Message))
	}
}

// maxSaid bounds the words of a provider that are passed on, in bytes.
const maxSaid = 300

// harmless reports words of a provider that name no address, no file and no code.
func harmless(words string) bool {
	if words == "" || len(words) > maxSaid || strings.ContainsFunc(words, unicode.IsControl) {
		return false
	}
	if strings.ContainsAny(words, "/\\<>{}@") {
		return false
	}
	for word := range strings.FieldsSeq(words) {
		if strings.Count(word, ".") > 1 || strings.Contains(strings.Trim(word, ".:,;"), ":") || strings.HasPrefix(word, "sk-") {
			return false // hosts, addresses with a port, keys
		}
	}
	return true
}

// The bounds of what is told, and logged, in bytes: a message may repeat what a caller
// sent, who may have sent megabytes as the name of a model.
const (
	maxTold  = 4 << 10
	maxParam = 200
	maxPath  = 400
)

// bodyOf makes what a caller is told of a failure.
func bodyOf(err error) (status int, body errorBody) {
	if r := (*refusal)(nil); errors.As(err, &r) {
		body.Error = errorDetail{Message: cut(r.message, maxTold), Type: typeOf(r.status, r.code), Code: r.code}
		if r.param != "" {
			param := cut(r.param, maxParam)
			body.Error.Param = &param
		}
		return r.status, body
	}
	e := fault.As(err)
	status = statusOf(e)
	code := codeOf(e.Class)
	body.Error = errorDetail{Message: cut(messageOf(e), maxTold), Type: typeOf(status, code), Code: code}
	return status, body
}

// statusOf is the status of the class, but where a provider's own says more: a redirect
// is our configuration and not the request, and a request may be too large.
func statusOf(e *fault.Error) int {
	switch {
	case e.Class == fault.BadRequest && e.Status >= 300 && e.Status < 400:
		return http.StatusBadGateway
	case e.Class == fault.BadRequest && e.Status == http.StatusRequestEntityTooLarge:
		return e.Status
	}
	return e.Class.HTTPStatus()
}
