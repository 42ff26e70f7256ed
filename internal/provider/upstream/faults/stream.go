package faults

import (
	"bytes"
	"time"
)

// SlowFirstToken sends the head at once and the first piece late.
func SlowFirstToken(d time.Duration) Behaviour {
	return streaming("first token after "+d.String(), func(x *Exchange, events [][]byte) {
		if x.Sleep(d) {
			x.SendAll(events)
		}
	})
}

// Paced sends an event every d, the first one at once.
func Paced(d time.Duration) Behaviour {
	return streaming("an event every "+d.String(), func(x *Exchange, events [][]byte) {
		for i, event := range events {
			if i > 0 && !x.Sleep(d) {
				return
			}
			x.whole.Store(i == len(events)-1)
			if !x.Send(event) {
				return
			}
		}
	})
}

// Cut sends a share of the stream's bytes and closes the connection, as a reset or
// not. With nothing sent the head has come all the same.
func Cut(share float64, reset bool) Behaviour {
	what := "cut"
	if reset {
		what = "cut by a reset"
	}
	return streaming(what, func(x *Exchange, events [][]byte) {
		all := bytes.Join(events, nil)
		if sent := all[:int(share*float64(len(all)))]; len(sent) > 0 && !x.Send(sent) {
			return
		}
		if reset {
			x.Reset()
		}
		x.Abort()
	})
}

// Stall sends so many pieces of the answer and then nothing more.
func Stall(after int) Behaviour {
	return streaming("stalls", func(x *Exchange, events [][]byte) {
		for _, event := range events[:min(after, pieces)] {
			if !x.Send(event) {
				return
			}
		}
		x.Hang()
	})
}

// Noise puts a line that is not JSON between the pieces of the right answer.
func Noise() Behaviour {
	return streaming("noise", func(x *Exchange, events [][]byte) {
		x.SendAll(inserted(events, "data: upstream connect error or disconnect/reset before headers\n\n"))
	})
}

// Broken damages a piece of the answer, which is then not whole.
func Broken() Behaviour {
	return streaming("a broken piece", func(x *Exchange, events [][]byte) {
		half := events[pieces/2]
		events[pieces/2] = append(bytes.Clone(half[:len(half)*3/4]), "\n\n"...)
		x.SendAll(events)
	})
}

// FailsMidway sends half of the pieces and then an error object, as vendors do that
// have already answered 200.
func FailsMidway() Behaviour {
	return streaming("an error midway", func(x *Exchange, events [][]byte) {
		failure := `data: {"error":{"message":"the engine failed","type":"server_error","param":null,"code":"server_error"}}` + "\n\n"
		x.SendAll(append(events[:pieces/2], []byte(failure)))
	})
}

// NoEnd sends all pieces and ends without finish reason and without end marker.
func NoEnd() Behaviour {
	return streaming("no end", func(x *Exchange, events [][]byte) { x.SendAll(events[:pieces]) })
}

// Comments sends a comment every d in place of an answer, for ever: a connection
// that lives and a model that does not.
func Comments(d time.Duration) Behaviour {
	return streaming("comments alone", func(x *Exchange, events [][]byte) {
		for x.Send([]byte(": still there\n\n")) && x.Sleep(d) {
			continue
		}
	})
}

// streaming sends the head of a right answer at once and lets send do what it will
// with its events: first the pieces, then finish reason, usage and end marker.
func streaming(what string, send func(x *Exchange, events [][]byte)) Behaviour {
	return func(x *Exchange) {
		x.Note("%s", what)
		reply := x.right()
		x.Head(200, nil)
		send(x, reply.Events(x.Model))
	}
}

// inserted puts a line into the middle of the pieces.
func inserted(events [][]byte, line string) [][]byte {
	out := make([][]byte, 0, len(events)+1)
	out = append(out, events[:pieces/2]...)
	out = append(out, []byte(line))
	return append(out, events[pieces/2:]...)
}
