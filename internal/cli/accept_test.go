package cli_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// accepted gives the lines of the baseline's file, by the model they are of.
func (s *tickets) accepted() map[string][]string {
	s.t.Helper()
	data, err := os.ReadFile(s.path("suites/tickets.baseline.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	of := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		for _, model := range []string{"small", "big"} {
			if strings.Contains(line, `"model":"`+model+`"`) {
				of[model] = append(of[model], line)
			}
		}
	}
	if n := len(of["small"]) + len(of["big"]); n != strings.Count(string(data), "\n") {
		s.t.Fatalf("%d lines of a model in\n%s", n, data)
	}
	return of
}

// Accepting a run of one model replaces that model's lines, and leaves those of the
// other byte for byte.
func TestAcceptKeepsTheOtherModel(t *testing.T) {
	s := newTickets(t, "")
	right := s.answer
	s.mustRun(0, "test", "--live", "--model", "small,big")
	s.mustRun(0, "baseline", "accept")
	before := s.accepted()
	if len(before["small"]) != 1+ticketCases || len(before["big"]) != 1+ticketCases {
		t.Fatalf("a header and %d lines a model: %v", ticketCases, before)
	}

	s.answer = func(model, ticket string) upstream.Reply {
		reply := right(model, ticket)
		reply.Text += " "
		return reply
	}
	s.mustRun(0, "test", "--live", "--fresh", "--model", "big")
	s.mustRun(0, "baseline", "accept")
	after := s.accepted()
	if !slices.Equal(after["small"], before["small"]) {
		t.Errorf("the lines of small were\n%s\nand are\n%s", before["small"], after["small"])
	}
	if len(after["big"]) != 1+ticketCases {
		t.Fatalf("big has the lines %v", after["big"])
	}
	for i, line := range after["big"] {
		if line == before["big"][i] {
			t.Errorf("a line of big is what it was: %s", line)
		}
	}

	s.mustRun(0, "test", "--live", "--model", "big", "--filter", "ticket-1")
	s.mustRun(0, "baseline", "accept", "--case", "ticket-1", "--because", "it is so")
	if last := s.accepted(); !slices.Equal(last["small"], before["small"]) {
		t.Errorf("accepting a case of big changed the lines of small:\n%s", last["small"])
	}
}
