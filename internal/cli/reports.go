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
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
)

// reportFile is one --report KIND=FILE.
type reportFile struct{ kind, path string }

var reportKinds = []string{"json", "junit", "markdown"}

func parseReports(flags []string) ([]reportFile, error) {
	var files []reportFile
	for _, flag := range flags {
		kind, path, ok := strings.Cut(flag, "=")
		if !ok || path == "" {
			return nil, fault.New(fault.Usage, "--report %s names no file", flag).WithHint("write KIND=FILE, as in --report junit=out.xml")
		}
		if !slices.Contains(reportKinds, kind) {
			return nil, fault.New(fault.Usage, "there is no report of kind %q", kind).WithHint("%s", fault.Allowed(kind, reportKinds))
		}
		files = append(files, reportFile{kind, path})
	}
	return files, nil
}

// write makes the file, relative to the working directory.
func (f reportFile) write(w *World, run eval.Run, results iter.Seq2[eval.Result, error]) error {
	path := f.path
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.Dir, path)
	}
	file, err := os.Create(path)
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
