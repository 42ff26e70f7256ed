package openai

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// exchange is the state of one request. It travels in the context, because
// go-openai stands between Stream, which makes it, and wire, which uses it.
type exchange struct {
	model      string // on the wire
	request    []byte // from appendRequest
	whole      bool   // the request is whole, and so is the answer: no chat
	connecting connecting
	cancel     context.CancelCauseFunc // ends the request

	answer *lines         // set once the answer has begun
	limits *llm.RateLimit // what its head says of them
}

type exchangeKey struct{}

// wire is the RoundTripper under go-openai. It completes the request, makes a
// failure of every answer that is none, and bounds what is read.
//
// It follows no redirect: a POST that is sent on as a GET asks nothing, and one
// that is sent elsewhere gives the key away.
type wire struct{ *Provider }

// The bounds of a failure's body.
const (
	maxErrorBody = 1 << 20
	maxErrorTime = 2 * time.Second
)

// errSlow ends what a server is too slow to end.
var errSlow = errors.New("too slow to be waited for")

func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	ex := req.Context().Value(exchangeKey{}).(*exchange)
	envelope, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	body := ex.request
	if !ex.whole {
		if body, err = complete(ex.request, envelope); err != nil {
			return nil, err
		}
	}
	ctx := httptrace.WithClientTrace(req.Context(), ex.connecting.trace())
	ex.connecting.secure = req.URL.Scheme == "https"
	out := req.WithContext(ctx) // a copy: a RoundTripper changes no request
	out.Header = req.Header.Clone()
	out.Header.Set("User-Agent", "llmx")
	for name, value := range w.headers {
		out.Header.Set(name, value)
	}
	out.ContentLength = int64(len(body))
	out.Body = io.NopCloser(bytes.NewReader(body))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }

	resp, err := w.transport.RoundTrip(out)
	if err != nil {
		ex.connecting.abandon()
		if cause, ok := asFault(context.Cause(ctx)); ok {
			return nil, cause // not what that did to the transport
		}
		return nil, err
	}
	ex.connecting.done()
	if err := w.examine(ctx, resp, ex); err != nil {
		return nil, err
	}
	ex.limits = rateLimit(resp.Header, w.now)
	if ex.whole {
		return resp, nil
	}
	reader, _ := w.readers.Get().(*bufio.Reader)
	if reader == nil {
		reader = bufio.NewReaderSize(nil, readerSize)
	}
	reader.Reset(resp.Body)
	ex.answer = &lines{body: resp.Body, in: reader, pool: &w.readers, most: w.maxStream}
	resp.Body = ex.answer
	return resp, nil
}

// examine makes an error of an answer that is none, and then closes its body.
func (w wire) examine(ctx context.Context, resp *http.Response, ex *exchange) error {
	encoding := resp.Header.Get("Content-Encoding")
	plain := encoding == "" || strings.EqualFold(encoding, "identity")
	kind := resp.Header.Get("Content-Type")
	status := resp.StatusCode
	switch {
	case status >= 300 && status < 400:
		resp.Body.Close()
		return w.redirected(status, resp.Header.Get("Location"))
	case status < 200 || status >= 400:
		var said []byte
		var err error
		if plain && status >= 200 { // below it the body is the connection itself, which no deadline ends
			said, err = readFailure(resp.Body, ex)
		}
		resp.Body.Close()
		if err != nil && hasLeft(ctx) {
			return err // the caller left before the server had said why
		}
		return w.refused(status, resp.Header, said, ex.model)
	case !plain:
		resp.Body.Close()
		return w.malformed("an encoding that was not asked for (%s)", w.secrets.clean(encoding))
	case strings.HasPrefix(strings.ToLower(kind), "text/html"):
		resp.Body.Close()
		return w.malformed("an HTML page")
	}
	return nil
}

// readFailure reads a failure's body to its end, so that the connection can be
// used again. Of one that is too long, breaks off or takes too long nothing is
// passed on: its status stands.
func readFailure(body io.Reader, ex *exchange) ([]byte, error) {
	timer := time.AfterFunc(maxErrorTime, func() { ex.cancel(errSlow) })
	defer timer.Stop()
	said, err := io.ReadAll(io.LimitReader(body, maxErrorBody+1))
	if err != nil || len(said) > maxErrorBody {
		return nil, err
	}
	return said, nil
}

// hostOf is the host that a redirect leads to; the rest of it may hold secrets.
func hostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "another path"
	}
	return u.Host
}
