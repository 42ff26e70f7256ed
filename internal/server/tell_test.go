package server_test

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/server"
)

// What a provider said is not for callers, in an explained call either.
func TestACallIsExplainedInOurWords(t *testing.T) {
	said := func(class fault.Class) *llm.Failure {
		return &llm.Failure{Class: class, Message: "dial tcp 10.0.0.7:8000: no"}
	}
	call := &llm.Call{Failure: said(fault.Network), Turns: []llm.Turn{{Attempts: []llm.Attempt{{Failure: said(fault.Auth)}, {}, {Failure: said(fault.Internal)}}}}}
	server.ForCaller(call)
	for _, f := range []*llm.Failure{call.Failure, call.Turns[0].Attempts[0].Failure, call.Turns[0].Attempts[2].Failure} {
		if f.Message == "" || strings.Contains(f.Message, "10.0.0.7") {
			t.Errorf("%s: %q", f.Class, f.Message)
		}
	}
	ours := &llm.Call{Failure: &llm.Failure{Class: fault.Contract, Message: "label: want one of a, b"}}
	if server.ForCaller(ours); !strings.HasSuffix(ours.Failure.Message, "label: want one of a, b") {
		t.Errorf("%q", ours.Failure.Message)
	}
}
