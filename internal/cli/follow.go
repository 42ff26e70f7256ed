package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// lookForLabels is how often the labels that were set are looked for in the store:
// another server on the same file may have set one.
const lookForLabels = 300 * time.Millisecond

// tryAgainAfter is when files that could not be served are read again though they look the
// same: it may have been the machine, or a file that they only name.
const tryAgainAfter = 10 * time.Second

// follow serves what the files and the labels say, until ctx ends. reload asks for a look
// at once.
func (s *serving) follow(ctx context.Context, reload <-chan os.Signal) {
	labels := time.NewTicker(lookForLabels)
	defer labels.Stop()
	every := s.project.config.Serve.Reload
	files := time.NewTimer(max(every, time.Millisecond))
	defer files.Stop()
	if every == 0 {
		files.Stop()
	}
	var pending fingerprint
	for {
		select {
		case <-ctx.Done():
			return
		case <-labels.C:
			s.followLabels(ctx)
		case <-reload:
			s.log.Info("reading the files again, as a signal asks for it")
			s.reload(true)
		case <-files.C:
			began := time.Now()
			changed := s.changed(&pending)
			wait := restFor(every, time.Since(began))
			if changed {
				s.reload(false)
			} else if pending != 0 {
				wait = settleFor
			}
			files.Reset(wait)
		}
	}
}

// changed reports whether the files are others than those that were read last, and have
// stayed so since the look before: a checkout is over.
func (s *serving) changed(pending *fingerprint) bool {
	now := s.printNow()
	before := *pending
	*pending = 0
	known := s.files.told.Load()
	again := known.reloads.failed != nil && time.Since(known.reloads.tried) > tryAgainAfter
	if now == known.seen && !again {
		return false
	}
	if now != known.seen && now != before || s.checkoutUnderWay() {
		*pending = now
		return false
	}
	return true
}

// reload reads the files, and serves them if all is well with them; else what was served
// goes on, and that is said. Somebody may have asked for it.
func (s *serving) reload(asked bool) {
	f := &s.files
	f.mu.Lock()
	defer f.mu.Unlock()
	made, print, err := s.readStable()
	f.now.seen, f.now.reloads.tried = print, time.Now()
	if err == nil && !asked {
		err = s.notGone(made.prompts, print)
	}
	if err != nil {
		s.notReloaded(err)
		return
	}
	before := f.now.reading
	f.now.reading = made
	f.now.reloads.good++
	f.now.reloads.failed = nil
	s.endAgreed()
	s.publish()
	var changed []any
	if prompts := changedPrompts(before.prompts, made.prompts); len(prompts) > 0 {
		changed = []any{"changed", strings.Join(prompts, ", ")}
	}
	s.log.Info("the files were read again and are served", changed...)
	s.tellUnserved(before.prompts, made.prompts)
	if len(made.restart) > 0 && !slices.Equal(before.restart, made.restart) {
		s.log.Warn("llmx.yaml has changes that need a restart", "keys", strings.Join(made.restart, ", "))
	}
	s.tellUnusable()
}

// notReloaded keeps what is served, and says why once a reason. The caller holds mu.
func (s *serving) notReloaded(err error) {
	state := &s.files.now.reloads
	state.bad++
	if state.failed == nil || state.failed.Error() != err.Error() {
		state.failed, state.since = err, s.project.world.Now()
		s.log.Error("the files cannot be served: what was served before goes on", "error", onOneLine(err))
	}
	s.files.tell()
}

// notGone refuses for a while files in which a prompt is missing that is served: somebody
// may be putting them there. The caller holds mu.
func (s *serving) notGone(read *served, print fingerprint) error {
	var problems fault.List
	for _, p := range s.files.now.reading.prompts.List() {
		if one := read.byName[p.Name]; one == nil || one.bare == nil {
			problems.Add(fault.At(fault.Place{File: promptsDir + "/" + p.Name}, "the prompt %s is served, and is not there to be served any more", p.Name).
				WithHint("if that is meant: it goes when the files stay so for %v, at once on SIGHUP", goneAfter))
		}
	}
	gone := &s.files.gone
	if len(problems) == 0 {
		gone.print = 0
		return nil
	}
	if gone.print != print {
		gone.print, gone.since = print, time.Now()
	}
	if time.Since(gone.since) >= goneAfter {
		return nil
	}
	return problems.Err()
}

// goneAfter is how long files must be without a prompt that is served, before it goes.
const goneAfter = 30 * time.Second

// printNow is 0 where the files are away.
func (s *serving) printNow() fingerprint {
	files, err := openFiles(s.project.root)
	if err != nil {
		return 0
	}
	defer files.root.Close()
	return fingerprintOf(files)
}

// changedPrompts names what bare names mean now and did not before.
func changedPrompts(before, now *served) []string {
	was := map[string]string{}
	for _, p := range before.all() {
		was[p.Ref().String()] = p.Hash
	}
	changed := []string{}
	for _, p := range now.all() {
		if was[p.Ref().String()] != p.Hash {
			changed = append(changed, p.Ref().String())
		}
	}
	return changed
}
