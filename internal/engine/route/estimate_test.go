package route

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMissingReplySaysWhatAskingWouldCost(t *testing.T) {
	missing := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return llm.Fail(fault.New(fault.Missing, "no recording"))
	})
	model := New(map[string]*Target{"small": {Alias: "small", Model: missing, Cost: func(u llm.Usage) llm.Cost {
		return llm.KnownCost(llm.Money(u.Input + 1000*u.Output))
	}}}, map[string]Policy{"small": {Use: "small", Total: time.Minute}}, time.Now)

	for name, test := range map[string]struct {
		options llm.Options
		want    llm.Money
	}{
		"bounded by max_tokens": {llm.Options{"max_tokens": []byte("10")}, 10_200},
		"without a bound":       {nil, 256_200},
	} {
		call := &llm.Call{Turns: []llm.Turn{{}}}
		request := llm.Request{Model: "small", Options: test.options, Messages: []llm.Message{llm.Text(llm.User, strings.Repeat("é", 400))}}
		_, err := llm.Collect(model.Stream(llm.WithCall(t.Context(), call), request))
		if fault.ClassOf(err) != fault.Missing {
			t.Fatalf("%s: %v", name, err)
		}
		if call.Cost() != llm.KnownCost(test.want) || call.Paid() != llm.KnownCost(0) || !call.Usage().Estimated {
			t.Errorf("%s: cost %v paid %v, want %d estimated and nothing paid", name, call.Cost(), call.Paid(), test.want)
		}
	}
}
