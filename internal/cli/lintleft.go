package cli

import (
	"io/fs"
	"path"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
)

// lintLeft warns of baselines and calibrations that stand beside none of the suites: one
// that was renamed has lost what it was compared with, and passes by having none.
func (p *project) lintLeft(suites []string) []*fault.Error {
	beside := map[string]bool{}
	for _, file := range suites {
		beside[baseline.Path(file)], beside[baseline.CalibrationPath(file)] = true, true
	}
	entries, err := fs.ReadDir(p.fs, suite.Dir)
	if err != nil {
		return nil // who reads the suites has said so
	}
	var left []*fault.Error
	for _, entry := range entries {
		file := path.Join(suite.Dir, entry.Name())
		for _, of := range []func(string) string{baseline.Path, baseline.CalibrationPath} {
			ending := strings.TrimPrefix(of("x"+suite.Extension), "x")
			name, is := strings.CutSuffix(file, ending)
			if !is || entry.IsDir() || beside[file] {
				continue
			}
			left = append(left, fault.At(fault.Place{File: file}, "there is no suite %s%s: nothing is compared with it", name, suite.Extension).
				WithHint("rename it as the suite was renamed, or remove it"))
		}
	}
	return left
}
