package baseline

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// CalibrationPath is where the calibration of a suite file stands: beside its baseline,
// in git, so that every machine that judges the suite says the same.
func CalibrationPath(suiteFile string) string {
	return strings.TrimSuffix(suiteFile, ".yaml") + ".calibration.json"
}

// maxCalibration bounds the file, in bytes.
const maxCalibration = 8 << 20

// ReadCalibration reads a suite's calibration; nil where there is none. Class Invalid
// with the place where the file is broken.
func ReadCalibration(root fs.FS, file string) (*eval.SuiteCalibration, error) {
	data, err := fs.ReadFile(root, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	broken := func(why string) error {
		return fault.At(fault.Place{File: file}, "the calibration cannot be read: %s", why).WithHint("llmx calibrate makes it anew, or remove it")
	}
	switch {
	case err != nil:
		return nil, broken(err.Error())
	case len(data) > maxCalibration:
		return nil, broken("it is too large")
	}
	var c eval.SuiteCalibration
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, broken(err.Error())
	}
	if c.Schema != eval.CalibrationSchema {
		return nil, broken("its schema is " + c.Schema + ", not " + eval.CalibrationSchema)
	}
	return &c, nil
}

// WriteCalibration puts the entries into dir/file, whole or not at all; those of other
// models stay.
func WriteCalibration(dir, file string, old *eval.SuiteCalibration, suite string, fresh []eval.Calibration) error {
	all := eval.SuiteCalibration{Schema: eval.CalibrationSchema, Suite: suite, Models: slices.Clone(fresh)}
	if old != nil {
		for _, one := range old.Models {
			if !slices.ContainsFunc(fresh, func(c eval.Calibration) bool { return c.Model == one.Model }) {
				all.Models = append(all.Models, one)
			}
		}
	}
	slices.SortFunc(all.Models, func(a, b eval.Calibration) int { return strings.Compare(a.Model, b.Model) })
	return put(dir, file, "calibration", func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	})
}
