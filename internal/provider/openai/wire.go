package openai

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// exchange is the state of one request. It travels in the context, because
// go-openai stands between Stream, which makes it, and wire, which uses it.
type exchange struct {
	model   string // on the wire
	request []byte // from appendRequest
	answer  *lines // set once the answer has begun
}

type exchangeKey struct{}

// wire is the RoundTripper under go-openai. It completes the request, makes a
// failure of every answer that is none, and bounds what is read.
//
// It follows no redirect: a POST that is sent on as a GET asks nothing, and one
// that is sent elsewhere gives the key away.
type wire struct{ *Provider }

// maxErrorBody bounds the body of a failure.
const maxErrorBody = 1 << 20

func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	ex := req.Context().Value(exchangeKey{}).(*exchange)
	envelope, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	body, err := complete(ex.request, envelope)
	if err != nil {
		return nil, err
	}
	out := req.WithContext(req.Context()) // a copy: a RoundTripper changes no request
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
		return nil, err
	}
	if err := w.examine(resp, ex.model); err != nil {
		return nil, err
	}
	reader, _ := w.readers.Get().(*bufio.Reader)
	if reader == nil {
		reader = bufio.NewReaderSize(nil, readerSize)
	}
	reader.Reset(resp.Body)
	ex.answer = &lines{body: resp.Body, in: reader, pool: &w.readers}
	resp.Body = ex.answer
	return resp, nil
}

// examine makes an error of an answer that is none, and then closes its body.
func (w wire) examine(resp *http.Response, model string) error {
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
		if plain {
			said = readBounded(resp.Body)
		}
		resp.Body.Close()
		return w.refused(status, resp.Header, said, model)
	case !plain:
		resp.Body.Close()
		return w.malformed("an encoding that was not asked for (%s)", w.secrets.clean(encoding))
	case strings.HasPrefix(strings.ToLower(kind), "text/html"):
		resp.Body.Close()
		return w.malformed("an HTML page")
	}
	return nil
}

// readBounded reads a failure's body to its end, so that the connection can be
// used again; of one that is too long or breaks off, nothing is passed on.
func readBounded(body io.Reader) []byte {
	said, err := io.ReadAll(io.LimitReader(body, maxErrorBody+1))
	if err != nil || len(said) > maxErrorBody {
		return nil
	}
	return said
}

// hostOf is the host that a redirect leads to; the rest of it may hold secrets.
func hostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "another path"
	}
	return u.Host
}
