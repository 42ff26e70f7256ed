package fault

import (
	"context"
	"errors"
)

// Ended says why ctx is over: the fault that was given as its cause, else that its
// deadline passed or that the caller went away. It is nil while ctx lives. err is
// what that did to whoever looked; nil for nothing.
func Ended(ctx context.Context, err error) *Error {
	if ctx.Err() == nil {
		return nil
	}
	if err == nil {
		err = ctx.Err()
	}
	if reason, ok := errors.AsType[*Error](context.Cause(ctx)); ok {
		return reason
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return New(TimeoutTotal, "the deadline passed").Because(err)
	}
	return New(Canceled, "the caller went away").Because(err)
}
