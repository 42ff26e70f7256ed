package cli

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// left ends what programs leave running outside their groups, as a daemon does.
var left = leftovers{running: map[int]bool{}, owners: map[int]map[int]bool{}}

// leftovers are processes whose parent has ended. The kernel gives them to llmx, but
// does not say which program began them: one is ended when all programs have ended that
// ran when it was first seen, which is never before its own has.
type leftovers struct {
	mu      sync.Mutex
	running map[int]bool         // programs, by process id
	owners  map[int]map[int]bool // who may have begun a process, by its id
}

// start starts a program, and sees to it that what loses its parent comes here.
func (l *leftovers) start(cmd *exec.Cmd) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	l.running[cmd.Process.Pid] = true
	return nil
}

// maxBurial bounds how long is waited for processes to end that were killed.
const maxBurial = time.Second

// end ends what a program that has ended has left: its group, and what left the group.
func (l *leftovers) end(cmd *exec.Cmd) {
	endGroup(cmd)
	l.mu.Lock()
	defer l.mu.Unlock()
	ended := cmd.Process.Pid
	// Who ends may leave children in turn, which come here then.
	for deadline := time.Now().Add(maxBurial); l.sweep(ended) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	delete(l.running, ended)
}

// sweep kills and buries what nobody is left for, and reports whether any of it is left.
func (l *leftovers) sweep(ended int) (more bool) {
	for _, pid := range orphans() {
		if l.running[pid] {
			continue
		}
		owners, seen := l.owners[pid]
		if !seen {
			owners = maps.Clone(l.running)
			l.owners[pid] = owners
		}
		delete(owners, ended)
		if len(owners) == 0 {
			_ = unix.Kill(pid, unix.SIGKILL)
			more = true
		}
		if buried, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); buried == pid || err == unix.ECHILD {
			delete(l.owners, pid)
			more = true // its children come next
		}
	}
	return more
}

// orphans are the children of this process but for those in its own group, which others
// of its parts have started.
func orphans() []int {
	var found []int
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				continue
			}
			if group, err := unix.Getpgid(pid); err == nil && group != unix.Getpgrp() {
				found = append(found, pid)
			}
		}
	}
	return found
}
