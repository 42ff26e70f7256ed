package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llmx-dev/llmx/internal/report"
)

// outputStyle is how results are laid out on stdout.
func (w *World) outputStyle() report.Style {
	return report.Style{Width: w.Width, Color: w.color(w.StdoutTerminal), Now: w.Now()}
}

// errorStyle is how problems and progress are laid out on stderr.
func (w *World) errorStyle() report.Style {
	return report.Style{Width: w.Width, Color: w.color(w.StderrTerminal), Now: w.Now()}
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// reason is the system's word for a failed file operation, without the path,
// which the message has already.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// commandLine is what was typed, as it can be pasted into a shell. Flags hold no
// secrets.
func commandLine(cmd *cobra.Command, args []string) string {
	words := []string{cmd.CommandPath()}
	for _, arg := range args {
		words = append(words, report.ShellWord(arg))
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "bool" {
			words = append(words, "--"+f.Name)
			return
		}
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		for _, value := range values {
			words = append(words, "--"+f.Name, report.ShellWord(value))
		}
	})
	return strings.Join(words, " ")
}
