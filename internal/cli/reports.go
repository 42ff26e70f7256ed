package cli

import (
	"bufio"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
)

// reportFile is one --report KIND=FILE.
type reportFile struct{ kind, path string }

const fixturesDir = "fixtures"

var reportKinds = []string{"json", "junit", "markdown"}

func parseReports(w *World, flags []string) ([]reportFile, error) {
	var files []reportFile
	for _, flag := range flags {
		kind, path, ok := strings.Cut(flag, "=")
		if !ok || path == "" {
			return nil, fault.New(fault.Usage, "--report %s names no file", flag).WithHint("write KIND=FILE, as in --report junit=out.xml")
		}
		if !slices.Contains(reportKinds, kind) {
			return nil, fault.New(fault.Usage, "there is no report of kind %q", kind).WithHint("%s", fault.Allowed(kind, reportKinds))
		}
		if path == "-" {
			return nil, fault.New(fault.Usage, "--report %s: a report is a file", flag).WithHint("--json prints the run as JSON; /dev/stdout is a file")
		}
		file := reportFile{kind, path}
		if info, err := os.Stat(filepath.Dir(file.absolute(w))); err != nil || !info.IsDir() {
			return nil, fault.New(fault.Usage, "the report %s cannot be written: there is no directory %s", path, filepath.Dir(path))
		}
		files = append(files, file)
	}
	return files, nil
}

// absolute is the file's path; a relative one is below the working directory.
func (f reportFile) absolute(w *World) string {
	if filepath.IsAbs(f.path) {
		return f.path
	}
	return filepath.Join(w.Dir, f.path)
}

// openProjectBeside opens the project of a command that writes reports.
func openProjectBeside(w *World, reports []reportFile) (*project, error) {
	p, err := openProject(w)
	if err != nil {
		return nil, err
	}
	return p, p.refuseOver(reports)
}

// refuseOver refuses reports that would be written over what a project is made of: a
// mistyped path must not cost a suite, or every run that there was.
func (p *project) refuseOver(reports []reportFile) error {
	store := p.storePath()
	for _, file := range reports {
		path := filepath.Clean(file.absolute(p.world))
		own := path == store || path == store+"-wal" || path == store+"-shm"
		if below, err := filepath.Rel(p.root, path); err == nil {
			first, _, _ := strings.Cut(filepath.ToSlash(below), "/")
			own = own || below == configFile || slices.Contains([]string{promptsDir, suite.Dir, fixturesDir}, first)
		}
		if own {
			return fault.New(fault.Usage, "the report %s would stand in the place of what the project is made of", file.path).
				WithHint("write it elsewhere, like --report junit=out.xml")
		}
	}
	return nil
}

// write makes the file.
func (f reportFile) write(w *World, run eval.Run, results iter.Seq2[eval.Result, error]) error {
	file, err := os.Create(f.absolute(w))
	if err != nil {
		return fault.New(fault.Store, "the report %s cannot be written: %v", f.path, reason(err)).Because(err)
	}
	buffered := bufio.NewWriter(file)
	err = f.format(buffered, run, results)
	if flushErr := buffered.Flush(); err == nil {
		err = flushErr
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fault.New(fault.Store, "the report %s cannot be written: %v", f.path, reason(err)).Because(err)
	}
	return nil
}

func (f reportFile) format(w io.Writer, run eval.Run, results iter.Seq2[eval.Result, error]) error {
	switch f.kind {
	case "junit":
		return report.JUnit(w, run, results)
	case "markdown":
		return report.Markdown(w, run, 0)
	}
	return report.JSON(w, run)
}
