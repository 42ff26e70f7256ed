package openai

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// FuzzStream changes streams as servers and proxies do: what is left must never
// pass for the whole when it is not, and must be an answer when it is.
func FuzzStream(f *testing.F) {
	for i := range 64 {
		script := make([]byte, 256)
		r := rand.New(rand.NewPCG(uint64(i), 3))
		for j := range script {
			script[j] = byte(r.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		mutated(rand.New(&scripted{script, rand.PCG{}})).check(t)
	})
}

// The bound is the issue's: 10,000 replies and streams, always a class, no hang.
func TestManyMutatedAnswers(t *testing.T) {
	start := time.Now()
	r := rand.New(rand.NewPCG(7, 11))
	outcomes := map[string]int{}
	for range 11_000 {
		outcomes[mutated(r).check(t)]++
	}
	t.Logf("%v in %v", outcomes, time.Since(start))
	for _, outcome := range []string{"whole", "in part", "cut", "malformed", "rate_limited", "server_error"} {
		if outcomes[outcome] < 50 {
			t.Errorf("%d answers were %s: the mutations are too tame", outcomes[outcome], outcome)
		}
	}
}

// scripted draws numbers from bytes, so that a fuzzer decides them; then as it comes.
type scripted struct {
	bytes []byte
	then  rand.PCG
}

func (s *scripted) Uint64() uint64 {
	if len(s.bytes) == 0 {
		return s.then.Uint64()
	}
	var word [8]byte
	s.bytes = s.bytes[copy(word[:], s.bytes):]
	return binary.LittleEndian.Uint64(word[:])
}

// mutant is an answer that was changed.
type mutant struct {
	status int
	lines  []line
	object bool   // one JSON object, not a stream
	text   string // what was said at first
	crlf   bool

	cutAt  int   // bytes that are left; -1 for all
	broken error // how it ends then
	r      *rand.Rand

	harmed bool // the text may not be what it was
	unsure bool // it may be no answer
}

// line is one line of a stream and what it is for.
type line struct {
	raw     string
	content bool
	finish  bool
	marker  bool
	junk    bool
	lost    bool // a piece that cannot be read
}

var (
	saidPieces = []string{"Hel", "lo ", "wörld", `"quoted"`, "\n\n", "😀", "choices", "data: x", "[DONE]", `{"error":{}}`, " "}
	junkLines  = []string{"data: keep-alive", `data: {"ping":`, "data: [1]", "data: null", `data: "x"`, "data: <p>"}
	quietLines = []string{": comment", "", "event: x", "id: 7", "data:", `data: {"ping":1}`, `data: {"choices":[]}`}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// mutated makes an answer and changes it up to three times.
func mutated(r *rand.Rand) *mutant {
	m := &mutant{status: 200, cutAt: -1, r: r, crlf: r.IntN(4) == 0, object: r.IntN(5) == 0}
	if r.IntN(10) == 0 {
		m.status = pick(r, []int{400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529, 302, 204})
		m.unsure = true
	}
	if m.object {
		m.make(1)
		raw := strings.TrimPrefix(m.lines[0].raw, "data: ")
		raw = strings.Replace(raw, `"delta"`, `"message"`, 1)
		m.lines = []line{{raw: raw, content: true}}
	} else {
		m.make(1 + r.IntN(6))
	}
	for range r.IntN(4) {
		m.change()
	}
	return m
}

// make makes the stream of an answer in so many pieces.
func (m *mutant) make(pieces int) {
	piece := func(delta map[string]any, finish any) string {
		raw, _ := json.Marshal(map[string]any{
			"id": "r1", "object": "chat.completion.chunk", "model": "gpt-9",
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}},
		})
		return "data: " + string(raw)
	}
	for range pieces {
		said := pick(m.r, saidPieces)
		m.text += said
		m.lines = append(m.lines, line{raw: piece(map[string]any{"content": said}, nil), content: true})
	}
	m.lines = append(m.lines, line{raw: piece(map[string]any{}, pick(m.r, []string{"stop", "length", "tool_calls", "content_filter", "odd"})), finish: true})
	if m.r.IntN(2) == 0 {
		m.lines = append(m.lines, line{raw: strings.TrimSpace(usageChunk)})
	}
	m.lines = append(m.lines, line{raw: "data: [DONE]", marker: true})
}

// change changes the answer in one way.
func (m *mutant) change() {
	i := m.r.IntN(len(m.lines))
	at := &m.lines[i]
	insert := func(l line) { m.lines = append(m.lines[:i:i], append([]line{l}, m.lines[i:]...)...) }
	switch way := m.r.IntN(9); {
	case way == 0 && len(m.lines) > 1: // a line is lost
		m.harmed = m.harmed || at.content
		m.lines = append(m.lines[:i:i], m.lines[i+1:]...)
	case way == 1 && !m.object: // a line comes twice
		m.harmed = m.harmed || at.content
		insert(*at)
	case way == 2 && i+1 < len(m.lines): // two lines change places
		next := &m.lines[i+1]
		m.harmed = m.harmed || at.content && (next.content || next.marker)
		*at, *next = *next, *at
	case way == 3 && at.raw != "": // a byte is another
		k := m.r.IntN(len(at.raw))
		at.raw = at.raw[:k] + string([]byte{byte(m.r.Uint32())}) + at.raw[k+1:]
		m.harmed, m.unsure = true, true
	case way == 4 && !m.object:
		insert(line{raw: pick(m.r, junkLines), junk: true})
	case way == 5 && !m.object:
		insert(line{raw: pick(m.r, quietLines)})
	case way == 6 && !m.object: // an error in the middle
		insert(line{raw: `data: {"error":{"message":"` + testKey + `","code":` + strconv.Itoa(400+m.r.IntN(200)) + `}}`})
		m.unsure = true
	case way == 7 && !m.object: // a piece of an answer in the middle that cannot be read
		insert(line{raw: `data: {"choices":[{"delta":{"content":"lost"`, lost: true})
		m.unsure = true
	case way == 8: // cut off, or reset
		m.cutAt = m.r.IntN(len(m.body()) + 1)
		m.broken = pick(m.r, []error{nil, io.ErrUnexpectedEOF, syscall.ECONNRESET})
		m.unsure = true
	}
}

func (m *mutant) body() string {
	lineBreak := "\n\n"
	if m.crlf {
		lineBreak = "\r\n\r\n"
	}
	var b strings.Builder
	for _, l := range m.lines {
		b.WriteString(l.raw)
		b.WriteString(lineBreak)
	}
	return b.String()
}

// choppy gives the body in pieces of any size, and then its end.
type choppy struct {
	rest string
	end  error
	r    *rand.Rand
}

func (c *choppy) Read(p []byte) (int, error) {
	if c.rest == "" {
		return 0, c.end
	}
	n := copy(p[:min(len(p), 1+c.r.IntN(200))], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// check passes the answer through the provider and says what became of it.
func (m *mutant) check(t *testing.T) string {
	t.Helper()
	body, end := m.body(), io.EOF
	if m.cutAt >= 0 {
		body = body[:min(m.cutAt, len(body))]
		if m.broken != nil {
			end = m.broken
		}
	}
	finished, early, lost, marked, junk := m.object, false, false, false, 0
	for i, l := range m.lines {
		marked = marked || l.marker
		lost = lost || l.lost && !marked && !m.harmed && m.cutAt < 0
		finished = finished || l.finish || l.marker
		if l.junk {
			junk++
		}
		for _, later := range m.lines[i:] {
			early = early || l.finish && later.content // cut off after it, a piece is lost
		}
	}
	got, err := through(t, &http.Response{
		StatusCode: m.status, Header: http.Header{"Content-Type": {pick(m.r, []string{"text/event-stream", "application/json", ""})}},
		Body: io.NopCloser(&choppy{body, end, m.r}),
	})
	_, told := asFault(err)
	class := "whole"
	switch {
	case told:
		e, _ := asFault(err)
		class = string(e.Class)
		if !m.unsure && finished && !m.harmed {
			t.Fatalf("%v: it is whole\n%q", err, body)
		}
		if m.status == 200 && !strings.HasPrefix(m.text, got.Text) && !m.harmed {
			t.Fatalf("%q came, of %q\n%q", got.Text, m.text, body)
		}
	case lost:
		t.Fatalf("a piece is lost, and %q passes for the whole\n%q", got.Text, body)
	case got.Text != m.text && !m.harmed && !(early && m.cutAt >= 0):
		t.Fatalf("%q passes for the whole, want %q\n%q", got.Text, m.text, body)
	case !m.harmed && got.End.Skipped > junk:
		t.Fatalf("%d lines were skipped, want at most %d\n%q", got.End.Skipped, junk, body)
	case got.Text != m.text:
		class = "in part"
	}
	return class
}
