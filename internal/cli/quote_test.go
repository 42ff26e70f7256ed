package cli_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// quote is a project whose runs are planned first and made then. The models small
// and large answer over loopback, and count four bytes of text a token.
type quote struct {
	*site
	server *upstream.Server

	mu    sync.Mutex
	asked map[string]int // requests by model
}

// The suite has so many tickets, the last of them the twin of the first; every
// fifth is of a VIP, and every fourth is too much for the model small.
const (
	quoteCases = 40
	quoteVIPs  = quoteCases / 5
	quoteHard  = quoteCases / 4
)

func quoteTicket(i int) string {
	if i == quoteCases-1 {
		i = 0
	}
	text := fmt.Sprintf("Order %d came late. ", i) + strings.Repeat("I am still waiting for it. ", i%7)
	if i%4 == 1 {
		text += "Or was it another one?"
	}
	return text
}

func newQuote(t *testing.T) *quote {
	t.Helper()
	q := &quote{asked: map[string]int{}}
	q.server = upstream.New(t, q.answer)
	q.site = newSite(t, map[string]string{
		"prompts/triage/draft.prompty": quotePrompt,
		"suites/quote.yaml":            "suite: quote\nprompt: triage\nmodels: [small]\nexpect: [schema]\ncases: [{from: quote.jsonl}]\n",
	})
	q.writeLines("suites/quote.jsonl", quoteCases, func(i int) string {
		tags := "[]"
		if i%5 == 0 {
			tags = `["vip"]`
		}
		return fmt.Sprintf(`{"id": "ticket-%02d", "tags": %s, "ticket": %q, "golden": {"label": "late"}}`, i, tags, quoteTicket(i))
	})
	q.settings("")
	return q
}

const quotePrompt = `---
name: triage
description: Labels a ticket.
model: {options: {temperature: 0, max_tokens: 40}}
inputs:
  ticket: {kind: string, required: true}
outputs:
  type: object
  required: [label]
  properties: {label: {type: string}, why: {type: string}}
llmx: {repair: off} # a wrapped answer is what makes a cascade go on
---
system:
Label the ticket with one word, and say why.
user:
{{ ticket }}
`

// settings writes llmx.yaml, with this at its end.
func (q *quote) settings(more string) {
	q.t.Helper()
	q.write("llmx.yaml", fmt.Sprintf(`version: 1
project: quote
providers:
  loopback: {kind: openai, base_url: %q}
  locked:   {kind: openai, base_url: %q, api_key: "${env:NO_SUCH_KEY}"}
  sim:      {kind: sim}
models:
  small: {provider: loopback, price: {input: 1, output: 4}}
  large: {provider: loopback, price: {input: 10, output: 40, long_context: {above: 30, input: 20, output: 60}}}
  free:  {provider: loopback, price: {input: 0, output: 0}}
  gift:  {provider: loopback}
  shut:  {provider: locked, price: {input: 1, output: 4}}
  dice:  {provider: sim, price: {input: 1, output: 4}, sim: {accuracy: 0.8, latency: {p50: 2s}}}
routes:
  thrifty: {use: [small, large], cascade: {accept: [schema]}}
  ruled:   {use: [large], rules: [{when: {tags: [vip]}, use: [large]}, {when: {tokens: {max: 25}}, use: [small]}]}
  drawn:   {use: [small, large], weights: {small: 3, large: 1}}
  either:  {use: [shut, small]}
  backed:  {use: [small, large]}
test: {jobs: 4}
%s`, q.server.URL(), q.server.URL(), more))
}

func (q *quote) answer(model string, messages []upstream.Message, _ map[string]any) upstream.Reply {
	q.mu.Lock()
	q.asked[model]++
	q.mu.Unlock()
	ticket := messages[len(messages)-1].Content
	text := fmt.Sprintf(`{"label": "late", "why": %q}`, ticket[:min(len(ticket), 10+len(ticket)%20)])
	if model == "small" && strings.Contains(ticket, "another one") {
		text = "Sure: " + text // breaks the contract
	}
	bytes := 0
	for _, message := range messages {
		bytes += len(message.Content)
	}
	return upstream.Reply{Text: text, Usage: &upstream.Usage{Prompt: (bytes + 3) / 4, Completion: (len(text) + 3) / 4}}
}

// copied is the same project at another place, so that a run leaves this one as it is.
func (q *quote) copied() *quote {
	q.t.Helper()
	other := &quote{site: &site{q.t, q.t.TempDir()}, server: q.server, asked: q.asked}
	if err := os.CopyFS(other.dir, os.DirFS(q.dir)); err != nil {
		q.t.Fatal(err)
	}
	return other
}

// planDocument is what these tests read of a plan's JSON.
type planDocument struct {
	Schema, Command string
	Total           planned
	Groups          []planned
	Stops, Ends     []string
	Barred          []string
	Warnings        []string
}

type planned struct {
	Model                                             string
	Cases, Results, Recorded, Cached, Shared, Missing int
	ToAsk                                             planForecast `json:"to_ask"`
	ToRecord                                          planForecast `json:"to_record"`
}

type planForecast struct {
	Requests     int
	MostRequests int `json:"at_most_requests"`
	Cost         planCost
	MostCost     planCost       `json:"at_most_cost"`
	Priced       planCost       `json:"cost_of_priced"`
	Unpriced     int            `json:"unpriced_requests"`
	UnpricedOf   []string       `json:"unpriced_models"`
	Unbounded    int            `json:"unbounded_requests"`
	FirstSteps   int            `json:"first_steps"`
	RestsOn      map[string]int `json:"rests_on"`
	Models       []struct {
		Model    string
		Requests int
	}
	Time struct {
		Seconds *float64
		AtLeast *float64 `json:"at_least_seconds"`
		RestsOn []string `json:"rests_on"`
		HeldBy  []string `json:"held_by"`
	}
}

type planCost struct {
	NanoUSD *int64 `json:"nano_usd"`
	USD     string
}

// plan is llmx test --dry-run --json. It asks nobody, and leaves every file as it is.
func (q *quote) plan(args ...string) planDocument {
	q.t.Helper()
	files, asked := q.files(), q.server.Count()
	out := q.mustRun(0, append([]string{"test", "--dry-run", "--json"}, args...)...)
	if diff := cmp.Diff(files, q.files()); diff != "" {
		q.t.Errorf("--dry-run %v changed files:\n%s", args, diff)
	}
	if n := q.server.Count() - asked; n != 0 {
		q.t.Errorf("--dry-run %v asked %d times", args, n)
	}
	var plan planDocument
	decode(q.t, []byte(out), &plan)
	for _, g := range append(plan.Groups, plan.Total) {
		if sum := g.Recorded + g.Cached + g.Shared + g.Missing + g.ToAsk.Requests; sum != g.Results {
			q.t.Errorf("--dry-run %v: %d results of %d are told of", args, sum, g.Results)
		}
	}
	return plan
}

// files are all files with their times and sizes.
func (q *quote) files() map[string]string {
	q.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(q.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			files[strings.TrimPrefix(path, q.dir)] = fmt.Sprint(info.ModTime().UnixNano(), info.Size())
		}
		return err
	})
	if err != nil {
		q.t.Fatal(err)
	}
	return files
}

// made is what a run really did.
type made struct {
	asked    map[string]int // by model
	requests int
	paid     int64 // nano-USD
	unjudged int
	storedBy map[string]int
}

func (q *quote) make(args ...string) made {
	q.t.Helper()
	before := maps.Clone(q.asked)
	code, stdout, stderr := q.run(append([]string{"test", "--json"}, args...)...)
	var run struct {
		Verdict struct {
			Unjudged, Errors int
			Paid             planCost
		}
	}
	if err := json.Unmarshal([]byte(stdout), &run); err != nil {
		q.t.Fatalf("llmx test %v: exit %d, %v\n%s%s", args, code, err, stdout, stderr)
	}
	if run.Verdict.Errors > 0 || run.Verdict.Paid.NanoUSD == nil {
		q.t.Fatalf("llmx test %v: exit %d\n%s%s", args, code, stdout, stderr)
	}
	m := made{asked: map[string]int{}, paid: *run.Verdict.Paid.NanoUSD, unjudged: run.Verdict.Unjudged, storedBy: map[string]int{}}
	for model, n := range q.asked {
		if n -= before[model]; n > 0 {
			m.asked[model], m.requests = n, m.requests+n
		}
	}
	for _, r := range q.results() {
		if r.Status != "unjudged" {
			m.storedBy[r.StoredBy]++
		}
	}
	return m
}

// models are the requests of a forecast by the model that is asked first.
func (f planForecast) models() map[string]int {
	all := map[string]int{}
	for _, m := range f.Models {
		all[m.Model] = m.Requests
	}
	return all
}
