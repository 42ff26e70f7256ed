//go:build unix

package engine_test

import (
	"syscall"
	"time"
)

// clock is the time that this process has used of its processors, which others on the
// machine do not add to.
func clock() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it is asked for what every process may know
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
