package baseline

import (
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// Beside makes a baseline of what was asked beside a group in the same run, as if model
// had given it. Results come sorted by case and repeat; what was not judged has no part
// in it. It is for comparing within the run, and no file: see BaselineLine.Service.
func Beside(results iter.Seq2[eval.Result, error], asked eval.Group, model string, run eval.Run) (*eval.Baseline, error) {
	b := new(eval.Baseline)
	header := &headerFold{group: asked, answered: map[string]bool{}}
	var open *lineFold
	finish := func() {
		if open == nil {
			return
		}
		line := open.line()
		line.Model = model
		if open.served > 0 {
			line.Service = open.service / time.Duration(open.served)
		}
		b.Lines = append(b.Lines, line)
	}
	for result, err := range results {
		if err != nil {
			return nil, err
		}
		if !result.Status.Judged() {
			continue
		}
		if open == nil || open.id != result.Case {
			finish()
			open = newLineFold(&result, asked.Planned <= maxTexts)
		}
		open.add(&result)
		header.add(&result)
	}
	finish()
	made := header.header(run)
	made.Model = model
	b.Headers = append(b.Headers, made)
	order(b)
	return b, nil
}
