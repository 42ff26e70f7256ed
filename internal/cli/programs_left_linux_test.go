package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// daemon leaves the program's group and session, and has a child.
const daemon = `setsid sh -c 'sleep 300 & echo $! $$ > pids.new; mv pids.new pids; wait' < /dev/null > /dev/null 2>&1 & `

// A daemon ends with the program that began it, and not with another.
func TestDaemonsEndWithTheirProgram(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("the test needs setsid")
	}
	p, root := newTestPrograms(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(ctx, command(time.Minute, "sh", "-c", "("+daemon+") ; while [ ! -e go ]; do sleep 0.01; done; echo '{}'"), []byte("{}"))
		ended <- err
	}()
	var pids []int
	for ctx.Err() == nil && pids == nil {
		text, _ := os.ReadFile(filepath.Join(root, "pids"))
		for _, word := range strings.Fields(string(text)) {
			pid, _ := strconv.Atoi(word)
			pids = append(pids, pid)
		}
		runtime.Gosched()
	}
	if _, err := p.Run(ctx, command(time.Minute, "echo", "{}"), []byte("{}")); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, 0); err != nil {
			t.Errorf("process %d ended with a program that did not begin it: %v", pid, err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if !endsSoon(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	if len(pids) != 2 || len(left.owners) > 0 || len(left.running) > 0 {
		t.Errorf("daemons %v; kept %v, %v", pids, left.owners, left.running)
	}
}

// No other process of the user may read the environment of llmx, where the keys are.
func TestTheEnvironmentIsHidden(t *testing.T) {
	p, _ := newTestPrograms(t)
	out, err := p.Run(context.Background(), command(time.Minute, "sh", "-c", "cat /proc/$PPID/environ > /dev/null 2>&1 && echo read || echo hidden"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable: %d, %v", dumpable, err)
	}
	if os.Geteuid() != 0 && strings.TrimSpace(string(out)) != "hidden" {
		t.Errorf("the environment can be %s", out)
	}
}
