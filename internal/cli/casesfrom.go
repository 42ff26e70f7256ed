package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/redact"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// gathered is what becomes of calls on their way into a suite.
type gathered struct {
	prompt   *prompt.Prompt
	options  *fromCallsOptions
	checked  bool            // the suite checks every case
	ids      map[string]bool // of cases that are there
	asked    map[string]bool // their inputs, as canonical JSON
	cases    []suite.NewCase
	left     map[string]int // why calls were left out
	redacted map[redact.Kind]int
	said     int  // golden answers that nobody has checked
	media    bool // some inputs are images or files
}

// casesFromCalls appends the selected calls to a suite.
func (p *project) casesFromCalls(ctx context.Context, s *store.Store, filter store.CallFilter, o *fromCallsOptions) error {
	files, err := p.suiteFiles([]string{o.suite})
	if err != nil {
		return err
	}
	file := files[0]
	g := &gathered{options: o, ids: map[string]bool{}, asked: map[string]bool{}, left: map[string]int{}, redacted: map[redact.Kind]int{}}
	if err := g.read(ctx, p, file); err != nil {
		return err
	}
	if filter.Prompt == "" && len(o.ids) == 0 {
		filter.Prompt = g.prompt.Name
	}
	p.blind(filter)
	chosen, err := o.choose(ctx, s, filter)
	if err != nil {
		return err
	}
	// Of calls that ask the same, the one whose answer was put right counts.
	slices.SortStableFunc(chosen, func(a, b candidate) int { return b.corrections - a.corrections })
	for _, one := range chosen {
		if o.sample == 0 && o.limit > 0 && len(g.cases) == o.limit {
			break
		}
		call, err := s.Call(ctx, one.id)
		if fault.ClassOf(err) == fault.Usage && len(o.ids) == 0 { // pruned since
			continue
		}
		if err != nil {
			return err
		}
		g.add(call)
	}
	g.inOrder(chosen)
	added := ""
	if len(g.cases) > 0 {
		added, err = suite.AppendCases(p.root, file, o.into, g.cases, func(files fs.FS) error {
			after := *p
			after.fs = files
			_, err := after.loadSuite(file, selection{}, true)
			return err
		}, o.dryRun)
		if err != nil {
			return err
		}
	}
	return g.tell(p.world, strings.TrimSuffix(file[strings.LastIndex(file, "/")+1:], suite.Extension), file, added)
}

// read reads what the suite has; that it has no case yet is all right.
func (g *gathered) read(ctx context.Context, p *project, file string) error {
	one, err := p.loadSuite(file, selection{}, true)
	if fault.ClassOf(err) == fault.Empty {
		ref, refErr := suite.PromptOf(p.fs, file)
		if refErr != nil {
			return refErr
		}
		g.prompt, err = p.prompts.Resolve(ref, prompt.Develop)
		return err
	}
	if err != nil {
		return err
	}
	g.prompt, g.checked = one.prompt, one.ChecksEvery()
	for c, err := range one.Cases() {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fault.New(fault.Canceled, "interrupted; nothing was written")
		}
		g.ids[c.ID] = true
		g.asked[inputsOf(c.Vars)] = true
	}
	return nil
}

// inputsOf is canonical JSON: keys are sorted.
func inputsOf(vars map[string]any) string {
	text, err := json.Marshal(vars)
	if err != nil {
		return fmt.Sprint(vars)
	}
	return string(text)
}

// candidate is a call that is looked at.
type candidate struct {
	id          string
	rank        int // from 0, the newest
	corrections int // 1 where its answer was put right
	draw        uint64
}

// choose finds the calls to look at, the newest first.
func (o *fromCallsOptions) choose(ctx context.Context, s *store.Store, filter store.CallFilter) ([]candidate, error) {
	for _, id := range o.ids {
		call, err := findCall(ctx, s, id)
		if err != nil {
			return nil, err
		}
		filter.IDs = append(filter.IDs, call.ID)
	}
	if err := selectsCalls(ctx, s, filter); err != nil {
		return nil, err
	}
	var list []candidate
	for call, err := range s.Calls(ctx, filter) {
		if err != nil {
			return nil, err
		}
		if call.Origin.Check != "" { // what a check asked is no case
			continue
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", o.seed, call.ID))
		one := candidate{id: call.ID, rank: len(list), draw: binary.BigEndian.Uint64(sum[:])}
		if call.Correction() != nil {
			one.corrections = 1
		}
		list = append(list, one)
	}
	if o.sample > 0 && o.sample < len(list) {
		slices.SortFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.draw, b.draw), strings.Compare(a.id, b.id)) })
		list = list[:o.sample]
		slices.SortFunc(list, func(a, b candidate) int { return a.rank - b.rank })
	}
	return list, nil
}

// inOrder lets the file go on in the order of time.
func (g *gathered) inOrder(chosen []candidate) {
	ranks := map[string]int{}
	for _, one := range chosen {
		ranks[caseID(one.id)] = one.rank
	}
	slices.SortFunc(g.cases, func(a, b suite.NewCase) int { return ranks[b.ID] - ranks[a.ID] })
}

// tell says what was appended, what was taken out, and what was left out.
func (g *gathered) tell(w *World, name, file, added string) error {
	o := g.options
	if o.into != "" {
		file = suite.Dir + "/" + o.into
	}
	var out []string
	switch n := len(g.cases); {
	case n == 0:
		out = append(out, "no case is appended to "+file)
	case o.dryRun:
		if _, err := fmt.Fprint(w.Stdout, w.forPeople(added)); err != nil {
			return err
		}
		out = append(out, fmt.Sprintf("%s would be appended to %s", counted(n, "case"), file))
	default:
		out = append(out, fmt.Sprintf("%s appended to %s", counted(n, "case"), file))
		for _, c := range g.cases {
			out = append(out, "  "+c.ID)
		}
	}
	out = append(out, g.notes()...)
	if len(g.cases) > 0 && !o.dryRun {
		out = append(out, "next: read them, then llmx test "+report.ShellWord(name)+" --tag "+fromCallTag+" --record")
	}
	to := w.Stdout
	if o.dryRun && len(g.cases) > 0 {
		to = w.Stderr // stdout is the cases
	}
	_, err := fmt.Fprintln(to, strings.Join(out, "\n"))
	return err
}

func (g *gathered) notes() (out []string) {
	for _, why := range slices.Sorted(maps.Keys(g.left)) {
		out = append(out, fmt.Sprintf("left out: %d, %s", g.left[why], why))
	}
	if len(g.cases) == 0 {
		return out
	}
	switch {
	case g.options.redact == "off":
		out = append(out, "NOT redacted: secrets and personal data of callers stand in the file")
	case len(g.redacted) == 0:
		out = append(out, "redacted: nothing that has the form of a secret or of personal data was found; names are not looked for")
	default:
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(g.redacted)) {
			kinds = append(kinds, fmt.Sprintf("%d %s", g.redacted[kind], kind))
		}
		out = append(out, "redacted: "+strings.Join(kinds, ", ")+"; names are not looked for")
	}
	if g.media {
		out = append(out, "images and files were not looked through")
	}
	if g.said > 0 {
		out = append(out, fmt.Sprintf("golden answers that nobody has checked, as the model said them: %d", g.said))
	}
	return out
}
