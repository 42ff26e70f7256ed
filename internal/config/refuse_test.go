package config

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

const (
	server = "providers: {p: {kind: openai, base_url: http://x/v1}, s: {kind: sim}}\n"
	models = server + "models: {m: {provider: p}, n: {provider: s}}\n"
)

// tier is a model with a price that is another above a number of tokens.
func tier(long string) string {
	return "models: {m: {provider: p, price: {input: 1, output: 1, long_context: {" + long + "}}}}\n"
}

// badFiles are refused with the message. reference marks those that no schema can
// refuse, because they are wrong only beside something else, or in how a number is written.
var badFiles = map[string]struct {
	yaml, want string
	reference  bool
}{
	"unknown key":               {"modles: {}\n", `llmx.yaml:2:1: unknown key "modles"` + "\n" + `  did you mean "models"?`, false},
	"project name":              {"project: \"a b\"\n", `llmx.yaml:2:10: the project's name cannot be "a b"`, false},
	"alias name":                {server + "models: {\"a,b\": {provider: p}}\n", `llmx.yaml:3:10: a name in models cannot be "a,b"`, false},
	"not a mapping":             {"providers: [a]\n", "llmx.yaml:2:12: want a mapping, got a list", false},
	"no kind":                   {"providers: {a: {base_url: http://x}}\n", `llmx.yaml:2:16: the key "kind" is missing`, false},
	"unknown kind":              {"providers: {a: {kind: anthropic}}\n", `llmx.yaml:2:23: "anthropic" is not known here`, false},
	"key in the file":           {"providers: {a: {kind: openai, api_key: sk-abc}}\n", "llmx.yaml:2:40: api_key is a secret and must not stand in the file", false},
	"key in a header":           {"providers: {a: {kind: openai, headers: {X-Api-Key: sk-abc}}}\n", "llmx.yaml:2:52: X-Api-Key is a secret and must not stand", false},
	"token in a header":         {"providers: {a: {kind: openai, headers: {authorization: Bearer sk-abc}}}\n", "authorization is a secret", false},
	"header name":               {"providers: {a: {kind: openai, headers: {\"a b\": c}}}\n", `"a b" is not the name of a header`, false},
	"key is a number":           {"providers: {a: {kind: openai, api_key: 12345678}}\n", "llmx.yaml:2:40: want a string, got a number", false},
	"reference not closed":      {"providers: {a: {kind: openai, api_key: \"${env:A\"}}\n", "llmx.yaml:2:40: a reference is not closed", false},
	"unknown reference":         {"providers: {a: {kind: openai, api_key: \"${evn:A}\"}}\n", `did you mean "env"? allowed: env, file`, false},
	"no variable":               {"providers: {a: {kind: openai, api_key: \"${env:A-B}\"}}\n", "${env:A-B} does not name an environment variable", false},
	"file outside":              {"providers: {a: {kind: openai, api_key: \"${file:../key}\"}}\n", "${file:../key} does not name a file of the project", true},
	"absolute file":             {"providers: {a: {kind: openai, api_key: \"${file:/etc/key}\"}}\n", "does not name a file of the project", true},
	"address without scheme":    {"providers: {a: {kind: openai, base_url: localhost:1}}\n", "llmx.yaml:2:41: base_url is not an address", false},
	"address with password":     {"providers: {a: {kind: openai, base_url: \"http://u:hunter2@x/\"}}\n", "base_url holds a user name or password", false},
	"address with query":        {"providers: {a: {kind: openai, base_url: \"http://x/?key=1\"}}\n", "base_url cannot have a query", false},
	"address is a number":       {"providers: {a: {kind: openai, base_url: 3}}\n", "want text, got a number", false},
	"no key for the vendor":     {"providers: {a: {kind: openai}}\n", "llmx.yaml:2:16: a provider at https://api.openai.com/v1 needs an api_key", false},
	"sim with an address":       {"providers: {a: {kind: sim, base_url: http://x}}\n", "llmx.yaml:2:38: a simulated provider has no base_url", false},
	"model without provider":    {server + "models: {m: {}}\n", `the key "provider" is missing`, false},
	"unknown provider":          {server + "models: {m: {provider: q}}\n", `llmx.yaml:3:24: the provider "q" is not defined`, true},
	"empty wire name":           {server + "models: {m: {provider: p, model: \" \"}}\n", "the model's name is empty", false},
	"reference on the wire":     {server + "models: {m: {provider: p, model: \"${env:M}\"}}\n", "a reference is not followed here", false},
	"price without output":      {server + "models: {m: {provider: p, price: {input: 1}}}\n", `the key "output" is missing`, false},
	"price is a word":           {server + "models: {m: {provider: p, price: {input: cheap, output: 1}}}\n", "want an amount in dollars such as 0.15 or 20, got a string", false},
	"price is negative":         {server + "models: {m: {provider: p, price: {input: -1, output: 1}}}\n", "want an amount in dollars", false},
	"price with an exponent":    {server + "models: {m: {provider: p, price: {input: 1e-1, output: 1}}}\n", "want an amount in dollars", true},
	"price is absurd":           {server + "models: {m: {provider: p, price: {input: 1000001, output: 1}}}\n", "more than a million", false},
	"price of an unknown kind":  {server + "models: {m: {provider: p, price: {input: 1, output: 1, batch: 1}}}\n", `llmx.yaml:3:56: unknown key "batch"`, false},
	"long context is a number":  {server + "models: {m: {provider: p, price: {input: 1, output: 1, long_context: 200000}}}\n", "llmx.yaml:3:70: want a mapping, got a number", false},
	"long context, unknown key": {server + tier("above: 1, input: 1, output: 1, over: 2"), `llmx.yaml:3:102: unknown key "over"`, false},
	"long context, misspelt":    {server + tier("above: 1, input: 1, output: 1, cashed_input: 1"), `did you mean "cached_input"?`, false},
	"long context, no edge":     {server + tier("input: 1, output: 1"), `llmx.yaml:3:70: the key "above" is missing`, false},
	"long context, no input":    {server + tier("above: 1, output: 1"), `the key "input" is missing`, false},
	"long context, no output":   {server + tier("above: 1, input: 1"), `the key "output" is missing`, false},
	"long context above 0":      {server + tier("above: 0, input: 1, output: 1"), "llmx.yaml:3:78: above must lie between 1 and 1000000000, this is 0", false},
	"long context below 0":      {server + tier("above: -200000, input: 1, output: 1"), "above must lie between 1 and 1000000000, this is -200000", false},
	"long context, 200k":        {server + tier("above: 200k, input: 1, output: 1"), "llmx.yaml:3:78: want a whole number", false},
	"long context, a fraction":  {server + tier("above: 1.5, input: 1, output: 1"), "want a whole number", false},
	"long context, too long":    {server + tier("above: 1000000001, input: 1, output: 1"), "above must lie between 1 and", false},
	"long context, a word":      {server + tier("above: 1, input: dear, output: 1"), "llmx.yaml:3:88: want an amount in dollars", false},
	"long context, negative":    {server + tier("above: 1, input: 1, output: -1"), "want an amount in dollars", false},
	"long context, absurd":      {server + tier("above: 1, input: 1, output: 1, cached_input: 1000001"), "more than a million", false},
	"context":                   {server + "models: {m: {provider: p, context: 0}}\n", "context must lie between 1 and", false},
	"context is text":           {server + "models: {m: {provider: p, context: 128k}}\n", "want a whole number", false},
	"concurrency":               {server + "models: {m: {provider: p, limits: {concurrency: -1}}}\n", "concurrency must lie between 1 and 100000, this is -1", false},
	"cap":                       {server + "models: {m: {provider: p, caps: {max_tokens_as: max}}}\n", `"max" is not known here`, false},
	"unknown cap":               {server + "models: {m: {provider: p, caps: {temprature: false}}}\n", `did you mean "temperature"?`, false},
	"sim of a real model":       {server + "models: {m: {provider: p, sim: {seed: 1}}}\n", "llmx.yaml:3:32: sim: is for models of a provider with kind: sim", true},
	"accuracy":                  {server + "models: {m: {provider: s, sim: {accuracy: 95}}}\n", "accuracy must lie between 0 and 1, this is 95", false},
	"malformed":                 {server + "models: {m: {provider: s, sim: {malformed: -0.1}}}\n", "malformed must lie between 0 and 1", false},
	"errors":                    {server + "models: {m: {provider: s, sim: {errors: 1.1}}}\n", "errors must lie between 0 and 1", false},
	"seed":                      {server + "models: {m: {provider: s, sim: {seed: -1}}}\n", "seed must not be negative", false},
	"latency":                   {server + "models: {m: {provider: s, sim: {latency: {p50: 2s, p95: 1s}}}}\n", "p95 (1s) is shorter than p50 (2s)", true},
	"route without models":      {models + "routes: {r: {use: []}}\n", "a route needs at least one model", false},
	"route without use":         {models + "routes: {r: {}}\n", `the key "use" is missing`, false},
	"route of an unknown model": {models + "routes: {r: {use: [x]}}\n", `llmx.yaml:4:20: the model "x" is not defined`, true},
	"route of a route":          {models + "routes: {r: {use: [m]}, q: {use: [r]}}\n", `the model "r" is not defined`, true},
	"route with a model twice":  {models + "routes: {r: {use: [m, m]}}\n", `llmx.yaml:4:23: the model "m" stands in the route twice`, false},
	"model and route":           {models + "routes: {m: {use: [n]}}\n", `llmx.yaml:4:10: "m" names a model and a route`, true},
	"attempts":                  {models + "routes: {r: {use: [m], retry: {max_attempts: 0}}}\n", "max_attempts must lie between 1 and 100", false},
	"pause":                     {models + "routes: {r: {use: [m], retry: {base: 0s}}}\n", "base must be longer than 0", false},
	"pauses":                    {models + "routes: {r: {use: [m], retry: {base: 10s}}}\n", "llmx.yaml:4:38: the longest pause (max: 8s) is shorter than the first (base: 10s)", true},
	"timeout":                   {models + "routes: {r: {use: [m], timeout: {idle: 0s}}}\n", "idle must be longer than 0", false},
	"timeout without unit":      {models + "routes: {r: {use: [m], timeout: {idle: 20}}}\n", "want a duration such as 500ms", false},
	"timeouts":                  {models + "routes: {r: {use: [m], timeout: {first_token: 2m, total: 1m}}}\n", "first_token (2m0s) is longer than total (1m0s)", true},
	"timeout of a month":        {models + "routes: {r: {use: [m], timeout: {total: 30d}}}\n", "total must lie between 0s and 24h0m0s", true},
	"ratio":                     {models + "routes: {r: {use: [m], breaker: {failure_ratio: 0}}}\n", "failure_ratio must lie between 0.01 and 1", false},
	"min_calls":                 {models + "routes: {r: {use: [m], breaker: {min_calls: 0}}}\n", "min_calls must lie between 1 and", false},
	"open_for":                  {models + "routes: {r: {use: [m], breaker: {open_for: 0s}}}\n", "open_for must be longer than 0", false},
	"retry budget":              {models + "routes: {r: {use: [m], retry: {budget: 20}}}\n", "budget must lie between 0 and 1", false},
	"weight of nobody":          {models + "routes: {r: {use: [m], weights: {m: 1, n: 1}}}\n", `llmx.yaml:4:40: "n" has a weight and is not in use:`, true},
	"model without weight":      {models + "routes: {r: {use: [m, n], weights: {m: 1}}}\n", `llmx.yaml:4:36: the model "n" has no weight`, true},
	"weight of 0":               {models + "routes: {r: {use: [m, n], weights: {m: 1, n: 0}}}\n", "llmx.yaml:4:46: a weight is more than 0", false},
	"weight is a word":          {models + "routes: {r: {use: [m], weights: {m: most}}}\n", "want a number, got a string", false},
	"sticky without weights":    {models + "routes: {r: {use: [m, n], sticky: user}}\n", "llmx.yaml:4:35: sticky is for a route with weights", false},
	"rule without use":          {models + "routes: {r: {use: [m], rules: [{when: {tags: [a]}}]}}\n", `the key "use" is missing`, false},
	"rule without models":       {models + "routes: {r: {use: [m], rules: [{when: {tags: [a]}, use: []}]}}\n", "a rule needs at least one model", false},
	"rule without a condition":  {models + "routes: {r: {use: [m], rules: [{when: {}, use: [n]}]}}\n", "llmx.yaml:4:39: the rule has no condition", false},
	"rule of an unknown model":  {models + "routes: {r: {use: [m], rules: [{when: {tags: [a]}, use: [x]}]}}\n", `the model "x" is not defined`, true},
	"unknown condition":         {models + "routes: {r: {use: [m], rules: [{when: {tag: [a]}, use: [n]}]}}\n", `did you mean "tags"?`, false},
	"range upside down":         {models + "routes: {r: {use: [m], rules: [{when: {tokens: {min: 5, max: 3}}, use: [n]}]}}\n", "min (5) is above max (3)", true},
	"cascade of one":            {models + "routes: {r: {use: [m], cascade: {}}}\n", "a cascade needs a second model", true},
	"cascade by weights":        {models + "routes: {r: {use: [m, n], weights: {m: 1, n: 1}, cascade: {}}}\n", "a cascade asks its models in their order", true},
	"cascade that restarts":     {models + "routes: {r: {use: [m, n], restart: true, cascade: {}}}\n", "a cascade gives its answer whole", true},
	"unknown key of a cascade":  {models + "routes: {r: {use: [m, n], cascade: {acept: []}}}\n", `did you mean "accept"?`, false},
	"ttl":                       {"cache: {exact: {ttl: -1h}}\n", "a duration cannot be negative", false},
	"budget without amount":     {"budgets: [{scope: project, per: day}]\n", `the key "usd" is missing`, false},
	"budget of nothing":         {"budgets: [{scope: project, usd: 0, per: day}]\n", "a budget of 0 dollars forbids every call", false},
	"budget scope":              {"budgets: [{scope: team, usd: 1, per: day}]\n", `"team" is not known here`, false},
	"budget period":             {"budgets: [{scope: key, usd: 1, per: week}]\n", `"week" is not known here`, false},
	"budget of a run":           {"budgets: [{scope: run, usd: 1, per: day}]\n", "a budget with scope: run is spent per run", false},
	"budget alert":              {"budgets: [{scope: key, usd: 1, per: day, alert: 80}]\n", "alert must lie between 0 and 1", false},
	"budget twice":              {"budgets: [{scope: key, usd: 1, per: day}, {scope: key, usd: 2, per: day}]\n", "llmx.yaml:2:43: there is a budget for scope: key per: day already", true},
	"jobs":                      {"test: {jobs: 0}\n", "jobs must lie between 1 and 10000", false},
	"replies":                   {"test: {replies: cached}\n", `"cached" is not known here`, false},
	"budgets without a store":   {"serve: {budgets_without_store: half}\n", `llmx.yaml:2:32: "half" is not known here`, false},
	"unknown key of serve":      {"serve: {budget_without_store: open}\n", `did you mean "budgets_without_store"?`, false},
	"store path":                {"store: {path: \"\"}\n", "the store needs a path", false},
	"store path by reference":   {"store: {path: \"${env:DB}\"}\n", "a reference is not followed here", false},
	"store content":             {"store: {content: some}\n", `"some" is not known here`, false},
	"body without a unit":       {"serve: {max_body: 32}\n", "want a size such as 512KB, 32MB or 1GB, got a number", false},
	"body of an odd unit":       {"serve: {max_body: 32 bytes}\n", "want a size such as", false},
	"body with a fraction":      {"serve: {max_body: 1.5MB}\n", "want a size such as", false},
	"body beyond all":           {"serve: {max_body: 99999999999999999999GB}\n", "want a size such as", true},
	"body too large":            {"serve: {max_body: 2GB}\n", "max_body must lie between 1KB and 1GB, this is 2GB", true},
	"no connections":            {"serve: {max_connections: 0}\n", "max_connections must lie between 1 and 1000000", false},
	"no time":                   {"serve: {header_timeout: 0s}\n", "header_timeout must be longer than 0", false},
	"too much time":             {"serve: {idle_timeout: 2h}\n", "idle_timeout must lie between 0s and 1h0m0s", true},
	"certificate without key":   {"serve: {tls: {cert: c.pem}}\n", `the key "key" is missing`, false},
	"certificate by reference":  {"serve: {tls: {cert: \"${env:CERT}\", key: k.pem}}\n", "a reference is not followed here", true},
	"no certificate":            {"serve: {tls: {cert: \"\", key: k.pem}}\n", "serve.tls.cert is empty", false},
	"every origin":              {"serve: {cors: [\"*\"]}\n", "serve.cors cannot be everybody", false},
	"origin without scheme":     {"serve: {cors: [app.example.com]}\n", `"app.example.com" is no origin`, false},
	"origin with a path":        {"serve: {cors: [https://app.example.com/]}\n", "is no origin", false},
	"origin in capitals":        {"serve: {cors: [https://App.example.com]}\n", "is no origin", false},
	"store keep":                {"store: {keep: forever}\n", "want a duration", false},
}

func TestLoadRefuses(t *testing.T) {
	for name, test := range badFiles {
		t.Run(name, func(t *testing.T) {
			_, err := Load(fstest.MapFS{"llmx.yaml": {Data: []byte("version: 1\n" + test.yaml)}}, "llmx.yaml")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v\nwant %s", err, test.want)
			}
			for _, secret := range []string{"sk-abc", "hunter2", "12345678"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the message holds the secret: %v", err)
				}
			}
			var list fault.List
			list.Add(err)
			if len(list) != 1 || list[0].Place.Line == 0 || list[0].Class != fault.Invalid {
				t.Errorf("want one problem with a place, got %d:\n%v", len(list), err)
			}
		})
	}
	for name, text := range map[string]string{"no version": "test: {}\n", "version is text": "version: one\n", "next version": "version: 2\n"} {
		if _, err := Load(fstest.MapFS{"llmx.yaml": {Data: []byte(text)}}, "llmx.yaml"); err == nil || !strings.Contains(err.Error(), "version") && !strings.Contains(err.Error(), "whole number") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSchemaAgreesWithLoad(t *testing.T) {
	schema, err := jsonschema.Compile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	validate := func(text string) []jsonschema.Violation {
		node, err := strictyaml.Parse("llmx.yaml", []byte(text), 1)
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(node.Value())
	}
	for _, name := range []string{"design.yaml", "other.yaml"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if violations := validate(string(data)); len(violations) > 0 {
			t.Errorf("%s is valid, the schema refuses it: %v", name, violations)
		}
	}
	if violations := validate("version: 1\n" + models); len(violations) > 0 {
		t.Errorf("the beginning of the bad files is valid, the schema refuses it: %v", violations)
	}
	for name, test := range badFiles {
		refused := len(validate("version: 1\n"+test.yaml)) > 0
		if refused == test.reference {
			t.Errorf("%s: the schema refuses it: %t; want %t", name, refused, !test.reference)
		}
	}
	for _, text := range []string{"test: {}\n", "version: 2\n", "version: one\n"} {
		if len(validate(text)) == 0 {
			t.Errorf("the schema takes %q", text)
		}
	}
}
