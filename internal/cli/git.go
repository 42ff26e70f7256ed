package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
)

// git reads what a repository has of a project at a commit. It asks the program git, and
// changes nothing: neither the index, nor the working tree, nor a lock.
type git struct {
	world   *World
	program string
	dir     string // the project's
	prefix  string // of the project within the repository, "" or "sub/dir/"
	shallow bool
}

// gitTime bounds one command of git.
const gitTime = 30 * time.Second

// commit is a commit of the repository.
type commit struct {
	ref   string // as people name it: main, v1.2, HEAD~1
	hash  string
	short string
	date  string // YYYY-MM-DD
}

func (c commit) String() string {
	if strings.HasPrefix(c.hash, c.ref) {
		return c.short
	}
	return fmt.Sprintf("%s (%s)", c.ref, c.short)
}

// openGit finds the repository that the project is in.
func (p *project) openGit(ctx context.Context) (*git, error) {
	program, err := newPrograms(p.world, p.root, p.fs, nil).executable("git")
	if err != nil {
		return nil, fault.New(fault.Usage, "git is not on PATH, and a commit is read with it").WithHint("install git")
	}
	g := &git{world: p.world, program: program, dir: p.root}
	out, err := g.run(ctx, nil, "rev-parse", "--is-shallow-repository", "--show-prefix")
	if err != nil {
		return nil, fault.New(fault.Usage, "git finds no repository that the project is in: %s", fault.As(err).Message).
			WithHint("llmx baseline accept keeps results to compare with in a file, without git")
	}
	shallow, prefix, _ := strings.Cut(string(out), "\n")
	g.shallow, g.prefix = shallow == "true", strings.TrimSuffix(prefix, "\n")
	return g, nil
}

// run gives what a command of git writes. Its last line on standard error is the reason
// where it fails.
func (g *git) run(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	bounded, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	said := &tailOutput{replace: strings.NewReplacer()}
	out := &boundedOutput{room: maxPastBytes, overflow: cancel}
	cmd := exec.CommandContext(bounded, g.program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = g.dir, g.environment(), bytes.NewReader(input), out, said
	cmd.WaitDelay = time.Second
	group(cmd)
	err := cmd.Run()
	switch {
	case out.full:
		return nil, fault.New(fault.Invalid, "git %s gave more than %d MB: the prompts of a commit are not so large", args[0], maxPastBytes>>20)
	case err == nil:
		return out.b.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fault.New(fault.Canceled, "interrupted while git ran")
	case bounded.Err() != nil:
		return nil, fault.New(fault.Invalid, "git %s did not end within %s", args[0], gitTime)
	}
	why := strings.TrimPrefix(said.text(), "fatal: ")
	if _, ended := errors.AsType[*exec.ExitError](err); !ended {
		why = reason(err)
	}
	return nil, fault.New(fault.Invalid, "git %s failed: %s", args[0], why)
}

// environment lets git find its configuration, ask nobody, and fetch nothing: a run
// must not wait for another server than those of the models.
func (g *git) environment() []string {
	list := []string{"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1"}
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "USERPROFILE", "SystemRoot", "TMPDIR", "TEMP", "TMP"} {
		if value, set := g.world.LookupEnv(name); set {
			list = append(list, name+"="+value)
		}
	}
	return list
}

// find tells which commit a name means. As git does for a branch that was never checked
// out here, it takes origin's where there is no other.
func (g *git) find(ctx context.Context, ref string) (commit, error) {
	// ^main is all that main does not reach, for git: no commit.
	if ref == "" || strings.HasPrefix(ref, "-") || strings.HasPrefix(ref, "^") || strings.ContainsAny(ref, "\x00\n") {
		return commit{}, fault.New(fault.Usage, "%q is no name of a commit", ref).WithHint("name a branch, a tag or a commit: --against main")
	}
	for _, name := range []string{ref, "refs/remotes/origin/" + ref} {
		hash, err := g.run(ctx, nil, "rev-parse", "--verify", "--quiet", name+"^{commit}")
		if fault.ClassOf(err) == fault.Canceled {
			return commit{}, err
		}
		if err != nil {
			continue
		}
		found, err := g.describe(ctx, strings.TrimSpace(string(hash)))
		found.ref = strings.TrimPrefix(name, "refs/remotes/")
		return found, err
	}
	return commit{}, g.missing(ctx, ref)
}

// describe reads a commit by its hash.
func (g *git) describe(ctx context.Context, hash string) (commit, error) {
	out, err := g.run(ctx, nil, "show", "--no-patch", "--no-show-signature", "--format=%H%n%h%n%cs", hash)
	lines := strings.Split(string(out), "\n")
	if err != nil || len(lines) < 3 {
		return commit{}, errors.Join(err)
	}
	return commit{ref: hash, hash: lines[0], short: lines[1], date: lines[2]}, nil
}

// commitsOf gives the commit that is checked out, and then the newest that changed a file
// of the project.
func (g *git) commitsOf(ctx context.Context, file string, most int) ([]string, error) {
	head, err := g.run(ctx, nil, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil && fault.ClassOf(err) != fault.Canceled {
		return nil, nil // no commit yet
	}
	if err != nil {
		return nil, err
	}
	out, err := g.run(ctx, nil, "log", "--no-show-signature", "--format=%H", "--max-count="+strconv.Itoa(most), "HEAD", "--", file)
	return strings.Fields(string(head) + string(out)), err
}

var wholeHash = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// missing says that there is no such commit, and in a clone that was cut short, which
// command fetches it.
func (g *git) missing(ctx context.Context, ref string) error {
	failure := fault.New(fault.Usage, "the repository has no commit %q", ref)
	name := strings.TrimPrefix(ref, "origin/")
	relative := strings.ContainsAny(ref, "~^@{}: ")
	if g.shallow {
		failure.Message += ": this clone is shallow, and does not reach so far"
		switch {
		case relative:
			return failure.WithHint("fetch what is before it: git fetch --unshallow (in GitHub Actions: fetch-depth: 0)")
		case wholeHash.MatchString(ref):
			return failure.WithHint("fetch it: git fetch --depth=1 origin %s", ref)
		}
		return failure.WithHint("fetch it: git fetch --depth=1 origin %s:refs/remotes/origin/%[1]s", name)
	}
	out, err := g.run(ctx, nil, "for-each-ref", "--count=200", "--sort=-committerdate", "--format=%(refname:short)")
	names := strings.Fields(string(out))
	if err != nil || len(names) == 0 {
		return failure.WithHint("the repository has no commit yet, or none with a name: commit the prompts first")
	}
	if relative {
		return failure.WithHint("git log shows how far its history goes")
	}
	return failure.WithHint("%s; one of the server's comes with git fetch origin", fault.Allowed(ref, names))
}

// Bounds of what is read of a commit.
const (
	maxPastFiles = 20_000
	maxPastBytes = 64 << 20
)

// entry is one file of a commit, by its path in the project.
type entry struct {
	path string
	mode string // 120000 is a symbolic link
	hash string
	data []byte
}

// files reads the files of a commit that decide what is asked, sorted: llmx.yaml, the
// prompts, and the suites' own files.
func (g *git) files(ctx context.Context, at commit) ([]entry, error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", at.hash, "--"}
	for _, name := range []string{configFile, promptsDir, suite.Dir} {
		args = append(args, g.prefix+name)
	}
	out, err := g.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	var found []entry
	for line := range strings.SplitSeq(string(out), "\x00") {
		about, name, ok := strings.Cut(line, "\t")
		words := strings.Fields(about) // mode, kind, hash
		file := strings.TrimPrefix(name, g.prefix)
		if ok && len(words) == 3 && words[1] == "commit" && (file == promptsDir || strings.HasPrefix(file, promptsDir+"/")) {
			return nil, fault.At(fault.Place{File: at.ref + ":" + name}, "it is a repository of its own there (a submodule), whose files this one does not have").
				WithHint("llmx baseline accept keeps results to compare with in a file, without git")
		}
		if !ok || len(words) != 3 || words[1] != "blob" {
			continue // cases in a repository of their own are those of now, too
		}
		if path.Dir(file) == suite.Dir && path.Ext(file) != suite.Extension || strings.HasPrefix(path.Dir(file), suite.Dir+"/") {
			continue // cases, which are those of now
		}
		found = append(found, entry{path: file, mode: words[0], hash: words[2]})
	}
	if len(found) > maxPastFiles {
		return nil, fault.New(fault.Invalid, "%s has %d files in prompts/ and suites/; at most %d are read", at, len(found), maxPastFiles)
	}
	slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return found, g.read(ctx, at, found)
}

// read fills in what the files hold.
func (g *git) read(ctx context.Context, at commit, files []entry) error {
	var names strings.Builder
	for _, file := range files {
		names.WriteString(file.hash + "\n")
	}
	out, err := g.run(ctx, []byte(names.String()), "cat-file", "--batch")
	if err != nil {
		return err
	}
	for i := range files {
		head, rest, _ := bytes.Cut(out, []byte("\n"))
		words := strings.Fields(string(head)) // hash, kind, size
		size := 0
		if len(words) == 3 {
			size, err = strconv.Atoi(words[2])
		}
		if len(words) != 3 || err != nil || len(rest) <= size {
			return fault.New(fault.Invalid, "the repository does not have %s of %s", path.Base(files[i].path), at).
				WithHint("this clone has left contents out: git fetch --refetch origin %s", at.hash)
		}
		files[i].data, out = rest[:size], rest[size+1:]
	}
	return nil
}
