package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/redact"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// gathered is what becomes of calls on their way into a suite.
type gathered struct {
	prompt  *prompt.Prompt
	options *fromCallsOptions
	checked bool            // the suite checks every case
	ids     map[string]bool // of cases that are there
	asked   map[string]int  // inputs as canonical JSON: where in made, below 0 for a case that is there
	made    []madeCase      // the newest first
	left    map[string]int  // why calls were left out
	media   bool            // some inputs are images or files
}

// madeCase is a case that was a call.
type madeCase struct {
	suite.NewCase
	taken map[redact.Kind]int // how often something was taken out
	said  bool                // its golden answer is what the model said
}

// casesFromCalls appends the selected calls to a suite.
func (p *project) casesFromCalls(ctx context.Context, s *store.Store, filter store.CallFilter, o *fromCallsOptions) error {
	files, err := p.suiteFiles([]string{o.suite})
	if err != nil {
		return err
	}
	file := files[0]
	g := &gathered{options: o, ids: map[string]bool{}, asked: map[string]int{}, left: map[string]int{}}
	if err := g.read(ctx, p, file); err != nil {
		return err
	}
	if filter.Prompt == "" && len(o.ids) == 0 {
		filter.Prompt = g.prompt.Name
	}
	p.blind(filter)
	if err := g.gather(ctx, s, filter); err != nil {
		return err
	}
	cases := make([]suite.NewCase, len(g.made))
	for i, one := range g.made { // the file goes on in the order of time
		cases[len(cases)-1-i] = one.NewCase
	}
	added := ""
	if len(cases) > 0 {
		added, err = suite.AppendCases(p.root, file, o.into, cases, func(files fs.FS) error {
			after := *p
			after.fs = files
			_, err := after.loadSuite(file, selection{}, true)
			return wouldBe(err)
		}, o.dryRun)
		if err != nil {
			return err
		}
	}
	return g.tell(p.world, cases, strings.TrimSuffix(path.Base(file), suite.Extension), file, added)
}

// wouldBe says of problems that they stand in a file that is not written.
func wouldBe(err error) error {
	if err == nil {
		return nil
	}
	e := *fault.As(err)
	e.Message = "with these cases the suite would not be valid: " + e.Message
	e.Hint = strings.TrimSpace(e.Hint + "\n  nothing was written; the line is that of the file as it would be")
	return &e
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
		g.asked[inputsOf(c.Vars)] = -1
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

// gather makes cases of the calls that a filter selects, the newest first.
func (g *gathered) gather(ctx context.Context, s *store.Store, filter store.CallFilter) error {
	o := g.options
	for _, id := range o.ids {
		call, err := findCall(ctx, s, id)
		if err != nil {
			return err
		}
		filter.IDs = append(filter.IDs, call.ID)
	}
	if err := selectsCalls(ctx, s, filter); err != nil {
		return err
	}
	calls := s.Calls(ctx, filter)
	if o.sample > 0 {
		ids, err := o.draw(calls)
		if err != nil || len(ids) == 0 {
			return err
		}
		calls = s.Calls(ctx, store.CallFilter{IDs: ids})
	}
	for head, err := range calls {
		if err != nil {
			return err
		}
		if head.Origin.Check != "" { // what a check asked is no case
			continue
		}
		call, err := s.Call(ctx, head.ID)
		if err != nil {
			return err
		}
		if g.add(call); o.sample == 0 && o.limit > 0 && len(g.made) == o.limit {
			break
		}
	}
	return nil
}

// draw chooses calls by a number that their id and the seed give, so that the same ones
// come whatever else is stored.
func (o *fromCallsOptions) draw(calls iter.Seq2[*llm.Call, error]) ([]string, error) {
	type drawn struct {
		id string
		by uint64
	}
	var list []drawn
	keep := func() {
		slices.SortFunc(list, func(a, b drawn) int { return cmp.Or(cmp.Compare(a.by, b.by), strings.Compare(a.id, b.id)) })
		list = list[:min(len(list), o.sample)]
	}
	for call, err := range calls {
		if err != nil {
			return nil, err
		}
		if call.Origin.Check != "" {
			continue
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", o.seed, call.ID))
		if list = append(list, drawn{call.ID, binary.BigEndian.Uint64(sum[:])}); len(list) > 2*o.sample+1000 {
			keep() // not all are held
		}
	}
	keep()
	ids := make([]string, len(list))
	for i, one := range list {
		ids[i] = one.id
	}
	return ids, nil
}

// tell says what was appended, what was taken out, and what was left out.
func (g *gathered) tell(w *World, cases []suite.NewCase, name, file, added string) error {
	o := g.options
	if o.into != "" {
		file = path.Join(suite.Dir, o.into)
	}
	var out []string
	switch n := len(cases); {
	case n == 0:
		out = append(out, "no case is appended to "+file)
	case o.dryRun:
		if _, err := fmt.Fprint(w.Stdout, w.forPeople(added)); err != nil {
			return err
		}
		out = append(out, fmt.Sprintf("%s would be appended to %s", counted(n, "case"), file))
	default:
		out = append(out, fmt.Sprintf("%s appended to %s", counted(n, "case"), file))
		for _, c := range cases {
			out = append(out, "  "+c.ID)
		}
	}
	out = append(out, g.notes()...)
	if len(cases) > 0 && !o.dryRun {
		out = append(out, "next: read them, then llmx test "+report.ShellWord(name)+" --tag "+fromCallTag+" --record")
	}
	to := w.Stdout
	if o.dryRun && len(cases) > 0 {
		to = w.Stderr // stdout is the cases
	}
	_, err := fmt.Fprintln(to, strings.Join(out, "\n"))
	return err
}

// notes say what was left out, what was taken out, and what a person must know.
func (g *gathered) notes() (out []string) {
	for _, why := range slices.Sorted(maps.Keys(g.left)) {
		out = append(out, fmt.Sprintf("left out: %d, %s", g.left[why], why))
	}
	if g.left[nothingWouldCheck] > 0 {
		out = append(out, "  write expect: into the suite (llmx help checks), or take what the model said as golden: --golden answers")
	}
	if len(g.made) == 0 {
		return out
	}
	out = append(out, g.redactions())
	if g.media {
		out = append(out, "images and files were not looked through")
	}
	said := 0
	for _, one := range g.made {
		if one.said {
			said++
		}
	}
	if said > 0 {
		out = append(out, fmt.Sprintf("golden answers that nobody has checked, as the model said them: %d", said))
	}
	return out
}

func (g *gathered) redactions() string {
	taken := map[redact.Kind]int{}
	for _, one := range g.made {
		for kind, n := range one.taken {
			taken[kind] += n
		}
	}
	switch {
	case g.options.redact == "off":
		return "NOT redacted: secrets and personal data of callers stand in the file"
	case len(taken) == 0:
		return "redacted: nothing that has the form of a secret or of personal data was found; names are not looked for"
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(taken)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", taken[kind], kind))
	}
	return "redacted: " + strings.Join(kinds, ", ") + "; names are not looked for"
}
