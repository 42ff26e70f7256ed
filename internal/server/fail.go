package server

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/llmx-dev/llmx/internal/fault"
)

// fail answers with a failure: as an HTTP answer while nothing was sent, else within
// the stream.
func (x *exchange) fail(err error) {
	x.failed = err
	status, body := bodyOf(err)
	switch {
	case status == fault.StatusClientGone: // there is nobody to tell
		x.status = status
		return
	case x.sent:
		if told(err) {
			x.tell(x.w.Header())
			return
		}
		x.failInBand(body)
		return
	}
	x.status = status
	header := x.w.Header()
	header.Del("Trailer")
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	x.retrying(err, header)
	if x.call != nil {
		x.tell(header)
	}
	if text, err := json.Marshal(body); err == nil {
		_ = x.write(status, "application/json", text) // who is gone is not told
	}
}

// retrying says whether, and when, it is of use to ask again.
func (x *exchange) retrying(err error, header http.Header) {
	if r := (*refusal)(nil); errors.As(err, &r) {
		if r.after > 0 {
			header.Set("Retry-After", strconv.Itoa(r.after))
		}
		if r.status == http.StatusRequestTimeout {
			header.Set("Connection", "close") // the rest of the body may still come
		}
		return
	}
	// Our own retries are spent: the client's would multiply them.
	header.Set("X-Should-Retry", "false")
	if after := fault.As(err).RetryAfter; after > 0 {
		header.Set("Retry-After", seconds(after.Seconds()))
	}
}

// seconds rounds up: a client that comes too early comes in vain.
func seconds(s float64) string { return strconv.Itoa(int(math.Ceil(s))) }

// failInBand ends a stream that has begun, without its end mark. The official clients
// raise what they find under error.
func (x *exchange) failInBand(body errorBody) {
	text, err := json.Marshal(body)
	if err != nil {
		return
	}
	x.admission.leave()
	_ = x.push([]byte("data: " + string(text) + "\n\n")) // who is gone is not told
	x.tell(x.w.Header())
}
