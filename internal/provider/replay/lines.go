package replay

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/llmx-dev/llmx/internal/fault"
)

// maxLine bounds one line, in bytes.
const maxLine = 16 << 20

// maxProblems bounds what is told of one file.
const maxProblems = 50

// fileLine is one line of a file, without its end. Text is valid until the next line.
type fileLine struct {
	text  []byte
	at    int64 // offset in the file
	n     int   // counted from 1
	ended bool  // by a line feed
}

// eachLine reads lines of bounded length. Blank ones are left out. It stops at
// the first error that each returns, or that reading gives.
func eachLine(file string, source io.Reader, each func(l fileLine) error) error {
	reader := bufio.NewReaderSize(source, 64<<10)
	var long []byte
	l := fileLine{}
	for {
		piece, err := reader.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if long = append(long, piece...); len(long) > maxLine {
				return tooLong(file, l.n+1)
			}
			continue
		}
		if err != nil && err != io.EOF {
			return fault.At(fault.Place{File: file}, "cannot be read: %v", err).Because(err)
		}
		if len(long) > 0 {
			long = append(long, piece...)
			if piece = long; len(piece) > maxLine {
				return tooLong(file, l.n+1)
			}
		}
		whole := len(piece)
		l.n++
		l.text, l.ended = bytes.CutSuffix(piece, []byte("\n"))
		l.text = bytes.TrimSuffix(l.text, []byte("\r"))
		if len(bytes.TrimSpace(l.text)) > 0 {
			if err := each(l); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		l.at += int64(whole)
		long = long[:0]
	}
}

func tooLong(file string, line int) error {
	return fault.At(fault.Place{File: file, Line: line}, "the line has more than %d MB", maxLine>>20)
}

var conflictMarkers = [][]byte{[]byte("<<<<<<<"), []byte("|||||||"), []byte("======="), []byte(">>>>>>>")}

func isConflictMarker(line []byte) bool {
	for _, marker := range conflictMarkers {
		if bytes.HasPrefix(line, marker) {
			return true
		}
	}
	return false
}

// problems collects what is wrong with a file, up to a bound.
type problems struct {
	list fault.List
	more int
}

func (p *problems) add(e *fault.Error) {
	if len(p.list) >= maxProblems {
		p.more++
		return
	}
	p.list.Add(e)
}

func (p *problems) err(file string) error {
	if p.more > 0 {
		last := p.list[len(p.list)-1].Place.Line
		p.list.Add(fault.At(fault.Place{File: file, Line: last}, "and %d more problems after this line", p.more))
	}
	return p.list.Err()
}
