package cli

import (
	"io/fs"
	"slices"

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
	return t.orReplayed(err)
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
	if err == nil || fault.ClassOf(err) != fault.Auth || t.options.drift {
		return err
	}
	if slices.ContainsFunc(t.plan.suites, func(one *loaded) bool { return !t.project.hasRecordings(one.Name) }) {
		return err
	}
	var problems fault.List
	problems.Add(err)
	last := *problems[len(problems)-1]
	if last.Hint != "" {
		last.Hint += "; "
	}
	last.Hint += "recorded replies need no key: --replay"
	problems[len(problems)-1] = &last
	return problems
}

// hasRecordings reports a suite of which replies are recorded.
func (p *project) hasRecordings(suite string) bool {
	info, err := fs.Stat(p.fs, replay.Path(suite))
	return err == nil && info.Size() > 0
}
