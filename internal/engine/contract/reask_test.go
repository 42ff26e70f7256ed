package contract

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// inTurn answers one request after the other, and remembers them.
type inTurn struct {
	answers []llm.Response
	asked   []llm.Request
	keeps   []int // by answer: how often it was to be kept
}

func (m *inTurn) Stream(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	i := len(m.asked)
	m.asked = append(m.asked, req)
	m.keeps = append(m.keeps, 0)
	answer := m.answers[i]
	answer.End.Keep = func() { m.keeps[i]++ }
	return answer.Events()
}

func says(text string) llm.Response {
	return llm.Response{Text: text, End: llm.End{Finish: llm.FinishStop}}
}

func proposes(list []llm.ToolCall) llm.Response {
	return llm.Response{ToolCalls: list, End: llm.End{Finish: llm.FinishToolCalls}}
}

var tickets = llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(ticketSchema), Reask: 2}

func TestAnAnswerThatBreaksItsContractGoesBack(t *testing.T) {
	model := &inTurn{answers: []llm.Response{says(`{"label":"sales"}`), says("billing!"), says(`{"label":"billing"}`)}}
	call := &llm.Call{}
	ask := llm.Request{Messages: []llm.Message{llm.Text(llm.User, "Label it.")}, Output: tickets, Reuse: llm.ReuseAllowed}
	response, err := llm.Collect(New(model).Stream(llm.WithCall(t.Context(), call), ask))
	if err != nil || response.Text != `{"label":"billing"}` {
		t.Fatalf("got %q, %v; want the last answer", response.Text, err)
	}
	var kinds, violations []string
	for _, turn := range call.Turns {
		kinds, violations = append(kinds, turn.Kind), append(violations, turn.Violation)
	}
	if diff := cmp.Diff([]string{"ask", "re-ask", "re-ask"}, kinds); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(violations[0], "/label: expected") || !strings.HasPrefix(violations[1], "not JSON") || violations[2] != "" {
		t.Errorf("violations %q", violations)
	}
	last := model.asked[2]
	var said []string
	for _, m := range last.Messages {
		said = append(said, string(m.Role)+": "+m.Text())
	}
	const form = "\nAnswer again, the whole answer, in the form that was asked for and with nothing around it."
	want := []string{
		"user: Label it.",
		`assistant: {"label":"sales"}`, "user: This answer cannot be accepted: " + violations[0] + form,
		"assistant: billing!", "user: This answer cannot be accepted: " + violations[1] + form,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	for i, req := range model.asked {
		if req.Reask != i || len(req.Messages) != 1+2*i {
			t.Errorf("request %d is the re-ask %d with %d messages", i, req.Reask, len(req.Messages))
		}
	}
	// The cache has the first answer under the first request: it must not be kept.
	if diff := cmp.Diff([]int{0, 0, 1}, model.keeps); diff != "" {
		t.Error(diff)
	}
}

func TestTheLastAnswerIsRefusedWhereNoneIsValid(t *testing.T) {
	model := &inTurn{answers: []llm.Response{says("a"), says("b"), says("c")}}
	call := &llm.Call{}
	_, err := llm.Collect(New(model).Stream(llm.WithCall(t.Context(), call), llm.Request{Output: tickets}))
	if fault.ClassOf(err) != fault.Contract || len(call.Turns) != 3 || call.Turn().Answer != "c" {
		t.Errorf("%v after %d turns", err, len(call.Turns))
	}
}

// Nothing but a broken contract is mended by saying so.
func TestOtherFailuresDoNotGoBack(t *testing.T) {
	for _, finish := range []llm.FinishReason{llm.FinishLength, llm.FinishContentFilter} {
		model := &inTurn{answers: []llm.Response{{Text: "{", End: llm.End{Finish: finish}}}}
		if _, err := llm.Collect(New(model).Stream(t.Context(), llm.Request{Output: tickets})); err == nil || len(model.asked) != 1 {
			t.Errorf("%s: %v after %d requests", finish, err, len(model.asked))
		}
	}
	down := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return llm.Fail(fault.New(fault.ServerError, "down"))
	})
	call := &llm.Call{}
	if _, err := llm.Collect(New(down).Stream(llm.WithCall(t.Context(), call), llm.Request{Output: tickets})); fault.ClassOf(err) != fault.ServerError || len(call.Turns) != 1 {
		t.Errorf("%v after %d turns", err, len(call.Turns))
	}
}

// Vendors refuse a call without its result, an id twice, and a name of other letters.
func TestCallsGoBackSoThatTheWireIsValid(t *testing.T) {
	refused := []llm.ToolCall{{ID: "c", Name: "look up!", Arguments: "{}"}, {ID: "c", Name: "now", Arguments: ""}}
	model := &inTurn{answers: []llm.Response{proposes(refused), proposes(calls("now", ""))}}
	ask := llm.Request{Tools: invoiceTools, Output: llm.Output{Reask: 1}, Live: true}
	response, err := llm.Collect(New(model).Stream(t.Context(), ask))
	if err != nil || len(response.ToolCalls) != 1 || response.ToolCalls[0].Arguments != "{}" {
		t.Fatalf("got %v, %v", response.ToolCalls, err)
	}
	got := model.asked[1].Messages
	const said = "not called: the calls were refused"
	want := []llm.Message{
		{Role: llm.Assistant, Parts: []llm.Part{
			{Kind: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "c", Name: "look_up_", Arguments: "{}"}},
			{Kind: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "call_2", Name: "now"}},
		}},
		{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: "c", Name: "look_up_", Content: said}}}},
		{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: "call_2", Name: "now", Content: said}}}},
		llm.Text(llm.User, "None of these calls was made, as they cannot be accepted: call 1: no tool is called \"look up!\"; allowed: lookup_invoice, now\nAnswer again, with calls that can."),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if refused[0].Name != "look up!" {
		t.Error("what the model said was changed")
	}
}
