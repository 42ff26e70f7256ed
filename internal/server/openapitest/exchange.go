package openapitest

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Exchange is a request and its answer, as a test has seen them.
type Exchange struct {
	Method, Path string
	Asked        string // the body of the request
	Status       int
	Header       http.Header // of the answer
	Trailer      http.Header // nil where it was not read
	Answer       string      // its whole body
}

// Seen is the exchange of a request whose body was asked, and whose answer's was answered.
func Seen(r *http.Request, asked string, response *http.Response, answered string) Exchange {
	return Exchange{r.Method, r.URL.Path, asked, response.StatusCode, response.Header, response.Trailer, answered}
}

// Hold fails the test where an exchange is not as the document says: a status, a header
// or a field that is not described, a body that its schema refuses, and a body of a
// request that was answered although its schema refuses that.
func (d *Document) Hold(t testing.TB, e Exchange) {
	t.Helper()
	for _, wrong := range d.Wrong(e) {
		t.Errorf("%s %s: %d: not as the OpenAPI document says: %s\nasked: %.500s\nanswered: %.1000s", e.Method, e.Path, e.Status, wrong, e.Asked, e.Answer)
	}
}

// Wrong lists what is not as the document says.
func (d *Document) Wrong(e Exchange) []string {
	operation := d.find(e.Method, e.Path)
	switch {
	case e.Method == http.MethodHead || e.Method == http.MethodOptions:
		return nil
	case operation == nil:
		if e.Status < 400 {
			return []string{"there is no such operation"}
		}
		return d.check(d.failure, []byte(e.Answer), true)
	}
	described := operation.Answers[fmt.Sprint(e.Status)]
	if described == nil {
		return []string{"there is no such status"}
	}
	wrong := append(described.headers(d, e), d.answer(described, e)...)
	if e.Status < 300 && operation.Body != nil {
		wrong = append(wrong, prefixed("the request: ", d.check(operation.Body.Content["application/json"].Schema, []byte(e.Asked), false))...)
	}
	return wrong
}

func prefixed(prefix string, list []string) []string {
	for i := range list {
		list[i] = prefix + list[i]
	}
	return list
}

// usual are the headers of HTTP itself, of streams and of browsers, which a document of
// an API does not name.
var usual = []string{
	"Content-Type", "Content-Length", "Date", "Connection", "Cache-Control", "Trailer", "X-Accel-Buffering", "Vary",
	"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Keep-Alive",
}

// headers holds those that were sent against those that are named.
func (a *Answer) headers(d *Document, e Exchange) (wrong []string) {
	named := map[string]header{}
	for name, one := range a.Headers {
		named[http.CanonicalHeaderKey(name)] = one
		if one.Required && e.Header.Get(name) == "" {
			wrong = append(wrong, "the header "+name+" is not there")
		}
	}
	for _, sent := range []http.Header{e.Header, e.Trailer} {
		for name, values := range sent {
			if slices.Contains(usual, name) || len(values) == 0 {
				continue
			}
			one, ok := named[name]
			if !ok {
				wrong = append(wrong, "the header "+name+" is not described")
				continue
			}
			text, _ := json.Marshal(values[0]) // a string always can be
			wrong = append(wrong, prefixed("the header "+name+": ", d.check(one.Schema, text, true))...)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// answer holds the body against the schema of its type: a stream event by event.
func (d *Document) answer(a *Answer, e Exchange) []string {
	kind, _, err := mime.ParseMediaType(e.Header.Get("Content-Type"))
	content, ok := a.Content[kind]
	switch {
	case err != nil || !ok:
		return []string{fmt.Sprintf("an answer of the type %q is not described", e.Header.Get("Content-Type"))}
	case kind == "text/event-stream":
		return d.events(content.Schema, e.Answer)
	case kind == "application/json":
		return d.check(content.Schema, []byte(e.Answer), true)
	}
	return nil
}

// events holds every event of a stream against the schema of its data. One that has a
// name has it as its type, too.
func (d *Document) events(schema map[string]any, stream string) (wrong []string) {
	for event := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		name, data := "", ""
		for line := range strings.SplitSeq(event, "\n") {
			switch field, value, _ := strings.Cut(line, ": "); field {
			case "event":
				name = value
			case "data":
				data += value
			case "":
			default:
				wrong = append(wrong, fmt.Sprintf("the line %q is none of an event", line))
			}
		}
		if data == "" || data == "[DONE]" {
			continue
		}
		var typed struct{ Type string }
		if json.Unmarshal([]byte(data), &typed) == nil && typed.Type != name {
			wrong = append(wrong, fmt.Sprintf("an event of the name %q has the type %q", name, typed.Type))
		}
		wrong = append(wrong, d.check(schema, []byte(data), true)...)
	}
	return wrong
}
