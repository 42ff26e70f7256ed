package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

func newFixtures(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fixtures",
		Short: "Recorded replies: import answers by case id, prune what is unused",
		Long: `Recordings stand in fixtures/, one file a suite. llmx test --record makes them;
import takes answers that you have, by case id.`,
		Example: "  llmx fixtures import triage answers.jsonl --prompt triage@1.0.0\n  llmx fixtures prune",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newFixturesImport(w), newFixturesPrune(w))
	return cmd
}

type importOptions struct {
	suite, file, prompt, origin string
	models                      []string
}

func newFixturesImport(w *World) *cobra.Command {
	o := &importOptions{}
	cmd := &cobra.Command{
		Use:   "import SUITE FILE",
		Short: "Make recordings of answers, by case id",
		Long: `Read answers, one JSON object a line, and record them as the replies to the suite's
cases. FILE may be - for stdin. Only case and answer are required, or in place of an
answer the tool calls that it proposes:

  {"case": "refund-angry", "answer": {"label": "billing", "urgency": 5}}
  {"case": "late-fee", "answer": "…", "model": "small", "repeat": 0,
   "prompt": "triage@1.0.0", "finish": "stop", "usage": {"input": 120, "output": 8}, "latency_ms": 412}
  {"case": "which-invoice", "tool_calls": [{"name": "lookup_invoice", "arguments": {"id": 17}}]}

Of a case that is a conversation every reply is a line, with the number of the turn that
it answers, in any order:

  {"case": "double-charge", "turn": 1, "tool_calls": [{"name": "lookup_invoice", "arguments": {}}]}
  {"case": "double-charge", "turn": 2, "answer": "You paid twice. Shall I refund one?"}`,
		Example: "  llmx fixtures import triage answers.jsonl\n  llmx fixtures import triage answers.jsonl --prompt triage@1.0.0 --model small --origin written",
		Args:    takes(2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			o.suite, o.file = args[0], args[1]
			return runImport(w, o)
		},
		ValidArgsFunction: completeSuites(w),
	}
	cmd.Flags().StringVar(&o.prompt, "prompt", "", "the prompt that was asked, `NAME@VERSION` (default: the suite's)")
	cmd.Flags().StringSliceVar(&o.models, "model", nil, "the models that answered (default: the suite's)")
	cmd.Flags().StringVar(&o.origin, "origin", "imported", "who wrote the answers: stands in every recording and in reports")
	return cmd
}

func runImport(w *World, o *importOptions) error {
	if strings.TrimSpace(o.origin) == "" {
		return fault.New(fault.Usage, "--origin is empty").WithHint("say who wrote the answers: written, production, …")
	}
	p, err := openProject(w)
	if err != nil {
		return err
	}
	entries, err := p.readEntries(o.file)
	if err != nil {
		return err
	}
	recordings, err := p.recordingsOf(o, entries)
	if err != nil {
		return err
	}
	file, err := p.openRecordings(strings.TrimSuffix(filepath.Base(o.suite), ".yaml"))
	if err != nil {
		return err
	}
	replaced, err := file.Import(recordings)
	if err := joined(err, file.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.Stdout, "%s: %d replies imported, %d of them in place of others\n", file.File(), len(recordings), replaced)
	return err
}

func (p *project) readEntries(name string) ([]replay.Entry, error) {
	if name == "-" {
		return replay.ParseImport("stdin", p.world.Stdin)
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.world.Dir, path)
	}
	source, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Usage, "the file %s cannot be read: %s", name, reason(err)).Because(err)
	}
	defer source.Close()
	return replay.ParseImport(name, io.Reader(source))
}

// recordingsOf renders what every answer is the reply to. An entry's own prompt
// goes over the flag, the flag over the suite's.
func (p *project) recordingsOf(o *importOptions, entries []replay.Entry) ([]replay.Recording, error) {
	byPrompt := map[string][]replay.Entry{}
	var order []string
	for _, entry := range entries {
		ref := entry.Prompt
		if ref == "" {
			ref = o.prompt
		}
		if !slices.Contains(order, ref) {
			order = append(order, ref)
		}
		byPrompt[ref] = append(byPrompt[ref], entry)
	}
	var made []replay.Recording
	var problems fault.List
	for _, ref := range order {
		found, err := p.loadSuites(selection{names: []string{o.suite}, prompts: onePrompt(ref), models: o.models})
		if err != nil {
			problems.Add(err)
			continue
		}
		some, err := p.recordCases(found[0], o.origin, byPrompt[ref])
		problems.Add(err)
		made = append(made, some...)
	}
	return made, problems.Err()
}

func (p *project) recordCases(one *loaded, origin string, entries []replay.Entry) ([]replay.Recording, error) {
	resolved := p.resolvedNames()
	byCase := map[string][]replay.Entry{}
	for _, entry := range entries {
		byCase[entry.Case] = append(byCase[entry.Case], entry)
	}
	var made []replay.Recording
	var problems fault.List
	var ids []string
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		ids = append(ids, c.ID)
		if len(c.Turns) > 0 {
			some, err := p.recordTalk(one, &c, byCase[c.ID], origin, resolved)
			problems.Add(err)
			made = append(made, some...)
			delete(byCase, c.ID)
			continue
		}
		for _, entry := range byCase[c.ID] {
			if entry.Turn > 0 {
				problems.Add(fault.At(entry.Place, "the case %q is no conversation, and has no turn %d", c.ID, entry.Turn).WithHint("take turn: out of the entry"))
				continue
			}
			some, err := p.recordEntry(one, &c, entry, origin, resolved)
			problems.Add(err)
			made = append(made, some...)
		}
		delete(byCase, c.ID)
	}
	for _, entry := range entries {
		if _, left := byCase[entry.Case]; left {
			problems.Add(fault.At(entry.Place, "the suite %s has no case %q", one.Name, entry.Case).WithHint("%s", fault.Allowed(entry.Case, ids)))
		}
	}
	return made, problems.Err()
}

func (p *project) recordEntry(one *loaded, c *eval.Case, entry replay.Entry, origin string, known map[string]bool) ([]replay.Recording, error) {
	request, err := requestOf(one.prompt, c)
	if err != nil {
		return nil, at(entry.Place, err)
	}
	models := one.models
	if entry.Model != "" {
		models = []string{entry.Model}
	}
	var made []replay.Recording
	for _, name := range models {
		resolved := name
		if !known[name] {
			found, err := p.lookup(name, entry.Place)
			if err != nil {
				return nil, err
			}
			models := found.Models()
			if len(models) > 1 {
				return nil, fault.At(entry.Place, "the route %q asks %d models: which of them gave the answer?", name, len(models)).
					WithHint("say model: in the entry; %s", fault.Allowed("", models))
			}
			resolved = p.resolved(models[0])
		}
		made = append(made, entry.Recording(request, resolved, origin, p.world.Now()))
	}
	return made, nil
}

// requestOf is what the engine will ask for a case.
func requestOf(found *prompt.Prompt, c *eval.Case) (llm.Request, error) {
	messages, err := found.Render(c.Vars)
	if err != nil {
		return llm.Request{}, err
	}
	return llm.Request{Prompt: found.Ref(), Messages: messages, Options: found.Options, Output: found.Output, Tools: found.Tools}, nil
}

// resolvedNames are the names that aliases stand for.
func (p *project) resolvedNames() map[string]bool {
	names := map[string]bool{}
	for alias := range p.config.Models {
		names[p.resolved(alias)] = true
	}
	return names
}

func newFixturesPrune(w *World) *cobra.Command {
	dryRun := false
	cmd := &cobra.Command{
		Use:   "prune [SUITE…]",
		Short: "Drop the recordings that no release, draft or case asks for any more",
		Long: `Drop recordings that nothing asks for: neither the draft nor a release of the suite's
prompt, nor another prompt that a recording names and that still exists. What judges
said stays with the answers that they judged.`,
		Example:           "  llmx fixtures prune --dry-run\n  llmx fixtures prune triage",
		ValidArgsFunction: completeSuites(w),
		RunE: inProject(w, func(cmd *cobra.Command, p *project, args []string) error {
			files, err := p.suiteFiles(args)
			if err != nil {
				return err
			}
			for _, file := range files {
				if err := p.pruneSuite(cmd.Context(), file, dryRun); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would go")
	return cmd
}

func (p *project) pruneSuite(ctx context.Context, suiteFile string, dryRun bool) error {
	one, err := p.loadSuite(suiteFile, selection{}, false)
	if err != nil {
		return err
	}
	file, err := p.openRecordings(one.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	used, err := p.usedKeys(ctx, one, file)
	if err != nil {
		return err
	}
	unused, err := countUnused(file, used)
	if err != nil {
		return err
	}
	if dryRun || unused == 0 { // a file that nothing leaves is not written again
		_, err = fmt.Fprintf(p.world.Stdout, "%s: %d of %d replies are unused\n", file.File(), unused, file.Len()+file.Duplicates())
		return err
	}
	before := file.Len() + file.Duplicates()
	removed, err := file.Prune(func(r replay.Recording) bool { return used[r.Key] || ofLabel(r) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.world.Stdout, "%s: %d of %d replies removed\n", file.File(), removed, before)
	return err
}

// ofLabel reports what a judge said of an answer in a file of labels: no suite asks for
// it, and llmx judge calibrate does.
func ofLabel(r replay.Recording) bool { return r.Check != "" && strings.HasPrefix(r.Case, labelled) }

func countUnused(file *replay.Recordings, used map[string]bool) (int, error) {
	unused := file.Duplicates()
	for recording, err := range file.All() {
		if err != nil {
			return 0, err
		}
		if !used[recording.Key] && !ofLabel(recording) {
			unused++
		}
	}
	return unused, nil
}

// usedKeys are the keys of all that could be asked: every case, for every prompt
// version there is, of every model and repeat that the recordings name.
func (p *project) usedKeys(ctx context.Context, one *loaded, file *replay.Recordings) (map[string]bool, error) {
	models, repeats, refs := map[string]bool{}, 0, map[string]bool{}
	for recording, err := range file.All() {
		if err != nil {
			return nil, err
		}
		models[recording.Model] = true
		repeats = max(repeats, recording.Repeat)
		name, _, _ := strings.Cut(recording.Prompt, "@")
		refs[name] = true
	}
	refs[one.prompt.Name] = true
	for name := range models {
		if !p.resolvedNames()[name] {
			delete(models, name) // no alias stands for it any more
		}
	}
	used := map[string]bool{}
	judged := newJudgedKeys(p, one, file, models)
	for name := range refs {
		for _, found := range p.everyVersion(name) {
			for c, err := range one.Cases() {
				if err != nil {
					return nil, err
				}
				if ctx.Err() != nil {
					return nil, fault.New(fault.Canceled, "interrupted; nothing was removed")
				}
				draws := recordedDraws{file, models, repeats, used, judged}
				if len(c.Turns) > 0 {
					if err := draws.markTalk(found, &c); err != nil {
						return nil, err
					}
					continue
				}
				request, err := requestOf(found, &c)
				if err != nil {
					break // the version wants other inputs: nothing of it is asked
				}
				if err := draws.mark(&c, request); err != nil {
					return nil, err
				}
			}
		}
	}
	maps.Copy(used, judged.used)
	return used, nil
}

// everyVersion are the draft and the releases of a prompt that can be read.
func (p *project) everyVersion(name string) []*prompt.Prompt {
	refs := []string{name + "@draft"}
	versions, err := p.prompts.Versions(name)
	if err == nil {
		for _, v := range versions {
			refs = append(refs, name+"@"+v.Version)
		}
	}
	var found []*prompt.Prompt
	for _, ref := range refs {
		if one, err := p.prompts.Resolve(ref, prompt.Develop); err == nil {
			found = append(found, one)
		}
	}
	return found
}
