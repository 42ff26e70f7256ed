package engine_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// asked is when each model was asked.
type asked = map[string][]time.Duration

// at is a list of times in seconds.
func at(seconds ...float64) []time.Duration {
	times := make([]time.Duration, len(seconds))
	for i, s := range seconds {
		times[i] = sec(s)
	}
	return times
}

func sec(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// underContract wants the right answer, and it valid.
var underContract = llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(faults.Schema)}

// question is what tests ask where it does not matter.
var question = []llm.Message{llm.Text(llm.User, "what goes wrong?")}

// row is a scenario that is played in every mode, as far as it makes sense there.
// What it expects is for an answer that comes whole or not at all; live and contract
// say what else holds where the pieces come as they are, and under a contract.
type row struct {
	faults.Scenario
	live     func(*faults.Scenario)
	contract func(*faults.Scenario)

	policy   func(*route.Policy)
	contexts map[string]int
	at       map[string]func(*faults.Server) string
}

// run plays the row. No mode but live may let anything of an answer through that
// comes to nothing, and the pauses are the longest that are drawn.
func (r row) run(t *testing.T) {
	for _, mode := range []struct {
		name   string
		ask    func(*llm.Request)
		change func(*faults.Scenario)
		live   bool
	}{
		{name: "whole", ask: func(*llm.Request) {}},
		{name: "live", ask: func(req *llm.Request) { req.Live = true }, change: r.live, live: true},
		{name: "under a contract", ask: func(req *llm.Request) {
			req.Live, req.KeepAlive, req.Output = true, 7*time.Second, underContract // it is not live for all that
		}, change: r.contract},
	} {
		scenario := r.Scenario
		scenario.Name += ", " + mode.name
		scenario.Either = []string{"broken", "tools-stray"} // ended where they are damaged
		scenario.Ask = mode.ask
		scenario.Nothing = scenario.Nothing || scenario.Class != "" && !mode.live
		if mode.change != nil {
			mode.change(&scenario)
		}
		scenario.Run(t, func(t testing.TB, s *faults.Server, models []string) llm.Model {
			policy := usual(models...)
			if r.policy != nil {
				r.policy(&policy)
			}
			return plan{policy: policy, contexts: r.contexts, at: r.at}.build(t, s)
		})
	}
}

func runAll(t *testing.T, rows []row) {
	for _, r := range rows {
		r.run(t)
	}
}

// once says that in this mode the first failure is the last: pieces were out.
func once(class fault.Class, after float64, model string) func(*faults.Scenario) {
	return func(s *faults.Scenario) {
		s.Class, s.After, s.Nothing, s.Asked = class, sec(after), false, asked{model: at(0)}
		s.Answered, s.Failed = "", nil
	}
}

// broken says that under a contract the answer is none.
func broken(class fault.Class) func(*faults.Scenario) {
	return func(s *faults.Scenario) {
		s.Class, s.Nothing, s.Answered = class, true, ""
	}
}
