package openai

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

// failure makes the fault of whatever ended a request. What already is one was
// told from status and code; then the caller's leaving explains every failure of
// the transport; the rest is the transport's own.
func (p *Provider) failure(ctx context.Context, err error) *fault.Error {
	if e, ok := asFault(err); ok {
		return e
	}
	if hasLeft(ctx) {
		return p.left(ctx)
	}
	// An error of the client wraps the URL, which is not for printing.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return p.unreached(wrapped.Err)
	}
	switch {
	case errors.Is(err, errHTML):
		return p.malformed("an HTML page").Because(err)
	case errors.Is(err, errTooLong):
		return p.malformed("more than is allowed (line %d MB, object %d MB, stream %d MB, answer %d MB)",
			maxLine>>20, maxWhole>>20, p.maxStream>>20, p.maxAnswer>>20).Because(err)
	}
	return p.cut(err)
}

// hasLeft reports whether it is the caller who ended the request, and not our own
// impatience.
func hasLeft(ctx context.Context) bool { return ctx.Err() != nil && context.Cause(ctx) != errSlow }

// left is why the caller left: its own fault if it gave one as the cause.
func (p *Provider) left(ctx context.Context) *fault.Error {
	reason := fault.Ended(ctx, nil)
	if _, given := asFault(context.Cause(ctx)); given {
		return reason
	}
	switch reason.Class {
	case fault.TimeoutTotal:
		reason.Message = fmt.Sprintf("provider %q had not answered when the time was up", p.name)
	case fault.Canceled:
		reason.Message = fmt.Sprintf("canceled while provider %q was answering", p.name)
	}
	return reason
}

// unreached is a failure before the answer began.
func (p *Provider) unreached(err error) *fault.Error {
	class := fault.Network
	op, isOp := errors.AsType[*net.OpError](err)
	timeout, isTimeout := errors.AsType[net.Error](err)
	dialing := isOp && (op.Op == "dial" || op.Op == "proxyconnect")
	if isTimeout && timeout.Timeout() && (dialing || !isOp) {
		class = fault.TimeoutConnect // of the dial, or of the TLS handshake
	}
	said := p.secrets.clean(err.Error())
	if errors.Is(err, io.EOF) {
		said = "the connection was closed before an answer"
	}
	e := fault.New(class, "provider %q could not be reached: %s", p.name, said).Because(err)
	switch hint := hintOfTLS(err); {
	case hint != "":
		e.Hint = hint
	case isOp && op.Op == "proxyconnect":
		e.Hint = "is the proxy of the environment (HTTPS_PROXY, NO_PROXY) right, and running?"
	case dialing:
		e.Hint = hintUnreached
	default:
		if _, isDNS := errors.AsType[*net.DNSError](err); isDNS {
			e.Hint = hintUnreached
		}
	}
	return e
}

const hintUnreached = "is the server running, and is base_url in llmx.yaml right?"

// hintOfTLS says what helps where no secure connection came about, "" where that
// was not the trouble. The class has no word for a certificate that is refused, and
// waiting mends none of these.
func hintOfTLS(err error) string {
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "base_url in llmx.yaml begins with https, and the server speaks http"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is of an authority that this machine does not trust: add it to the system's, or name its file in SSL_CERT_FILE"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is of another server: is base_url in llmx.yaml right?"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the certificate is out of date, or the clock of this machine is wrong"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate of the server is not accepted; asking again does not help"
	}
	return ""
}

// cut is a stream that ended without its end.
func (p *Provider) cut(err error) *fault.Error {
	e := fault.New(fault.Cut, "the answer of provider %q was cut off", p.name)
	e.Err = err
	return e
}

// damaged is an answer that has lost a piece.
func (p *Provider) damaged() *fault.Error {
	e := p.malformed("a stream of which a piece is damaged")
	e.Hint = ""
	return e
}

// lostCall is an answer with a tool call of which nobody knows what the model meant.
func (p *Provider) lostCall() *fault.Error {
	e := p.malformed("a tool call that has not the form of one")
	e.Hint = ""
	return e
}

// malformed is an answer with status 200 that is not what the wire promises.
func (p *Provider) malformed(format string, args ...any) *fault.Error {
	e := fault.New(fault.Malformed, "provider %q answered with %s", p.name, fmt.Sprintf(format, args...))
	e.Status = http.StatusOK
	return e.WithHint("does base_url in llmx.yaml lead to the chat API? it often ends in /v1")
}

// redirected is an answer that sends us elsewhere.
func (p *Provider) redirected(status int, location string) *fault.Error {
	e := fault.New(fault.BadRequest, "provider %q answered %d: a redirect to %s, which is not followed",
		p.name, status, p.secrets.clean(hostOf(location)))
	e.Status = status
	return e.WithHint("write where it leads as base_url in llmx.yaml, if you trust it with the key")
}

// refused is an answer with the status of a failure.
func (p *Provider) refused(status int, header http.Header, body []byte, model string) *fault.Error {
	v := parseVendorError(body)
	e := p.explained(classOf(status, v), v, model)
	e.Status = status
	e.RetryAfter = retryAfter(status, header, p.now)
	said := p.secrets.clean(v.message)
	if said == "" {
		said = http.StatusText(status)
	}
	e.Message, e.Said = fmt.Sprintf("provider %q answered %d%s: %s", p.name, status, e.Message, said), said
	return e
}

// refusedMidway is an error object in an answer with status 200; its own number,
// if it has one, is the status.
func (p *Provider) refusedMidway(body []byte, model string) *fault.Error {
	v := parseVendorError(body)
	e := p.explained(classOf(v.status, v), v, model)
	e.Status = v.status
	said := p.secrets.clean(v.message)
	if said == "" {
		said = "no reason given"
	}
	e.Message, e.Said = fmt.Sprintf("provider %q failed in its answer%s: %s", p.name, e.Message, said), said
	return e
}

// maxCode is the length up to which a vendor's word for something is passed on.
const maxCode = 64

// explained begins an error with what its class adds to the message, and its hint.
func (p *Provider) explained(class fault.Class, v vendorError, model string) *fault.Error {
	e := &fault.Error{Class: class}
	code := p.secrets.clean(v.code)
	if len(code) > maxCode {
		code = ""
	}
	if filtered := p.secrets.clean(v.filtered); class == fault.ContentFilter && filtered != "" {
		code = strings.TrimPrefix(code+": "+filtered, ": ")
	}
	if code != "" {
		e.Message = " (" + code + ")"
	}
	switch class {
	case fault.Auth:
		e.Hint = "check api_key of the provider in llmx.yaml"
		if !p.hasKey {
			e.Hint = "the provider has no api_key in llmx.yaml"
		}
	case fault.NotFound:
		e.Message += fmt.Sprintf(" for model %q", model)
		e.Hint = "check the model's name, and base_url of the provider, in llmx.yaml"
	case fault.QuotaExhausted:
		e.Hint = "the account has no credit left; waiting does not help"
	}
	return e
}
