package openai

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
)

// What is said to be compressed is not read, whatever it is.
func TestCompressedAnswers(t *testing.T) {
	for _, body := range []string{"not gzip at all", firstChunk + lastChunk + doneLine} {
		_, err := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, body)
		}))
		if fault.ClassOf(err) != fault.Malformed || !strings.Contains(err.Error(), "gzip") {
			t.Errorf("got %v", err)
		}
	}
}

// The server must see that nobody reads on, after a bounded part of what it could
// send: 1 GB of every kind.
func TestEndlessBodies(t *testing.T) {
	const gigabyte = 1 << 30
	piece := `data: {"choices":[{"delta":{"content":"` + strings.Repeat("x", 1<<15) + `"}}]}` + "\n\n"
	for name, test := range map[string]struct {
		status      int
		kind        string
		begin, then string
		most        int
		class       fault.Class
	}{
		"line":             {200, "text/event-stream", "data: ", "x", maxLine, fault.Malformed},
		"line, compressed": {200, "gzip", "\x1f\x8b\x08", "x", 0, fault.Malformed},
		"object":           {200, "application/json", "{", "x", maxWhole, fault.Malformed},
		"object, in lines": {200, "application/json", "{\"choices\":[", "{},\n", maxWhole, fault.Malformed},
		"spaces":           {200, "application/json", "", " ", maxLine, fault.Malformed},
		"page":             {200, "text/html", "<html>", "x", 0, fault.Malformed},
		"page, unsaid":     {200, "", "<html>", "x", 0, fault.Malformed},
		"answer":           {200, "text/event-stream", "", piece, 1 << 19, fault.Malformed},
		"comments":         {200, "text/event-stream", firstChunk, ": still here\n\n", 1 << 19, fault.Malformed},
		"junk":             {200, "text/event-stream", firstChunk, "data: still here\n\n", 1 << 19, fault.Malformed},
		"after the end":    {200, "text/event-stream", firstChunk + lastChunk + doneLine, "x", 0, ""},
		"failure":          {500, "application/json", `{"error":{"message":"`, "x", maxErrorBody, fault.ServerError},
		"redirect":         {302, "text/plain", "", "x", 0, fault.BadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			poured, aborted := make(chan int, 1), make(chan bool, 1)
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", test.kind)
				if test.kind == "gzip" {
					w.Header().Set("Content-Encoding", test.kind)
				}
				if test.status == 200 {
					w.Header().Set("Content-Length", strconv.Itoa(gigabyte))
				}
				w.WriteHeader(test.status)
				n, err := io.WriteString(w, test.begin)
				much := []byte(strings.Repeat(test.then, 1+1<<16/len(test.then)))
				for sent := n; err == nil && n < gigabyte; n += sent {
					sent, err = w.Write(much[:min(len(much), gigabyte-n)])
				}
				poured <- n
				aborted <- err != nil
			})
			p.maxAnswer, p.maxStream = 1<<18, 1<<19
			_, err := ask(t, p)
			if test.class == "" && err != nil || test.class != "" && fault.ClassOf(err) != test.class {
				t.Errorf("got %v, want class %q", err, test.class)
			}
			// Some of it waits in the sockets and buffers of both ends.
			if n, gone := <-poured, <-aborted; !gone || n > test.most+64<<20 {
				t.Errorf("the server sent %d MB, and saw us leave: %v", n>>20, gone)
			}
		})
	}
}
