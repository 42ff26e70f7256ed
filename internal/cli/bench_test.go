package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/store"
)

// What is measured in-process, without start-up:
//
//	go test -run '^$' -bench . -benchtime 1x ./internal/cli
//
// Whole processes, with their memory and CPU, are measured by process_test.go.

// The load of the bounds: so many cases, at so many at once, on a model that
// takes so long.
const (
	loadCases   = 10_000
	loadJobs    = 100
	loadLatency = 50 * time.Millisecond
)

// perfect is what no run can be faster than.
const perfect = loadCases * loadLatency / loadJobs

func BenchmarkLoopback(b *testing.B) {
	server := newLoadServer(b)
	s := newLoad(b, server.URL(), loadCases)
	b.Run("llmx", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			s.remove(".llmx")
			b.StartTimer()
			s.on(b).mustRun(0, "test", "load", "--live", "--jobs", fmt.Sprint(loadJobs))
		}
		b.ReportMetric(ratio(b.Elapsed(), perfect*time.Duration(b.N)), "×perfect")
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if err := bareLoop(server.URL(), b.TempDir()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(ratio(b.Elapsed(), perfect*time.Duration(b.N)), "×perfect")
	})
}

func BenchmarkReplay(b *testing.B) {
	s := newLoad(b, "http://127.0.0.1:1/v1", loadCases)
	s.importReplies(loadCases)
	for b.Loop() {
		s.mustRun(0, "test", "load", "--replay")
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*loadCases), "µs/case")
}

func BenchmarkSimulated(b *testing.B) {
	s := newLoad(b, "http://127.0.0.1:1/v1", loadCases)
	for b.Loop() {
		s.mustRun(0, "test", "load", "--live", "--fresh", "--model", "simulated")
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*loadCases), "µs/case")
}

func ratio(took, of time.Duration) float64 { return took.Seconds() / of.Seconds() }

const loadAnswer = "Each of the 3 boxes holds 6 eggs, so there are 3 × 6 = 18 eggs.\nA: 18"

// newLoadServer answers all alike, after loadLatency.
func newLoadServer(t testing.TB) *upstream.Server {
	return upstream.NewFixed(t, upstream.Reply{
		Text: loadAnswer, Pieces: 8, Delay: loadLatency, Usage: &upstream.Usage{Prompt: 60, Completion: 30},
	})
}

// newLoad is a suite of n word problems, all with the same answer, in a JSON lines
// file.
func newLoad(t testing.TB, url string, n int) *site {
	t.Helper()
	s := newSite(t, map[string]string{
		"llmx.yaml": fmt.Sprintf(`version: 1
project: load
providers:
  loopback: {kind: openai, base_url: %q}
  sim: {kind: sim}
models:
  candidate: {provider: loopback, model: fixed, price: {input: 1, output: 2}}
  simulated: {provider: sim, price: {input: 1, output: 2}, sim: {accuracy: 1}}
`, url),
		"prompts/solve/draft.prompty": wordProblemPrompt,
		"suites/load.yaml": `suite: load
prompt: solve
models: [candidate]
cases:
  - from: load.jsonl
expect:
  - golden: {extract: final_number}
gates:
  accuracy: {min: 1}
`,
	})
	s.writeLines("suites/load.jsonl", n, func(i int) string {
		return fmt.Sprintf(`{"id":"case-%07d","tags":["load"],"question":%q,"golden":"18"}`, i, loadQuestion(i))
	})
	return s
}

// writeLines writes a file of n lines, of which only one is in memory.
func (s *site) writeLines(name string, n int, line func(int) string) {
	s.t.Helper()
	file, err := os.Create(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	for i := range n {
		fmt.Fprintln(out, line(i)) // Flush gives the error
	}
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		s.t.Fatal(err)
	}
}

func loadQuestion(i int) string {
	return fmt.Sprintf("In shop %d there are 3 boxes, and each of them holds 6 eggs. How many eggs are there?", i)
}

// importReplies records a reply for each of the n cases.
func (s *site) importReplies(n int) {
	s.t.Helper()
	s.writeLines("answers.jsonl", n, func(i int) string {
		return fmt.Sprintf(`{"case":"case-%07d","answer":%q}`, i, loadAnswer)
	})
	s.mustRun(0, "fixtures", "import", "load", "answers.jsonl")
}

// bareLoop is the yardstick: it sends the requests that llmx sends, from as many
// goroutines, decodes the pieces of the answers and keeps each in one insert.
// Nothing is rendered, judged, traced or reported.
func bareLoop(url, dir string) error {
	kept, err := store.Open(context.Background(), filepath.Join(dir, "bare.db"), store.Options{Now: time.Now})
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: loadJobs, MaxConnsPerHost: loadJobs, DisableCompression: true}
	defer transport.CloseIdleConnections()
	loop := &bare{client: &http.Client{Transport: transport}, url: url + "/chat/completions", store: kept}
	var workers errgroup.Group
	for range loadJobs {
		workers.Go(func() error {
			for i := loop.next.Add(1); i <= loadCases; i = loop.next.Add(1) {
				if err := loop.one(int(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return errors.Join(workers.Wait(), kept.Close())
}

type bare struct {
	client *http.Client
	url    string
	store  *store.Store
	next   atomic.Int64
}

func (b *bare) one(i int) error {
	body, err := json.Marshal(map[string]any{
		"model": "fixed", "stream": true, "stream_options": map[string]any{"include_usage": true}, "temperature": 0,
		"messages": []map[string]any{
			{"role": "system", "content": "Solve the problem step by step. End with a line of the form \"A: 18\"."},
			{"role": "user", "content": loadQuestion(i)},
		},
	})
	if err != nil {
		return err
	}
	response, err := b.client.Post(b.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	entry, err := readPieces(response.Body)
	if err == nil && entry.Text != loadAnswer {
		err = fmt.Errorf("status %d, the answer %q", response.StatusCode, entry.Text)
	}
	if err != nil {
		return err
	}
	return b.store.CachePut(fmt.Sprint("case ", i), entry)
}

// readPieces reads a stream to its end marker, and what follows that to the end.
func readPieces(stream io.Reader) (store.CacheEntry, error) {
	var entry store.CacheEntry
	lines := bufio.NewScanner(stream)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok || string(data) == "[DONE]" {
			continue
		}
		var piece struct {
			ID, Model string
			Choices   []struct{ Delta struct{ Content string } }
			Usage     *struct {
				Prompt     int64 `json:"prompt_tokens"`
				Completion int64 `json:"completion_tokens"`
			}
		}
		if err := json.Unmarshal(data, &piece); err != nil {
			return entry, err
		}
		for _, choice := range piece.Choices {
			entry.Text += choice.Delta.Content
		}
		if piece.Usage != nil {
			entry.End.Usage = llm.Usage{Input: piece.Usage.Prompt, Output: piece.Usage.Completion}
		}
	}
	return entry, lines.Err()
}
