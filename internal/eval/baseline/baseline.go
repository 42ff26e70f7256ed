// Package baseline reads, writes, merges and makes the accepted results of a
// suite: suites/<name>.baseline.jsonl, a file in git. It imports the words alone
// (llm, fault, eval).
package baseline

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

const extension = ".baseline.jsonl"

// Path is the baseline's file of a suite file: suites/triage.yaml has
// suites/triage.baseline.jsonl beside it.
func Path(suiteFile string) string {
	return strings.TrimSuffix(suiteFile, path.Ext(suiteFile)) + extension
}

// suiteOf is the suite's name as commands take it.
func suiteOf(file string) string {
	return strings.TrimSuffix(path.Base(file), extension)
}

// HeaderOf finds a model's header, or nil.
func HeaderOf(b *eval.Baseline, model string) *eval.BaselineHeader {
	for i := range b.Headers {
		if b.Headers[i].Model == model {
			return &b.Headers[i]
		}
	}
	return nil
}

// Keep adds to fresh what old has of models that fresh has no header for: a run
// of one model does not drop the others. old may be nil.
func Keep(fresh, old *eval.Baseline) *eval.Baseline {
	if old == nil {
		return fresh
	}
	kept := &eval.Baseline{Headers: slices.Clone(fresh.Headers), Lines: slices.Clone(fresh.Lines)}
	for _, header := range old.Headers {
		if HeaderOf(fresh, header.Model) == nil {
			kept.Headers = append(kept.Headers, header)
		}
	}
	for _, line := range old.Lines {
		if HeaderOf(fresh, line.Model) == nil {
			kept.Lines = append(kept.Lines, line)
		}
	}
	order(kept)
	return kept
}

// order sorts headers by model, lines by case and model.
func order(b *eval.Baseline) {
	slices.SortFunc(b.Headers, func(x, y eval.BaselineHeader) int { return strings.Compare(x.Model, y.Model) })
	slices.SortFunc(b.Lines, func(x, y eval.BaselineLine) int {
		return cmp.Or(strings.Compare(x.Case, y.Case), strings.Compare(x.Model, y.Model))
	})
}
