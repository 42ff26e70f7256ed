package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// baselines finds the prompts and models that baselines were made with.
type baselines struct {
	project *project
	opened  map[string]*past // by commit
	dirs    []string         // of prompts out of the store
	noGit   error
	git     *git
}

func (b *baselines) close() {
	for _, one := range b.opened {
		one.close()
	}
	for _, dir := range b.dirs {
		_ = os.RemoveAll(dir)
	}
}

// find gives what a model's part of a baseline was made with, or says why it is not to be
// had: in the files of now, in git as they are checked out or were when the baseline's file
// was committed, or in the store.
func (b *baselines) find(ctx context.Context, one *loaded, header *eval.BaselineHeader) (a *arm, why string, err error) {
	why = "the prompt " + header.Prompt.String() + " of " + header.Date + " is neither in prompts/, nor in git, nor in the store"
	look := func(p *project) bool {
		var known bool
		if a, known = p.arm(header); known && a == nil {
			why = "the model " + header.Model + " stands for something else than in the baseline of " + header.Date
		}
		return a != nil
	}
	if look(b.project) {
		return a, "", nil
	}
	commits, err := b.commits(ctx, baseline.Path(one.File))
	if err != nil {
		return nil, "", err
	}
	for _, hash := range commits {
		then, err := b.at(ctx, hash)
		if fault.ClassOf(err) == fault.Canceled {
			return nil, "", err
		}
		if err == nil && look(then.project) { // a commit that cannot be read may have a better one before it
			return a, "", nil
		}
	}
	stored, err := b.stored(ctx, header)
	if err != nil {
		return nil, "", err
	}
	if stored != nil && look(stored) {
		return a, "", nil
	}
	if b.git != nil && b.git.shallow {
		why += "; this clone is shallow, and what is before it may have it: git fetch --unshallow (in GitHub Actions: fetch-depth: 0)"
	}
	return nil, why, nil
}

// arm is how the project asks what a baseline was made with; nil where it has another
// prompt, or other models. known says that the prompt is the same.
func (p *project) arm(header *eval.BaselineHeader) (a *arm, known bool) {
	for _, version := range []string{header.Prompt.Version, draftVersion} {
		asked, err := p.prompts.Resolve(header.Prompt.Name+"@"+version, prompt.Develop)
		if err != nil || asked.Hash != header.Prompt.Hash {
			continue
		}
		known = true
		found, ok := p.config.Lookup(header.Model)
		if !ok {
			continue
		}
		if made, err := p.newArm(asked, found); err == nil && made.treatment == header.Treatment {
			return made, true
		}
	}
	return nil, known
}

const draftVersion = "draft"

// maxCommits bounds how many commits of a baseline's file are looked at.
const maxCommits = 20

// commits lists those that wrote a file, the newest first; none without git.
func (b *baselines) commits(ctx context.Context, file string) ([]string, error) {
	if b.git == nil && b.noGit == nil {
		b.git, b.noGit = b.project.openGit(ctx)
	}
	if b.noGit != nil {
		if fault.ClassOf(b.noGit) == fault.Canceled {
			return nil, b.noGit
		}
		return nil, nil
	}
	return b.git.commitsOf(ctx, file, maxCommits)
}

func (b *baselines) at(ctx context.Context, hash string) (*past, error) {
	if one := b.opened[hash]; one != nil {
		return one, nil
	}
	at, err := b.git.describe(ctx, hash)
	if err != nil {
		return nil, err
	}
	one, err := b.project.openPast(ctx, b.git, at)
	if err != nil {
		return nil, err
	}
	if b.opened == nil {
		b.opened = map[string]*past{}
	}
	b.opened[hash] = one
	return one, nil
}

// stored is the project with the prompt of a baseline as the store has kept it; nil where
// it has not.
func (b *baselines) stored(ctx context.Context, header *eval.BaselineHeader) (*project, error) {
	if _, err := os.Stat(b.project.storePath()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	s, err := b.project.openStore(ctx, reads)
	if err != nil {
		return nil, nil // the run migrates it, and has the next word
	}
	content, _, err := s.Prompt(ctx, header.Prompt.Hash)
	if err := s.Close(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "llmx-past-")
	if err != nil {
		return nil, fault.New(fault.Store, "no directory can be made for a prompt: %s", reason(err)).Because(err)
	}
	b.dirs = append(b.dirs, dir)
	file := strings.Join([]string{promptsDir, header.Prompt.Name, draftVersion + ".prompty"}, "/")
	if err := put(dir, []entry{{path: file, data: content}}); err != nil {
		return nil, err
	}
	files, err := openFiles(dir)
	if err != nil {
		return nil, fault.New(fault.Store, "%s cannot be read: %s", dir, reason(err)).Because(err)
	}
	made := *b.project
	made.prompts = prompt.NewLibrary(overlay{b.project.fs, files})
	return &made, nil
}
