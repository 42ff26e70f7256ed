package cli_test

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal to read the files again that comes while a server starts is no end of it.
func TestASignalWhileAServerStarts(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	r := s.serve(t)
	for range 50 { // from the first line that it says on
		r.signal(syscall.SIGHUP)
	}
	r.says("reading the files again")
	if got := r.version("triage", ""); got != "0.1.0" {
		t.Error(got)
	}
	r.stop()
}

// Whoever read the log may go: the server goes on.
func TestNobodyReadsTheLogAnyMore(t *testing.T) {
	s := released(t, "production: 0.1.0\n")
	process := exec.Command(os.Args[0])
	process.Dir = s.dir
	process.Env = append(os.Environ(), "LLMX_TEST_SECRET=k", commandVariable+"=serve --addr 127.0.0.1:0")
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer process.Wait()
	defer process.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	out.Close()
	url := strings.TrimSpace(line[strings.Index(line, "http"):])
	for range 3 {
		resp, err := http.Post(url+"/v1/prompts/triage", "application/json", strings.NewReader(`{"variables": {"ticket": "hi"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 200 {
			t.Error(resp.StatusCode)
		}
	}
}

// A collector that hangs holds up the end for a while, but neither the store nor
// whoever will not wait.
func TestACollectorThatHangs(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	s := released(t, "production: 0.1.0\n")
	s.settings("serve: {lame_duck: 0s}\n")
	r := s.serve(t)
	for range 5 {
		if got := r.version("triage", ""); got != "0.1.0" {
			t.Error(got)
		}
	}
	r.signal(syscall.SIGTERM)
	r.until("the server has ended", r.refuses)
	r.until("all calls are stored", func() bool { return strings.Count(s.mustRun(0, "calls", "--json"), "\n") == 5 })
	began := time.Now()
	r.signal(syscall.SIGTERM)
	r.exits(130)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("a second signal, and it took %v", took)
	}
}
