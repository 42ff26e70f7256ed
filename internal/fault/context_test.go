package fault

import (
	"context"
	"errors"
	"testing"
)

func TestEndedSaysWhyAContextIsOver(t *testing.T) {
	reason := New(TimeoutIdle, "nothing came")
	alive := t.Context()
	left, leave := context.WithCancel(alive)
	leave()
	late, cancel := context.WithTimeout(alive, 0)
	defer cancel()
	because, stop := context.WithCancelCause(alive)
	stop(reason)
	broken := errors.New("broken pipe")
	for name, test := range map[string]struct {
		ctx  context.Context
		want Class
	}{"left": {left, Canceled}, "late": {late, TimeoutTotal}, "with a reason": {because, TimeoutIdle}} {
		if got := Ended(test.ctx, broken); got == nil || got.Class != test.want {
			t.Errorf("%s: got %v, want %s", name, got, test.want)
		}
	}
	for _, ctx := range []context.Context{left, late} {
		if got := Ended(ctx, broken); !errors.Is(got, broken) {
			t.Error("what it did is lost")
		}
		if got := Ended(ctx, nil); !errors.Is(got, ctx.Err()) {
			t.Errorf("%v says nothing of %v", got, ctx.Err())
		}
	}
	if got := Ended(alive, broken); got != nil {
		t.Errorf("a living context ended with %v", got)
	}
}
