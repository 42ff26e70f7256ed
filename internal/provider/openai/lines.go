package openai

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"
)

// Bounds of an answer, in bytes. A stream may be longer than what it says, since
// every token comes in an envelope of some hundred bytes.
const (
	maxLine   = 4 << 20   // one line of a stream
	maxWhole  = 32 << 20  // an answer that comes in one piece
	maxStream = 256 << 20 // all lines of a stream
	maxAnswer = 8 << 20   // the text, reasoning and tool calls in a stream

	readerSize = 4 << 10
	maxDrain   = 4 << 10 // what may follow the end marker
)

var (
	errTooLong = errors.New("longer than allowed")
	errHTML    = errors.New("an HTML page")
)

// lines reads the body of an answer and gives go-openai a stream that it cannot
// stumble over: nothing but lines "data: …", bounded. That one fails after 300 comments
// in a row, keeps every line it does not know, and drops an error object whose
// form it does not know. A body that is one JSON object becomes a stream of one.
type lines struct {
	body    io.ReadCloser
	in      *bufio.Reader
	pool    *sync.Pool
	pending []byte // of the line that is being given out
	line    []byte
	spill   []byte // of a line that is longer than the reader's buffer
	most    int    // bytes that are read of a stream
	read    int
	err     error

	began  bool
	whole  bool // one JSON object, not a stream
	data   bool // a data line was seen
	marker bool // the end marker was seen
}

func (l *lines) Read(p []byte) (int, error) {
	for len(l.pending) == 0 {
		if l.err != nil {
			return 0, l.err
		}
		l.next()
	}
	n := copy(p, l.pending)
	l.pending = l.pending[n:]
	return n, nil
}

// Close closes the body. What was not read of it is lost, and its connection too.
func (l *lines) Close() error {
	if l.in != nil {
		l.in.Reset(nil)
		l.pool.Put(l.in)
		l.in, l.pending, l.err = nil, nil, io.ErrClosedPipe
	}
	return l.body.Close()
}

// drain reads what follows the end marker, so that the connection can be used
// again. It may block until the server ends the body.
func (l *lines) drain() {
	_, _ = io.CopyN(io.Discard, l.in, maxDrain)
}

// next puts the next line that matters into pending, or sets err.
func (l *lines) next() {
	if !l.began {
		l.begin()
		return
	}
	line, err := l.readLine()
	if err != nil {
		l.err = err
		if err != io.EOF {
			return // a line that was broken off says nothing
		}
	}
	payload, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:"))
	if !ok {
		return
	}
	l.data = true
	payload = bytes.TrimSpace(payload)
	done := string(payload) == "[DONE]"
	if err != nil && !done && !json.Valid(payload) {
		return // the last line was broken off, and says nothing either
	}
	l.give(payload)
	if done {
		l.marker, l.err = true, io.EOF
	}
}

// begin tells by its first letter what the body is: servers answer a stream with
// any content type, and one object to who asked for a stream.
func (l *lines) begin() {
	for {
		c, err := l.in.ReadByte()
		if err != nil {
			l.err = err
			return
		}
		l.read++
		switch {
		case l.read > maxLine:
			l.err = errTooLong
			return
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		}
		_ = l.in.UnreadByte() // right after ReadByte it cannot fail
		l.began = true
		switch c {
		case '<':
			l.err = errHTML
		case '{':
			l.readWhole()
		}
		return
	}
}

// readWhole gives out a body that is one object as the only line.
func (l *lines) readWhole() {
	l.whole, l.data = true, true
	body, err := io.ReadAll(io.LimitReader(l.in, maxWhole+1))
	switch {
	case err != nil:
		l.err = err
	case len(body) > maxWhole:
		l.err = errTooLong
	default:
		for i, c := range body { // JSON has line breaks only between its tokens
			if c == '\n' || c == '\r' {
				body[i] = ' '
			}
		}
		l.give(bytes.TrimSpace(body))
		l.marker, l.err = true, io.EOF
	}
}

// give sets pending to a data line. The space that it puts into an error object
// keeps go-openai from recognising it: it is told apart in chunk, in every form.
func (l *lines) give(payload []byte) {
	l.line = append(l.line[:0], "data: "...)
	if bytes.HasPrefix(payload, []byte(`{"error"`)) {
		l.line = append(l.line, "{ "...)
		payload = payload[1:]
	}
	l.line = append(l.line, payload...)
	l.line = append(l.line, '\n')
	l.pending = l.line
}

// readLine reads up to a line break or the end. The line is valid until the next call.
func (l *lines) readLine() ([]byte, error) {
	part, err := l.in.ReadSlice('\n')
	l.read += len(part)
	if err != bufio.ErrBufferFull {
		if l.read > l.most {
			return nil, errTooLong
		}
		return part, err
	}
	l.spill = append(l.spill[:0], part...)
	for err == bufio.ErrBufferFull {
		part, err = l.in.ReadSlice('\n')
		l.read += len(part)
		if len(l.spill)+len(part) > maxLine || l.read > l.most {
			return nil, errTooLong
		}
		l.spill = append(l.spill, part...)
	}
	return l.spill, err
}
