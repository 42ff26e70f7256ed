package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/fault"
)

// programs runs the scorers of a project that are written in other languages. At most
// a few run at once, whatever --jobs says: they take the processor and not the network,
// and one that waits for its turn must not run into its timeout.
type programs struct {
	world *World
	root  string // absolute
	fs    fs.FS
	turns chan struct{}
	// providers are the secrets of the project's providers.
	providers func() []string
}

func newPrograms(w *World, root string, files fs.FS, providers map[string]config.Provider) *programs {
	p := &programs{world: w, root: root, fs: files, turns: make(chan struct{}, max(4, 2*runtime.NumCPU()))}
	p.providers = p.keys(providers)
	return p
}

// Find refuses a program, a script or a variable that is not there, before anything is
// asked, and names the content of the project's files that the command names.
func (p *programs) Find(program scorer.Program) (map[string]string, error) {
	if _, err := p.executable(program.Command[0]); err != nil {
		return nil, err
	}
	for _, name := range program.Env {
		if _, set := p.world.LookupEnv(name); !set {
			return nil, fault.New(fault.Invalid, "the environment variable %s is not set, and the program is to have it", name).
				WithHint("set it, or take it out of env")
		}
	}
	files := map[string]string{}
	for i, word := range program.Command {
		name := path.Clean(filepath.ToSlash(word))
		if !fs.ValidPath(name) || name == "." {
			continue
		}
		data, err := fs.ReadFile(p.fs, name)
		switch {
		case err == nil && (i > 0 || strings.Contains(word, "/")):
			sum := sha256.Sum256(data)
			files[name] = hex.EncodeToString(sum[:8])
		case errors.Is(err, fs.ErrNotExist) && i == 1 && looksLikeScript(word):
			return nil, fault.New(fault.Invalid, "there is no file %s", word).WithHint("paths count from the project's directory, %s", p.root)
		}
	}
	return files, nil
}

// looksLikeScript tells a script's name from a flag and other words.
func looksLikeScript(word string) bool {
	extension := path.Ext(word)
	return !strings.HasPrefix(word, "-") && len(extension) > 1 && len(extension) <= 5 && !strings.ContainsAny(word, " \t\n")
}

// executable finds a program as a shell would: a path from the project's directory, or a
// name on PATH.
func (p *programs) executable(name string) (string, error) {
	if strings.ContainsAny(name, `/\`) {
		full := filepath.FromSlash(name)
		if !filepath.IsAbs(full) {
			full = filepath.Join(p.root, full)
		}
		info, err := os.Stat(full)
		switch {
		case err != nil:
			return "", fault.New(fault.Invalid, "there is no program %s: %s", name, reason(err)).WithHint("paths count from the project's directory, %s", p.root)
		case info.IsDir():
			return "", fault.New(fault.Invalid, "%s is a directory, and no program", name)
		case runtime.GOOS != "windows" && info.Mode()&0o111 == 0:
			return "", fault.New(fault.Invalid, "%s may not be executed", name).WithHint("chmod +x %s, or name what runs it: command: [python3, %s]", name, name)
		}
		return full, nil
	}
	list, _ := p.world.LookupEnv("PATH")
	for _, dir := range filepath.SplitList(list) {
		if !filepath.IsAbs(dir) {
			continue
		}
		// With a directory in the name LookPath looks at no PATH; it knows what may be executed.
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", fault.New(fault.Invalid, "there is no program %s on PATH", name).WithHint("install it, or give its path from the project's directory: ./%s", name)
}

// usualVariables are what a program is given without asking. What begins with LC_ is
// too; a provider's key is not.
var usualVariables = []string{
	"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_COLLATE", "LC_MESSAGES",
	"SystemRoot", "TEMP", "TMP", "PATHEXT", // of Windows
}

func (p *programs) environment(program scorer.Program) []string {
	var list []string
	for _, name := range append(usualVariables[:len(usualVariables):len(usualVariables)], program.Env...) {
		if value, set := p.world.LookupEnv(name); set {
			list = append(list, name+"="+value)
		}
	}
	return list
}

// Run gives a program its input, and returns what it wrote to its standard output.
// Whatever keeps it from ending by itself with code 0 is an error that ends with what it
// wrote to standard error.
func (p *programs) Run(ctx context.Context, program scorer.Program, input []byte) ([]byte, error) {
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, fault.New(fault.Canceled, "interrupted before the program began")
	}
	file, err := p.executable(program.Command[0])
	if err != nil {
		return nil, fault.New(fault.Unjudged, "%s", fault.As(err).Message)
	}
	running, cancel := context.WithTimeout(ctx, program.Timeout)
	defer cancel()
	output := &boundedOutput{room: program.MaxOutput, overflow: cancel}
	said := p.tail(program)
	cmd := exec.CommandContext(running, file, program.Command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.root, p.environment(program), bytes.NewReader(input), output, said
	cmd.WaitDelay = time.Second // for children that left the group and hold the pipes
	group(cmd)
	err = runBounded(cmd, program.Memory)
	if err := p.failure(ctx, running, program, cmd, err, output.full, said); err != nil {
		return nil, err
	}
	return output.b.Bytes(), nil
}

// failure says how a program ended other than well.
func (p *programs) failure(ctx, running context.Context, program scorer.Program, cmd *exec.Cmd, err error, full bool, said *tailOutput) error {
	var why string
	state := cmd.ProcessState
	switch {
	case ctx.Err() != nil:
		return fault.New(fault.Canceled, "interrupted while the program ran")
	case full:
		why = fmt.Sprintf("wrote more than its %d bytes of output", program.MaxOutput)
	case errors.Is(running.Err(), context.DeadlineExceeded):
		why = fmt.Sprintf("did not end within %s", program.Timeout)
	case state != nil && state.ExitCode() > 0:
		why = fmt.Sprintf("ended with code %d", state.ExitCode())
	case state != nil && !state.Success():
		why = "was ended: " + state.String()
	case errors.Is(err, exec.ErrWaitDelay):
		why = "ended, but left others running that hold its output"
	case err != nil && state == nil:
		why = "could not be started: " + reason(err)
	default:
		return nil // it may leave its input unread
	}
	if text := said.text(); text != "" {
		why += "; it said: " + text
	}
	return fault.New(fault.Unjudged, "the program %s", why).WithHint("give it the same input by hand: %s", strings.Join(program.Command, " "))
}

// boundedOutput keeps so many bytes, and ends the program that writes more.
type boundedOutput struct {
	b        bytes.Buffer
	room     int64
	full     bool
	overflow func()
}

func (o *boundedOutput) Write(data []byte) (int, error) {
	if int64(o.b.Len()+len(data)) > o.room {
		o.full = true
		o.overflow()
		return 0, io.ErrShortWrite
	}
	return o.b.Write(data)
}
