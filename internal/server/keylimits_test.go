package server

import (
	"context"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

func TestRequestsPerMinuteHoldInAnySixtySeconds(t *testing.T) {
	const rpm = 20
	random := rand.New(rand.NewPCG(1, 2))
	l := newKeyLimits(KeyBounds{RPM: rpm})
	var admitted []time.Duration
	now := time.Duration(0)
	for range 5000 {
		now += time.Duration(random.Int64N(int64(2 * time.Second)))
		if random.IntN(50) == 0 {
			now += time.Duration(random.Int64N(int64(3 * time.Minute)))
		}
		pass, refused := l.enter(now, 0)
		if refused == nil {
			admitted = append(admitted, now)
			pass.leave(now, 0)
			continue
		}
		if _, early := l.enter(now+refused.wait-time.Nanosecond, 0); early == nil {
			t.Fatalf("at %v it was told to wait for %v, and less would do", now, refused.wait)
		}
		now += refused.wait
		if pass, again := l.enter(now, 0); again == nil {
			admitted = append(admitted, now)
			pass.leave(now, 0)
		} else {
			t.Fatalf("at %v, after it had waited as it was told: %+v", now, again)
		}
	}
	for i := rpm; i < len(admitted); i++ {
		if apart := admitted[i] - admitted[i-rpm]; apart <= time.Minute {
			t.Fatalf("%d requests within %v", rpm+1, apart)
		}
	}
	if len(admitted) < 1000 {
		t.Fatalf("only %d were let in", len(admitted))
	}
}

func TestTokensAreTakenByEstimateAndSetRight(t *testing.T) {
	l := newKeyLimits(KeyBounds{TPM: 1000})
	first, refused := l.enter(0, 400)
	if refused != nil {
		t.Fatal(refused)
	}
	if _, refused := l.enter(0, 700); refused == nil {
		t.Error("700 more than 600 that are left")
	}
	first.leave(time.Second, 100)
	second, refused := l.enter(2*time.Second, 900)
	if refused != nil {
		t.Fatalf("300 were given back: %+v", refused)
	}
	second.leave(3*time.Second, 2000) // more than was thought
	if state := l.state(3 * time.Second); state.tokens != 0 {
		t.Errorf("%d are left", state.tokens)
	}
	if _, refused := l.enter(4*time.Second, 1); refused == nil || refused.wait != 59*time.Second {
		t.Errorf("until what was used at 2 s is forgotten: %+v", refused)
	}
	if _, refused := l.enter(63*time.Second, 5000); refused != nil {
		t.Errorf("more than a minute may have goes alone: %+v", refused)
	}
	late, _ := newKeyLimits(KeyBounds{TPM: 10}).enter(0, 5)
	late.leave(10*time.Minute, 50) // long forgotten
	if state := late.limits.state(10 * time.Minute); state.tokens != 10 {
		t.Errorf("%d are left", state.tokens)
	}
}

// Over HTTP: what is too much is refused at once, with OpenAI's headers.
func TestLimitsOfAKeyAreToldAndHeld(t *testing.T) {
	g := guard(t, Options{}, Bounds{})
	text := g.addKey(Caller{Key: "k"}, KeyBounds{RPM: 3, TPM: 100_000})
	if response, body := g.do(t, "POST", "/v1/chat/completions", `{}`, "Authorization", "Bearer "+text); response.StatusCode != 400 || response.Header.Get("X-Ratelimit-Remaining-Requests") != "3" {
		t.Errorf("what asks nobody counts for nothing: %d %s %v", response.StatusCode, body, response.Header)
	}
	for left := 2; left >= 0; left-- {
		response, body := g.ask(t, text)
		got := response.Header
		if response.StatusCode != 200 || got.Get("X-Ratelimit-Limit-Requests") != "3" || got.Get("X-Ratelimit-Remaining-Requests") != strconv.Itoa(left) || got.Get("X-Ratelimit-Limit-Tokens") != "100000" {
			t.Errorf("%d %s %v", response.StatusCode, body, got)
		}
		if reset, err := time.ParseDuration(got.Get("X-Ratelimit-Reset-Requests")); err != nil || reset <= 55*time.Second || reset > 61*time.Second {
			t.Errorf("reset: %v %v", got.Get("X-Ratelimit-Reset-Requests"), err)
		}
	}
	response, body := g.ask(t, text)
	wantError(t, response, body, http.StatusTooManyRequests, "rate_limit_exceeded")
	if after, err := strconv.Atoi(response.Header.Get("Retry-After")); err != nil || after < 55 || after > 61 || !strings.Contains(body, "3 requests per minute") {
		t.Errorf("%v %s", response.Header, body)
	}
	streamed, body := g.do(t, "POST", "/v1/chat/completions", strings.Replace(askEcho, "{", `{"stream": true, `, 1), "Authorization", "Bearer "+text)
	wantError(t, streamed, body, http.StatusTooManyRequests, "rate_limit_exceeded")
	if asked := g.asked.Load(); asked != 3 {
		t.Errorf("the engine was asked %d times", asked)
	}
	if limits := theLimits(g, text); limits.underway != 0 || limits.tokens.sum != 30 {
		t.Errorf("%d under way, %d tokens; want 0 and what three answers used", limits.underway, limits.tokens.sum)
	}
}

func theLimits(g *guarded, text string) *KeyLimits {
	caller, _ := g.ring.Find(text)
	return caller.Limits
}

// A place is held until the answer is written, and given back whatever became of it.
func TestConcurrencyOfAKey(t *testing.T) {
	g := guard(t, Options{}, Bounds{})
	entered, proceed := make(chan struct{}), make(chan struct{})
	g.engine = llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			entered <- struct{}{}
			select {
			case <-proceed:
			case <-ctx.Done():
			}
			_ = yield(llm.Event{Text: "x"}, nil) && yield(llm.Event{End: &llm.End{}}, nil)
		}
	})
	text := g.addKey(Caller{Key: "k"}, KeyBounds{Concurrency: 2})
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			if response, body := g.ask(t, text); response.StatusCode != 200 {
				t.Errorf("%d %s", response.StatusCode, body)
			}
		})
	}
	<-entered
	<-entered
	response, body := g.ask(t, text)
	wantError(t, response, body, http.StatusTooManyRequests, "rate_limit_exceeded")
	if response.Header.Get("Retry-After") != "1" {
		t.Errorf("%v", response.Header)
	}
	close(proceed)
	asking.Wait()
	asking.Go(func() { <-entered })
	if response, body := g.ask(t, text); response.StatusCode != 200 {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	asking.Wait()
}

// The texts of one request are asked for at the same time, and are one request all the
// same.
func TestEmbeddingsAreOneRequestOfAKey(t *testing.T) {
	const texts, times = 64, 20
	g := guard(t, Options{}, Bounds{})
	text := g.addKey(Caller{Key: "k"}, KeyBounds{Concurrency: 1, RPM: 1000, TPM: 1_000_000})
	body := `{"model": "echo", "input": ["x"` + strings.Repeat(`, "x"`, texts-1) + `]}`
	for range times {
		if response, answer := g.do(t, "POST", "/v1/embeddings", body, "Authorization", "Bearer "+text); response.StatusCode != 200 {
			t.Fatalf("%d %s", response.StatusCode, answer)
		}
	}
	if l := theLimits(g, text); l.underway != 0 || l.requests.sum != times || l.tokens.sum != 10*texts*times {
		t.Errorf("%d under way, %d requests, %d tokens; want 0, %d, %d", l.underway, l.requests.sum, l.tokens.sum, times, 10*texts*times)
	}
}
