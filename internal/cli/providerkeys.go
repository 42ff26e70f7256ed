package cli

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// checkKeys resolves every provider that is going to be asked, so that a missing key is
// one error before the first call.
func (t *testRun) checkKeys(s *servers) error {
	if !asksProviders(t.mode) {
		return nil
	}
	err := s.checkKeys(t.plan.models())
	if err == nil {
		err = t.checkArmKeys(s)
	}
	if err != nil && t.options.drift {
		return t.orOthers(s, err)
	}
	return t.orReplayed(err)
}

// orOthers says of a drift that lacks a key which models can be asked without it.
func (t *testRun) orOthers(s *servers, err error) error {
	var others []string
	for _, asks := range t.plan.askers() {
		for _, name := range modelsOf(t.plan.armsOf(asks)) {
			if s.of(asks).checkKeys([]string{name}) == nil && !slices.Contains(others, name) {
				others = append(others, name)
			}
		}
	}
	if len(others) == 0 {
		return err
	}
	return withMore(err, "the others can be asked without: --model "+strings.Join(others, ","))
}

// checkArmKeys refuses arms whose providers cannot be asked.
func (t *testRun) checkArmKeys(s *servers) error {
	for _, asks := range t.plan.askers() {
		if err := s.of(asks).checkKeys(modelsOf(t.plan.armsOf(asks))); err != nil {
			return err
		}
	}
	return nil
}

// orReplayed says of a missing key what goes without one, where that is there: every
// suite has recordings, and the question is one that they can answer.
func (t *testRun) orReplayed(err error) error {
	if err == nil || fault.ClassOf(err) != fault.Auth {
		return err
	}
	if slices.ContainsFunc(t.plan.suites, func(one *loaded) bool { return !t.project.hasRecordings(one.Name) }) {
		return err
	}
	return withMore(err, "recorded replies need no key: --replay")
}

// withMore adds to what is to be done about an error.
func withMore(err error, hint string) error {
	var problems fault.List
	problems.Add(err)
	last := *problems[len(problems)-1]
	if last.Hint != "" {
		hint = last.Hint + "; " + hint
	}
	last.Hint = hint
	problems[len(problems)-1] = &last
	return problems
}

// hasRecordings reports a suite of which replies are recorded.
func (p *project) hasRecordings(suite string) bool {
	info, err := fs.Stat(p.fs, replay.Path(suite))
	return err == nil && info.Size() > 0
}
