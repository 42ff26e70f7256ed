package keepalive

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slow says a word after each wait.
func slow(waits ...time.Duration) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for _, wait := range waits {
				select {
				case <-time.After(wait):
				case <-ctx.Done():
					yield(llm.Event{}, ctx.Err())
					return
				}
				if !yield(llm.Event{Text: "w"}, nil) {
					return
				}
			}
		}
	})
}

func TestSignsOfLifeComeWhileNothingElseDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, begin := "", time.Now()
		for event, err := range New(slow(25*time.Second, 5*time.Second, 11*time.Second)).Stream(t.Context(), llm.Request{KeepAlive: 10 * time.Second}) {
			if err != nil {
				t.Fatal(err)
			}
			if event.Alive {
				got += "."
			}
			got += event.Text
		}
		if got != "..ww.w" || time.Since(begin) != 41*time.Second {
			t.Errorf("got %q in %v", got, time.Since(begin))
		}
	})
}

func TestNobodyWhoDidNotAskGetsAny(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for event := range New(slow(time.Hour)).Stream(t.Context(), llm.Request{}) {
			if event.Alive {
				t.Error("a sign of life")
			}
		}
	})
}

// A consumer that stops, at a piece or at a sign of life, ends what is below.
func TestAConsumerMayStop(t *testing.T) {
	for _, first := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ended, begin := false, time.Now()
			below := llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
				return func(yield func(llm.Event, error) bool) {
					defer func() { ended = true }()
					for event, err := range slow(first, time.Hour).Stream(ctx, req) {
						if !yield(event, err) {
							time.Sleep(time.Second) // it has to write down what became of it
							return
						}
					}
				}
			})
			for range New(below).Stream(t.Context(), llm.Request{KeepAlive: time.Second}) {
				break
			}
			if took := time.Since(begin); !ended || took > 2*time.Second {
				t.Errorf("ended %t, %v after it began", ended, took)
			}
			synctest.Wait() // a goroutine that is left behind fails the bubble
		})
	}
}

// A panic below reaches the caller, who may catch it; in a goroutine of its own it would
// end the process.
func TestAPanicReachesTheCaller(t *testing.T) {
	bug := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(func(llm.Event, error) bool) { panic("a bug") }
	})
	defer func() {
		if said, _ := recover().(string); !strings.HasPrefix(said, "a bug\n") || !strings.Contains(said, "keepalive_test.go") {
			t.Errorf("the caller hears %q, want the panic and where it was", said)
		}
	}()
	for range New(bug).Stream(t.Context(), llm.Request{KeepAlive: time.Hour}) {
	}
}
