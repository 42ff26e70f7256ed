package server

import (
	"net/http"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// streamChat answers with server-sent events. Nothing is sent until something has come,
// so that what fails before it is answered by its status.
func (x *exchange) streamChat(asked *chatRequest, req llm.Request) error {
	s := chatStream{x: x, asked: asked, chunk: x.completion("chat.completion.chunk")}
	s.chunk.Model = asked.model
	tellPrompt(x.w.Header(), req.Prompt)
	for event, err := range x.runtime.Engine.Stream(x.r.Context(), req) {
		if err != nil {
			return err
		}
		if event.Call != nil {
			x.call = event.Call
			x.server.recent.add(event.Call.ID)
			continue
		}
		if err := s.event(event); err != nil {
			return err
		}
	}
	return s.end()
}

// chatStream writes the pieces of an answer.
type chatStream struct {
	x     *exchange
	asked *chatRequest
	chunk completion // what all pieces have
	spoke bool       // the piece with the role was sent
	tools map[int]bool
	usage *usage
}

func (s *chatStream) event(event llm.Event) error {
	switch {
	case event.Restart != nil:
		if s.spoke {
			return fault.New(fault.Cut, "the answer that had begun was lost")
		}
	case event.Alive:
		return s.send(": waiting\n\n")
	case event.Text != "":
		return s.piece(&delta{Content: &event.Text}, nil)
	case event.ToolCall != nil:
		return s.piece(&delta{ToolCalls: []toolDelta{s.toolDelta(event.ToolCall)}}, nil)
	case event.End != nil:
		if event.End.Model != "" {
			s.chunk.Model = event.End.Model
		}
		s.usage, s.x.fellBack = usageOf(event.End.Usage), event.End.Fallback
		return s.piece(&delta{}, finishOf(event.End.Finish))
	}
	return nil
}

func (s *chatStream) toolDelta(d *llm.ToolCallDelta) toolDelta {
	piece := toolDelta{Index: d.Index, toolCall: toolCall{ID: d.ID, Function: toolFunction{d.Name, d.Arguments}}}
	if s.tools == nil {
		s.tools = map[int]bool{}
	}
	if !s.tools[d.Index] {
		s.tools[d.Index], piece.Type = true, "function"
	}
	return piece
}

// piece sends one chunk; the first has the role.
func (s *chatStream) piece(d *delta, finish *string) error {
	if !s.spoke {
		s.spoke, d.Role = true, string(llm.Assistant)
		if d.Content == nil && d.ToolCalls == nil && finish != nil {
			empty := ""
			d.Content = &empty
		}
	}
	chunk := s.chunk
	chunk.Choices = []choice{{Delta: d, Finish: finish}}
	return s.data(chunk)
}

// end sends the usage, the end mark, and what is known of the call as trailers.
func (s *chatStream) end() error {
	if s.asked.usage && s.usage != nil {
		chunk := s.chunk
		chunk.Usage = s.usage
		if err := s.data(chunk); err != nil {
			return err
		}
	}
	s.x.admission.leave()
	if err := s.send("data: [DONE]\n\n"); err != nil {
		return err
	}
	s.x.tell(s.x.w.Header())
	return nil
}

func (s *chatStream) data(value any) error {
	return s.send("data: " + string(mustJSON(value)) + "\n\n")
}

// send writes and flushes; the first time it sends the head.
func (s *chatStream) send(text string) error {
	x := s.x
	if !x.sent {
		header := x.w.Header()
		header.Set("Cache-Control", "no-cache")
		header.Set("X-Accel-Buffering", "no") // proxies that would gather the pieces
		header.Set("Trailer", strings.Join(late, ", "))
		x.head(http.StatusOK, "text/event-stream")
	}
	return x.push([]byte(text))
}
