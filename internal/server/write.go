package server

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// write answers with a whole body.
func (x *exchange) write(status int, kind string, text []byte) error {
	x.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.head(status, kind)
	x.admission.leave()
	return x.push(text)
}

func (x *exchange) head(status int, kind string) {
	x.w.Header().Set("Content-Type", kind)
	x.admission.tellLimits(x.w.Header())
	x.w.WriteHeader(status)
	x.sent, x.status = true, status
}

// push writes at once, so that the caller waits for no log and no figures, and takes the
// time of one that reads slowly.
func (x *exchange) push(text []byte) error {
	x.deadline()
	begin := time.Now()
	_, err := x.w.Write(text)
	if err == nil {
		err = http.NewResponseController(x.w).Flush()
	}
	x.timing.wrote(begin)
	if err != nil {
		return fault.New(fault.Canceled, "the caller went away").Because(err)
	}
	return nil
}

// deadline bounds the writing of what comes next, so that a caller that does not read
// holds nothing.
func (x *exchange) deadline() {
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.server.Write)) // a recorder has none
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// size writes bytes as people read them.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return fmt.Sprintf("%d MB", bytes>>20)
	case bytes >= 1<<10 && bytes%(1<<10) == 0:
		return fmt.Sprintf("%d KB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
