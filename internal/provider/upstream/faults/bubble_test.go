package faults_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

func TestTwentySecondsPassAtOnceInABubble(t *testing.T) {
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := faults.NewInBubble(t)
		got, err := ask(t.Context(), t, s, "slow-first-token-20s", "hi")
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("it took %v of the bubble", took)
		}
		if err != nil || got.Text != faults.Answer(request("hi").Messages) {
			t.Errorf("got %q, %v", got.Text, err)
		}
	})
	t.Log(time.Since(began))
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v of the world", took)
	}
}
