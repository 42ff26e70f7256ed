package openai

import (
	"fmt"
	"net/http"
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

func TestEndlessBodies(t *testing.T) {
	// The line ends long before the bound of a stream: some of what is poured
	// waits in the sockets.
	const most = maxWhole + 16<<20
	poured := 0
	pour := func(kind, begin, piece string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, begin)
			much := []byte(strings.Repeat(piece, 1<<16/len(piece)))
			for {
				n, err := w.Write(much)
				poured += n
				if err != nil || poured > most {
					return // err: the client has gone
				}
			}
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"line":   pour("text/event-stream", "data: ", "x"),
		"object": pour("application/json", "{", "x"),
		"spaces": pour("application/json", "", " "),
		"answer": pour("text/event-stream", "", `data: {"choices":[{"delta":{"content":"`+strings.Repeat("x", 1<<15)+`"}}]}`+"\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			poured = 0
			done := make(chan struct{})
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				handler(w, r)
			})
			p.maxAnswer = 1 << 20
			_, err := ask(t, p)
			<-done
			if fault.ClassOf(err) != fault.Malformed || poured > most {
				t.Errorf("after %d bytes: got %v", poured, err)
			}
		})
	}
}
