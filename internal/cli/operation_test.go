package cli_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// judge is llmx test or rescore with --json; it checks the exit code, the default
// gate of checks on cost and time, and that accuracy is whole.
func (s *tickets) judge(want int, args ...string) {
	s.t.Helper()
	code, stdout, stderr := s.run(append(args, "--json")...)
	var run runDocument
	decode(s.t, []byte(stdout), &run)
	if code != want || len(run.Groups) != 1 {
		s.t.Fatalf("llmx %v: exit %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	gate := run.Groups[0].gate(s.t, eval.MetricOperational)
	if !gate.Default || gate.Kind != eval.GateMin || gate.Limit != 1 || gate.Pass != (want == 0) {
		s.t.Errorf("llmx %v: the gate is %+v", args, gate)
	}
	if accuracy := run.Groups[0].metric(s.t, "accuracy"); *accuracy.Value != 1 {
		s.t.Errorf("llmx %v: accuracy %v: a bound is no part of it", args, *accuracy.Value)
	}
}

// A case costs 50,000 nano-USD. The bound fails the run by its own gate, also on
// answers that are stored: a kept answer keeps its cost.
func TestMaxCostFailsTheRun(t *testing.T) {
	s := newTickets(t, "{max_cost: 0.00005}")
	s.judge(fault.ExitOK, "test", "--live")
	s.judge(fault.ExitOK, "rescore")
	s.expect("{max_cost: 0.000049}")
	s.judge(fault.ExitGate, "rescore")
	s.judge(fault.ExitGate, "test", "--live")
	s.judge(fault.ExitGate, "test", "--live", "--fresh")
	s.expect("{max_cost: 0.00005}")
	s.judge(fault.ExitOK, "rescore")
	if n := s.server.Count(); n != 2*ticketCases {
		t.Errorf("the provider was asked %d times, want %d", n, 2*ticketCases)
	}
}

// A bound on time speaks of answers that are given now; a kept one passes.
func TestMaxLatencyFailsTheRun(t *testing.T) {
	s := newTickets(t, "{max_latency: 1m}")
	s.answer = func(string, string) upstream.Reply {
		return upstream.Reply{Text: "billing", Delay: 5 * time.Millisecond}
	}
	s.judge(fault.ExitOK, "test", "--live")
	s.expect("{max_latency: 4ms}")
	s.judge(fault.ExitGate, "rescore")
	s.judge(fault.ExitOK, "test", "--live") // from the cache
	s.judge(fault.ExitOK, "rescore")
	s.judge(fault.ExitGate, "test", "--live", "--fresh")
}

// unprice takes a model's price out of llmx.yaml.
func (s *tickets) unprice(model string) {
	s.t.Helper()
	data, err := os.ReadFile(s.path("llmx.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  "+model+":") {
			lines[i] = strings.Replace(line, ", price: {input: 1, output: 2}", "", 1)
		}
	}
	s.write("llmx.yaml", strings.Join(lines, ""))
}

func TestMaxCostNeedsAPrice(t *testing.T) {
	s := newTickets(t, "{max_cost: 0.00005}")
	s.unprice("small")
	code, _, stderr := s.run("test", "--live")
	if code != fault.ExitInvalid || !strings.Contains(stderr, `the price of the model "small" is not known, and max_cost bounds its cost`) || s.server.Count() != 0 {
		t.Errorf("exit %d after %d requests: %s", code, s.server.Count(), stderr)
	}
}

// A budget in dollars over a model whose price nobody knows is a file error.
func TestLintRefusesABudgetWithoutAPrice(t *testing.T) {
	s := newTickets(t, "")
	s.settings("budgets: [{scope: project, usd: 20, per: day}]\n")
	s.mustRun(0, "lint")
	s.unprice("big")
	code, _, stderr := s.run("lint")
	if code != fault.ExitInvalid || !strings.Contains(stderr, `error: llmx.yaml:7:10: the price of the model "big" is not known, and the file has a budget in dollars`) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
