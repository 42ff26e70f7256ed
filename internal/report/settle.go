package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// settling is the run with the commands that would settle its inconclusive gates: a
// verdict knows how much is to be asked, the run in which words.
func settling(run eval.Run) eval.Run {
	if run.Verdict == nil {
		return run
	}
	v := *run.Verdict
	v.Groups = slices.Clone(v.Groups)
	for i := range v.Groups {
		g := &v.Groups[i]
		g.Gates = slices.Clone(g.Gates)
		for j := range g.Gates {
			g.Gates[j].Settle = toPaste(run, g, g.Gates[j].Settle)
		}
	}
	run.Verdict = &v
	return run
}

// toPaste tells the command that asks for more repeats. More cases have to be
// written first.
func toPaste(run eval.Run, g *eval.GroupVerdict, s *eval.Settle) *eval.Settle {
	if s == nil || s.Repeats == nil {
		return s
	}
	told, repeats := *s, *s.Repeats
	again := againWith(run, g, "", repeats.Repeats)
	accept := "; llmx baseline accept --suite " + ShellWord(g.Suite) + " && "
	switch {
	case !s.Both, g.Against != nil: // with --against both arms have the repeats
		repeats.Command = again
	case g.BaselinePrompt != "":
		repeats.Command = againWith(run, g, g.BaselinePrompt, repeats.Repeats) + accept + again
	case g.BaselineCommit != "":
		beside := run
		beside.Selection.Against, beside.Selection.Confirm, beside.Replies = g.BaselineCommit, 0, "live"
		repeats.Command = againWith(beside, g, "", repeats.Repeats)
	case g.SameTreatment: // the second time anew, or it would be given the answers of the first
		beside := run
		beside.Replies = "live"
		again = againWith(beside, g, "", repeats.Repeats)
		repeats.Command = again + accept + again + " --fresh"
	}
	told.Repeats = &repeats
	return &told
}

// againWith is the command that tests a group as the run did, with so many repeats. A
// prompt stands over that of the run.
func againWith(run eval.Run, g *eval.GroupVerdict, prompt string, repeats int) string {
	asked := run.Selection
	words := []string{"llmx", "test", ShellWord(g.Suite)}
	if prompt == "" {
		prompt = asked.Prompt
	}
	if prompt != "" {
		words = append(words, "--prompt", ShellWord(prompt))
	}
	if len(asked.Models) > 0 {
		words = append(words, "--model", ShellWord(g.Model))
	}
	if asked.Filter != "" {
		words = append(words, "--filter", ShellWord(asked.Filter))
	}
	if len(asked.Tags) > 0 {
		words = append(words, "--tag", ShellWord(strings.Join(asked.Tags, ",")))
	}
	if asked.Sample > 0 {
		words = append(words, "--sample", fmt.Sprint(asked.Sample))
	}
	if asked.Only != "" {
		words = append(words, "--only", asked.Only)
	}
	if asked.Of != "" {
		words = append(words, "--of", asked.Of)
	}
	if asked.Against != "" {
		words = append(words, "--against", ShellWord(asked.Against))
		if asked.Confirm == 0 {
			words = append(words, "--confirm", "0")
		}
	}
	words = append(words, "--repeats", fmt.Sprint(repeats))
	if run.Replies == "live" {
		return strings.Join(append(words, "--live"), " ")
	}
	return strings.Join(append(words, "--record"), " ") // further repeats are not recorded yet
}

// commandOf is what settles a gate, "" where no command does.
func commandOf(gate eval.GateResult) string {
	if gate.Settle == nil || gate.Settle.Repeats == nil {
		return ""
	}
	return gate.Settle.Repeats.Command
}
