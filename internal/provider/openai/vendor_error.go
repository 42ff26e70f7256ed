package openai

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// vendorError is what a vendor says about a failure, "" where it does not.
type vendorError struct {
	message string
	code    string // "insufficient_quota", or a number
	kind    string // "invalid_request_error"
	param   string // the parameter that is wrong: "messages", "input_tokens"
	inner   string // Azure's code within
	status  int    // a code that is the number of an HTTP failure

	filtered string // what a filter has found: "hate high, jailbreak"
}

// errorBody has the places where servers put it: under "error" as an object or a
// text, or at the top; the message as one text or many.
type errorBody struct {
	Error   json.RawMessage `json:"error"`
	Message json.RawMessage `json:"message"`
	Detail  json.RawMessage `json:"detail"`
	Type    json.RawMessage `json:"type"`
	Code    json.RawMessage `json:"code"`
	Param   json.RawMessage `json:"param"`
	Inner   struct {
		Code   json.RawMessage            `json:"code"`
		Filter map[string]json.RawMessage `json:"content_filter_result"`
	} `json:"innererror"`
}

// parseVendorError reads the body of a failure. A text that is not JSON is the
// message, unless it is a page for a browser.
func parseVendorError(body []byte) vendorError {
	body = bytes.TrimSpace(body)
	var b errorBody
	if err := json.Unmarshal(body, &b); err != nil && !json.Valid(body) {
		if bytes.HasPrefix(body, []byte("<")) {
			return vendorError{}
		}
		return vendorError{message: string(body)}
	}
	v := vendorError{}
	if len(b.Error) > 0 {
		if b.Error[0] != '{' {
			v.message = plain(b.Error)
		} else {
			inner := errorBody{}
			_ = json.Unmarshal(b.Error, &inner) // the fields that fit
			b = inner
		}
	}
	if v.message == "" {
		v.message = plain(b.Message)
	}
	if v.message == "" {
		v.message = plain(b.Detail)
	}
	v.code, v.kind, v.param, v.inner = plain(b.Code), plain(b.Type), plain(b.Param), plain(b.Inner.Code)
	v.filtered = filtered(b.Inner.Filter)
	if n, err := strconv.Atoi(v.code); err == nil && n >= 400 && n < 600 {
		v.status = n
	}
	return v
}

// filtered lists the categories for which Azure has filtered a prompt, with the
// severity where there is one.
func filtered(categories map[string]json.RawMessage) string {
	var found []string
	for name, raw := range categories {
		var result struct {
			Filtered bool   `json:"filtered"`
			Severity string `json:"severity"`
		}
		if json.Unmarshal(raw, &result) != nil || !result.Filtered || len(name)+len(result.Severity) > maxCode {
			continue
		}
		found = append(found, strings.TrimSpace(name+" "+result.Severity))
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

// plain is a JSON string's text, a list of strings joined, null as nothing, and
// everything else as it is written.
func plain(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil {
		return strings.Join(many, ", ")
	}
	return string(raw)
}

// byCode are the codes and types that say more than the status they come with.
var byCode = map[string]fault.Class{
	"insufficient_quota":           fault.QuotaExhausted,
	"exceeded_current_quota_error": fault.QuotaExhausted, // Moonshot
	"billing_hard_limit_reached":   fault.QuotaExhausted,
	"billing_not_active":           fault.QuotaExhausted,
	"insufficient_balance":         fault.QuotaExhausted,
	"context_length_exceeded":      fault.ContextLength,
	"exceed_context_size_error":    fault.ContextLength, // llama.cpp
	"content_filter":               fault.ContentFilter,
	"content_policy_violation":     fault.ContentFilter,
	"responsibleaipolicyviolation": fault.ContentFilter, // Azure
	"rate_limit_exceeded":          fault.RateLimited,
	"model_not_found":              fault.NotFound,
	"invalid_api_key":              fault.Auth,
}

// byKind are the ones that speak only where there is no status, in a stream.
var byKind = map[string]fault.Class{
	"rate_limit_error":      fault.RateLimited,
	"requests":              fault.RateLimited,
	"tokens":                fault.RateLimited,
	"overloaded":            fault.Overloaded,
	"overloaded_error":      fault.Overloaded,
	"server_overloaded":     fault.Overloaded,
	"service_unavailable":   fault.Overloaded,
	"authentication_error":  fault.Auth,
	"permission_error":      fault.Auth,
	"not_found_error":       fault.NotFound,
	"invalid_request_error": fault.BadRequest,
	"badrequesterror":       fault.BadRequest, // vLLM
}

// classOf finds the class of a failure from its code, its status (0 where there
// was none) and its type, in this order. What a server in the middle of its answer
// does not explain is its own fault.
func classOf(status int, v vendorError) fault.Class {
	for _, word := range []string{v.inner, v.code, v.kind} {
		if class, ok := byCode[strings.ToLower(word)]; ok {
			return class
		}
	}
	if status == http.StatusBadRequest && v.param == "input_tokens" {
		return fault.ContextLength // vLLM has no other code for it
	}
	if status != 0 {
		return classOfStatus(status)
	}
	for _, word := range []string{v.code, v.kind} {
		if class, ok := byKind[strings.ToLower(word)]; ok {
			return class
		}
	}
	return fault.ServerError
}

func classOfStatus(status int) fault.Class {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Auth
	case http.StatusPaymentRequired:
		return fault.QuotaExhausted
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusTooManyRequests:
		return fault.RateLimited
	case http.StatusServiceUnavailable, 529: // 529: "overloaded", of some vendors and proxies
		return fault.Overloaded
	case http.StatusRequestTimeout, http.StatusConflict:
		return fault.ServerError
	}
	if status >= 500 || status < 400 {
		return fault.ServerError
	}
	return fault.BadRequest
}
