//go:build unix

package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/fault"
)

// newTestPrograms runs programs in a directory of the test's.
func newTestPrograms(t *testing.T) (*programs, string) {
	t.Helper()
	root := t.TempDir()
	files, err := openFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	return newPrograms(&World{LookupEnv: os.LookupEnv}, root, files, nil), root
}

func command(timeout time.Duration, words ...string) scorer.Program {
	return scorer.Program{Command: words, Timeout: timeout, MaxOutput: 1 << 10, Memory: 128 << 20}
}

func TestProgramsHaveSoMuchMemory(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil || runtime.GOOS != "linux" {
		t.Skip("memory is held on Linux, and the test needs python3")
	}
	p, _ := newTestPrograms(t)
	const takes = `import sys; sys.stdin.read(); x = bytearray(%M << 20); print('{"score": 1}')`
	for megabytes, fits := range map[string]bool{"16": true, "600": false} {
		out, err := p.Run(context.Background(), command(time.Minute, "python3", "-c", strings.ReplaceAll(takes, "%M", megabytes)), []byte("{}"))
		if fits != (err == nil) {
			t.Errorf("%s MB: %s, %v", megabytes, out, err)
		}
		if !fits && (err == nil || !strings.Contains(err.Error(), "MemoryError")) {
			t.Errorf("%s MB: the reason is missing: %v", megabytes, err)
		}
	}
}

// What a program has started ends with it, whether it hangs, is interrupted or ends.
func TestNothingOfAProgramIsLeft(t *testing.T) {
	for about, test := range map[string]struct {
		script string
		cancel bool
		says   string
		class  fault.Class
	}{
		"hangs":          {"sleep 300 & echo $! > pid; wait", false, "did not end within", fault.Unjudged},
		"is interrupted": {"sleep 300 & echo $! > pid; wait", true, "interrupted", fault.Canceled},
		"ends":           {"sleep 300 < /dev/null > /dev/null 2>&1 & echo $! > pid; echo '{}'", false, "", ""},
		"floods":         {"sleep 300 & echo $! > pid; while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", false, "more than its 1024 bytes", fault.Unjudged},
	} {
		t.Run(about, func(t *testing.T) {
			p, root := newTestPrograms(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			timeout := time.Minute
			if about == "hangs" {
				timeout = time.Second
			}
			pid := filepath.Join(root, "pid")
			if test.cancel {
				go func() { // as soon as it has begun
					for {
						if text, _ := os.ReadFile(pid); strings.HasSuffix(string(text), "\n") || ctx.Err() != nil {
							cancel()
							return
						}
						runtime.Gosched()
					}
				}()
			}
			began := time.Now()
			_, err := p.Run(ctx, command(timeout, "sh", "-c", test.script), []byte("{}"))
			if test.says == "" && err != nil {
				t.Error(err)
			}
			if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || fault.ClassOf(err) != test.class) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s to end", took)
			}
			text, err := os.ReadFile(pid)
			if err != nil {
				t.Fatal(err)
			}
			child, _ := strconv.Atoi(strings.TrimSpace(string(text)))
			if !endsSoon(child) {
				t.Errorf("process %d is left", child)
			}
		})
	}
}

// A program that does not end is ended soon after its timeout, whatever it left running
// that holds its output.
func TestTheTimeoutIsKept(t *testing.T) {
	const timeout = time.Second
	for _, script := range []string{"sleep 300", "sleep 300 & wait", "trap '' TERM INT HUP; while :; do sleep 300; done"} {
		p, _ := newTestPrograms(t)
		began := time.Now()
		_, err := p.Run(context.Background(), command(timeout, "sh", "-c", script), []byte("{}"))
		if took := time.Since(began); err == nil || took < timeout || took > 3*timeout {
			t.Errorf("%s: %v after %s", script, err, took)
		}
	}
}

// No cut leaves half of a secret, wherever it stands and in whatever pieces it comes.
func TestSecretsInWhatAProgramSaid(t *testing.T) {
	for secret, step := range map[string]int{"abracadabra-simsalabim": 1, strings.Repeat("abcdimr-", 700): 25} {
		env := map[string]string{"WORD": secret, "SHORT": "abc"}
		p, _ := newTestPrograms(t)
		p.world = &World{LookupEnv: func(name string) (string, bool) { value, set := env[name]; return value, set }}
		program := scorer.Program{Env: []string{"WORD", "SHORT"}}
		for before := 0; before < 100; before += step {
			for _, after := range []int{0, 200, 8170 - before, maxTail - 10 + before, maxTail + 40 - before} {
				text := strings.Repeat(".", before) + secret + strings.Repeat("\n", after) + secret + strings.Repeat(".", after)
				for _, piece := range []int{1, 7, 4096, 1 << 20} {
					said := saidInPieces(t, p.tail(program), text, piece)
					if strings.ContainsAny(said.replace.Replace(string(said.b)), "abcdimr-") {
						t.Fatalf("%d before, %d after, by %d bytes: %s", before, after, piece, said.text())
					}
				}
			}
		}
		if got := p.Veil(program)("abc\xff " + secret); got != "abc\xff ***" {
			t.Errorf("%q", got)
		}
	}
}

func saidInPieces(t *testing.T, said *tailOutput, text string, piece int) *tailOutput {
	t.Helper()
	for at := 0; at < len(text); at += piece {
		if _, err := said.Write([]byte(text[at:min(at+piece, len(text))])); err != nil {
			t.Fatal(err)
		}
	}
	return said
}

// endsSoon waits until a process is gone, or only waits to be buried.
func endsSoon(pid int) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if syscall.Kill(pid, 0) != nil || err == nil && strings.Contains(string(stat), ") Z ") {
			return true
		}
	}
	return false
}

// A program may leave its input unread, however long it is.
func TestProgramsNeedNotRead(t *testing.T) {
	p, _ := newTestPrograms(t)
	out, err := p.Run(context.Background(), command(time.Minute, "echo", `{"score": 1}`), make([]byte, 4<<20))
	if err != nil || strings.TrimSpace(string(out)) != `{"score": 1}` {
		t.Errorf("%s, %v", out, err)
	}
}
