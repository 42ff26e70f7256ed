//go:build bench

package cli_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestServe asks the same of a server in three ways, by turns in one run: directly,
// through a bare reverse proxy that decodes the body, and through llmx serve with
// everything on: a prompt with a contract, exact cache, budget, limits, log and store.
//
//	go test -tags bench -run TestServe -v ./internal/cli
//
// It takes four minutes. Every party is a process of its own, and all share the machine.
// Open-loop requests are sent by the clock, whatever becomes of those before, and timed
// from when they were due. Nothing is subtracted.
func TestServe(test *testing.T) {
	b := newServeBench(test)
	for _, rate := range strings.Split(*serveRates, ",") {
		n, err := strconv.Atoi(rate)
		if err != nil {
			test.Fatalf("-serve.rates %s: %v", *serveRates, err)
		}
		b.openLoop(n)
	}
	b.closedLoop(64)
	b.firstToken(200)
	if *serveConnections > 0 {
		b.manyConnections(*serveConnections, 400)
	}
	test.Logf("on %d cores, %s\n%s", runtime.NumCPU(), runtime.Version(), strings.Join(b.rows, "\n"))
}

var (
	serveRates       = flag.String("serve.rates", "200,1000,3000", "requests a second that TestServe sends by the clock")
	serveConnections = flag.Int("serve.connections", 10_000, "connections that TestServe holds open; 0 leaves that part out")
)

const (
	benchRounds = 5               // turns of each party
	benchSlice  = 2 * time.Second // how long a turn is
)

// party is a server that is asked, and how.
type party struct {
	name    string
	process *exec.Cmd
	addr    string
	body    func(n int64, stream bool) []byte
	path    string
}

type serveBench struct {
	*testing.T
	dir     string
	parties []*party
	count   atomic.Int64
	rows    []string
}

// A test binary that is started with one of these set is the upstream, or the bare
// proxy of the address.
const (
	upstreamVariable = "LLMX_TEST_UPSTREAM"
	proxyVariable    = "LLMX_TEST_PROXY"
)

func init() {
	if delay, ok := os.LookupEnv(upstreamVariable); ok {
		d, err := time.ParseDuration(delay)
		if err != nil {
			panic(err)
		}
		listenAndTell(benchUpstream(d))
	}
	if to, ok := os.LookupEnv(proxyVariable); ok {
		listenAndTell(bareProxy(to))
	}
}

func listenAndTell(h http.Handler) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + l.Addr().String())
	panic(http.Serve(l, h))
}

func newServeBench(test *testing.T) *serveBench {
	b := &serveBench{T: test, dir: test.TempDir()}
	b.start(0)
	return b
}

// start starts the three parties before an upstream that takes so long to answer.
func (b *serveBench) start(delay time.Duration) {
	b.Helper()
	binary := filepath.Join(b.dir, "llmx")
	if _, err := os.Stat(binary); err != nil {
		build := exec.Command("go", "build", "-o", binary, "./cmd/llmx")
		build.Dir = moduleRoot(b)
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	project := filepath.Join(b.dir, "project"+strconv.Itoa(len(b.rows)))
	up := b.launch(exec.Command(os.Args[0]), upstreamVariable+"="+delay.String())
	proxy := b.launch(exec.Command(os.Args[0]), proxyVariable+"="+up.addr)
	writeBenchProject(b, project, up.addr)
	command := []string{"serve", "--addr", "127.0.0.1:0", "--draft"}
	serve, profile := exec.Command(binary, command...), ""
	if *profiles != "" {
		serve, profile = exec.Command(os.Args[0]), profileVariable+"="+filepath.Join(*profiles, "serve-"+delay.String())
	}
	serve.Dir = project
	llmx := b.launch(serve, profiledCommand+"="+strings.Join(command, " "), profile)
	up.name, up.path, up.body = "direct", "/v1/chat/completions", directBody
	proxy.name, proxy.path, proxy.body = "bare proxy", "/v1/chat/completions", directBody
	llmx.name, llmx.path, llmx.body = "llmx", "/v1/chat/completions", promptBody
	b.parties = []*party{up, proxy, llmx}
}

// launch starts a process that prints its address, and ends it with the test.
func (b *serveBench) launch(cmd *exec.Cmd, env ...string) *party {
	b.Helper()
	cmd.Env = append(os.Environ(), slices.DeleteFunc(env, func(v string) bool { return v == "" })...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if *profiles == "" {
		cmd.Stderr = nil // a log costs what it costs, and goes nowhere
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("%v: %v %s", cmd.Args, err, &said)
	}
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "http://")
	if !ok {
		b.Fatalf("%v said %q", cmd.Args, line)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return &party{process: cmd, addr: addr}
}

const benchAnswer = `{\"label\": \"billing\", \"urgency\": 3}`

func directBody(n int64, stream bool) []byte {
	return fmt.Appendf(nil, `{"model":"m","stream":%v,"temperature":0,"messages":[{"role":"system","content":"You label support tickets. Answer with one JSON object."},{"role":"user","content":"Ticket %d: I was charged twice, fix it NOW"}]}`, stream, n)
}

func promptBody(n int64, stream bool) []byte {
	return fmt.Appendf(nil, `{"model":"prompt:triage","stream":%v,"prompt":{"variables":{"ticket":"Ticket %d: I was charged twice, fix it NOW"}}}`, stream, n)
}

func writeBenchProject(b *serveBench, dir, upstream string) {
	b.Helper()
	for name, text := range map[string]string{
		"llmx.yaml": `version: 1
providers: {up: {kind: openai, base_url: "http://` + upstream + `/v1", api_key: "${env:LLMX_BENCH_KEY}"}}
models: {m: {provider: up, price: {input: 0.15, output: 0.60}, limits: {rpm: 100000000, tpm: 1000000000, concurrency: 20000}}}
routes: {main: {use: [m]}}
budgets: [{scope: project, usd: 100000, per: day}, {scope: prompt, usd: 100000, per: day}]
`,
		"prompts/triage/draft.prompty": `---
name: triage
model: {id: main, options: {temperature: 0}}
inputs: {ticket: {kind: string, required: true}}
outputs:
  type: object
  required: [label, urgency]
  additionalProperties: false
  properties:
    label: {enum: [billing, bug, account, other]}
    urgency: {type: integer, minimum: 1, maximum: 5}
---
system:
You label support tickets. Answer with one JSON object.
user:
{{ ticket }}
`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.Setenv("LLMX_BENCH_KEY", "a-key-of-the-benchmark")
}

// benchUpstream answers as OpenAI does, whole or as a stream, after a while.
func benchUpstream(delay time.Duration) http.Handler {
	piece := func(delta, finish string) string {
		return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + "}]}\n\n"
	}
	stream := []byte(piece(`{"role":"assistant","content":"{\"label\": \"billing\","}`, "null") + piece(`{"content":" \"urgency\": 3}"}`, "null") + piece("{}", `"stop"`) +
		`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}` + "\n\ndata: [DONE]\n\n")
	whole := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` + benchAnswer + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if delay > 0 {
			time.Sleep(delay)
		}
		if bytes.Contains(body, []byte(`"stream":true`)) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write(stream)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(whole)
	})
}
