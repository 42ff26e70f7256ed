package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
	"github.com/llmx-dev/llmx/internal/store"
)

// keyed is a project whose callers have keys. Its provider says what it was asked.
type keyed struct {
	*session
	t        *testing.T
	upstream *upstream.Server
}

func newKeyed(t *testing.T, more string) *keyed {
	provider := upstream.New(t, func(_ string, messages []upstream.Message, _ map[string]any) upstream.Reply {
		return upstream.Reply{Text: `{"label": "bug"}`, Usage: &upstream.Usage{Prompt: 40, Completion: 5}}
	})
	k := &keyed{newSessionAt(t, provider.URL()), t, provider}
	k.write("llmx.yaml", `version: 1
project: shop
providers: {up: {kind: openai, base_url: "${env:UPSTREAM}", api_key: "${env:SHOP_KEY}"}}
models:
  right: {provider: up, price: {input: 100, output: 200}}
  other: {provider: up, price: {input: 100, output: 200}}
`+more)
	return k
}

const keepsAll = "store: {content: full, keep: 90d}\n"

func (k *keyed) write(name, text string) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(k.world.Dir, name), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// newKey makes a key and gives its text.
func (k *keyed) newKey(args ...string) string {
	k.t.Helper()
	if code := k.run(append([]string{"keys", "new"}, args...)...); code != 0 {
		k.t.Fatalf("exit %d: %s", code, k.stderr.String())
	}
	text := strings.TrimSpace(k.stdout.String())
	if strings.Contains(k.stderr.String(), text) || strings.ContainsAny(text, " \n") {
		k.t.Fatalf("stdout is the key and nothing else: %q, %q", text, k.stderr.String())
	}
	return text
}

// keyedServer is a running llmx serve.
type keyedServer struct {
	t   *testing.T
	url string
	log *quietly
	end func() int
}

// quietly is a buffer that may be read while it is written.
type quietly struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (q *quietly) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.text.Write(p)
}

func (q *quietly) String() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.text.String()
}

// serve starts llmx serve --draft and waits until it listens.
func (k *keyed) serve(args ...string) *keyedServer {
	k.t.Helper()
	signals := make(chan os.Signal, 2)
	out, write := io.Pipe()
	s := &keyedServer{t: k.t, log: &quietly{}}
	w := *k.world
	w.Stdout, w.Stderr, w.Signals = write, s.log, signals
	ended := make(chan int, 1)
	go func() {
		ended <- Run(context.Background(), append([]string{"serve", "--draft", "--addr", "127.0.0.1:0"}, args...), &w)
		write.Close()
	}()
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		k.t.Fatalf("it did not start: exit %d, %s", <-ended, s.log.String())
	}
	go io.Copy(io.Discard, lines)
	s.url = strings.TrimSpace(line[strings.LastIndex(line, " ")+1:])
	s.end = sync.OnceValue(func() int {
		signals <- syscall.SIGTERM
		return <-ended
	})
	k.t.Cleanup(func() { s.end() })
	return s
}

// ask posts a body, and gives the status and what was answered.
func (s *keyedServer) ask(key, path, body string) (status int, answer string, header http.Header) {
	s.t.Helper()
	return s.send(http.MethodPost, key, path, body)
}

func (s *keyedServer) send(method, key, path, body string) (status int, answer string, header http.Header) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	openapitest.Of(server.OpenAPI).Hold(s.t, openapitest.Seen(req, body, response, string(text)))
	return response.StatusCode, string(text), response.Header
}

// triage asks the prompt.
func (s *keyedServer) triage(key, ticket string) (status int, answer string, header http.Header) {
	s.t.Helper()
	return s.ask(key, "/v1/prompts/triage", fmt.Sprintf(`{"variables": {"ticket": %q}}`, ticket))
}

// within waits until the status is that, at most a second.
func (s *keyedServer) within(what, key string, status int) {
	s.t.Helper()
	begun := time.Now()
	for {
		got, answer, _ := s.triage(key, "hello")
		if got == status {
			return
		}
		if time.Since(begun) > time.Second {
			s.t.Fatalf("%s: after a second still %d %s", what, got, answer)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// A key that is made, or revoked, is taken by all servers on the store within a second.
func TestKeysChangeUnderRunningServers(t *testing.T) {
	k := newKeyed(t, keepsAll)
	one, two := k.serve(), k.serve()
	servers := []*keyedServer{one, two}
	for _, s := range servers {
		if status, answer, _ := s.triage("", "hi"); status != 200 {
			t.Fatalf("without keys: %d %s", status, answer)
		}
		if !strings.Contains(s.log.String(), "there are no keys: this machine alone is served") {
			t.Errorf("the log: %s", s.log.String())
		}
	}
	first, second := k.newKey("first"), k.newKey("second")
	for _, s := range servers {
		s.within("with keys nobody goes without", "", 401)
		s.within("a new key", first, 200)
		s.within("a new key", second, 200)
	}
	if code := k.run("keys", "revoke", "first"); code != 0 {
		t.Fatal(k.stderr.String())
	}
	for _, s := range servers {
		s.within("a revoked key", first, 401)
		s.within("the other one", second, 200)
	}
	if code := k.run("keys", "revoke", "second"); code != 0 || !strings.Contains(k.stderr.String(), "it was the last key") {
		t.Fatalf("%d %s", code, k.stderr.String())
	}
	for _, s := range servers {
		s.within("without keys again", "", 200)
		if strings.Contains(s.log.String(), first) || strings.Contains(s.log.String(), second) {
			t.Error("a key is in the log")
		}
		if code := s.end(); code != 0 {
			t.Errorf("exit %d", code)
		}
	}
	stored, err := os.ReadFile(filepath.Join(k.world.Dir, ".llmx", "llmx.db"))
	if err != nil || bytes.Contains(stored, []byte(first)) || bytes.Contains(stored, []byte(first[5:])) {
		t.Errorf("a key is in the store: %v", err)
	}
	if code := k.run("calls"); code != 0 || !strings.Contains(k.stdout.String(), "KEY") || !strings.Contains(k.stdout.String(), "second") {
		t.Errorf("%d %s %s", code, k.stdout.String(), k.stderr.String())
	}
}

// unreadable is a store that can be lost.
type unreadable struct {
	*store.Store
	lost atomic.Bool
}

func (u *unreadable) KeyChanges(ctx context.Context) (int64, error) {
	if u.lost.Load() {
		done, cancel := context.WithCancel(ctx)
		cancel()
		return u.Store.KeyChanges(done)
	}
	return u.Store.KeyChanges(ctx)
}

// As long as the store cannot be read, the keys that were there last stand.
func TestKeysStandWhileTheStoreIsLost(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "llmx.db"), store.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key := store.Key{ID: "k", Name: "shop", Hash: [32]byte{1}, Created: time.Now()}
	if err := s.AddKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	var log quietly
	lost := &unreadable{Store: s}
	k := newWatchedKeys(lost, time.Now, slog.New(slog.NewTextHandler(&log, nil)))
	step := func() {
		had := k.ring.Any()
		changed, err := k.look(t.Context())
		k.tell(had, changed, err)
	}
	step()
	lost.lost.Store(true)
	for range 3 {
		step()
	}
	if k.unread.Load() == nil {
		t.Error("readiness does not know that they cannot be read")
	}
	if !k.ring.Any() || strings.Count(log.String(), "the keys cannot be read: those that were there last stand") != 1 {
		t.Errorf("any: %v, the log: %s", k.ring.Any(), log.String())
	}
	lost.lost.Store(false)
	if _, err := s.RevokeKey(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	step()
	if k.unread.Load() != nil {
		t.Error("readiness does not know that they can be read")
	}
	if k.ring.Any() || !strings.Contains(log.String(), "the keys can be read again") || !strings.Contains(log.String(), "there are no keys") {
		t.Errorf("any: %v, the log: %s", k.ring.Any(), log.String())
	}
}

// countedLooks is a store that is asked for the keys, and has none.
type countedLooks struct{ looks atomic.Int64 }

func (c *countedLooks) KeyChanges(context.Context) (int64, error) { return c.looks.Add(1), nil }
func (c *countedLooks) Keys(context.Context) ([]store.Key, error) { return nil, nil }

// A server that ends looks for no more keys: its store is closed then.
func TestNobodyLooksForKeysAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored := &countedLooks{}
		s := &serving{
			project: &project{config: &config.Config{}},
			keys:    newWatchedKeys(stored, time.Now, slog.New(slog.DiscardHandler)),
		}
		if _, _, err := s.guards(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * keysEvery)
		if stored.looks.Load() < 2 {
			t.Errorf("looked %d times", stored.looks.Load())
		}
		s.unwatch()
		synctest.Wait()
		before := stored.looks.Load()
		time.Sleep(3 * keysEvery)
		if now := stored.looks.Load(); now != before {
			t.Errorf("looked %d times more", now-before)
		}
	})
}

// A store without the keys that there were is another one, however many it has of its own.
func TestKeysOfAnotherStoreAreNotTaken(t *testing.T) {
	open := func(names ...string) *store.Store {
		s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "llmx.db"), store.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		for i, name := range names {
			if err := s.AddKey(t.Context(), store.Key{ID: name, Name: name, Hash: [32]byte{byte(i), name[0]}, Created: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	first := open("shop")
	k := newWatchedKeys(first, time.Now, slog.New(slog.DiscardHandler))
	look := func(at *store.Store) error {
		k.store = at
		had := k.ring.Any()
		changed, err := k.look(t.Context())
		k.tell(had, changed, err)
		return err
	}
	if err := look(first); err != nil {
		t.Fatal(err)
	}
	// One after the other, as a file that was removed fills again.
	for _, other := range []*store.Store{open(), open("mine"), open("mine", "theirs"), open("mine")} {
		if err := look(other); err == nil || len(*k.names.Load()) != 1 {
			t.Errorf("%v, the keys are %v", err, *k.names.Load())
		}
	}
	if err := look(first); err != nil || k.failed {
		t.Errorf("the store of before: %v", err)
	}
}

// What a key may spend holds over two servers, under concurrency and across restarts.
func TestTheBudgetOfAKeyHolds(t *testing.T) {
	k := newKeyed(t, keepsAll+"cache: {exact: {ttl: 0s}}\n")
	// An answer costs $0.005, and may cost $0.0552: 256 tokens are assumed of it.
	key, free := k.newKey("poor", "--usd", "0.20", "--per", "day"), k.newKey("rich")
	spend := func(servers ...*keyedServer) (answered int) {
		var mu sync.Mutex
		var asking sync.WaitGroup
		for i := range 32 {
			asking.Go(func() {
				for n := range 20 {
					status, answer, _ := servers[i%len(servers)].triage(key, fmt.Sprint("t", i, n))
					switch {
					case status == 429 && strings.Contains(answer, "insufficient_quota"):
						return
					case status != 200:
						t.Errorf("%d %s", status, answer)
						return
					}
					mu.Lock()
					answered++
					mu.Unlock()
				}
			})
		}
		asking.Wait()
		return answered
	}
	one, two := k.serve(), k.serve()
	answered := spend(one, two)
	if _, metrics, _ := one.send(http.MethodGet, free, "/metrics", ""); !strings.Contains(metrics, `llmx_budget_spent_ratio{per="day",scope="key",value="poor"} `) || !strings.Contains(metrics, `llmx_calls_total{key="poor",`) {
		t.Errorf("the metrics do not have what the key has spent:\n%s", metrics)
	}
	if answered < 10 || answered > 40 {
		t.Errorf("%d answers of $0.005 for $0.20", answered)
	}
	if status, answer, _ := one.triage(free, "the other key"); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
	one.end()
	two.end()
	again := k.serve()
	if answered := spend(again); answered > 2 {
		t.Errorf("after a restart: %d answers", answered)
	}
	again.end()
	if code := k.run("cost"); code != 0 || !strings.Contains(k.stdout.String(), "key poor") || !strings.Contains(k.stdout.String(), "$0.200") {
		t.Errorf("%s %s", k.stdout.String(), k.stderr.String())
	}
	if code := k.run("cost", "--by", "key"); code != 0 || !strings.Contains(k.stdout.String(), "rich") {
		t.Errorf("%s %s", k.stdout.String(), k.stderr.String())
	}
	code := k.run("cost", "--json")
	var doc struct {
		Budgets []struct {
			Spent struct {
				NanoUSD int64 `json:"nano_usd"`
			}
		}
	}
	if err := json.Unmarshal(k.stdout.Bytes(), &doc); code != 0 || err != nil || len(doc.Budgets) != 1 {
		t.Fatalf("%d %v %s", code, err, k.stdout.String())
	}
	if spent := doc.Budgets[0].Spent.NanoUSD; spent < 50_000_000 || spent > 200_000_000 {
		t.Errorf("%d nano-dollars are spent of 200,000,000", spent)
	}
}

// Two tenants never share an answer; a key without one is a tenant of its own.
func TestTenantsShareNoAnswer(t *testing.T) {
	k := newKeyed(t, keepsAll)
	a, b := k.newKey("a"), k.newKey("b")
	c, d := k.newKey("c", "--tenant", "acme"), k.newKey("d", "--tenant", "acme")
	e := k.newKey("e", "--tenant", "other")
	s := k.serve()
	asked := 0
	for _, one := range []struct {
		key, cache string
	}{{a, "miss"}, {a, "hit"}, {b, "miss"}, {c, "miss"}, {d, "hit"}, {e, "miss"}, {b, "hit"}} {
		status, answer, header := s.triage(one.key, "the same")
		if status != 200 || header.Get("X-Llmx-Cache") != one.cache {
			t.Errorf("%d %s %v, want a %s", status, answer, header, one.cache)
		}
		if one.cache == "miss" {
			asked++
		}
	}
	if got := k.upstream.Count(); got != asked {
		t.Errorf("the provider was asked %d times, want %d", got, asked)
	}
}
