package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/cli"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/store"
)

// tickets is a project with a suite of three tickets, on a provider on loopback. The
// models small and big are asked; a case is one request.
type tickets struct {
	*site
	server *upstream.Server
	answer func(model, ticket string) upstream.Reply // set before the first request
}

const ticketCases = 3

const ticketPrompt = `---
name: triage
description: Labels a ticket.
inputs:
  ticket: {kind: string, required: true}
---
system:
Label the ticket.
user:
{{ ticket }}
`

// newTickets makes the project. Every ticket is answered with the label billing;
// the suite wants that, and what expect says besides.
func newTickets(t *testing.T, expect string) *tickets {
	t.Helper()
	s := &tickets{answer: func(string, string) upstream.Reply { return upstream.Reply{Text: "billing"} }}
	s.server = upstream.New(t, func(model string, messages []upstream.Message, _ map[string]any) upstream.Reply {
		reply := s.answer(model, messages[len(messages)-1].Content)
		reply.Usage = &upstream.Usage{Prompt: 40, Completion: 5} // 50,000 nano-USD
		return reply
	})
	s.site = newSite(t, map[string]string{"prompts/triage/draft.prompty": ticketPrompt})
	s.settings("")
	s.expect(expect)
	return s
}

// settings writes llmx.yaml with these lines at its end.
func (s *tickets) settings(more string) {
	s.t.Helper()
	s.write("llmx.yaml", fmt.Sprintf(`version: 1
project: tickets
providers:
  loopback: {kind: openai, base_url: %q}
models:
  small: {provider: loopback, price: {input: 1, output: 2}}
  big:   {provider: loopback, price: {input: 1, output: 2}}
test: {jobs: 1}
%s`, s.server.URL(), more))
}

// expect writes the suite, with these checks for every case.
func (s *tickets) expect(checks string) {
	s.t.Helper()
	text := "suite: tickets\nprompt: triage\nmodels: [small]\n"
	if checks != "" {
		text += "expect: [" + checks + "]\n"
	}
	text += "cases:\n"
	for i := range ticketCases {
		text += fmt.Sprintf("  - {id: ticket-%d, vars: {ticket: %q}, golden: billing}\n", i, ticketText(i))
	}
	s.write("suites/tickets.yaml", text)
}

func ticketText(i int) string { return fmt.Sprintf("I was charged twice for order %d", i) }

// asked counts the requests that a command line makes, which ends with exit 0.
func (s *tickets) asked(args ...string) int {
	s.t.Helper()
	before := s.server.Count()
	s.mustRun(0, args...)
	return s.server.Count() - before
}

// at is a command line at a time of day.
func (s *site) at(now time.Time, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Run(context.Background(), args, &cli.World{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Dir: s.dir, Now: func() time.Time { return now }, Width: 120,
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	return code, out.String(), errs.String()
}

// stored works on the project's store.
func (s *site) stored(work func(*store.Store)) {
	s.t.Helper()
	kept, err := store.Open(s.t.Context(), filepath.Join(s.dir, ".llmx", "llmx.db"), store.Options{Now: time.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	work(kept)
	if err := kept.Close(); err != nil {
		s.t.Fatal(err)
	}
}
