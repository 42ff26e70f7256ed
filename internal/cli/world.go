// Package cli has the commands. It is the only place where the parts are joined,
// and the only one that touches the process: environment, clock, directory,
// standard streams, signals and exit code.
package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/llmx-dev/llmx/internal/fault"
)

// World is everything outside the program. Tests build their own.
type World struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	LookupEnv      func(string) (string, bool)
	Dir            string           // working directory
	Now            func() time.Time // wall clock
	Signals        <-chan os.Signal // Ctrl-C, and the request to end; see signals

	// Notify lets a command take over the signals for a while. Where it is nil,
	// Signals has them. Until a command takes them over they end the process.
	Notify func() (_ <-chan os.Signal, stop func())

	// Reload asks a server to read its files again; nil: nobody does. It is taken over by
	// who serves: until then the signal ends the process, as always. So does a log that
	// nobody reads any more, which a server outlives.
	Reload func() (_ <-chan os.Signal, stop func())

	StdoutTerminal bool
	StderrTerminal bool
	Width          int // columns of the terminal; 0 if unknown
}

// Main runs llmx in the real world and returns the exit code.
func Main(args []string) int {
	tuneMemory()
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	w := &World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		LookupEnv: os.LookupEnv, Dir: dir, Now: time.Now, Notify: takeSignals(), Reload: takeHangups,
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	w.Width = w.width()
	return Run(context.Background(), args, w)
}

// tuneMemory collects less often than usual, as most of what a case needs is garbage
// at once: that saves some of the time. Where a run of a million cases
// would grow by that, it is collected more often instead. GOGC and GOMEMLIMIT win.
func tuneMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(140)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(112 << 20)
	}
}

// tuneForServing undoes the bound of memory: a server has as much under way as its
// callers ask for, and one that collects all the time answers nobody. GOGC and
// GOMEMLIMIT win.
func tuneForServing() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(200)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(math.MaxInt64)
	}
}

// takeSignals ends the process with the first signal, as there is nothing to lose,
// but while a command has taken them over.
func takeSignals() func() (<-chan os.Signal, func()) {
	var taken atomic.Int32
	first := make(chan os.Signal, 1)
	signal.Notify(first, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range first {
			if taken.Load() == 0 {
				fmt.Fprintln(os.Stderr, "\nerror: interrupted")
				os.Exit(fault.ExitInterrupted)
			}
		}
	}()
	return func() (<-chan os.Signal, func()) {
		taken.Add(1)
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		return signals, func() { signal.Stop(signals); taken.Add(-1) }
	}
}

func takeHangups() (<-chan os.Signal, func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	broken := make(chan os.Signal, 1) // heard by nobody: the write fails, and that is all
	signal.Notify(broken, syscall.SIGPIPE)
	return hangups, func() { signal.Stop(hangups); signal.Stop(broken) }
}

// reloads takes over the signal that asks for another reading of the files until release.
func (w *World) reloads() (_ <-chan os.Signal, release func()) {
	if w.Reload == nil {
		return nil, func() {}
	}
	return w.Reload()
}

// signals takes over Ctrl-C and its like until release.
func (w *World) signals() (_ <-chan os.Signal, release func()) {
	if w.Notify != nil {
		return w.Notify()
	}
	return w.Signals, func() {}
}

func (w *World) width() int {
	if columns, ok := w.LookupEnv("COLUMNS"); ok {
		if n, err := strconv.Atoi(columns); err == nil && n > 0 {
			return n
		}
	}
	for _, stream := range []io.Writer{w.Stdout, w.Stderr} { // before Run wraps them
		if file, ok := stream.(*os.File); ok {
			if n, _, err := term.GetSize(int(file.Fd())); err == nil {
				return n
			}
		}
	}
	return withoutTerminal
}

// withoutTerminal is how many columns a page has that goes into a file or a pipe: wide
// enough for most tables to be whole.
const withoutTerminal = 160

// color reports whether a stream gets colours: NO_COLOR and non-terminals do not.
func (w *World) color(terminal bool) bool {
	if no, set := w.LookupEnv("NO_COLOR"); set && no != "" {
		return false
	}
	if kind, _ := w.LookupEnv("TERM"); kind == "dumb" {
		return false
	}
	return terminal
}
