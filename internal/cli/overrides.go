package cli

import (
	"context"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server"
)

// keepLabelFor bounds the wait until a label that was set is in the store.
const keepLabelFor = 5 * time.Second

// SetLabel is server.Labels'. What is not kept is not in force either: a server that was
// restarted would forget it, and another one on the same store would never hear of it.
func (s *serving) SetLabel(ctx context.Context, change server.LabelChange) (prompt.Override, error) {
	if s.lacks(change) {
		s.reload(false) // it may have been released a moment ago
	}
	ctx, cancel := context.WithTimeout(ctx, keepLabelFor)
	defer cancel()
	f := &s.files
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := s.takeOverrides(ctx); err != nil { // another server may have set one since
		return prompt.Override{}, err
	}
	now, _ := f.now.reading.prompts.with(f.now.overrides)
	o, err := now.overrideFor(change, s.project.world.Now())
	if err != nil {
		return o, err
	}
	if agrees(f.now.reading.prompts, o) {
		o.Ended, o.How = o.At, prompt.EndAgreed
		err = s.store.LogOverride(ctx, o)
	} else {
		o, err = s.store.SetOverride(ctx, o)
	}
	if err != nil {
		return o, err
	}
	f.now.overrides = slices.DeleteFunc(f.now.overrides, func(old prompt.Override) bool { return old.Prompt == o.Prompt && old.Label == o.Label })
	if o.Ended.IsZero() {
		f.now.overrides = append(f.now.overrides, o)
	}
	s.publish()
	s.log.Warn("a label was set on this server", overrideAttrs(o)...)
	return o, nil
}

// lacks reports that a version is asked for that was not there when the files were read.
func (s *serving) lacks(change server.LabelChange) bool {
	prompts := s.files.told.Load().reading.prompts
	if prompts.byName[change.Prompt] == nil {
		return true
	}
	if change.Rollback || !prompts.isRelease(change.Version) {
		return false
	}
	_, err := prompts.library.Resolve(change.Prompt+"@"+change.Version, prompt.Serve)
	return fault.ClassOf(err) == fault.Invalid
}

// LabelLog is server.Labels'.
func (s *serving) LabelLog(ctx context.Context, name string, limit int) ([]prompt.Override, error) {
	return s.store.OverrideLog(ctx, name, limit)
}

// overrideFor makes the override that a change asks for, or refuses it.
func (s *served) overrideFor(change server.LabelChange, at time.Time) (prompt.Override, error) {
	o := prompt.Override{
		Prompt: change.Prompt, Label: change.Label, Version: change.Version, Until: change.Until.UTC(), Because: change.Because, By: change.By, At: at.UTC(),
	}
	if change.Until.IsZero() {
		o.Until = time.Time{}
	}
	current := s.label(change.Prompt, change.Label)
	if current != nil {
		o.Before, o.Percent = current.Version, current.Percent
	}
	if change.Percent != nil {
		o.Percent = *change.Percent
	}
	if change.Rollback {
		if s.byName[change.Prompt] != nil && current == nil {
			return o, fault.New(fault.Invalid, "%s has no label %q", change.Prompt, change.Label)
		}
		if current != nil {
			parent, err := s.library.Parent(change.Prompt, current.Version)
			if err != nil {
				return o, err
			}
			o.Version = parent
		}
	}
	_, err := s.under(o)
	return o, err
}

// agrees reports whether the files say what an override says.
func agrees(files *served, o prompt.Override) bool {
	label := files.label(o.Prompt, o.Label)
	return label != nil && label.Version == o.Version && label.Percent == o.Percent
}

// takeOverrides reads the labels in force from the store. The caller holds mu.
func (s *serving) takeOverrides(ctx context.Context) error {
	overrides, err := s.store.Overrides(ctx)
	if err == nil {
		overrides, err = s.keepLost(ctx, overrides)
	}
	s.files.now.kept = err
	if err == nil {
		s.files.now.overrides = overrides
	}
	return err
}

// keepLost finds the labels in force that the store has never heard of: its file was
// removed or replaced. Nobody has ended them, so they hold, and are set in the store that
// is there now. The caller holds mu.
func (s *serving) keepLost(ctx context.Context, stored []prompt.Override) ([]prompt.Override, error) {
	for _, o := range s.files.now.overrides {
		if slices.ContainsFunc(stored, func(now prompt.Override) bool { return now.Prompt == o.Prompt && now.Label == o.Label }) {
			continue
		}
		known, err := s.store.HasOverride(ctx, o)
		if err != nil {
			return nil, err
		}
		if known { // somebody has ended it
			continue
		}
		again, err := s.store.SetOverride(ctx, o)
		if err != nil {
			return nil, err
		}
		s.log.Error("a label that was set is not in the store, whose file is another one: it is set again", overrideAttrs(again)...)
		delete(s.files.ended, again.ID) // the numbers begin anew
		stored = append(stored, again)
	}
	return stored, nil
}

// sameOverride reports the same act, whatever its number is.
func sameOverride(a, b prompt.Override) bool {
	return a.Prompt == b.Prompt && a.Label == b.Label && a.At.Equal(b.At)
}

// followLabels ends labels whose time is up, and serves what another server has set.
func (s *serving) followLabels(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, keepLabelFor)
	defer cancel()
	f := &s.files
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.now.overrides
	if s.takeOverrides(ctx) != nil {
		f.now.overrides = slices.Clone(before) // those that are known hold, until their time is up
	}
	now := s.project.world.Now()
	f.now.overrides = slices.DeleteFunc(f.now.overrides, func(o prompt.Override) bool {
		expired := !o.Until.IsZero() && !now.Before(o.Until)
		if expired {
			s.endOverride(ctx, o, prompt.EndExpired, now)
		}
		return expired
	})
	if slices.EqualFunc(before, f.now.overrides, func(a, b prompt.Override) bool { return a.ID == b.ID }) {
		f.tell()
		return
	}
	for _, o := range f.now.overrides {
		if !slices.ContainsFunc(before, func(old prompt.Override) bool { return sameOverride(old, o) }) {
			s.log.Warn("a label was set on another server of this store", overrideAttrs(o)...)
		}
	}
	for _, o := range before {
		if !s.files.ended[o.ID] && !slices.ContainsFunc(f.now.overrides, func(now prompt.Override) bool { return sameOverride(now, o) }) {
			s.log.Warn("a label that was set is no longer in force", overrideAttrs(o)...)
		}
	}
	s.publish()
	s.tellUnusable()
}

// endAgreed ends the overrides that the files agree with now. The caller holds mu.
func (s *serving) endAgreed() {
	ctx, cancel := context.WithTimeout(context.Background(), keepLabelFor)
	defer cancel()
	f := &s.files
	f.now.overrides = slices.DeleteFunc(slices.Clone(f.now.overrides), func(o prompt.Override) bool {
		agreed := agrees(f.now.reading.prompts, o)
		if agreed {
			s.endOverride(ctx, o, prompt.EndAgreed, s.project.world.Now())
		}
		return agreed
	})
}

// endOverride says in the log, and in the store, how an override has ended. Where the
// store cannot be written it ends all the same; the next look tries again.
func (s *serving) endOverride(ctx context.Context, o prompt.Override, how string, at time.Time) {
	_, err := s.store.EndOverride(ctx, o.ID, how, at)
	if s.files.ended[o.ID] {
		return
	}
	s.files.ended[o.ID] = true
	s.log.Warn("a label that was set has ended", append(overrideAttrs(o), "how", how)...)
	if err != nil {
		s.log.Error("its end cannot be stored", append(overrideAttrs(o), "error", onOneLine(err))...)
	}
}

// tellUnusable logs the overrides that cannot be followed. The caller holds mu.
func (s *serving) tellUnusable() {
	for _, o := range s.files.now.overrides {
		if err := s.files.now.unusable[o.ID]; err != nil {
			s.log.Error("a label that was set cannot be followed: the label of the files is served", append(overrideAttrs(o), "error", onOneLine(err))...)
		}
	}
}

func overrideAttrs(o prompt.Override) []any {
	attrs := []any{"prompt", o.Prompt, "label", o.Label, "version", o.Version, "before", o.Before, "because", o.Because, "by", o.By}
	if o.Percent > 0 {
		attrs = append(attrs, "percent", o.Percent)
	}
	if !o.Until.IsZero() {
		attrs = append(attrs, "until", o.Until.Format(time.RFC3339))
	}
	return attrs
}
