package baseline

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// Write puts the baseline into dir/file, whole or not at all: headers first, then
// lines sorted by case and model, in one form, so that what did not change stays
// byte-identical. file is a slash path below dir. Class Invalid where a line has no header.
func Write(dir, file string, b *eval.Baseline) error {
	sorted := &eval.Baseline{Headers: slices.Clone(b.Headers), Lines: slices.Clone(b.Lines)}
	order(sorted)
	if err := checkWhole(sorted, file); err != nil {
		return err
	}
	return put(dir, file, "baseline", func(w io.Writer) error { return encode(w, sorted) })
}

// put writes dir/file whole or not at all.
func put(dir, file, what string, write func(io.Writer) error) error {
	target := filepath.Join(dir, filepath.FromSlash(file))
	temporary, err := os.CreateTemp(filepath.Dir(target), "."+what+"-*")
	if err != nil {
		return unwritten(what, file, err)
	}
	err = write(temporary)
	if err == nil {
		err = temporary.Chmod(0o644)
	}
	if err == nil {
		err = temporary.Sync()
	}
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary.Name(), target)
	}
	if err != nil {
		os.Remove(temporary.Name())
		return unwritten(what, file, err)
	}
	return nil
}

func unwritten(what, file string, err error) error {
	return fault.New(fault.Store, "the %s %s could not be written", what, file).Because(err).WithHint("%v", err)
}

// checkWhole refuses what Read would refuse, before it is in the file.
func checkWhole(b *eval.Baseline, file string) error {
	var problems fault.List
	for i := range b.Lines {
		line := &b.Lines[i]
		wrong := check(line)
		if wrong == "" && HeaderOf(b, line.Model) == nil {
			wrong = "its model " + line.Model + " has no header"
		}
		if wrong == "" && i > 0 && b.Lines[i-1].Case == line.Case && b.Lines[i-1].Model == line.Model {
			wrong = "it stands there twice for the model " + line.Model
		}
		if wrong != "" && len(problems) < maxProblems {
			problems.Add(fault.At(fault.Place{File: file}, "case %q: %s", line.Case, wrong))
		}
	}
	return problems.Err()
}

func encode(w io.Writer, b *eval.Baseline) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for i := range b.Headers {
		if err := encoder.Encode(&b.Headers[i]); err != nil {
			return err
		}
	}
	for i := range b.Lines {
		if err := encoder.Encode(&b.Lines[i]); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
