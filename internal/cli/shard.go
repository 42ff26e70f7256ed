package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// shard is one of several parts into which a run is cut, so that machines can share it.
// The zero value is the whole.
type shard struct{ part, of int }

// maxShards bounds the parts of a run.
const maxShards = 10_000

// parseShard reads 2/4; "" is the whole.
func parseShard(text string) (shard, error) {
	if text == "" {
		return shard{}, nil
	}
	part, of, _ := strings.Cut(text, "/")
	i, err := strconv.Atoi(part)
	n, alsoErr := strconv.Atoi(of)
	if err != nil || alsoErr != nil || n < 1 || n > maxShards || i < 1 || i > n {
		return shard{}, fault.New(fault.Usage, "--shard %s is no part of a run", text).WithHint("write --shard 1/4 for the first of four parts")
	}
	return shard{i, n}, nil
}

func (s shard) String() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.part, s.of)
}

// has reports whether the selected case at an index of its suite, from 0, is of the
// part. Every part gets every n-th case, so that all are as large, and as mixed.
func (s shard) has(index int) bool { return s.of == 0 || index%s.of == s.part-1 }

// partly makes the verdict of a part one that says no more than whether it was judged:
// gates speak of whole runs. judged says of a group whether it was.
func (s shard) partly(v *eval.Verdict, judged func(*eval.GroupVerdict) bool) {
	if s.of <= 1 {
		return
	}
	v.Word = eval.NotGated
	for i := range v.Groups {
		if !judged(&v.Groups[i]) {
			return
		}
	}
	v.Exit = fault.ExitOK
	v.Sentence = fmt.Sprintf("part %s of a run: %d of %d results judged; llmx runs merge judges all parts together", s, v.Judged, v.Planned)
	for i := range v.Groups {
		group := &v.Groups[i]
		group.Word, group.Pass = eval.NotGated, true
		for j := range group.Gates {
			gate := &group.Gates[j]
			gate.Word, gate.Pass, gate.P, gate.Adjusted, gate.Note = eval.NotGated, true, nil, nil, "judged once all parts are merged"
			gate.Bound, gate.Sees, gate.Settle = nil, nil, nil
		}
		group.Alerts, group.Sight, group.CostChange = []eval.Alert{}, nil, nil
		if group.Against != nil {
			against := *group.Against
			against.Model, against.Prompt, against.Sentence = nil, nil, "Whether it is your edit is told once all parts are merged."
			group.Against = &against
		}
	}
}
