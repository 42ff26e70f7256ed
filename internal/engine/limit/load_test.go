package limit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// A caller of a random load.
type caller struct {
	arrives  time.Duration
	deadline time.Duration // after it arrives; 0: none
	leaves   time.Duration // likewise: canceled
	tokens   int
	reply    reply
}

// load draws callers: bursts and trickles, small and big, patient and not.
func load(draw *rand.Rand, n int) []caller {
	callers := make([]caller, n)
	at := time.Duration(0)
	between := []time.Duration{time.Millisecond, 100 * time.Millisecond, 2 * time.Second}[draw.IntN(3)]
	for i := range callers {
		at += time.Microsecond + time.Duration(draw.Int64N(int64(between)))
		if draw.IntN(50) == 0 {
			at += time.Duration(draw.Int64N(int64(3 * time.Minute)))
		}
		c := caller{arrives: at, tokens: 1 + draw.IntN(1000)}
		if draw.IntN(10) == 0 {
			c.tokens *= 10
		}
		c.reply = reply{takes: 2 * time.Duration(draw.Int64N(int64(5*time.Second))), text: "yes"}
		c.reply.end.Usage = llm.Usage{Input: 1, Output: draw.Int64N(int64(c.tokens))}
		switch draw.IntN(10) {
		case 0:
			c.deadline = time.Duration(draw.Int64N(int64(time.Minute)))
		case 1:
			c.leaves = time.Duration(draw.Int64N(int64(time.Minute)))
		case 2:
			c.reply.text, c.reply.err = "", fault.New(fault.ServerError, "no")
		case 3:
			c.reply.err = fault.New(fault.Cut, "no")
		}
		callers[i] = c
	}
	return callers
}

// Whatever the load: no more than is allowed, in the order of arrival, and
// everybody who has time is served.
func TestAnyLoadIsHeldWithinTheLimits(t *testing.T) {
	for seed := range uint64(60) {
		draw := rand.New(rand.NewPCG(seed, 3))
		set := Settings{Name: "small", RPM: draw.IntN(3) * (1 + draw.IntN(200)), TPM: draw.IntN(3) * (100 + draw.IntN(100_000)), Concurrency: draw.IntN(20)}
		callers := load(draw, 300)
		t.Run(fmt.Sprintf("%d/%+v", seed, set), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { hold(t, set, callers) })
		})
	}
}

func hold(t *testing.T, set Settings, callers []caller) {
	upstream := newProvider(func(req llm.Request) reply {
		return callers[number(req.Key)].reply
	})
	l := New(set)
	m := l.Model(upstream)
	var group sync.WaitGroup
	for i, c := range callers {
		group.Go(func() {
			time.Sleep(c.arrives)
			c.check(t, m, i)
		})
	}
	group.Wait()
	idle(t, l)

	if most := mostWithin(upstream.asked, time.Minute); set.RPM > 0 && most > set.RPM {
		t.Errorf("%d within a minute", most)
	}
	if set.Concurrency > 0 && upstream.most > set.Concurrency {
		t.Errorf("%d at once", upstream.most)
	}
	// Those who are admitted at the same instant ask in any order.
	for i, last := range upstream.asked {
		for j, at := range upstream.asked[:i] {
			if at < last && number(upstream.who[j]) > number(upstream.who[i]) {
				t.Fatalf("caller %s at %v has overtaken %s at %v", upstream.who[j], at, upstream.who[i], last)
			}
		}
	}
	if set.TPM > 0 {
		tokensWithin(t, set, callers, upstream)
	}
}

func number(key string) int {
	n, _ := strconv.Atoi(key)
	return n
}

// check asks as the caller would, and looks at what it gets and when.
func (c *caller) check(t *testing.T, m llm.Model, i int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begin := time.Now()
	if c.leaves > 0 {
		time.AfterFunc(c.leaves, cancel)
	}
	if c.deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.deadline)
		defer cancel()
	}
	req := request(c.tokens)
	req.Key = strconv.Itoa(i)
	record, err := ask(ctx, m, req)
	took, class := time.Since(begin), fault.ClassOf(err)
	switch {
	case record.Asked && (took == record.Queue+c.reply.takes || ctx.Err() != nil):
	case !record.Asked && class == fault.TimeoutTotal && took == c.deadline:
	case !record.Asked && class == fault.Canceled && took == c.leaves:
	case !record.Asked && class == fault.RateLimited && c.deadline > 0 && took < c.deadline && fault.As(err).RetryAfter > c.deadline-took:
	default:
		t.Errorf("caller %d %+v: %+v, %v, after %v", i, *c, record, err, took)
	}
}

// tokensWithin checks what was used in any minute by those who were admitted in
// it: the limit, and what one request may need beyond a full bucket.
func tokensWithin(t *testing.T, set Settings, callers []caller, upstream *provider) {
	t.Helper()
	biggest := 0.0
	for _, c := range callers {
		biggest = max(biggest, float64(c.tokens))
	}
	bound := float64(set.TPM) + max(0, biggest-float64(set.TPM)/2)
	for i, from := range upstream.asked {
		used := 0.0
		for j := i; j < len(upstream.asked) && upstream.asked[j]-from < time.Minute; j++ {
			if c := callers[number(upstream.who[j])]; c.reply.err == nil {
				used += float64(c.reply.end.Usage.Input + c.reply.end.Usage.Output)
			}
		}
		if used > bound {
			t.Errorf("%.0f tokens within a minute of %v", used, from)
		}
	}
}

// Real time, real goroutines: for the race detector.
func TestManyCallersAtOnce(t *testing.T) {
	l := New(Settings{RPM: 100_000_000, TPM: 1_000_000_000, Concurrency: 16})
	refuse := tooMany(time.Millisecond)
	n := 0
	upstream := newProvider(nil)
	upstream.answer = func(req llm.Request) reply {
		upstream.mu.Lock()
		defer upstream.mu.Unlock()
		if n++; n%1000 == 0 {
			return reply{err: refuse}
		}
		return reply{text: "yes", end: llm.End{Usage: llm.Usage{Output: 10}}}
	}
	m := l.Model(upstream)
	var group sync.WaitGroup
	for caller := range 64 {
		group.Go(func() {
			for i := range 100 {
				patience := time.Minute
				if (caller+i)%7 == 0 {
					patience = time.Duration(i) * 10 * time.Microsecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				_, err := ask(ctx, m, request(100))
				cancel()
				switch fault.ClassOf(err) {
				case fault.RateLimited, fault.TimeoutTotal:
				default:
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	if upstream.most > 16 {
		t.Errorf("%d at once", upstream.most)
	}
	idle(t, l)
}
