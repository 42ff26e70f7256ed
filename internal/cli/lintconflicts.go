package cli

import (
	"bytes"
	"io/fs"
	"path"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

// lintConflicts warns of prompts and their parts in which git has left both sides of a
// conflict: as texts they are valid, and would be sent as they are.
func (p *project) lintConflicts() []*fault.Error {
	var left []*fault.Error
	_ = fs.WalkDir(p.fs, promptsDir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".prompty", ".j2"}, path.Ext(file)) {
			return nil // who reads the prompts says what cannot be read
		}
		text, err := fs.ReadFile(p.fs, file)
		if line := conflictIn(text); err == nil && line > 0 {
			left = append(left, fault.At(fault.Place{File: file, Line: line}, "the text has the conflict markers of git, and would be sent with them").
				WithHint("keep one of the sides"))
		}
		return nil
	})
	return left
}

// conflictIn gives the line on which a conflict begins that has both its sides; 0 for none.
func conflictIn(text []byte) int {
	markers := []string{"<<<<<<< ", "=======", ">>>>>>> "}
	begins, met, number := 0, 0, 0
	for line := range bytes.Lines(text) {
		number++
		if !bytes.HasPrefix(line, []byte(markers[met])) {
			continue
		}
		if met == 0 {
			begins = number
		}
		if met++; met == len(markers) {
			return begins
		}
	}
	return 0
}
