package baseline

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// Conflict is what a merge could not settle: it needs llmx test, then llmx
// baseline accept. Case is "" where it is about all lines of the model.
type Conflict struct {
	Model string
	Case  string
	Why   string
}

func (c Conflict) String() string {
	if c.Case == "" {
		return fmt.Sprintf("model %s: %s", c.Model, c.Why)
	}
	return fmt.Sprintf("case %s on %s: %s", c.Case, c.Model, c.Why)
}

// Merge takes a baseline file with git's conflict markers (the base of diff3 is
// passed over) and joins both sides:
//
//   - Of two headers of a model, the one of the later date wins, ours on a tie;
//     who answered and the single acceptances of both are kept.
//   - A line that only one side has is kept.
//   - Of two lines of a case that differ, the one made under the winning header's
//     treatment wins. Where both sides have that treatment, ours is kept and the
//     case is a conflict: its draws or criteria differ.
//   - Where the treatments differ, the model is a conflict too: lines that only the
//     other side has, or that git merged by itself, speak of another treatment.
//
// The result can be written at once; conflicts say what to run afterwards. Class
// Invalid where the markers or a line cannot be read.
func Merge(file []byte) (*eval.Baseline, []Conflict, error) {
	ours, theirs, err := sides(file)
	if err != nil {
		return nil, nil, err
	}
	our, err := parse(bytes.NewReader(ours), "ours")
	if err != nil {
		return nil, nil, err
	}
	their, err := parse(bytes.NewReader(theirs), "theirs")
	if err != nil {
		return nil, nil, err
	}
	merged := new(eval.Baseline)
	var conflicts []Conflict
	winner := map[string]*eval.Baseline{} // by model, where the treatments differ
	for i := range our.Headers {
		o := &our.Headers[i]
		t := HeaderOf(their, o.Model)
		if t == nil {
			merged.Headers = append(merged.Headers, *o)
			continue
		}
		header, theirsWins := mergeHeaders(o, t)
		merged.Headers = append(merged.Headers, header)
		if o.Treatment != t.Treatment {
			winner[o.Model] = our
			if theirsWins {
				winner[o.Model] = their
			}
			conflicts = append(conflicts, Conflict{Model: o.Model,
				Why: fmt.Sprintf("the sides were accepted under different treatments (%s and %s); the later one's lines were kept", o.Prompt, t.Prompt)})
		}
	}
	for i := range their.Headers {
		if HeaderOf(our, their.Headers[i].Model) == nil {
			merged.Headers = append(merged.Headers, their.Headers[i])
		}
	}
	conflicts = append(conflicts, mergeLines(merged, our, their, winner)...)
	order(merged)
	return merged, conflicts, nil
}

// mergeHeaders joins two headers of a model.
func mergeHeaders(ours, theirs *eval.BaselineHeader) (merged eval.BaselineHeader, theirsWins bool) {
	merged, other := *ours, theirs
	if theirs.Date > ours.Date {
		merged, other, theirsWins = *theirs, ours, true
	}
	if merged.Treatment == other.Treatment {
		merged.Answered = append(slices.Clone(merged.Answered), other.Answered...)
		slices.Sort(merged.Answered)
		merged.Answered = slices.Compact(merged.Answered)
	}
	if !reflect.DeepEqual(merged.Spend, other.Spend) {
		merged.Spend = nil // lines of both sides are joined
	}
	merged.Accepted = slices.Clone(merged.Accepted)
	for _, accept := range other.Accepted {
		if !slices.ContainsFunc(merged.Accepted, func(a eval.BaselineAccept) bool { return reflect.DeepEqual(a, accept) }) {
			merged.Accepted = append(merged.Accepted, accept)
		}
	}
	return merged, theirsWins
}

func mergeLines(merged, our, their *eval.Baseline, winner map[string]*eval.Baseline) (conflicts []Conflict) {
	other := make(map[key]*eval.BaselineLine, len(their.Lines))
	for i := range their.Lines {
		line := &their.Lines[i]
		other[key{line.Case, line.Model}] = line
	}
	for _, line := range our.Lines {
		k := key{line.Case, line.Model}
		t, both := other[k]
		delete(other, k)
		switch {
		case !both || reflect.DeepEqual(line, *t):
		case winner[line.Model] == their:
			line = *t
		case winner[line.Model] == nil:
			conflicts = append(conflicts, Conflict{Model: line.Model, Case: line.Case,
				Why: "both sides have results of the same treatment, and they differ; ours were kept"})
		}
		merged.Lines = append(merged.Lines, line)
	}
	for _, line := range their.Lines {
		if _, only := other[key{line.Case, line.Model}]; only {
			merged.Lines = append(merged.Lines, line)
		}
	}
	return conflicts
}

// sides splits a file at its markers. What stands outside belongs to both. Lines
// that are left out are kept empty, so that places still name the file's lines.
func sides(file []byte) (ours, theirs []byte, err error) {
	const (
		outside = iota
		inOurs
		inBase
		inTheirs
	)
	state, opened := outside, 0
	number := 0
	for text := range bytes.Lines(file) {
		number++
		next := state
		switch {
		case bytes.HasPrefix(text, []byte("<<<<<<<")) && state == outside:
			next, opened = inOurs, number
		case bytes.HasPrefix(text, []byte("|||||||")) && state == inOurs:
			next = inBase
		case bytes.HasPrefix(text, []byte("=======")) && (state == inOurs || state == inBase):
			next = inTheirs
		case bytes.HasPrefix(text, []byte(">>>>>>>")) && state == inTheirs:
			next = outside
		case isMarker(text):
			return nil, nil, fault.New(fault.Invalid, "line %d: a conflict marker out of order", number).
				WithHint("bring the file back with git checkout --merge, then merge again")
		}
		marker := next != state
		state = next
		blank := []byte("\n")
		o, t := text, text
		if marker || state == inTheirs || state == inBase {
			o = blank
		}
		if marker || state == inOurs || state == inBase {
			t = blank
		}
		ours, theirs = append(ours, o...), append(theirs, t...)
	}
	if state != outside {
		return nil, nil, fault.New(fault.Invalid, "line %d: a conflict that does not end", opened).
			WithHint("bring the file back with git checkout --merge, then merge again")
	}
	return ours, theirs, nil
}
