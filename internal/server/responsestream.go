package server

import (
	"errors"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// streamResponse answers with the events of the Responses API. Nothing is sent until
// something has come, as in a chat.
func (x *exchange) streamResponse(asked *responseRequest, req llm.Request) error {
	s := responseStream{out: chatStream{x: x}, asked: asked, body: x.newResponse(asked), message: -1, calls: map[int]int{}}
	tellPrompt(x.w.Header(), req.Prompt)
	for event, err := range x.runtime.Engine.Stream(x.r.Context(), req) {
		if err != nil {
			return s.fail(err)
		}
		if event.Call != nil {
			x.call = event.Call
			x.server.recent.add(event.Call.ID)
			continue
		}
		if err := s.event(event); err != nil {
			return s.fail(err)
		}
	}
	if s.end == nil {
		return nil
	}
	x.tell(x.w.Header())
	return nil
}

// responseStream writes the events of one answer. Their numbers count from 0.
type responseStream struct {
	out     chatStream
	asked   *responseRequest
	body    responseBody
	number  int
	began   bool
	message int         // index of the message in the output, -1 before it has begun
	calls   map[int]int // index of a tool call → its index in the output
	end     *llm.End
}

type object = map[string]any

func (s *responseStream) event(event llm.Event) error {
	switch {
	case event.Restart != nil && s.began:
		return fault.New(fault.Cut, "the answer that had begun was lost")
	case event.Alive:
		return s.out.send(": waiting\n\n")
	case event.Text == "" && event.ToolCall == nil && event.End == nil:
		return nil
	}
	if err := s.begin(); err != nil {
		return err
	}
	switch {
	case event.Text != "":
		return s.text(event.Text)
	case event.ToolCall != nil:
		return s.call(event.ToolCall)
	case event.End != nil:
		s.end = event.End
		return s.finish()
	}
	return nil
}

// begin sends what comes before the first item.
func (s *responseStream) begin() error {
	if s.began {
		return nil
	}
	s.began = true
	return s.sendAll(
		func() error { return s.send("response.created", object{"response": s.body}) },
		func() error { return s.send("response.in_progress", object{"response": s.body}) },
	)
}

// send writes an event.
func (s *responseStream) send(kind string, fields object) error {
	fields["type"], fields["sequence_number"] = kind, s.number
	s.number++
	return s.out.send("event: " + kind + "\ndata: " + string(mustJSON(fields)) + "\n\n")
}

// sendAll writes events until one cannot be written.
func (s *responseStream) sendAll(events ...func() error) error {
	for _, send := range events {
		if err := send(); err != nil {
			return err
		}
	}
	return nil
}

func (s *responseStream) messageID() string { return "msg_" + s.out.x.id }

func (s *responseStream) text(piece string) error {
	if s.message < 0 {
		s.message = len(s.body.Output)
		begun := messageItem{ID: s.messageID(), Type: "message", Status: "in_progress", Role: string(llm.Assistant), Content: []outputText{}}
		s.body.Output = append(s.body.Output, &begun)
		err := s.sendAll(
			func() error {
				return s.send("response.output_item.added", object{"output_index": s.message, "item": begun})
			},
			func() error { return s.send("response.content_part.added", s.part(textPart(""))) },
		)
		if err != nil {
			return err
		}
		begun.Content = []outputText{textPart("")}
	}
	said := s.body.Output[s.message].(*messageItem)
	said.Content[0].Text += piece
	fields := s.place()
	fields["delta"], fields["logprobs"] = piece, []any{}
	return s.send("response.output_text.delta", fields)
}

// place says which part of which item an event is of.
func (s *responseStream) place() object {
	return object{"item_id": s.messageID(), "output_index": s.message, "content_index": 0}
}

func (s *responseStream) part(part outputText) object {
	fields := s.place()
	fields["part"] = part
	return fields
}

func (s *responseStream) call(d *llm.ToolCallDelta) error {
	at, known := s.calls[d.Index]
	if !known {
		at = len(s.body.Output)
		s.calls[d.Index] = at
		begun := callItem{ID: "fc_" + d.ID, Type: "function_call", Status: "in_progress", CallID: d.ID, Name: d.Name}
		s.body.Output = append(s.body.Output, &begun)
		if err := s.send("response.output_item.added", object{"output_index": at, "item": begun}); err != nil {
			return err
		}
	}
	call := s.body.Output[at].(*callItem)
	call.Arguments += d.Arguments
	if d.Arguments == "" {
		return nil
	}
	return s.send("response.function_call_arguments.delta", object{"item_id": call.ID, "output_index": at, "delta": d.Arguments})
}

// finish completes every item, in the order of the output, and the answer.
func (s *responseStream) finish() error {
	if len(s.body.Output) == 0 { // an empty answer is a message without a word
		if err := s.text(""); err != nil {
			return err
		}
	}
	for at, it := range s.body.Output {
		if err := s.complete(at, it); err != nil {
			return err
		}
	}
	s.body.finish(*s.end, s.asked)
	s.out.x.admission.leave()
	return s.send("response."+s.body.Status, object{"response": s.body})
}

func (s *responseStream) complete(at int, it any) error {
	done := func() error { return s.send("response.output_item.done", object{"output_index": at, "item": it}) }
	switch it := it.(type) {
	case *messageItem:
		it.Status = "completed"
		text := s.place()
		text["text"], text["logprobs"] = it.Content[0].Text, []any{}
		return s.sendAll(
			func() error { return s.send("response.output_text.done", text) },
			func() error { return s.send("response.content_part.done", s.part(it.Content[0])) },
			done,
		)
	case *callItem:
		it.Status = "completed"
		return s.sendAll(
			func() error {
				return s.send("response.function_call_arguments.done", object{"item_id": it.ID, "output_index": at, "name": it.Name, "arguments": it.Arguments})
			},
			done,
		)
	}
	return nil
}

// errInBand marks a failure that the stream has told.
type errInBand struct{ error }

func (e errInBand) Unwrap() error { return e.error }

// fail ends a stream of which something was sent with response.failed.
func (s *responseStream) fail(err error) error {
	if !s.out.x.sent || s.end != nil && s.body.Status != "in_progress" {
		return err
	}
	if sent := s.begin(); sent != nil {
		return sent
	}
	_, body := bodyOf(err)
	s.body.Status, s.body.Error = "failed", &responseError{body.Error.Code, body.Error.Message}
	if sent := s.send("response.failed", object{"response": s.body}); sent != nil {
		return sent
	}
	return errInBand{err}
}

// told reports a failure that the caller has been told of.
func told(err error) bool { return errors.As(err, new(errInBand)) }
