package cli

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// runBounded runs a program that may write to so many bytes of memory. The bound is
// RLIMIT_DATA: private memory that can be written to. RLIMIT_AS would count what
// runtimes such as Node's only reserve, many gigabytes of it, and end them at once. It
// is set when the program has just begun, before it is given its input: what it took
// until then counts.
func runBounded(cmd *exec.Cmd, memory int64) error {
	// With this no process of the same user can read the keys in /proc/PID/environ or in
	// memory; a privileged one can. It also keeps debuggers and profilers of that user
	// away from llmx, and llmx from dumping its core. Programs that it runs begin without.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if err := left.start(cmd); err != nil {
		return err
	}
	defer left.end(cmd)
	limit := unix.Rlimit{Cur: uint64(memory), Max: uint64(memory)}
	// A program that has ended by now needs none.
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_DATA, &limit, nil); err != nil && err != unix.ESRCH {
		_ = cmd.Cancel()
		_ = cmd.Wait()
		return err
	}
	return cmd.Wait()
}
