//go:build unix

package cli

import (
	"hash/fnv"
	"io"
	"os"
	"syscall"

	"github.com/llmx-dev/llmx/internal/fault"
)

// holdRun marks a run as under way until the lock is closed, or this process ends
// however it may: the system forgets the mark then. All runs of a store have one file,
// and a byte of it each.
func (p *project) holdRun(id string) (io.Closer, error) {
	name := hash(id)
	file, err := os.OpenFile(p.storePath()+".runs", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fault.New(fault.Store, "%s.runs cannot be written: %s", p.config.Store.Path, reason(err)).Because(err)
	}
	mark := syscall.Flock_t{Type: syscall.F_WRLCK, Start: name, Len: 1}
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &mark); err != nil {
		_ = file.Close()
		return nil, fault.New(fault.Usage, "run %s is under way in another process", id).WithHint("wait for its end, or interrupt it")
	}
	return file, nil
}

func hash(id string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return int64(h.Sum64() >> 2)
}
