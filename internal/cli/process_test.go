//go:build bench

// Package cli_test, with the build tag bench, measures whole processes against
// the bounds of DESIGN §9 and prints one table:
//
//	go test -tags bench -run TestProcess -v ./internal/cli
//	go test -tags bench -run TestProcess -v -timeout 1h ./internal/cli -million
//
// The first takes half a minute. The second measures 1,000,000 cases too, which
// takes three minutes and 8 GB of disk. Start-up is the median of 20 runs.
// A load is run three times and the fastest counts: what else the machine does can
// only add to it. Run it on a machine that has nothing else to do.
//
// With -profile DIR a CPU and a heap profile of every process go there, and the
// figures are those of the profiled ones. Memory is read from /proc, and is 0 elsewhere.
package cli_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/cli"
)

var (
	million  = flag.Bool("million", false, "measure 1,000,000 cases too")
	profiles = flag.String("profile", "", "write profiles into this directory")
)

// A test binary that is started with this set is llmx, and writes its profiles to
// FILE.cpu and FILE.heap.
const (
	profileVariable = "LLMX_TEST_PROFILE"
	profiledCommand = "LLMX_TEST_PROFILED_COMMAND"
)

func init() {
	if file, ok := os.LookupEnv(profileVariable); ok {
		os.Exit(profiled(file, strings.Fields(os.Getenv(profiledCommand))))
	}
}

func profiled(file string, args []string) int {
	cpu, err := os.Create(file + ".cpu")
	if err == nil {
		err = pprof.StartCPUProfile(cpu)
	}
	code := cli.Main(args)
	pprof.StopCPUProfile()
	heap, heapErr := os.Create(file + ".heap")
	if heapErr == nil {
		heapErr = pprof.Lookup("allocs").WriteTo(heap, 0)
	}
	if err = errors.Join(err, cpu.Close(), heapErr, heap.Close()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// A test binary that is started with this set is the bare loop on a server, and
// keeps its answers in the working directory.
const bareVariable = "LLMX_TEST_BARE_LOOP"

func init() {
	if url, ok := os.LookupEnv(bareVariable); ok {
		if err := bareLoop(url, "."); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes resident, at most
}

// measured runs a process to its end, which must be a good one.
func measured(t *testing.T, process *exec.Cmd) cost {
	t.Helper()
	var out bytes.Buffer
	process.Stdout, process.Stderr = &out, &out
	begin := time.Now()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	done, memory := make(chan struct{}), make(chan int64)
	go func() { memory <- peakMemory(process.Process.Pid, done) }()
	err := process.Wait()
	spent := cost{wall: time.Since(begin)}
	close(done)
	spent.memory = <-memory
	if err != nil {
		t.Fatalf("%v: %v\n%s", process.Args, err, &out)
	}
	spent.cpu = process.ProcessState.UserTime() + process.ProcessState.SystemTime()
	return spent
}

// peakMemory watches the high-water mark of a process until it is done. The mark
// that wait gives (ru_maxrss) will not do: on Linux it begins with that of the
// process that forked.
func peakMemory(pid int, done <-chan struct{}) (peak int64) {
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if _, after, ok := strings.Cut(string(status), "VmHWM:"); err == nil && ok {
			var kilobytes int64
			if _, err := fmt.Sscan(after, &kilobytes); err == nil {
				peak = max(peak, kilobytes<<10)
			}
		}
		select {
		case <-done:
			return peak
		case <-every.C:
		}
	}
}

// table is what is printed in the end.
type table struct {
	*testing.T
	binary   string
	profiled int // processes that have written profiles
	rows     []string
}

func (t *table) row(what, bound, got string, kept bool) {
	word := "ok"
	if !kept {
		word = "OVER"
		t.Errorf("%s: %s, the bound is %s", what, got, bound)
	}
	t.rows = append(t.rows, fmt.Sprintf("| %-44s | %-38s | %-38s | %-4s |", what, bound, got, word))
}

// llmx runs a command line in a project as a process of its own.
func (t *table) llmx(s *site, args ...string) cost {
	t.Helper()
	process := exec.Command(t.binary, args...)
	if *profiles != "" {
		t.profiled++
		process = exec.Command(os.Args[0])
		process.Env = append(os.Environ(), profiledCommand+"="+strings.Join(args, " "),
			fmt.Sprintf("%s=%s", profileVariable, filepath.Join(*profiles, fmt.Sprintf("%02d-%s", t.profiled, strings.Join(args, "")))))
	}
	process.Dir = s.dir
	return measured(t.T, process)
}

// median of 20 runs, by wall time.
func median(once func() cost) cost {
	all := times(20, once)
	return all[len(all)/2]
}

// fastest of so many runs.
func fastest(runs int, once func() cost) cost { return times(runs, once)[0] }

// times sorts the costs of so many runs by wall time.
func times(runs int, once func() cost) []cost {
	all := make([]cost, runs)
	for i := range all {
		all[i] = once()
	}
	slices.SortFunc(all, func(a, b cost) int { return int(a.wall - b.wall) })
	return all
}

func TestProcess(test *testing.T) {
	t := &table{T: test, binary: filepath.Join(test.TempDir(), "llmx")}
	build := exec.Command("go", "build", "-o", t.binary, "./cmd/llmx")
	build.Dir = moduleRoot(test)
	if out, err := build.CombinedOutput(); err != nil {
		test.Fatalf("%v\n%s", err, out)
	}
	busy, _ := os.ReadFile("/proc/loadavg") // how busy the machine was before, where it says so
	t.start()
	t.serveStart()
	t.replayed()
	t.upstream()
	if *million {
		t.million()
	}
	head := fmt.Sprintf("| %-44s | %-38s | %-38s |      |\n", "what", "bound", "measured")
	test.Logf("on %d cores, %s, load before: %s\n%s%s", runtime.NumCPU(), runtime.Version(), bytes.TrimSpace(busy), head, strings.Join(t.rows, "\n"))
}

func (t *table) start() {
	s := newLoad(t, "http://127.0.0.1:1/v1", 10)
	s.importReplies(10)
	version := median(func() cost { return t.llmx(s, "version") })
	t.row("llmx version", "15 ms", shown(version), version.wall <= 15*time.Millisecond)
	replay := median(func() cost { return t.llmx(s, "test", "--replay") })
	t.row("10 replayed cases", "60 ms", shown(replay), replay.wall <= 60*time.Millisecond)
}

func (t *table) replayed() {
	s := newLoad(t, "http://127.0.0.1:1/v1", loadCases)
	s.importReplies(loadCases)
	replay := fastest(3, func() cost {
		s.remove(".llmx")
		return t.llmx(s, "test", "--replay")
	})
	t.row("10,000 replayed cases", "1 s", shown(replay), replay.wall <= time.Second)
}

// The bounds of DESIGN §9 name the bare loop that they were set beside: wall time
// is judged by what no run can be faster than, CPU time by the bare loop's.
const (
	boundWall = 1.08
	boundCPU  = 1.6 / 0.53
)

func (t *table) upstream() {
	server := newLoadServer(t)
	loop := fastest(3, func() cost {
		process := exec.Command(os.Args[0])
		process.Env = append(os.Environ(), bareVariable+"="+server.URL())
		process.Dir = t.TempDir()
		return measured(t.T, process)
	})
	s := newLoad(t, server.URL(), loadCases)
	live := fastest(3, func() cost {
		s.remove(".llmx")
		return t.llmx(s, "test", "--live", "--jobs", fmt.Sprint(loadJobs))
	})
	if server.Count() != 6*loadCases {
		t.Errorf("%d requests came in 6 runs of %d cases", server.Count(), loadCases)
	}
	const what = "10,000 cases, 50 ms, 100 jobs"
	t.row(what+": wall", fmt.Sprintf("%.2f × cases × latency / jobs", boundWall),
		fmt.Sprintf("%.3f ×, bare loop %.3f ×", ratio(live.wall, perfect), ratio(loop.wall, perfect)), ratio(live.wall, perfect) <= boundWall)
	t.row(what+": CPU", fmt.Sprintf("%.2f × bare loop", boundCPU),
		fmt.Sprintf("%.2f ×: %.2f s, bare loop %.2f s", ratio(live.cpu, loop.cpu), live.cpu.Seconds(), loop.cpu.Seconds()), ratio(live.cpu, loop.cpu) <= boundCPU)
	t.row(what+": memory", "60 MB", megabytes(live.memory)+", bare loop "+megabytes(loop.memory), live.memory <= 60e6)

	cached := fastest(3, func() cost { return t.llmx(s, "test", "--live") })
	t.row("10,000 cached cases", "1 s", shown(cached), cached.wall <= time.Second)
	if server.Count() != 6*loadCases {
		t.Errorf("%d requests came after all: what was asked again was not cached", server.Count()-6*loadCases)
	}
}

func (t *table) million() {
	var sizes [2]*site
	for i, n := range []int{loadCases, manyCases} {
		sizes[i] = newLoad(t, "http://127.0.0.1:1/v1", n)
	}
	t.grows("simulated", sizes, "test", "--live", "--model", "simulated")
	t.grows("recorded", sizes, "test", "--record", "--model", "simulated")
	t.grows("replayed", sizes, "test", "--replay", "--model", "simulated")
}

const manyCases = 1_000_000

// grows compares a case of a million with one of ten thousand.
func (t *table) grows(what string, sizes [2]*site, args ...string) {
	few := t.llmx(sizes[0], args...)
	many := t.llmx(sizes[1], args...)
	for _, s := range sizes {
		s.remove(".llmx")
	}
	wall, cpu := few.wall/loadCases, few.cpu/loadCases
	growth := ratio(many.wall/manyCases, wall)
	t.row("1,000,000 "+what+" cases: a case", "1.2 × one of 10,000",
		fmt.Sprintf("%.2f × %v, CPU %.2f × %v", growth, wall, ratio(many.cpu/manyCases, cpu), cpu), growth <= 1.2)
	t.row("1,000,000 "+what+" cases: memory", "150 MB",
		fmt.Sprintf("%s, 10,000: %s", megabytes(many.memory), megabytes(few.memory)), many.memory <= 150e6)
}

func shown(c cost) string {
	return fmt.Sprintf("%v wall, %.2f CPU-s, %s", c.wall.Round(100*time.Microsecond), c.cpu.Seconds(), megabytes(c.memory))
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }
