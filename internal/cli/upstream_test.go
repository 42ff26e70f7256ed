package cli

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// shopServer is the provider of the scripts' project. The model's name says how it
// behaves.
type shopServer struct {
	*upstream.Server
	ready          chan struct{} // closed when Server is set
	lates, revoked atomic.Int64
	busy           atomic.Int64
}

func newShopServer(t testing.TB) *shopServer {
	s := &shopServer{ready: make(chan struct{})}
	s.Server = upstream.New(t, s.answer)
	close(s.ready)
	return s
}

func (s *shopServer) answer(model string, messages []upstream.Message, options map[string]any) upstream.Reply {
	if reply, asked := judgeReply(model, messages, options); asked {
		return reply
	}
	ticket := messages[len(messages)-1].Content
	again := strings.Contains(ticket, "cannot be accepted")
	if again {
		ticket = firstOfUser(messages)
	}
	right := upstream.Reply{Text: fmt.Sprintf(`{"label": %q}`, labelOf(ticket)), Usage: &upstream.Usage{Prompt: 40, Completion: 5}}
	switch model {
	case "wrong": // always
		right.Text = `{"label": "other"}`
	case "one-wrong": // in one case of three
		if labelOf(ticket) == "account" {
			right.Text = `{"label": "other"}`
		}
	case "half": // wrong in one case of three, and silent in another
		switch labelOf(ticket) {
		case "account":
			right.Text = `{"label": "other"}`
		case "bug":
			return vendorError(503, "overloaded_error", "try later")
		}
	case "fenced": // the right answer, wrapped
		right.Text = "Here it is:\n```json\n" + right.Text + "\n```"
	case "broken": // no JSON, in spite of the contract
		right.Text = "Sure! The label is billing."
	case "refused": // the key is echoed, as some servers do
		return vendorError(401, "invalid_api_key", "the key "+s.key()+" is not valid")
	case "revoked": // the key works once
		if s.revoked.Add(1) > 1 {
			return vendorError(401, "invalid_api_key", "the key "+s.key()+" was revoked")
		}
	case "unknown":
		return vendorError(404, "model_not_found", "there is no such model")
	case "down":
		return vendorError(503, "overloaded_error", "try later")
	case "busy": // every second time, for a moment
		if s.busy.Add(1)%2 == 1 {
			reply := vendorError(429, "rate_limit_exceeded", "not so fast")
			reply.Headers = map[string]string{"Retry-After-Ms": "60"}
			return reply
		}
	case "page":
		return upstream.Reply{Body: "<html>welcome</html>", Headers: map[string]string{"Content-Type": "text/html"}}
	case "cut":
		right.Pieces, right.CutAfter = 4, 300
	case "stuck": // answers after the test is over
		right.Delay = time.Hour
	case "late": // … but the first
		if s.lates.Add(1) > 1 {
			right.Delay = time.Hour
		}
	case "slow": // long enough to be interrupted
		right.Delay = time.Second
	case "mends": // breaks the contract until it is told so
		if !again {
			right.Text = `{"label": "sales"}`
		}
	case "calls", "calls-mends": // the tool that the ticket asks for; the second one wrongly until it is told so
		return callFor(ticket, messages, model == "calls-mends" && !again)
	case "clerk", "hasty": // talks, and has tools
		return clerkReply(model == "hasty", messages)
	case "formless": // an old server
		if options["response_format"] != nil {
			return vendorError(400, "invalid_parameter", "unknown field response_format")
		}
	case "short": // as strict mode lets it be, which knows no minLength
		right.Text = `{"label": ""}`
	case "echo": // the key, in the answer itself
		right.Text = `{"label": "billing", "key": "` + s.key() + `"}`
	}
	return right
}

func firstOfUser(messages []upstream.Message) string {
	for _, m := range messages {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// callFor looks up the invoice that a ticket names, and answers once it is there.
func callFor(ticket string, messages []upstream.Message, wrong bool) upstream.Reply {
	usage := &upstream.Usage{Prompt: 40, Completion: 5}
	if messages[len(messages)-1].Role == "tool" {
		return upstream.Reply{Text: "It is paid: " + messages[len(messages)-1].Content, Usage: usage}
	}
	if !strings.Contains(ticket, "invoice") {
		return upstream.Reply{Text: "Nothing to look up.", Usage: usage}
	}
	id := ticket[strings.LastIndexByte(ticket, ' ')+1:]
	if wrong {
		id = `"` + id + `"`
	}
	return upstream.Reply{
		Text: "I look. ", Finish: "tool_calls", Usage: usage,
		ToolCalls: []upstream.ToolCall{{ID: "call_" + id, Name: "lookup_invoice", Arguments: `{"id": ` + id + `}`}},
	}
}

// key is the key of the last request.
func (s *shopServer) key() string {
	<-s.ready
	all := s.Requests()
	return strings.TrimPrefix(all[len(all)-1].Header.Get("Authorization"), "Bearer ")
}

func labelOf(ticket string) string {
	for word, label := range map[string]string{"charged": "billing", "crash": "bug", "log in": "account"} {
		if strings.Contains(ticket, word) {
			return label
		}
	}
	return "other"
}

func vendorError(status int, code, message string) upstream.Reply {
	return upstream.Reply{Status: status, Body: fmt.Sprintf(`{"error": {"message": %q, "type": "error", "code": %q}}`, message, code)}
}

// closedPort is an address on loopback where nobody listens.
func closedPort(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String() + "/v1"
}
